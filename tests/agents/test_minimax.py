"""Minimax against a plain search that shares nothing with it, and what people expect of it."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
import pytest
from searched_games import plain_ends, take_an_end, turn_after

from lanista.agents import alpha_beta
from lanista.agents.contestant import load_agent
from lanista.agents.kinds.minimax import WANING, MinimaxAgent, search
from lanista.agents.match import Scheduled, play_games
from lanista.agents.position_table import ENTRY, new_table
from lanista.agents.random_openings import random_openings
from lanista.agents.solvers import connect_four as solver
from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import make, native_rules
from lanista.envs.core import GameSpec
from lanista.errors import UsageError


class Board:
    """A plain k-in-a-row board: rows from the top, 0 empty, 1 and 2 the players' stones."""

    def __init__(self, rows: int, columns: int, k: int, gravity: bool) -> None:
        self.rows, self.columns, self.k, self.gravity = rows, columns, k, gravity
        self.grid = [[0] * columns for _ in range(rows)]
        self.stones: list[tuple[int, int]] = []

    def moves(self) -> list[int]:
        if self.gravity:
            return [column for column in range(self.columns) if not self.grid[0][column]]
        return [
            cell for cell in range(self.rows * self.columns) if not self.grid[cell // self.columns][cell % self.columns]
        ]

    def play(self, action: int) -> bool:
        """Whether it wins."""
        row, column = divmod(action, self.columns)
        if self.gravity:
            column = action
            row = max(y for y in range(self.rows) if not self.grid[y][column])
        stone = 1 + len(self.stones) % 2
        self.grid[row][column] = stone
        self.stones.append((row, column))
        for down, right in ((0, 1), (1, 0), (1, 1), (-1, 1)):
            for back in range(self.k):
                y, x = row - back * down, column - back * right
                ends = y + (self.k - 1) * down, x + (self.k - 1) * right
                if not (0 <= y < self.rows and 0 <= x < self.columns):
                    continue
                if not (0 <= ends[0] < self.rows and 0 <= ends[1] < self.columns):
                    continue
                if all(self.grid[y + i * down][x + i * right] == stone for i in range(self.k)):
                    return True
        return False

    def undo(self) -> None:
        row, column = self.stones.pop()
        self.grid[row][column] = 0


def plain_values(board: Board, depth: int, ply: int = 1) -> dict[int, float]:
    """Each move's worth for its player: a win `1 - ply * WANING`, a loss its opposite, anything else 0."""
    values = {}
    for action in board.moves():
        if board.play(action):
            values[action] = 1 - ply * WANING
        elif depth == 1 or not board.moves():
            values[action] = 0.0
        else:
            values[action] = -max(plain_values(board, depth - 1, ply + 1).values())
        board.undo()
    return values


SHAPES = {
    "tictactoe": (3, 3, 3, False),
    "connect_four": (6, 7, 4, True),
    "mnk:rows=4,columns=9,k=3": (4, 9, 3, False),
    "mnk:rows=9,columns=8,k=3,gravity=true": (9, 8, 3, True),
}


@pytest.mark.parametrize(
    ("game", "depth", "plies", "count"),
    [
        ("tictactoe", 1, (0, 8), 100),
        ("tictactoe", 3, (0, 8), 60),
        ("tictactoe", 9, (3, 8), 60),
        ("connect_four", 1, (0, 38), 100),
        ("connect_four", 2, (0, 38), 100),
        ("connect_four", 3, (4, 38), 60),
        ("connect_four", 4, (8, 36), 30),
        ("connect_four", 5, (24, 36), 12),
        pytest.param("mnk:rows=4,columns=9,k=3", 2, (2, 8), 15, marks=pytest.mark.thorough),
        # Compiled for itself: Connect Four shows the same of stones that fall.
        pytest.param("mnk:rows=9,columns=8,k=3,gravity=true", 3, (2, 8), 15, marks=pytest.mark.slow),
    ],
)
def test_finds_exactly_the_best_moves(game: str, depth: int, plies: tuple[int, int], count: int) -> None:
    openings = random_openings(game, range(count), plies)
    best, values, nodes = search(turn_after(game, openings), depth)
    decided = 0
    for row, opening in enumerate(openings):
        board = Board(*SHAPES[game])
        for action in opening:
            board.play(action)
        plain = plain_values(board, depth)
        top = max(plain.values())
        assert values[row] == top, opening
        assert np.flatnonzero(best[row]).tolist() == [action for action in plain if plain[action] == top], opening
        decided += top != 0
    assert decided > 0, "these positions tell nothing"
    assert nodes >= best.sum()


def test_takes_a_win_at_once_and_blocks_one() -> None:
    wins = (3, 0, 3, 0, 3, 1)  # the first player wins with 3 now
    threatened = (3, 0, 3, 0, 3)  # the second player must answer 3
    turn = turn_after("connect_four", [wins, threatened])
    for depth in (2, 4, 6):
        agent = MinimaxAgent(depth)
        agent.start(native_rules("connect_four").spec, 0)
        choice = agent.act(turn)
        assert choice.actions.tolist() == [3, 3]
        assert choice.value is not None and choice.value[0] == pytest.approx(1, abs=1e-5)
    one = MinimaxAgent(1)
    one.start(native_rules("connect_four").spec, 0)
    assert one.act(turn).actions[0] == 3


def test_prefers_a_quick_win() -> None:
    # The first player wins with 3 at once; every other way to win is longer.
    best, values, _ = search(turn_after("connect_four", [(3, 0, 3, 0, 3, 1)]), 5)
    assert np.flatnonzero(best[0]).tolist() == [3] and values[0] == 1 - WANING


def test_prefers_a_slow_loss() -> None:
    openings = random_openings("connect_four", range(3000), (10, 30))
    best, values, _ = search(turn_after("connect_four", openings), 4)
    slow, fast = -(1 - 4 * WANING), -(1 - 2 * WANING)
    chosen = 0
    for row in np.flatnonzero(values == slow)[:12]:
        board = Board(*SHAPES["connect_four"])
        for action in openings[row]:
            board.play(action)
        plain = plain_values(board, 4)
        assert max(plain.values()) == slow
        if fast in plain.values():
            chosen += 1
            assert np.flatnonzero(best[row]).tolist() == [action for action in plain if plain[action] == slow]
    assert chosen >= 3, "in these positions no loss could be put off"


def test_perfect_tictactoe_always_draws_itself() -> None:
    agents = [load_agent("minimax:depth=9"), load_agent("minimax:depth=9")]
    schedule = [Scheduled((0, 1), seed, label=seed) for seed in range(20)]
    played = [one for part in play_games("tictactoe", agents, schedule) for one in part]
    assert len(played) == 20
    assert all(one.returns == (0.0, 0.0) for one in played)
    assert len({one.moves for one in played}) > 5, "equal moves are drawn by seed"


def test_ties_are_drawn_evenly() -> None:
    table = make("connect_four", 7000)
    table.reset(1)
    agent = MinimaxAgent(2)
    agent.start(table.spec, 0)
    counts = np.bincount(agent.act(table.turn()).actions, minlength=7)
    assert (abs(counts - 1000) < 150).all()


@pytest.mark.thorough
@pytest.mark.parametrize("depth", [1, 2, 3, 5, 10])
def test_a_player_may_move_twice_and_rewards_have_any_size(depth: int) -> None:
    rng = np.random.default_rng(depth)
    openings = [rng.integers(0, 2, rng.integers(0, 8)).tolist() for _ in range(60)]
    table = BatchedGame(take_an_end(), len(openings))
    table.reset(0, openings=openings)
    turn = table.turn()
    best, values, _ = search(turn, depth)
    movers = set()
    for row, position in enumerate(table.states):
        left, right, mover = position.tolist()
        assert mover == turn.players[row]
        movers.add(mover)
        plain = plain_ends(left, right, mover, depth)
        top = max(plain.values())
        assert values[row] == pytest.approx(top * (1 - min(depth, right - left) * WANING), rel=1e-12)
        assert np.flatnonzero(best[row]).tolist() == [action for action in plain if plain[action] == top]
    assert movers == {0, 1}


def test_refuses_what_it_cannot_play() -> None:
    for depth in (0, -3):
        with pytest.raises(UsageError, match="at least one ply"):
            load_agent(f"minimax:depth={depth}")
    spec = native_rules("tictactoe").spec
    agent = MinimaxAgent(2)
    changes: list[tuple[str, Any, str]] = [
        ("players", 3, "two players"),
        ("kind", "simultaneous", "turn-based"),
        ("zero_sum", False, "zero-sum"),
        ("perfect_information", False, "whole position"),
    ]
    for field, value, words in changes:
        fields = {name: getattr(spec, name) for name in spec.__dataclass_fields__}
        with pytest.raises(UsageError, match=words):
            agent.start(GameSpec(**{**fields, field: value}), 0)


def test_a_deeper_search_than_the_game_is_long_is_the_whole_game() -> None:
    turn = turn_after("tictactoe", [(4, 0, 8), (4, 1)])
    whole, deeper = search(turn, 9), search(turn, 1000)
    assert (whole[0] == deeper[0]).all() and (whole[1] == deeper[1]).all()


@pytest.mark.parametrize(
    ("game", "depth", "plies", "count"),
    [
        ("connect_four", 8, (0, 30), 40),
        pytest.param("othello", 6, (4, 50), 12, marks=pytest.mark.thorough),
        pytest.param("go:size=5", 4, (0, 6), 4, marks=pytest.mark.thorough),
    ],
)
def test_a_table_changes_nothing_that_is_found(
    game: str, depth: int, plies: tuple[int, int], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alpha_beta, "TABLE_DEPTH", 1)
    turn = turn_after(game, random_openings(game, range(count), plies))
    best, values, _ = search(turn, depth)
    reached = []
    for table in (np.zeros(2, ENTRY), new_table(1), new_table(16)):  # the first has every position in one place
        again, same, nodes = search(turn, depth, table)
        assert (again == best).all() and (same == values).all()
        reached.append(nodes)
    assert reached[2] < reached[0] or game.startswith("go")  # whose records know how a position came about


@pytest.mark.thorough
def test_a_table_is_used_again_for_other_positions_and_games() -> None:
    table = new_table(1)
    for game in ("connect_four", "othello", "connect_four"):
        for plies in (0, 8, 20):
            turn = turn_after(game, random_openings(game, range(4), (plies, plies)))
            with_table, without = search(turn, 6, table), search(turn, 6)
            assert (with_table[0] == without[0]).all() and (with_table[1] == without[1]).all()


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(3))
def test_a_table_bears_rewards_on_the_way(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alpha_beta, "TABLE_DEPTH", 1)
    rng = np.random.default_rng(seed)
    openings = [rng.integers(0, 2, rng.integers(0, 5)).tolist() for _ in range(20)]
    table = BatchedGame(take_an_end(), len(openings))
    table.reset(0, openings=openings)
    for depth in (4, 7, 10):
        with_table, without = search(table.turn(), depth, new_table(1)), search(table.turn(), depth)
        assert (with_table[0] == without[0]).all() and (with_table[1] == without[1]).all()


