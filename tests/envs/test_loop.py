"""`play`, the one loop: seating, memory, failures, waiting."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from gymnasium import spaces

from lanista.envs import Choice, Game, GameSpec, Ply, Turn, make, play
from lanista.envs.core import Array, Bools, Floats, Ints, agent_name
from lanista.envs.doors._spaces import Seen
from lanista.envs.doors._tables import Moved, TableGame
from lanista.envs.draws import random_legal


class AtRandom:
    """Plays legally at random, and writes down what it was asked and told."""

    name = "at random"

    def __init__(self) -> None:
        self.asked: list[Turn] = []
        self.started: tuple[str, int] | None = None
        self.finished: list[int] = []

    def start(self, spec: GameSpec, seed: int) -> None:
        self.started = spec.name, seed

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        self.asked.append(turn)
        return Choice(random_legal(turn.legal, turn.draws))

    def finish(self, games: Ints) -> None:
        self.finished += games.tolist()


class Bare:
    """The least that can play: the first legal action."""

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        assert turn.legal is not None
        return Choice(turn.legal.argmax(axis=1))


def started(name: str, copies: int, restart: bool = False) -> Game:
    game = make(name, copies, restart=restart)
    game.reset(3)
    return game


def test_every_game_is_played_to_its_end() -> None:
    game = started("connect_four", 20)
    finished = np.zeros(20, np.int64)
    agents: tuple[AtRandom, Bare] = AtRandom(), Bare()
    for ply in play(game, agents, seed=70):
        assert not ply.failures
        assert len(ply.rows) == len(ply.actions) == len(ply.turn)
        finished += ply.outcome.finished
    assert (finished == 1).all() and len(game.turn()) == 0
    assert agents[0].started is not None
    name, drawn = agents[0].started
    assert name == "connect_four"
    other = AtRandom()
    next(play(make("connect_four"), (Bare(), other), seed=70))
    assert other.started == (name, drawn), "an agent's seed does not depend on where it sits in the list"
    next(play(make("connect_four"), (other,), seed=71))
    assert other.started != (name, drawn)
    assert sorted(agents[0].finished) == list(range(20))
    assert [agent_name(agents[0]), agent_name(agents[1])] == ["at random", "Bare"]


def test_without_seats_agents_sit_in_order() -> None:
    game = started("tictactoe", 4)
    agents = [AtRandom(), AtRandom()]
    list(play(game, agents))
    for player, agent in enumerate(agents):
        assert {player} == {int(seat) for turn in agent.asked for seat in turn.players}


def test_each_agent_answers_its_own_rows_in_one_call() -> None:
    game = started("tictactoe", 6)
    seats = np.array([[0, 1], [1, 0], [2, 2], [0, 2], [2, 1], [1, 0]])
    agents = [AtRandom(), AtRandom(), AtRandom()]
    rounds = 0
    for ply in play(game, agents, seats):
        rounds += 1
        assert sorted(np.concatenate([answered.rows for answered in ply.answers])) == list(range(len(ply.turn)))
        for answered in ply.answers:
            assert (seats[ply.turn.copies[answered.rows], ply.turn.players[answered.rows]] == answered.agent).all()
        # What was played in a row is what that row's agent chose, however the answers were put together.
        for answered in ply.answers:
            where = np.searchsorted(ply.rows, answered.rows)
            np.testing.assert_array_equal(ply.actions[where], answered.choice.actions)
            np.testing.assert_array_equal(ply.rows[where], answered.rows)
    assert all(len(agent.asked) <= rounds for agent in agents)


def test_seats_may_change_between_plies() -> None:
    game = started("tictactoe", 2)
    seats = np.zeros((2, 2), np.int64)
    agents = [AtRandom(), AtRandom()]
    running = play(game, agents, seats)
    next(running)
    seats[:] = 1
    next(running)
    assert len(agents[0].asked) == len(agents[1].asked) == 1


class Counting:
    """Remembers how often each seat has acted and in which game, and checks what it gets back."""

    def __init__(self) -> None:
        self.acted: dict[tuple[int, int], int] = {}
        self.zeroed = 0

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        new = np.zeros((len(turn), 2, 1), np.float32)
        for row, seat in enumerate(zip(turn.games.tolist(), turn.players.tolist(), strict=True)):
            before = self.acted.get(seat, 0)
            if memory is not None:
                assert memory.shape == (len(turn), 2, 1) and memory.dtype == np.float32
                assert memory[row].ravel().tolist() == [before, before and seat[0] + 1]
                self.zeroed += before == 0
            self.acted[seat] = before + 1
            new[row, :, 0] = before + 1, seat[0] + 1
        assert turn.legal is not None
        return Choice(random_legal(turn.legal, turn.draws), memory=new)


@pytest.mark.parametrize("same", [True, False])
def test_memory_is_kept_by_seat_and_cleared_when_a_game_ends(same: bool) -> None:
    game = started("tictactoe", 5, restart=True)
    agents = [Counting()] if same else [Counting(), Counting()]
    finished = sum(int(ply.outcome.finished.sum()) for ply in islice(play(game, agents), 60))
    assert finished > 20
    assert all(agent.zeroed > 20 for agent in agents), "new games begin with zeros"
    assert max(max(agent.acted.values()) for agent in agents) >= 4


class Faulty:
    """Raises whenever a row of game 2 is in its batch; remembers and values the others."""

    def __init__(self, how: str = "raise") -> None:
        self.how = how
        self.calls = 0

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        self.calls += 1
        bad = turn.games == 2
        actions = random_legal(turn.legal, turn.draws)
        if self.how == "raise" and bad.any():
            raise RuntimeError("no idea")
        if self.how == "illegal":
            actions = np.where(bad, 99, actions)
        if self.how == "failed":
            return Choice(actions, failed={int(row): "gave up" for row in np.flatnonzero(bad)})
        values: Floats = turn.games.astype(np.float32)
        return Choice(actions, value=values, memory=values[:, None])


@pytest.mark.parametrize(
    ("how", "reason"),
    [("raise", "crashed: RuntimeError: no idea"), ("illegal", "illegal action 99"), ("failed", "gave up")],
)
def test_only_failing_rows_forfeit(how: str, reason: str) -> None:
    game = started("tictactoe", 5)
    agents: tuple[Faulty, AtRandom] = Faulty(how), AtRandom()
    first, *others = islice(play(game, agents), 30)
    (failure,) = first.failures
    assert (failure.copy, failure.game, failure.player, failure.agent) == (2, 2, 0, 0)
    assert failure.reason == reason
    assert first.rows.tolist() == [0, 1, 3, 4] and not first.outcome.finished.any()
    assert set(first.answers[0].choice.failed) == {2}
    if how == "raise":
        assert first.answers[0].choice.value is not None
        assert first.answers[0].choice.value[[0, 1, 3, 4]].tolist() == [0, 1, 3, 4]
    assert all(not ply.failures and 2 not in ply.turn.games for ply in others)
    finished = np.sum([ply.outcome.finished for ply in others], axis=0)
    assert finished.tolist() == [1, 1, 0, 1, 1]
    assert sorted(agents[1].finished) == [0, 1, 2, 3, 4], "a forfeited game is over too"


def test_a_forfeited_copy_restarts() -> None:
    game = started("tictactoe", 3, restart=True)
    plies = list(islice(play(game, [Faulty(), AtRandom()]), 2))
    assert plies[1].turn.games.tolist() == [0, 1, 3]
    assert plies[1].turn.plies.tolist() == [1, 1, 0]


class Wrong:
    """Answers in a shape that nobody can play."""

    def __init__(self, answer: Choice | None) -> None:
        self.answer = answer

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        return self.answer  # type: ignore[return-value]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Choice(np.zeros(7, np.int64)),
        Choice(np.zeros(2, np.float32)),
        Choice(np.zeros((2, 1), np.int64)),
        Choice(np.array(["a", "b"])),
        Choice(np.zeros(2, np.int64), waiting=np.zeros(9, bool)),
    ],
)
def test_answers_of_a_wrong_shape_forfeit(answer: Choice | None) -> None:
    game = started("tictactoe", 2)
    (ply,) = islice(play(game, [Wrong(answer)]), 5)
    assert {failure.copy for failure in ply.failures} == {0, 1}
    assert all(failure.reason.startswith("crashed: ") for failure in ply.failures)
    assert len(ply.rows) == 0


@pytest.mark.parametrize("actions", [np.full((3, 1), np.nan, np.float32), np.zeros((3, 2), np.float32)])
def test_wrong_box_actions_forfeit_beside_good_ones(actions: Floats) -> None:
    game = started("gym:Pendulum-v1", 6)

    class Pushing:
        def act(self, turn: Turn, memory: Array | None = None) -> Choice:
            return Choice(np.ones((len(turn), 1), np.float32))

    seats = np.array([[0], [1], [0], [1], [0], [1]])
    first = next(play(game, [Wrong(Choice(actions)), Pushing()], seats))
    assert sorted(failure.copy for failure in first.failures) == [0, 2, 4]
    assert first.rows.tolist() == [1, 3, 5]
    np.testing.assert_array_equal(first.actions, np.ones((3, 1)))
    assert (first.outcome.rewards[[1, 3, 5], 0] < 0).all()


class Slow:
    """Answers each row only when it has seen it `patience` times."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.seen: dict[tuple[int, int], int] = {}
        self.memories: dict[tuple[int, int], float] = {}

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        waiting: Bools = np.zeros(len(turn), bool)
        new = np.full((len(turn), 1), -1.0)
        for row, key in enumerate(zip(turn.games.tolist(), turn.plies.tolist(), strict=True)):
            self.seen[key] = self.seen.get(key, 0) + 1
            waiting[row] = key[0] % 2 == 1 and self.seen[key] < self.patience
            if memory is not None:
                assert memory[row, 0] == self.memories.get((key[0], turn.players[row]), 0.0)
            if not waiting[row]:
                new[row] = self.memories[key[0], int(turn.players[row])] = key[1] + 0.5
        return Choice(random_legal(turn.legal, turn.draws), waiting=waiting, memory=new)


