"""Go with area scoring, positional superko, and suicide forbidden. Moves are written `D4`, or `pass`.

The game ends after two passes, or after `2 * size * size` plies as it stands; every stone on the board then counts as
alive (Tromp and Taylor's rules, but for suicide). Action: the point, counted row by row from the top left, or
`size * size` to pass. Observation `board` (5, size, size) int8: the stones of the player to move, the stones of the
other, the last stone, ones everywhere if the last move was a pass, ones everywhere if the player to move is black.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from lanista.envs.boards import board_spec, cell_name, parse_cell, symmetries_of, turns_of
from lanista.envs.compiling import compiled
from lanista.envs.draws import mix
from lanista.envs.games import _go_notation as notation
from lanista.envs.games._go_notation import BLACK, EDGE, EMPTY, LETTERS, MARGIN, STEP, WHITE
from lanista.envs.rules import Rules, Scalar
from lanista.envs.stone_positions import print_stones, read_stones
from lanista.envs.surface import Surface, Touch
from lanista.errors import UsageError

BLACK_STONE = np.uint64(0xA0761D6478BD642F)


def rules(size: int = 19, komi: float = 7.5) -> Rules:
    """The rules on a board.

    Args:
        size: its side, 3 to 19.
        komi: points that white gets for moving second; with a whole number there are draws.
    """
    if not 3 <= size <= 19:
        raise UsageError(f"go needs a size of 3 to 19, not {size}")
    if not (abs(komi) <= size * size and float(2 * komi).is_integer()):
        raise UsageError(f"go's komi is a number of halves of points up to {size * size}, not {komi}")
    points = size * size
    longest = 2 * points
    stones = _stones(size)
    area = _area(size)
    count = compiled(lambda state: area(state), f"go's area {size}")  # for plain Python
    remember, known = _memory(size)

    @numba.njit
    def new(state: Any, stream: Any) -> None:
        wide = size + 2
        for place in range(wide):
            state.board[place] = state.board[wide * (wide - 1) + place] = EDGE
            state.board[wide * place] = state.board[wide * place + wide - 1] = EDGE
        state.last = -1
        remember(state)

    @numba.njit
    def player(state: Any) -> Any:
        return state.ply & 1

    @numba.njit
    def legal(state: Any, mask: Any) -> None:
        colour = (state.ply & 1) + 1
        place = size + 3
        point = 0
        for _ in range(size):
            for _ in range(size):
                if state.board[place] == EMPTY:
                    alive, after = stones.try_stone(state, place, colour)
                    mask[point] = alive and not known(state, after)
                place += 1
                point += 1
            place += 2
        mask[points] = True

    @numba.njit
    def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
        colour = (state.ply & 1) + 1
        state.ply += 1
        over = False
        if action == points:
            over = state.last == points
        else:
            stones.put_stone(state, (action // size + 1) * (size + 2) + action % size + 1, colour)
            remember(state)
        state.last = action
        if over or state.ply == longest:
            lead = np.sign(area(state) - komi)
            rewards[0] = lead
            rewards[1] = -lead
            return True
        return False

    @numba.njit
    def observe(state: Any, player: Any, out: Any) -> None:
        board = state.board
        mine, theirs = np.int8(player + 1), np.int8(2 - player)
        point = 0
        for row in range(size):
            place = (row + 1) * (size + 2) + 1
            for column in range(size):
                out[point + column] = board[place + column] == mine
                out[points + point + column] = board[place + column] == theirs
            point += size
        out[2 * points : 3 * points] = 0
        if 0 <= state.last < points:
            out[2 * points + state.last] = 1
        out[3 * points : 4 * points] = state.last == points
        out[4 * points : 5 * points] = player == 0

    @numba.njit
    def hash(state: Any) -> Any:
        return state.hash ^ mix(np.uint64(2 * (state.last == points) + (state.ply & 1) + 1))

    @numba.njit
    def set_up(state: Any, board: Any) -> None:
        """Put stones on an empty board; none is captured on the way, since its chain has a liberty at the end."""
        new(state, board)
        state.positions = 0
        state.filter[:] = 0  # the empty board was not in this game
        for point in range(points):
            if board[point]:
                stones.put_stone(state, (point // size + 1) * (size + 2) + point % size + 1, board[point])
        remember(state)

    put = compiled(lambda state, board: set_up(state, board), f"go's positions {size}")

    def parse_position(text: str) -> Any:
        """The position of a text; see `envs.stone_positions`: x is black. No position before it is known."""
        board, mover = read_stones(text, size, size)
        if (bare := notation.without_liberty(board)) is not None:
            raise ValueError(f"the stone on {cell_name(bare, size, size, letters=LETTERS)} has no liberty")
        record = np.zeros(1, _state(size))
        put(record[0], board.ravel())
        record["ply"] = mover
        return record[0]

    name = f"go:size={size}" + ("" if komi == 7.5 else f",komi={komi:g}")
    return Rules(
        spec=board_spec(
            "go" if name == "go:size=19" else name,
            (5, size, size),
            points + 1,
            longest,
            f"surround more of the board, {size} x {size}",
            symmetries_of(turns_of(size, size), more_actions=1),
        ),
        modality="board",
        state=_state(size),
        new=new,
        player=player,
        legal=legal,
        play=play,
        observe=observe,
        hash=hash,
        picture=lambda state, player, last: notation.picture(state, size, last),
        text=lambda state, player: notation.text(state, size),
        print_move=lambda state, action: "pass" if action == points else cell_name(action, size, size, letters=LETTERS),
        parse_move=lambda state, text: (
            points if text.strip().lower() == "pass" else parse_cell(text, size, size, letters=LETTERS)
        ),
        print_position=lambda state: print_stones(notation.board_of(state, size), int(state["ply"]) & 1),
        parse_position=parse_position,
        print_score=lambda state: notation.score(count(state) - komi),
        place=lambda cell, player: (MARGIN + cell % size * STEP, MARGIN + cell // size * STEP, STEP),
        print_end=lambda state: f"{notation.score(count(state) - komi)} by area",
        surface=Surface(
            lambda state, action, turned: (
                (Touch(MARGIN + action % size * STEP, MARGIN + action // size * STEP, STEP),) if action < points else ()
            ),
            ("#111", "#f7f7f2"),
        ),
    )


def _filter_words(size: int) -> int:
    """Words of the filter before the list of positions: a power of two, about one in 16 bits is set at the end."""
    return 1 << (size * size // 2 - 1).bit_length()


def _state(size: int) -> np.dtype[Any]:
    """One position. Arrays of places have a margin of one cell around the board, so that no neighbour is outside."""
    places = (size + 2) ** 2
    return np.dtype(
        [
            ("hash", np.uint64),  # of the stones on the board
            ("chain_hash", np.uint64, (places,)),  # of a chain's stones, by its head
            ("seen", np.uint64, (2 * size * size + 1,)),  # hashes of all positions of this game
            ("filter", np.uint64, (_filter_words(size),)),  # bits of those hashes: most others are told apart by it
            ("liberties", np.int32, (places,)),  # pairs of a chain's stone and an empty neighbour, by its head
            ("liberty_sum", np.int32, (places,)),  # sum of those neighbours' places
            ("liberty_squares", np.int32, (places,)),  # sum of their squares
            ("head", np.int16, (places,)),  # the place that stands for the stone's chain
            ("next", np.int16, (places,)),  # the next stone of the chain, in a ring
            ("stones", np.int16, (places,)),  # stones of a chain, by its head
            ("board", np.int8, (places,)),
            ("last", np.int16),  # the last action, -1 at the start
            ("positions", np.int16),  # how many are in `seen`
            ("ply", np.int16),
        ],
        align=True,
    )


def _memory(size: int) -> tuple[Scalar, Scalar]:
    """The positions of a game: (state) remembers the present one; (state, hash) -> whether it was there before."""
    bits = np.uint64(64 * _filter_words(size) - 1)

    @numba.njit
    def remember(state: Any) -> None:
        state.seen[state.positions] = state.hash
        state.positions += 1
        at = state.hash & bits
        state.filter[at >> np.uint64(6)] |= np.uint64(1) << (at & np.uint64(63))

    @numba.njit
    def known(state: Any, hash: Any) -> Any:
        at = hash & bits
        if not (state.filter[at >> np.uint64(6)] >> (at & np.uint64(63))) & np.uint64(1):
            return False
        return hash in state.seen[: state.positions]

    return remember, known


@numba.njit
def stone_hash(place: Any, colour: Any) -> Any:
    """Zobrist's number of a stone, without a table."""
    return mix(np.uint64(place) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(colour) * BLACK_STONE)