def test_more_nodes_never_make_it_shallower_and_all_of_them_solve_the_game() -> None:
    turn = turn_after("connect_four", random_openings("connect_four", [0, 4, 5], (22, 22)))
    depths = []
    for nodes in (1, 1000, 20_000, 10**9):
        agent = MinimaxAgent(nodes=nodes)
        agent.start(native_rules("connect_four").spec, 0)
        found = agent.think(turn)
        assert found.nodes <= max(3 * nodes, 30)
        depths.append(found.depths)
        for row, depth in enumerate(found.depths):
            best, values, _ = search(turn.take(np.array([row])), int(depth))
            assert (best[0] == found.best[row]).all() and values[0] == found.values[row]
    assert all((deeper >= shallower).all() for shallower, deeper in itertools.pairwise(depths))
    assert (depths[0] >= 1).all() and (depths[-1] > depths[1]).any()
    whole = search(turn, 42)
    assert (whole[1] == found.values).all() and (whole[0] == found.best).all()


def test_it_thinks_for_the_time_that_it_is_given() -> None:
    turn = turn_after("connect_four", [(3, 3)])
    agent = MinimaxAgent(milliseconds=30.0)
    agent.start(native_rules("connect_four").spec, 0)
    agent.act(turn)  # compiled
    begin = time.monotonic()
    found = agent.think(turn)
    assert found.depths[0] > 2
    assert 0.005 < time.monotonic() - begin < 5  # a busy machine may take long, but it does not search for ever