def test_waiting_rows_stay_open_while_others_go_on() -> None:
    game = started("tictactoe", 4)
    plies: list[Ply] = list(islice(play(game, [Slow(3)]), 60))
    assert plies[0].rows.tolist() == plies[1].rows.tolist() == [0, 2]
    assert plies[2].rows.tolist() == [0, 1, 2, 3]
    assert plies[2].turn.plies.tolist() == [2, 0, 2, 0]
    assert plies[0].turn.draws[1] == plies[2].turn.draws[1], "a row that waits is the same question"
    finished = np.sum([ply.outcome.finished for ply in plies], axis=0)
    assert finished.tolist() == [1, 1, 1, 1] and not any(ply.failures for ply in plies)


def test_rows_wait_beside_one_that_fails() -> None:
    """Asked row by row after a crash, a row may still wait."""

    class Moody(Slow):
        def act(self, turn: Turn, memory: Array | None = None) -> Choice:
            if 2 in turn.games:
                raise RuntimeError("not this one")
            return super().act(turn)

    game = started("tictactoe", 4)
    plies = list(islice(play(game, [Moody(2), AtRandom()]), 2))
    assert [failure.copy for failure in plies[0].failures] == [2]
    assert plies[0].rows.tolist() == [0] and plies[1].rows.tolist() == [0, 1, 2]
    assert plies[1].turn.copies.tolist() == [0, 1, 3] and plies[1].turn.plies.tolist() == [1, 0, 0]


