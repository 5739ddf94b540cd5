"""Batches of a native game: the frame around its compiled loops, the same for all games.

A native game is a file of small scalar functions over one record (`envs.rules`), compiled into loops over a batch
(`envs.batch_kernels`). Here copies are kept, shown, stepped, put at positions, printed and saved.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lanista.envs.batch_kernels import kernels
from lanista.envs.core import Array, Bools, Floats, Game, GameSpec, Ints, Outcome, Public, Turn
from lanista.envs.draws import first_streams, stream_seeds
from lanista.envs.rules import Rules
from lanista.errors import UsageError


@lru_cache(maxsize=4096)  # both games of a pair begin alike, and those of other pairs
def position_of(rules: Rules, text: str) -> Any:
    """The position, a record of `rules.state`, that a text in the field's notation describes.

    Raises:
        UsageError: it describes none that can be played on, or the game has no such notation.
    """
    if rules.parse_position is None:
        raise UsageError(f"{rules.spec.name} has no notation for positions; write its moves")
    try:
        return rules.parse_position(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is no position of {rules.spec.name}: {error}") from None


def begin_games(
    game: Game,
    seeds: Sequence[int],
    copies: Ints | None = None,
    openings: Sequence[Sequence[int]] | None = None,
    positions: Sequence[str] = (),
) -> None:
    """`game.reset` for games some of which begin from a position of their own; "" is the game's own start.

    Raises:
        UsageError: as `BatchedGame.reset`; or the game cannot be put at positions.
    """
    if not any(positions):
        game.reset(seeds, copies, openings)
    elif isinstance(game, BatchedGame):
        game.reset(seeds, copies, openings, positions)
    else:
        raise UsageError(f"{game.spec.name} cannot begin from a position; write the moves that lead there")


@dataclass
class _Snapshot:
    """`Public` of a native game; good until the next step."""

    rules: Rules
    _game: BatchedGame
    _copies: Ints

    def positions(self) -> Array:
        return self._game.states[self._copies]

    def moves(self, row: int) -> list[int]:
        return self._game.moves(int(self._copies[row]))


class BatchedGame:
    """`copies` copies of a native game, stepped together. See `envs.core.Game`."""

    def __init__(
        self, rules: Rules, copies: int, *, restart: bool = True, random_share: float = 0.0, random_plies: int = 0
    ) -> None:
        """Make the game; `reset` or the first `turn` begins it.

        Args:
            rules: the game.
            copies: how many are played together.
            restart: a finished copy begins anew by itself; else it shows no rows until `reset`.
            random_share: the share of games that start with random legal plies, in [0, 1].
            random_plies: such a game starts after 0 to this many of them.
        """
        self.rules = rules
        self.spec: GameSpec = rules.spec
        self.copies = copies
        self.restart = restart
        self._share = float(random_share) if random_plies > 0 else 0.0
        self._most = int(random_plies)
        self._kernels = kernels(rules)
        longest = self.spec.longest
        assert longest is not None, "native games have a longest game"
        self.states = np.zeros(copies + 1, rules.state)[:copies]  # (n,), followed by one blank record
        self._records = self.states.base  # (n + 1,)
        self._streams = np.zeros(copies, np.uint64)
        self._seeds = np.zeros(copies, np.uint64)
        self._plies = np.zeros(copies, np.int64)
        self._games = np.zeros(copies, np.int64)
        self._serial = np.zeros(1, np.int64)
        self._history = np.zeros((copies, longest + 1), np.int16)
        self._alive = np.zeros(copies, bool)
        self._all = np.arange(copies)
        self._seen = self.spec.roles[0].observation[rules.modality].dtype
        self._shape, self._width = rules.shape, rules.num_actions  # looked up once, not at each turn
        self._placed, self._nowhere = np.zeros(0, bool), np.zeros(0, rules.state)  # no game begins from a position
        self._turn: Turn | None = None
        self._begun = False

    def reset(
        self,
        seed: int | Sequence[int] | None = None,
        copies: Ints | None = None,
        openings: Sequence[Sequence[int]] | None = None,
        positions: Sequence[str] | None = None,
    ) -> None:
        """Begin new games, as `envs.core.Game.reset` says.

        Args:
            seed, copies, openings: see there.
            positions: for each of `copies` the position that its opening is played from, in the field's notation; ""
                is the game's own start.

        Raises:
            UsageError: an opening is not legal or ends the game, a text describes no position that can be played on,
                or the game has no such notation.
        """
        begins, placed = self._nowhere, self._placed
        if positions is not None:
            placed = np.array([bool(text) for text in positions])
            begins = np.zeros(len(placed), self.rules.state)
            for row in np.flatnonzero(placed).tolist():
                begins[row] = position_of(self.rules, positions[row])
        if not self._begun:
            self._begun = True
            self._streams[:] = first_streams(seed, self._all)  # copies left out of this call have streams too
            if copies is not None and self.restart:
                self.reset()  # and are shown, so they begin
        which = self._all if copies is None else np.asarray(copies, np.int64)
        if seed is not None:
            self._streams[which] = stream_seeds(seed, which)
        if openings is None:
            padded, lengths = np.zeros((len(which), 0), np.int64), np.zeros(len(which), np.int64)
        else:
            lengths = np.fromiter(map(len, openings), np.int64, len(which))
            padded = np.zeros((len(which), int(lengths.max(initial=0))), np.int64)
            padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.fromiter(
                (action for opening in openings for action in opening), np.int64, int(lengths.sum())
            )
        self._alive[which] = True
        self._turn = None
        bad = self._kernels.begin(
            self._records, which, self._streams, self._seeds, self._plies, self._games, self._serial, self._history,
            begins, placed, padded, lengths, self._share if openings is None and positions is None else 0.0, self._most,
        )  # fmt: skip
        if bad >= 0:
            self.reset(copies=which[bad:])  # every copy stands at a playable position, whoever catches the error
            shown = " ".join(map(str, padded[bad, : lengths[bad]]))
            raise UsageError(f"the opening {shown} of {self.spec.name} has an illegal action or ends the game")

    def turn(self) -> Turn:
        if not self._begun:
            self.reset()
        if self._turn is None:
            self._turn = self._show(
                self._all
                if self.restart or np.count_nonzero(self._alive) == self.copies
                else np.flatnonzero(self._alive)
            )
        return self._turn

    def _show(self, copies: Ints) -> Turn:
        k = len(copies)
        players, draws = np.empty(k, np.int64), np.empty(k, np.uint64)
        legal = np.zeros((k, self._width), bool)
        observation = np.empty((k, *self._shape), self._seen)
        self._kernels.show(
            self._records,
            copies,
            self._seeds,
            self._plies,
            players,
            draws,
            legal,
            observation.reshape(k, math.prod(self._shape)),
        )
        public: Public | None = _Snapshot(self.rules, self, copies) if self.spec.perfect_information else None
        return Turn(
            copies=copies,
            players=players,
            games=self._games.take(copies),
            plies=self._plies.take(copies),
            draws=draws,
            observation={self.rules.modality: observation},
            legal=legal,
            public=public,
        )

    def step(self, actions: Array, rows: Ints | None = None) -> Outcome:
        turn = self.turn()
        n, players = self.copies, self.spec.players
        rewards: Floats = np.zeros((n, players), np.float32)
        terminated: Bools = np.zeros((n, players), bool)
        finished: Bools = np.zeros(n, bool)
        actions = np.asarray(actions, np.int64)
        answered = self._all[: len(turn)] if rows is None else np.asarray(rows, np.int64)
        if len(actions) != len(answered):
            raise ValueError(f"{len(actions)} actions for {len(answered)} rows")
        if rows is not None and len(rows):  # the compiled loop trusts them
            if answered.min() < 0 or answered.max() >= len(turn):
                raise ValueError(f"rows {answered.min()} to {answered.max()} of a turn of {len(turn)}")
            if np.bincount(answered).max() > 1:
                raise ValueError("a row is answered twice")
        bad = self._kernels.step(
            self._records, turn.copies, answered, actions, turn.legal, self._streams, self._seeds, self._plies,
            self._games, self._serial, self._history, rewards, terminated, finished, self._alive,
            self.restart, self._share, self._most,
        )  # fmt: skip
        if bad >= 0:
            raise ValueError(f"action {actions[bad]} is illegal in row {answered[bad]}")
        self._turn = None
        return Outcome(rewards, terminated, np.zeros((n, players), bool), finished, np.zeros(n, bool))

    def stop(self, copies: Ints) -> None:
        self._turn = None
        if self.restart:
            self.reset(copies=np.asarray(copies, np.int64))
        else:
            self._alive[copies] = False

    def observation(self, copy: int, player: int) -> dict[str, Array]:
        """What a player sees now, whoever is to move: modality name -> array of the role's shape."""
        if not self._begun:
            self.reset()
        seen = np.empty(self._shape, self._seen)
        self._kernels.watch(self._records, copy, player, seen.reshape(-1))
        return {self.rules.modality: seen}

    def moves(self, copy: int) -> list[int]:
        """The actions of this copy's game so far, opening included."""
        moves: list[int] = self._history[copy, : self._plies[copy]].tolist()
        return moves

    def set_positions(self, positions: Array, copies: Ints | None = None) -> None:
        """Put copies at positions, records of `rules.state`; their games count as begun there, with no moves so far."""
        which = self._all if copies is None else np.asarray(copies, np.int64)
        self.reset(copies=which)
        self.states[which] = positions
        self._plies[which] = 0
        self._turn = None

    def print_position(self, copy: int) -> str:
        """The position in the field's notation, such as FEN.

        Raises:
            UsageError: the game has none.
        """
        if self.rules.print_position is None:
            raise UsageError(f"{self.spec.name} has no notation for positions; write its moves")
        return self.rules.print_position(self._position(copy))

    def parse_position(self, copy: int, text: str) -> None:
        """Put a copy at the position that a text in the field's notation describes.

        Raises:
            UsageError: it describes none, or the game has no such notation.
        """
        self.set_positions(np.array([position_of(self.rules, text)], self.rules.state), np.array([copy]))

    def _position(self, copy: int) -> Any:
        """The record of a copy, whose first game begins now if none has."""
        if not self._begun:
            self.reset()
        return self.states[copy]

    def picture(self, copy: int, player: int | None = None) -> str:
        moves = self.moves(copy)
        return self.rules.picture(self._position(copy), player, moves[-1] if moves else None)

    def text(self, copy: int, player: int | None = None) -> str:
        return self.rules.text(self._position(copy), player)

    def print_move(self, copy: int, action: int) -> str:
        return self.rules.print_move(self._position(copy), action)

    def parse_move(self, copy: int, text: str) -> int:
        try:
            return self.rules.parse_move(self._position(copy), text)
        except ValueError as error:
            raise UsageError(f"'{text}' is no move in {self.spec.name}: {error}") from None

    _SAVED = ("states", "_streams", "_seeds", "_plies", "_games", "_serial", "_history", "_alive")

    def save(self) -> bytes:
        """Every copy exactly as it stands, random streams included."""
        if not self._begun:
            self.reset()
        buffer = io.BytesIO()
        np.savez(
            buffer, game=np.array(self.spec.name), **{name.strip("_"): getattr(self, name) for name in self._SAVED}
        )
        return buffer.getvalue()

    def load(self, state: bytes) -> None:
        """Go on from what `save` gave.

        Raises:
            UsageError: it is of another game or number of copies, or damaged.
        """
        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
                loaded = {name: arrays[name.strip("_")] for name in self._SAVED}
                game = str(arrays["game"])
        except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile, EOFError) as error:
            raise UsageError(f"this is no saved state of {self.spec.name}: {error}") from None
        if game != self.spec.name:
            raise UsageError(f"this saved state is of {game}, not of {self.spec.name}")
        for name, value in loaded.items():
            mine = getattr(self, name)
            if value.dtype != mine.dtype or value.shape != mine.shape:
                raise UsageError(f"this saved state is not of {self.copies} copies of {self.spec.name}")
        for name, value in loaded.items():
            getattr(self, name)[...] = value
        self._begun = True
        self._turn = None