def test_end_games_of_connect_four_are_solved() -> None:
    pytest.importorskip("bitbully")
    openings = random_openings("connect_four", range(40), (16, 30))
    scores = solver.values(openings)
    best, values, _ = search(turn_after("connect_four", openings), 42, new_table(16))
    longest = 0
    for row, opening in enumerate(openings):
        top = np.nanmax(scores[row])
        assert np.flatnonzero(best[row]).tolist() == np.flatnonzero(scores[row] == top).tolist()
        # A score counts the winner's stones that are left at the end, and one.
        plies = 0 if top == 0 else 44 - 2 * abs(int(top)) - (len(opening) + (top < 0)) % 2 - len(opening)
        won = np.sign(top) * (1 - plies * WANING) if top else 0.0
        assert values[row] == pytest.approx(won, abs=1.01 * WANING)
        longest = max(longest, plies)
    assert longest > 6, "these end-games are over at once"


def test_what_bounds_a_search_is_checked() -> None:
    for words, complaint in {
        "nodes=0": "at least one position",
        "milliseconds=0": "some milliseconds",
        "milliseconds=-1.5": "some milliseconds",
        "table=-1": "0 to 65536 megabytes",
        "node=5": "did you mean 'nodes'",
    }.items():
        with pytest.raises(UsageError, match=complaint):
            load_agent(f"minimax:{words}")
    for name in ("minimax:nodes=100000", "minimax:depth=6,milliseconds=2.5", "minimax:depth=9,table=0"):
        assert load_agent(name).name == name  # type: ignore[attr-defined]
    assert load_agent("minimax:nodes=100_000").name == "minimax:nodes=100000"  # type: ignore[attr-defined]