def test_the_loop_yields_while_everybody_waits() -> None:
    game = started("tictactoe", 1)
    game.reset(0, openings=[[0]])
    waiting = Wrong(Choice(np.zeros(1, np.int64), waiting=np.ones(1, bool)))
    plies = list(islice(play(game, [waiting]), 5))
    assert all(len(ply.rows) == 0 and len(ply.turn) == 1 and not ply.failures for ply in plies)


class Pennies:
    """Three rounds of matching pennies: both players choose at once; player 0 wins on equal sides."""

    def __init__(self) -> None:
        self.round = 0

    def begin(self, seed: int) -> None:
        self.round = 0

    def seats(self) -> list[int]:
        return [0, 1] if self.round < 3 else []

    def see(self, player: int) -> Seen:
        return Seen({"round": np.array([self.round], np.int8)}, np.ones(2, bool))

    def act(self, answers: dict[int, int]) -> Moved:
        assert sorted(answers) == [0, 1]
        self.round += 1
        gain = 1.0 if answers[0] == answers[1] else -1.0
        return Moved((gain, -gain), terminated=(0, 1) if self.round == 3 else ())

    def frame(self) -> None:
        return None

    def close(self) -> None:
        return


def pennies(copies: int) -> TableGame:
    from lanista.envs.core import Role

    role = Role(spaces.Dict({"round": spaces.Box(0, 3, (1,), np.int8)}), spaces.Discrete(2))
    spec = GameSpec("pennies", 2, (role,), (0, 0), "simultaneous", True, False, 3, (-3.0, 3.0))
    return TableGame(spec, Pennies, copies, restart=False)  # type: ignore[arg-type]


def test_simultaneous_games_wait_for_every_seat() -> None:
    game = pennies(2)
    game.reset(1)
    turn = game.turn()
    assert turn.copies.tolist() == [0, 0, 1, 1] and turn.players.tolist() == [0, 1, 0, 1]
    assert len(set(turn.draws.tolist())) == 4, "seats that act together draw apart"
    outcome = game.step(np.array([1, 0, 0]), np.array([0, 2, 3]))
    assert outcome.rewards.tolist() == [[0, 0], [1, -1]]
    assert game.turn().copies.tolist() == [0, 1, 1] and game.turn().players.tolist() == [1, 0, 1]
    outcome = game.step(np.array([0]), np.array([0]))
    assert outcome.rewards.tolist() == [[-1, 1], [0, 0]]
    gains = np.zeros((2, 2))
    for ply in play(game, [AtRandom(), Bare()]):
        gains += ply.outcome.rewards
    assert len(game.turn()) == 0 and np.abs(gains).sum() % 4 == 0 and (gains.sum(axis=1) == 0).all()
