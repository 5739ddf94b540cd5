"""Monte Carlo tree search: what it proves is right, what it plays is good, and the same seed plays the same."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from searched_games import plain_ends, take_an_end, turn_after

from lanista.agents.contestant import load_agent
from lanista.agents.kinds.mcts import MctsAgent
from lanista.agents.kinds.minimax import search
from lanista.agents.match import score
from lanista.agents.random_openings import random_openings
from lanista.agents.search_tree import chosen
from lanista.agents.uct import Limits, simulate
from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import make, native_rules
from lanista.errors import UsageError


def started(words: str, game: str = "connect_four", seed: int = 0) -> MctsAgent:
    agent = load_agent(words)
    assert isinstance(agent, MctsAgent)
    agent.start(native_rules(game).spec, seed)
    return agent


def test_takes_a_win_at_once_and_blocks_one() -> None:
    openings: Sequence[Sequence[int]] = [(3, 0, 3, 0, 3, 1), (3, 0, 3, 0, 3)]
    choice = started("mcts:simulations=100").act(turn_after("connect_four", openings))
    assert choice.actions.tolist() == [3, 3]
    assert choice.value is not None and choice.value[0] == 1
    assert choice.policy is not None and choice.policy[0, 3] == 1
    assert np.allclose(choice.policy.sum(axis=1), 1)


@pytest.mark.parametrize(("game", "plies"), [("tictactoe", (2, 7)), ("connect_four", (28, 36))])
def test_what_is_proven_is_true(game: str, plies: tuple[int, int]) -> None:
    turn = turn_after(game, random_openings(game, range(100), plies))
    found = started("mcts:simulations=20000", game).think(turn)
    _, values, _ = search(turn, 42)
    proven = found.simulations < 20000
    assert proven.mean() > 0.9
    assert (np.sign(values[proven]) == found.values[proven]).all()
    assert len(set(found.values[proven].tolist())) == 3
    table = make(game, restart=False)
    for row in np.flatnonzero(proven & (values > -0.5))[:20]:  # not lost: only moves that keep the value have weight
        assert turn.public is not None
        for action in np.flatnonzero(found.weights[row]):
            table.reset([0], openings=[turn.public.moves(int(row))])
            mover = int(turn.players[row])
            outcome = table.step(np.array([action]))
            kept = outcome.rewards[0, mover] if outcome.finished[0] else -search(table.turn(), 42)[1][0]
            assert np.sign(kept) == found.values[row]


def test_more_simulations_are_stronger() -> None:
    few, many = load_agent("mcts:simulations=20"), load_agent("mcts:simulations=400")
    assert score("connect_four", many, few, 60, 0) > 0.75
    assert score("connect_four", few, load_agent("random"), 60, 0) > 0.75


@pytest.mark.thorough
def test_a_player_may_move_twice_and_rewards_have_any_size() -> None:
    rng = np.random.default_rng(0)
    openings = [rng.integers(0, 2, rng.integers(0, 8)).tolist() for _ in range(40)]
    table = BatchedGame(take_an_end(), len(openings))
    table.reset(0, openings=openings)
    turn = table.turn()
    found = simulate(table.rules, table.states.copy(), turn.draws, Limits(20000), 1.4)
    for row, position in enumerate(table.states):
        left, right, mover = position.tolist()
        plain = plain_ends(left, right, mover, 10)
        assert plain[int(found.weights[row].argmax())] == max(plain.values())
        if found.simulations[row] < 20000:
            assert found.values[row] == max(plain.values())
    assert (found.simulations < 20000).any()


def test_simulations_are_the_same_again_and_another_seed_is_another_search() -> None:
    turn = turn_after("connect_four", random_openings("connect_four", range(6), (4, 4)))
    one, same, other = (started("mcts:simulations=50", seed=seed).think(turn) for seed in (1, 1, 2))
    assert (one.weights == same.weights).all() and (one.weights != other.weights).any()


def test_it_thinks_for_the_time_that_it_is_given() -> None:
    agent, turn = started("mcts:milliseconds=20"), turn_after("connect_four", [(3,)])
    agent.act(turn)  # compiled
    begin = time.monotonic()
    assert agent.think(turn).simulations[0] > 50
    assert time.monotonic() - begin < 5


def test_a_temperature_draws_from_the_visits() -> None:
    weights = np.tile(np.array([[0.1, 0.0, 0.6, 0.3]], np.float32), (20_000, 1))
    draws = np.random.default_rng(0).integers(0, 2**64, len(weights), np.uint64)
    assert (chosen(weights, draws, 0, 0.0) == 2).all()
    for temperature in (1.0, 0.5):
        counts = np.bincount(chosen(weights, draws, 0, temperature), minlength=4) / len(weights)
        expected = weights[0] ** (1 / temperature) / (weights[0] ** (1 / temperature)).sum()
        assert abs(counts - expected).max() < 0.015 and counts[1] == 0


def test_wrong_words() -> None:
    for words, complaint in {
        "simulations=0": "at least one simulation",
        "milliseconds=0": "some milliseconds",
        "exploration=-1": "0 or more",
        "exploration=inf": "0 or more",
        "temperature=inf": "a temperature is 0, or from 0.001 to 1000, not inf",
        "temperature=nan": "a temperature is 0, or from",
        "temperature=1e-320": "a temperature is 0, or from",
        "simulation=5": "did you mean 'simulations'",
    }.items():
        with pytest.raises(UsageError, match=complaint):
            load_agent(f"mcts:{words}")
    for game, complaint in {"kuhn_poker": "whole position", "leduc_poker": "whole position"}.items():
        with pytest.raises(UsageError, match=complaint):
            load_agent("mcts").start(native_rules(game).spec, 0)  # type: ignore[attr-defined]
    for name in ("mcts:simulations=200", "mcts:milliseconds=50", "mcts:simulations=9,exploration=2,temperature=1"):
        assert load_agent(name).name == name  # type: ignore[attr-defined]
