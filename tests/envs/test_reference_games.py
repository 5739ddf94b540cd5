"""The rules against independent ones: PettingZoo's games, a plain referee, and counts that the literature knows."""

from __future__ import annotations

import numpy as np
import pettingzoo
import pytest

from lanista.envs import make
from lanista.envs.batched import BatchedGame
from lanista.envs.core import Array, Ints


def native(name: str, copies: int) -> BatchedGame:
    game = make(name, copies, restart=False)
    assert isinstance(game, BatchedGame)
    return game


@pytest.mark.parametrize("name", ["connect_four", "tictactoe"])
def test_equal_to_pettingzoo(name: str) -> None:
    compare_with_pettingzoo(name, 200)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["connect_four", "tictactoe"])
def test_equal_to_pettingzoo_over_many_games(name: str) -> None:
    compare_with_pettingzoo(name, 10_000)


def compare_with_pettingzoo(name: str, games: int) -> None:
    """Legal moves, both players' observations, rewards and ends are equal at every step."""
    rng = np.random.default_rng(0)
    env = pettingzoo.make("aec", f"classic/{name}_v3")
    game = native(name, 1)
    ends = []
    for _ in range(games):
        env.reset()
        game.reset()
        over = False
        while not over:
            turn = game.turn()
            seen, _, over, _, _ = env.last()
            player = env.possible_agents.index(env.agent_selection)
            assert not over and turn.players.tolist() == [player] and turn.legal is not None
            mask = seen["action_mask"].astype(bool)
            mine, theirs = env.observe(env.possible_agents[player]), env.observe(env.possible_agents[1 - player])
            if name == "tictactoe":  # theirs counts cells down the columns
                mask = mask.reshape(3, 3).T.ravel()
                mine, theirs = ({"observation": view["observation"].swapaxes(0, 1)} for view in (mine, theirs))
            np.testing.assert_array_equal(turn.legal[0], mask)
            np.testing.assert_array_equal(turn.observation["board"][0], np.moveaxis(mine["observation"], -1, 0))
            other = game.observation(0, 1 - player)["board"]
            np.testing.assert_array_equal(other, np.moveaxis(theirs["observation"], -1, 0))
            action = int(rng.choice(np.flatnonzero(mask)))
            env.step(action if name == "connect_four" else action % 3 * 3 + action // 3)
            outcome = game.step(np.array([action]))
            assert outcome.rewards[0].tolist() == [env.rewards[agent] for agent in env.possible_agents]
            over = all(env.terminations.values())
            assert bool(outcome.finished[0]) == over and outcome.terminated[0].tolist() == [over, over]
        ends.append(tuple(outcome.rewards[0].tolist()))
    assert {(1.0, -1.0), (-1.0, 1.0)} <= set(ends), "both players have won"


def test_chess_equal_to_pettingzoo() -> None:
    """Boards, moves and rewards of whole games; there the game also ends when the next move could claim a draw."""
    from pettingzoo.classic.chess import chess_utils

    from lanista.envs.games._chess_notation import uci

    rng = np.random.default_rng(0)
    env = pettingzoo.make("aec", "classic/chess_v6")
    game = native("chess", 1)
    for _ in range(2):
        env.reset()
        game.reset()
        while True:
            turn = game.turn()
            seen, _, over, _, _ = env.last()
            board = env.unwrapped.board
            if over:
                assert not len(turn) or board.can_claim_draw()
                break
            player = int(turn.players[0])
            assert env.possible_agents.index(env.agent_selection) == player and turn.legal is not None
            assert game.print_position(0) == board.fen(en_passant="legal")
            # What it adds to its history: planes 7 to 18 are the pieces. `observe` itself lags a move behind.
            theirs = np.moveaxis(chess_utils.get_observation(board, player)[..., 7:19], -1, 0).copy()
            passed = theirs[6, 0].copy()  # it shows a pawn that can be taken en passant on its own first rank
            theirs[6, 3] |= passed
            theirs[6, 0] = False
            np.testing.assert_array_equal(turn.observation["board"][0, :12], theirs)
            ours = {uci(game.states[0], action): action for action in np.flatnonzero(turn.legal[0]).tolist()}
            moves = {
                chess_utils.action_to_move(board, action, player).uci(): action
                for action in np.flatnonzero(seen["action_mask"]).tolist()
            }
            assert set(ours) == set(moves)
            word = str(rng.choice(sorted(ours)))
            env.step(moves[word])
            outcome = game.step(np.array([ours[word]]))
            if outcome.finished[0]:
                assert outcome.rewards[0].tolist() == [env.rewards[agent] for agent in env.possible_agents]


def test_go_equal_to_pettingzoo() -> None:
    compare_go_with_pettingzoo(60)


@pytest.mark.slow
def test_go_equal_to_pettingzoo_over_many_games() -> None:
    compare_go_with_pettingzoo(10_000)


def compare_go_with_pettingzoo(games: int) -> None:
    """Boards, moves and rewards; its rules know simple ko only, so it may allow moves that repeat a position."""
    rng = np.random.default_rng(0)
    env = pettingzoo.make("aec", "classic/go_v5", board_size=5, komi=0.5)
    game = native("go:size=5,komi=0.5", 1)
    repeating = 0
    for _ in range(games):
        env.reset()
        game.reset()
        stones = {np.zeros((5, 5), np.int8).tobytes()}
        while len(turn := game.turn()):
            seen, _, over, _, _ = env.last()
            player = int(turn.players[0])
            assert not over and env.possible_agents.index(env.agent_selection) == player and turn.legal is not None
            board = env.unwrapped._go.board
            np.testing.assert_array_equal(turn.observation["board"][0, 0], board == 1 - 2 * player)
            np.testing.assert_array_equal(turn.observation["board"][0, 1], board == 2 * player - 1)
            stones.add(board.astype(np.int8).tobytes())
            ours = set(np.flatnonzero(turn.legal[0]).tolist())
            theirs = set(np.flatnonzero(seen["action_mask"]).tolist())
            assert ours <= theirs
            for action in theirs - ours:
                after = env.unwrapped._go.play_move(divmod(action, 5)).board
                assert after.astype(np.int8).tobytes() in stones
                repeating += 1
            action = int(rng.choice(sorted(ours)))
            env.step(action)
            outcome = game.step(np.array([action]))
            if outcome.finished[0] and all(env.terminations.values()):  # ours also ends at its longest
                assert outcome.rewards[0].tolist() == [env.rewards[agent] for agent in env.possible_agents]
    assert repeating > 0, "no position was met in which the rules differ"


def children(name: str, lines: Array) -> tuple[Array, Array, list[bytes]]:
    """Walk one ply down.

    Args:
        name: the game.
        lines: (k, plies) the moves that led to each position; none is over.

    Returns:
        The moves that led to each child (m, plies + 1), the first player's reward if the game ended there, NaN if
        not (m,), and each child's position (m) as bytes.
    """
    game = native(name, len(lines))
    game.reset(0, openings=lines.tolist())
    legal = game.turn().legal
    assert legal is not None
    parents, actions = legal.nonzero()
    game = native(name, len(parents))
    game.reset(0, openings=lines[parents].tolist())
    outcome = game.step(actions)
    results = np.where(outcome.finished, outcome.rewards[:, 0], np.nan)
    positions = [record["board"].tobytes() for record in game.states]
    return np.column_stack([lines[parents], actions]), results, positions


@pytest.mark.thorough
def test_tictactoe_has_255168_games_and_5478_positions() -> None:
    lines: Array = np.zeros((1, 0), np.int64)
    counts = {1.0: 0, -1.0: 0, 0.0: 0}
    distinct = 1
    while len(lines):
        lines, results, positions = children("tictactoe", lines)
        distinct += len(set(positions))
        for result in counts:
            counts[result] += int((results == result).sum())
        lines = lines[np.isnan(results)]
    assert counts == {1.0: 131_184, -1.0: 77_904, 0.0: 46_080}
    assert sum(counts.values()) == 255_168
    assert distinct == 5_478


def test_connect_four_positions_by_ply() -> None:
    lines: Array = np.zeros((1, 0), np.int64)
    counts = [1]
    for _ in range(7):
        lines, results, positions = children("connect_four", lines)
        _, first = np.unique(np.array(positions), return_index=True)
        counts.append(len(first))
        lines = lines[first[np.isnan(results[first])]]
    assert counts == [1, 7, 49, 238, 1_120, 4_263, 16_422, 54_859]


def winner(board: Array, k: int) -> int:
    """Whose `k` stones stand in a row anywhere on a (rows, columns) board of 0, 1, 2; 0 is nobody. Plain and slow."""
    rows, columns = board.shape
    for row in range(rows):
        for column in range(columns):
            for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                cells = [(row + step * down, column + step * right) for step in range(k)]
                if all(0 <= y < rows and 0 <= x < columns for y, x in cells):
                    stones = {int(board[y, x]) for y, x in cells}
                    if len(stones) == 1 and stones != {0}:
                        return stones.pop()
    return 0


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("rows", "columns", "k", "gravity"),
    [
        (3, 5, 3, False),
        (7, 8, 5, True),
        (9, 9, 4, False),
        # Each takes seconds to be compiled.
        pytest.param(3, 16, 14, False, marks=pytest.mark.slow),
        pytest.param(8, 8, 4, True, marks=pytest.mark.slow),
    ],
)
def test_mnk_against_a_plain_referee(rows: int, columns: int, k: int, gravity: bool) -> None:
    """Boards that fit in one word and boards that do not, with lines as long as the board and of one."""
    game = native(f"mnk:rows={rows},columns={columns},k={k},gravity={str(gravity).lower()}", 6)
    rng = np.random.default_rng(rows * 100 + columns)
    game.reset(0)
    boards = np.zeros((6, rows, columns), np.int64)
    while len(turn := game.turn()):
        actions: Ints = np.zeros(len(turn), np.int64)
        for row, copy in enumerate(turn.copies):
            board = boards[copy]
            free = np.flatnonzero(board[0] == 0) if gravity else np.flatnonzero(board.ravel() == 0)
            assert turn.legal is not None and np.flatnonzero(turn.legal[row]).tolist() == free.tolist()
            action = actions[row] = rng.choice(free)
            at = (np.flatnonzero(board[:, action] == 0)[-1], action) if gravity else divmod(action, columns)
            board[at] = turn.players[row] + 1
        outcome = game.step(actions)
        for copy, player in zip(turn.copies, turn.players, strict=True):
            won = winner(boards[copy], k)
            assert won in (0, player + 1)
            expected = [0, 0] if won == 0 else [1 - 2 * player, 2 * player - 1]
            assert outcome.rewards[copy].tolist() == expected
            assert bool(outcome.finished[copy]) == (won > 0 or bool(boards[copy].all()))
