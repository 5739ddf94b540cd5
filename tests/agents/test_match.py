"""Scheduled games: exactly those, whatever the batch, and a failure costs one game only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from lanista.agents.awarded_returns import forfeit_returns
from lanista.agents.contestant import load_agent
from lanista.agents.match import Played, Scheduled, play_games, score
from lanista.agents.score_sheet import ScoreSheet
from lanista.envs.catalogue import make, native_rules
from lanista.envs.core import Agent, Array, Choice, GameSpec, Outcome, Ply, Turn
from lanista.errors import UsageError


def play_all(game: str, agents: Sequence[Agent], schedule: Sequence[Scheduled], **options: Any) -> list[Played]:
    """All games in the order of their labels."""
    played = [one for part in play_games(game, agents, schedule, **options) for one in part]
    return sorted(played, key=lambda one: one.scheduled.label)


def replayed(game: str, moves: Sequence[int]) -> tuple[float, ...] | None:
    """The returns of a game played move by move; None if it is not over then, or an action was illegal."""
    table = make(game, 1, restart=False)
    table.reset(0)
    returns = np.zeros(2)
    for action in moves:
        turn = table.turn()
        if len(turn) == 0 or turn.legal is None or not turn.legal[0, action]:
            return None
        returns += table.step(np.array([action])).rewards[0]
    return None if len(table.turn()) else tuple(returns.tolist())


MIXED = ["random", "minimax:depth=1", "minimax:depth=3", "first-legal"]


def mixed_schedule(count: int) -> list[Scheduled]:
    """Every pair of the four agents, some at both seats themselves, some from openings."""
    openings: list[tuple[int, ...]] = [(), (3,), (3, 3, 2), (0, 6, 0, 6)]
    return [
        Scheduled((number % 4, number // 4 % 4), 100 + number, openings[number // 16 % 4], number)
        for number in range(count)
    ]


def test_plays_exactly_what_is_scheduled() -> None:
    schedule = mixed_schedule(150)
    parts = list(play_games("connect_four", [load_agent(name) for name in MIXED], schedule, copies=16))
    assert all(parts), "no empty lists"
    played = [one for part in parts for one in part]
    assert sorted(one.scheduled.label for one in played) == list(range(150))
    for one in played:
        assert one.scheduled is schedule[one.scheduled.label]
        assert one.reason == "end" and one.at_fault is None
        assert one.moves[: len(one.scheduled.opening)] == one.scheduled.opening
        assert all(type(action) is int for action in one.moves)
        assert replayed("connect_four", one.moves) == one.returns


@pytest.mark.parametrize("names", [["random"] * 4, ["minimax:depth=2"] * 4, MIXED])
def test_what_is_played_does_not_depend_on_the_batch(names: list[str]) -> None:
    schedule = mixed_schedule(60)
    results = [
        play_all("connect_four", [load_agent(name) for name in names], schedule, copies=copies, seed=4)
        for copies in (1, 7, 1024)
    ]
    assert results[0] == results[1] == results[2]
    assert len({one.moves for one in results[0]}) > 30


def test_what_is_played_does_not_depend_on_the_order() -> None:
    agents = [load_agent(name) for name in MIXED]
    schedule = mixed_schedule(60)
    assert play_all("connect_four", agents, schedule) == play_all("connect_four", agents, schedule[::-1], copies=9)


def test_both_seats_are_who_was_scheduled() -> None:
    agents = [load_agent("minimax:depth=4"), load_agent("random")]
    seats = [(0, 1), (1, 0)]
    played = play_all("connect_four", agents, [Scheduled(seats[n % 2], n, label=n) for n in range(100)])
    for first in range(2):
        searching = [one.returns[first] for one in played if one.scheduled.seats[first] == 0]
        assert len(searching) == 50 and np.mean(searching) > 0.8


def test_one_agent_at_both_seats() -> None:
    played = play_all("tictactoe", [load_agent("random")], [Scheduled((0, 0), n, label=n) for n in range(200)])
    assert len(played) == 200
    assert {one.returns for one in played} == {(1.0, -1.0), (-1.0, 1.0), (0.0, 0.0)}


def test_nothing_scheduled_is_nothing_played() -> None:
    assert list(play_games("tictactoe", [load_agent("random")], [])) == []


def test_refuses_a_schedule_that_cannot_be_seated() -> None:
    agents = [load_agent("random")]
    for seats in ((0,), (0, 1), (0, -1), (0, 0, 0)):
        with pytest.raises(ValueError, match="seats 2 of 1 agents"):
            list(play_games("tictactoe", agents, [Scheduled(seats, 0)]))
    with pytest.raises(UsageError, match="opening 0 0 of tictactoe"):
        list(play_games("tictactoe", agents, [Scheduled((0, 0), 0, (0, 0))]))
    with pytest.raises(UsageError, match="did you mean 'tictactoe'"):
        list(play_games("tictactoes", agents, [Scheduled((0, 0), 0)]))


class Marked:
    """Plays like `first-legal`, and wrongly in the games that began with column 3, once they have eight plies."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.finished: list[int] = []

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        assert turn.legal is not None and turn.public is not None
        actions = turn.legal.argmax(axis=1)
        marked = [row for row in range(len(turn)) if turn.plies[row] >= 8 and turn.public.moves(row)[0] == 3]
        if marked and self.fault == "raises":
            raise RuntimeError("no idea")
        if marked and self.fault == "shape":
            return Choice(np.zeros(len(turn) + 1, np.int64))
        if marked and self.fault == "kind":
            return Choice(np.full(len(turn), 0.5))
        if self.fault == "illegal":
            actions[marked] = 7
        failed = dict.fromkeys(marked, "out of time") if self.fault == "admits" else {}
        return Choice(actions, failed=failed)

    def finish(self, games: Array) -> None:
        self.finished += games.tolist()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raises", "crashed: RuntimeError: no idea"),
        ("shape", "crashed: ValueError: answered 2 rows of 1"),
        ("kind", "crashed: ValueError: actions must be (k,) integers, not float64 of shape (1,)"),
        ("illegal", "illegal action 7"),
        ("admits", "out of time"),
    ],
)
@pytest.mark.parametrize("copies", [1, 16])
def test_a_failure_costs_one_game(fault: str, reason: str, copies: int) -> None:
    schedule = [
        Scheduled(((0, 1), (1, 0))[n % 2], n, ((3,), (2,), (3, 6), (6, 3))[n // 2 % 4], label=n) for n in range(40)
    ]
    sound = play_all("connect_four", [load_agent("random"), load_agent("first-legal")], schedule)
    agent = Marked(fault)
    played = play_all("connect_four", [load_agent("random"), agent], schedule, copies=copies)
    assert len(played) == 40 and len(agent.finished) == 40
    failures = 0
    for one, ought in zip(played, sound, strict=True):
        assert one.scheduled is ought.scheduled
        loser = one.scheduled.seats.index(1)
        if one.scheduled.opening[0] == 3 and len(ought.moves) > 8 + loser:
            failures += 1
            assert (one.reason, one.at_fault) == (reason, loser)
            assert one.returns[loser] == -1 and one.returns[1 - loser] == 1
            assert one.moves == ought.moves[: 8 + loser]
        else:
            assert one == ought
    assert failures >= 10


def test_an_agent_that_always_fails_loses_every_game_to_the_end() -> None:
    class Broken:
        def act(self, turn: Turn, memory: Array | None = None) -> Choice:
            return Choice(np.zeros(0, np.int64))

    schedule = [Scheduled((n % 2, 1 - n % 2), n, label=n) for n in range(30)]
    played = play_all("tictactoe", [Broken(), load_agent("random")], schedule, copies=8)
    assert len(played) == 30
    for one in played:
        assert one.reason == "crashed: ValueError: answered 0 rows of 1"
        assert one.scheduled.seats[one.at_fault or 0] == 0
    both = play_all("tictactoe", [Broken(), Broken()], schedule, copies=8)
    assert [one.at_fault for one in both] == [0] * 30 and [one.moves for one in both] == [()] * 30


def test_what_a_forfeit_is_worth() -> None:
    spec = native_rules("tictactoe").spec
    assert forfeit_returns(spec, [0, 0], [1]) == (1.0, -1.0)
    assert forfeit_returns(spec, [0, 0], [0, 1]) == (-1.0, -1.0)

    def bounded(players: int, returns: tuple[float, float]) -> GameSpec:
        fields = {name: getattr(spec, name) for name in spec.__dataclass_fields__}
        return GameSpec(**{**fields, "players": players, "role_of": (0,) * players, "returns": returns})

    assert forfeit_returns(bounded(1, (0.0, 500.0)), [17.0], [0]) == (0.0,)
    endless = forfeit_returns(bounded(3, (-np.inf, np.inf)), [5.0, -2.0, 9.0], [2])
    assert endless == (10.0, 10.0, -3.0)


class Steps(gymnasium.Env[Array, int]):
    """Goes on for a drawn number of steps; then it raises, is cut off, or ends, each as often."""

    observation_space = spaces.Box(0, 99, (1,))
    action_space: spaces.Space[Any] = spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self.left = int(self.np_random.integers(3, 90))
        self.way = int(self.np_random.integers(3))
        return np.array([self.left], np.float32), {}

    def step(self, action: int) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        self.left -= 1
        over = self.left == 0
        if over and self.way == 0:
            raise RuntimeError("the environment fell over")
        return np.array([self.left], np.float32), 1.0, over and self.way == 1, over and self.way == 2, {}


class Pushes(Steps):
    """The same with two numbers to choose."""

    action_space = spaces.MultiDiscrete([3, 2])


class Pulls(Steps):
    """The same with a point to choose."""

    action_space = spaces.Box(-1, 1, (2,))


@pytest.mark.parametrize("kind", [Steps, Pushes, Pulls])
def test_broken_games_are_void_and_the_others_go_on(kind: type[Steps]) -> None:
    name = f"LanistaTest{kind.__name__}-v0"
    if name not in gymnasium.registry:
        gymnasium.register(name, lambda **options: kind())
    schedule = [Scheduled((0,), n, label=n) for n in range(40)]
    results = [play_all(f"gym:{name}", [load_agent("random")], schedule, copies=copies) for copies in (1, 5, 40)]
    assert results[0] == results[1] == results[2]
    assert [one.scheduled.label for one in results[0]] == list(range(40))
    reasons = [one.reason for one in results[0]]
    assert all(reasons.count(reason) > 3 for reason in ("broken", "truncated", "end"))
    for one in results[0]:
        assert one.at_fault is None
        if one.reason != "broken":
            assert one.returns == (float(len(one.moves)),)
        assert all(np.asarray(action) in kind.action_space for action in np.asarray(one.moves, kind.action_space.dtype))
    assert max(len(one.moves) for one in results[0]) > 64, "the sheet had to grow"


def test_actions_of_one_moment_are_written_in_the_players_order() -> None:
    fields = {name: getattr(native_rules("tictactoe").spec, name) for name in GameSpec.__dataclass_fields__}
    sheet = ScoreSheet(GameSpec(**{**fields, "kind": "simultaneous", "longest": 1}), 3)
    nothing = np.zeros((3, 2), np.float32)

    def write(copies: list[int], players: list[int], actions: list[int], rows: list[int]) -> None:
        count = np.arange(len(copies))
        draws = count.astype(np.uint64)
        turn = Turn(np.array(copies), np.array(players), count, count, draws, {}, None)
        outcome = Outcome(nothing, nothing > 0, nothing > 0, nothing[:, 0] > 0, nothing[:, 0] > 0)
        sheet.write(Ply(turn, (), np.array(rows), np.array(actions), outcome, ()))

    write([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [31, 11, 20, 10, 30, 21], rows=[5, 1, 2, 0, 4, 3])
    assert sheet.actions(np.arange(3)) == [[10, 11], [20, 21], [30, 31]]
    write([0, 0, 2, 2], [0, 1, 0, 1], [12, 32], rows=[0, 2])  # the others wait
    write([0, 2, 2], [1, 0, 1], [13, 33, 34], rows=[0, 1, 2])
    assert sheet.actions(np.array([2, 0, 1])) == [[30, 31, 32, 33, 34], [10, 11, 12, 13], [20, 21]]
    sheet.clear(np.array([2]))
    assert sheet.actions(np.array([2])) == [[]]


def test_scores() -> None:
    deep, shallow = load_agent("minimax:depth=3"), load_agent("random")
    high = score("connect_four", deep, shallow, 50, 1)
    assert 0.85 < high <= 1
    assert score("connect_four", deep, shallow, 50, 1) == high
    assert score("connect_four", shallow, deep, 50, 1) < 0.15
    assert 0.4 < score("connect_four", shallow, load_agent("random"), 300, 2) < 0.6
    perfect = load_agent("minimax:depth=9")
    assert score("tictactoe", perfect, load_agent("minimax:depth=9"), 20, 3, plies=(0, 0)) == 0.5
    # From equal seats of one opening, an agent that plays as the other does takes half, whatever the opening gives.
    assert score("connect_four", load_agent("first-legal"), load_agent("first-legal"), 30, 4, plies=(1, 8)) == 0.5


def test_refuses_a_score_without_games() -> None:
    agent = load_agent("random")
    with pytest.raises(UsageError, match="at least one pair"):
        score("tictactoe", agent, agent, 0, 1)