class _Stones(NamedTuple):
    try_stone: Scalar  # (state, place, colour) -> whether the stone would live, hash of the position after it
    put_stone: Scalar  # (state, place, colour): play it


def _stones(size: int) -> _Stones:
    """Chains and their liberties.

    A chain keeps the number, sum and sum of squares of its liberties, one counted for each stone beside it: all are
    the same point exactly if number * squares = sum * sum (Cauchy and Schwarz), with no list to keep.
    """
    wide = size + 2
    ways = (-wide, -1, 1, wide)

    @numba.njit(inline="always")
    def in_atari(state: Any, head: Any) -> Any:
        total = np.int64(state.liberty_sum[head])
        return np.int64(state.liberties[head]) * np.int64(state.liberty_squares[head]) == total * total

    @numba.njit(inline="always")
    def add_liberty(state: Any, head: Any, place: Any, sign: Any) -> None:
        state.liberties[head] += sign
        state.liberty_sum[head] += sign * place
        state.liberty_squares[head] += sign * place * place

    @numba.njit
    def try_stone(state: Any, place: Any, colour: Any) -> Any:
        alive = False
        after = state.hash ^ stone_hash(place, colour)
        one: Any = -1
        two, three = one, one  # heads of captured chains: a chain may touch the place from several sides
        for way in ways:
            near = place + way
            stone = state.board[near]
            if stone == EMPTY:
                alive = True
            elif stone == colour:
                alive |= not in_atari(state, state.head[near])
            elif stone != EDGE:
                head: Any = np.int64(state.head[near])
                if in_atari(state, head):
                    alive = True
                    if head != one and head != two and head != three:
                        after ^= state.chain_hash[head]
                        one, two, three = head, one, two
        return alive, after

    @numba.njit
    def merge(state: Any, one: Any, other: Any) -> None:
        """Make one chain of two, by their heads."""
        if state.stones[one] < state.stones[other]:
            one, other = other, one
        place = other
        while True:
            state.head[place] = one
            place = state.next[place]
            if place == other:
                break
        state.next[one], state.next[other] = state.next[other], state.next[one]
        state.stones[one] += state.stones[other]
        state.chain_hash[one] ^= state.chain_hash[other]
        state.liberties[one] += state.liberties[other]
        state.liberty_sum[one] += state.liberty_sum[other]
        state.liberty_squares[one] += state.liberty_squares[other]

    @numba.njit
    def capture(state: Any, head: Any, by: Any) -> None:
        """Take a chain off the board; its points are liberties of the stones around."""
        state.hash ^= state.chain_hash[head]
        place = np.int64(head)
        while True:
            state.board[place] = EMPTY
            for way in ways:
                near = place + way
                if state.board[near] == by:
                    add_liberty(state, state.head[near], place, 1)
            place = np.int64(state.next[place])
            if place == head:
                return

    @numba.njit
    def put_stone(state: Any, place: Any, colour: Any) -> None:
        number = stone_hash(place, colour)
        state.board[place] = colour
        state.head[place] = state.next[place] = place
        state.stones[place] = 1
        state.chain_hash[place] = number
        state.hash ^= number
        state.liberties[place] = state.liberty_sum[place] = state.liberty_squares[place] = 0
        for way in ways:
            near = place + way
            stone = state.board[near]
            if stone == EMPTY:
                add_liberty(state, place, near, 1)
            elif stone != EDGE:
                add_liberty(state, state.head[near], place, -1)
        for way in ways:
            near = place + way
            stone = state.board[near]
            if stone == colour:
                if state.head[near] != state.head[place]:
                    merge(state, state.head[near], state.head[place])
            elif stone != EMPTY and stone != EDGE and state.liberties[state.head[near]] == 0:
                capture(state, state.head[near], colour)

    return _Stones(try_stone, put_stone)


def _area(size: int) -> Any:
    """(state) -> black's points less white's: stones, and empty regions that touch one colour only."""
    wide = size + 2

    @numba.njit
    def area(state: Any) -> Any:
        board = state.board
        lead = 0
        seen = np.zeros(wide * wide, np.bool_)
        region = np.empty(size * size, np.int16)
        for begin in range(wide, wide * (wide - 1)):
            if board[begin] == BLACK:
                lead += 1
            elif board[begin] == WHITE:
                lead -= 1
            elif board[begin] == EMPTY and not seen[begin]:
                seen[begin] = True
                region[0] = begin
                done, found = 0, 1
                touched = 0
                while done < found:
                    place = region[done]
                    done += 1
                    for way in (-wide, -1, 1, wide):
                        near = place + way
                        stone = board[near]
                        if stone == EMPTY:
                            if not seen[near]:
                                seen[near] = True
                                region[found] = near
                                found += 1
                        elif stone != EDGE:
                            touched |= stone
                lead += found * ((touched == BLACK) - (touched == WHITE))
        return lead

    return area
