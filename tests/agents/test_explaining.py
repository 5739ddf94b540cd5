"""What agents say of a position, and where their networks look."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from searched_games import turn_after

from lanista.agents.contestant import load_agent
from lanista.agents.explaining import explain, line_words
from lanista.agents.kinds.minimax import search
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.policy_network import build_network
from lanista.agents.random_openings import random_openings
from lanista.agents.saliency import saliency
from lanista.agents.searching_network import SearchingAgent
from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import make, native_rules
from lanista.errors import UsageError


def played(game: str, actions: list[int]) -> bool:
    """Whether these moves are legal one after the other; the last may end the game."""
    table = make(game, restart=False)
    table.reset([0])
    for action in actions:
        turn = table.turn()
        if not len(turn) or turn.legal is None or not turn.legal[0, action]:
            return False
        table.step(np.array([action]))
    return True


@pytest.mark.thorough
@pytest.mark.parametrize("words", ["minimax:depth=4", "mcts:simulations=200", "minimax:depth=1"])
def test_lines_are_moves_that_can_be_played(words: str) -> None:
    agent = load_agent(words)
    agent.start(native_rules("connect_four").spec, 0)  # type: ignore[attr-defined]
    for opening in random_openings("connect_four", range(6), (0, 24)):
        turn = turn_after("connect_four", [opening])
        found = explain(agent, turn)
        assert turn.legal is not None and found.choice.value is not None and turn.public is not None
        for line in found.lines:
            assert played("connect_four", [*opening, *line.actions])
            assert len(line_words(turn.public.rules, turn.public.positions()[0], line)) == len(line.actions)
        if words.startswith("mcts"):
            assert sum(line.visits or 0 for line in found.lines) == found.simulations
            assert found.lines[0].actions[0] == found.choice.actions[0]
        else:
            assert len(found.lines) == turn.legal.sum()
            best, _, _ = search(turn, int(words[-1]))
            depth = found.lines[0].depth or 0
            equal = [line for line in found.lines if round(line.value) == round(found.lines[0].value)]
            assert best[0, found.lines[0].actions[0]] and len(equal) >= best[0].sum()
            assert found.lines[0].value == pytest.approx(found.choice.value[0], abs=1e-5)
            assert len(found.lines[0].actions) <= max(depth, 1)


@pytest.mark.thorough
def test_a_network_that_thinks_ahead_tells_its_lines_and_without_it_tells_none() -> None:
    torch.manual_seed(0)
    spec = native_rules("connect_four").spec
    network = NetworkAgent(build_network(spec).eval(), "network", "connect_four")
    ahead = SearchingAgent(network, 60)
    ahead.start(spec, 0)
    turn = turn_after("connect_four", [(3, 3)])
    found = explain(ahead, turn)
    assert found.simulations == 60 == sum(line.visits or 0 for line in found.lines)
    assert found.lines[0].actions[0] == found.choice.actions[0]
    assert explain(network, turn).lines == ()


def test_heat_is_where_the_network_looks() -> None:
    spec = native_rules("connect_four").spec
    network = build_network(spec, "mlp").eval()
    first = next(module for module in network.modules() if isinstance(module, torch.nn.Linear))
    looked = 2 * 7 + 5  # of the first plane
    with torch.no_grad():
        first.weight[:, :looked] = 0
        first.weight[:, looked + 1 :] = 0
        network.policy.weight.normal_()
    turn = turn_after("connect_four", [(3, 2)])
    modality, heat = saliency(network, turn, 0, 3)
    assert modality == "board" and heat.shape == (6, 7)
    assert heat[2, 5] == 1 and heat.sum() == 1
    flat = build_network(native_rules("kuhn_poker").spec).eval()
    with pytest.raises(UsageError, match="no board and no picture"):
        saliency(flat, make("kuhn_poker").turn(), 0, 0)


@pytest.mark.parametrize("game", ["connect_four", "tictactoe", "othello", "go:size=9", "hex:size=5", "breakthrough"])
def test_a_cell_has_its_place_in_the_picture(game: str) -> None:
    table = make(game)
    assert isinstance(table, BatchedGame)
    rules = table.rules
    assert rules.place is not None
    for opening in random_openings(game, range(5), (3, 9)):
        table.reset([0], openings=[opening])
        turn = table.turn()
        player, picture = int(turn.players[0]), table.picture(0)
        shift = re.search(r'<g transform="translate\((\S+) (\S+)\)">', picture)
        right, down = (float(shift.group(1)), float(shift.group(2))) if shift else (0.0, 0.0)
        shapes = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="[\d.]+" fill="([^"]+)"', picture)
        drawn = {(float(x) + right, float(y) + down): fill for x, y, fill in shapes}
        if game.startswith("hex"):
            for points, fill in re.findall(r'<polygon points="([^"]+)" fill="([^"]+)"', picture):
                corners = np.array([[float(each) for each in pair.split(",")] for pair in points.split()])
                drawn[tuple(corners.mean(axis=0))] = fill
        colours = []
        for plane in range(2):
            fills = set()
            for cell in np.flatnonzero(turn.observation["board"][0, plane].ravel()):
                x, y, wide = rules.place(int(cell), player)
                near = [fill for (at_x, at_y), fill in drawn.items() if abs(at_x - x) + abs(at_y - y) < 0.5]
                assert near and wide > 20, (game, cell)
                fills |= {fill for fill in near if fill not in ("none", "#d64545") or game in ("connect_four",)}
            colours.append(fills)
        if not game.startswith("hex"):
            assert len(colours[0]) == len(colours[1]) == 1 and colours[0] != colours[1]


def test_chess_is_seen_from_both_sides_and_drawn_from_one() -> None:
    table = make("chess")
    assert isinstance(table, BatchedGame) and table.rules.place is not None
    for position, king in (("4k3/8/8/8/8/8/8/R3K3 w - - 0 1", "e1"), ("4k3/8/8/8/8/8/8/R3K3 b - - 0 1", "e8")):
        table.parse_position(0, position)
        turn = table.turn()
        (cell,) = np.flatnonzero(turn.observation["board"][0, 5].ravel())  # the mover's own king
        x, y, wide = table.rules.place(int(cell), int(turn.players[0]))
        column, row = int((x - 20) // wide), 8 - int((y - 4) // wide)
        assert f"{'abcdefgh'[column]}{row}" == king
