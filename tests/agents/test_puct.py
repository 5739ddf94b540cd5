"""Search with a network: the formula, whose value it is, symmetries, and that thinking ahead helps."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from searched_games import plain_ends, take_an_end, turn_after

from lanista.agents.artifact import save_agent
from lanista.agents.contestant import load_agent
from lanista.agents.kinds.minimax import search
from lanista.agents.match import Scheduled, play_games, score
from lanista.agents.policy_network import build_network
from lanista.agents.puct import C_BASE, FIRST_PLAY, Forest, Limits
from lanista.agents.random_openings import random_openings
from lanista.agents.search_tree import weights_of
from lanista.agents.searching_network import SearchingAgent
from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import make, native_rules
from lanista.envs.core import Array, Floats, Turn
from lanista.envs.rules import Rules
from lanista.errors import UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("agents")
    for game in ("tictactoe", "connect_four", "kuhn_poker"):
        save_agent(folder / game, build_network(make(game).spec).eval(), game, "float32", {})
    spec = make("connect_four").spec
    save_agent(folder / "memory", build_network(spec, memory="gru:dim=8").eval(), "connect_four", "float32", {})
    return folder


def started(words: str, game: str) -> SearchingAgent:
    agent = load_agent(words)
    assert isinstance(agent, SearchingAgent)
    agent.start(native_rules(game).spec, 0)
    return agent


def even(rules: Rules, rows: int) -> tuple[Floats, Floats]:
    """A network that knows nothing."""
    return np.zeros((rows, rules.num_actions), np.float32), np.zeros(rows, np.float32)


def forest_of(turn: Turn, symmetries: bool = False, policies: Floats | None = None) -> Forest:
    assert turn.public is not None
    rules = turn.public.rules
    logits, values = even(rules, len(turn))
    sides = rules.spec.symmetries if symmetries else ()
    return Forest(
        rules, turn.public.positions(), turn.draws, logits if policies is None else policies, values, sides
    )  # fmt: skip


def test_takes_a_win_at_once_and_blocks_one(folder: Path) -> None:
    agent = started(f"{folder}/connect_four?simulations=100", "connect_four")
    choice = agent.act(turn_after("connect_four", [(3, 0, 3, 0, 3, 1), (3, 0, 3, 0, 3)]))
    assert choice.actions.tolist() == [3, 3]
    assert choice.value is not None and choice.value[0] == 1
    assert choice.policy is not None and np.allclose(choice.policy.sum(axis=1), 1)


@pytest.mark.thorough
def test_what_is_proven_is_true(folder: Path) -> None:
    turn = turn_after("tictactoe", random_openings("tictactoe", range(100), (2, 7)))
    forest = started(f"{folder}/tictactoe?simulations=3000", "tictactoe").think(turn)
    _, values, _ = search(turn, 9)
    proven = ~np.isnan(forest.nodes[:, 0]["proven"])
    found = weights_of(forest.nodes, 9, forest.bounds)[1]
    assert proven.mean() > 0.9 and (found[proven] == np.sign(values[proven])).all()
    unproven = forest.nodes[~proven, 0]["visits"]
    assert (unproven == 3001).all() and (forest.nodes[proven, 0]["visits"] <= 3001).all()


@pytest.mark.thorough
def test_a_player_may_move_twice_and_rewards_have_any_size() -> None:
    rng = np.random.default_rng(0)
    openings = [rng.integers(0, 2, rng.integers(0, 8)).tolist() for _ in range(40)]
    table = BatchedGame(take_an_end(), len(openings))
    table.reset(0, openings=openings)
    for leaves in (1, 4):
        forest = forest_of(table.turn())
        forest.search(Limits(5000, leaves=leaves), lambda seen: even(table.rules, len(seen)))
        weights, values = weights_of(forest.nodes, 2, forest.bounds)
        for row, position in enumerate(table.states):
            left, right, mover = position.tolist()
            plain = plain_ends(left, right, mover, 10)
            assert plain[int(weights[row].argmax())] == max(plain.values())
            assert np.isnan(forest.nodes[row, 0]["proven"]) or values[row] == max(plain.values())


def test_the_formula_is_alphazeros() -> None:
    """A search of a few simulations, done again by hand on the values that an odd evaluator gives."""
    policy = np.array([[0.05, 0.1, 0.0, 0.3, 0.2, 0.25, 0.15]], np.float32)

    def judged(seen: Array) -> tuple[Floats, Floats]:
        stones = seen.reshape(len(seen), 2, 42) @ np.arange(42)  # a value that differs from board to board
        return np.zeros((len(seen), 7), np.float32), (0.6 + 0.3 * np.sin(stones[:, 0] - 2 * stones[:, 1])).astype(
            np.float32
        )

    forest = forest_of(turn_after("connect_four", [()]), policies=policy)
    forest.search(Limits(3, c_puct=1.25), judged)
    prior = np.exp(policy[0]) / np.exp(policy[0]).sum()
    visits, total = np.zeros(7), np.zeros(7)
    root_visits, root_total = 1, 0.0
    game = make("connect_four")
    for _ in range(3):
        rate = (math.log((1 + root_visits + C_BASE) / C_BASE) + 1.25) * math.sqrt(root_visits)
        unseen = root_total / root_visits - FIRST_PLAY * math.sqrt(prior[visits > 0].sum())
        quality = np.where(visits > 0, total / np.maximum(visits, 1), unseen)
        move = int((quality + rate * prior / (1 + visits)).argmax())
        assert visits[move] == 0, "this check is of the first visits"
        game.reset([0], openings=[[move]])
        value = -float(judged(game.turn().observation["board"])[1][0])
        visits[move] += 1
        total[move] += value
        root_visits, root_total = root_visits + 1, root_total + value
    children = forest.nodes[0, 1:8]
    assert children["action"].tolist() == list(range(7))
    assert children["visits"].tolist() == visits.tolist()
    assert np.allclose(children["total"], total) and np.allclose(children["prior"], prior)


@pytest.mark.thorough
def test_a_network_that_sees_the_same_from_every_side_finds_the_same_from_every_side() -> None:
    """Logits that only count neighbours turn with the board, so that it does not matter which side is shown."""

    def judged(seen: Array) -> tuple[Floats, Floats]:
        mine, theirs = (np.pad(seen[:, plane].astype(np.float32), ((0, 0), (1, 1), (1, 1))) for plane in range(2))
        around = sum(
            (mine - 2 * theirs)[:, 1 + down : 4 + down, 1 + right : 4 + right]
            for down in (-1, 0, 1) for right in (-1, 0, 1)
        )  # fmt: skip
        assert isinstance(around, np.ndarray)
        return around.reshape(len(seen), 9), np.tanh((mine - theirs)[:, 2, 2]).astype(np.float32)

    turn = turn_after("tictactoe", random_openings("tictactoe", range(40), (0, 4)))
    found = []
    for symmetries in (False, True):
        forest = forest_of(turn, symmetries)
        forest.search(Limits(40), judged)
        found.append(weights_of(forest.nodes, 9, forest.bounds))
    assert np.allclose(found[0][0], found[1][0]) and np.allclose(found[0][1], found[1][1])


@pytest.mark.parametrize("leaves", [2, 8])
def test_leaves_that_wait_together_are_all_counted(folder: Path, leaves: int) -> None:
    agent = started(f"{folder}/connect_four?simulations=101&leaves={leaves}", "connect_four")
    turn = turn_after("connect_four", random_openings("connect_four", range(9), (0, 8)))
    nodes = agent.think(turn).nodes
    going = np.isnan(nodes[:, 0]["proven"])
    assert going.any() and (nodes[going, 0]["visits"] == 102).all()
    for tree in nodes[going]:
        first, count = int(tree[0]["first"]), int(tree[0]["count"])
        assert tree[first : first + count]["visits"].sum() == 101
        assert tree[0]["pending"] == 0 and (tree[first : first + count]["pending"] == 0).all()


def test_the_same_seed_plays_the_same_games(folder: Path) -> None:
    schedule = [Scheduled((0, 1), seed, label=seed) for seed in range(4)]

    def moves(words: str, seed: int) -> list[tuple[int, ...]]:
        agents = [load_agent(f"{folder}/connect_four?simulations=8{words}"), load_agent("random")]
        played = [one for part in play_games("connect_four", agents, schedule, seed=seed) for one in part]
        return [one.moves for one in sorted(played, key=lambda one: one.scheduled.label)]

    assert moves("", 1) == moves("", 1)
    assert moves("&temperature=1.0", 1) == moves("&temperature=1.0", 1) != moves("&temperature=1.0", 2)


def test_a_tree_has_room_for_whatever_is_found() -> None:
    turn = turn_after("connect_four", [(), (3,)])
    forest = forest_of(turn)
    forest.search(Limits(2000), lambda seen: even(forest.rules, len(seen)))
    assert forest.used.max() > 2 * 7 + 256 and forest.nodes.shape[1] >= forest.used.max()
    for tree, used in zip(forest.nodes, forest.used, strict=True):
        inner = tree[:used][tree[:used]["count"] > 0]
        assert (inner["first"] + inner["count"] <= used).all()
        for node in inner[:200]:
            children = tree[node["first"] : node["first"] + node["count"]]
            assert children["visits"].sum() <= node["visits"]
            assert children["prior"].sum() == pytest.approx(1, abs=1e-5)


def test_wrong_words(folder: Path) -> None:
    for words, complaint in {
        "connect_four?simulations=0": "1 to 1000000 simulations",
        "connect_four?simulatons=5": "did you mean 'simulations'",
        "connect_four?simulations=5&c_puct=-1": "c_puct is 0 or more",
        "connect_four?simulations=5&leaves=0": "1 to 256 leaves",
        "connect_four?c_puct=2": "add simulations",
        "memory?simulations=5": "has a memory",
    }.items():
        with pytest.raises(UsageError, match=complaint):
            load_agent(f"{folder}/{words}")
    poker = load_agent(f"{folder}/kuhn_poker?simulations=5")
    with pytest.raises(UsageError, match="see the whole position"):
        poker.start(native_rules("kuhn_poker").spec, 0)  # type: ignore[attr-defined]
    agent = load_agent(f"{folder}/connect_four?simulations=5&c_puct=2.0")
    assert load_agent(agent.name).name == agent.name == f"{folder}/connect_four?simulations=5&c_puct=2.0"  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="does not fit tictactoe"):
        agent.start(native_rules("tictactoe").spec, 0)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_thinking_ahead_beats_the_same_network_without(tmp_path: Path) -> None:
    import lanista

    run = lanista.train("connect_four", minutes=1.0, out=tmp_path / "run")
    agent, ahead = load_agent(run.agent), load_agent(f"{run.agent}?simulations=100")
    assert score("connect_four", ahead, agent, 200, 0) > 0.65
