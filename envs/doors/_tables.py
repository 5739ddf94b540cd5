"""From one Python environment a copy to a batch: the frame around every door whose environments are Python objects.

What `envs.batched` is for native games, this is for everyone else's: it keeps seeds, serial numbers and draws, checks
legality, holds rows open, restarts or freezes finished copies, and voids the game of an environment that raises.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from lanista.envs.batched import mixed, stream_seeds
from lanista.envs.core import Array, Bools, Floats, GameSpec, Ints, Outcome, Turn
from lanista.envs.doors._answers import checked, may_play
from lanista.envs.doors._drawing import framed, text_picture
from lanista.envs.doors._spaces import Seen
from lanista.envs.doors._turns import assemble
from lanista.errors import UsageError

log = logging.getLogger(__name__)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64's increment
TRIES = 3  # an environment that fails to begin is made anew and given another seed this many times


@dataclass(frozen=True)
class Moved:
    """What one move did at a table.

    Attributes:
        rewards: (players,) what each player got.
        terminated: players whose game ended with this move.
        truncated: players who were cut off with it -> what they saw last.
    """

    rewards: Sequence[float]
    terminated: Sequence[int] = ()
    truncated: Mapping[int, Seen] = field(default_factory=dict)


class Table(Protocol):
    """One copy: an environment, and who must act in it. Whatever it raises voids the game that is played there."""

    def begin(self, seed: int) -> None:
        """Start a new game; `seed` is below 2**31."""
        ...

    def seats(self) -> Sequence[int]:
        """The players that must act now; none: the game is over."""
        ...

    def see(self, player: int) -> Seen:
        """What a player that must act sees."""
        ...

    def act(self, answers: Mapping[int, Any]) -> Moved:
        """Play one action of every seat that must act, as the role's space has them."""
        ...

    def frame(self) -> Array | None:
        """The environment's own picture of everything, (height, width, 3) uint8, if it draws one."""
        ...

    def close(self) -> None:
        """Let go of the environment's resources."""
        ...


class TableGame:
    """`copies` tables of one game, stepped together. See `envs.core.Game`."""

    def __init__(self, spec: GameSpec, make_table: Callable[[], Table], copies: int, restart: bool) -> None:
        """Make the tables; `reset` or the first `turn` begins them.

        Args:
            spec: what the game is.
            make_table: makes one copy, and again when its environment has raised.
            copies: how many are played together.
            restart: a finished copy begins anew by itself; else it shows no rows until `reset`.
        """
        self.spec = spec
        self.copies = copies
        self.restart = restart
        self._make_table = make_table
        self._tables = [make_table() for _ in range(copies)]
        self._open: list[dict[int, Seen]] = [{} for _ in range(copies)]  # seats that have not answered yet
        self._answers: list[dict[int, Any]] = [{} for _ in range(copies)]  # those that have, until all have
        self._streams = np.zeros(copies, np.uint64)
        self._seeds = np.zeros(copies, np.uint64)
        self._plies = np.zeros(copies, np.int64)
        self._games = np.zeros(copies, np.int64)
        self._serial = 0
        self._turn: Turn | None = None
        self._begun = False

    def reset(
        self,
        seed: int | Sequence[int] | None = None,
        copies: Ints | None = None,
        openings: Sequence[Sequence[int]] | None = None,
    ) -> None:
        if not self._begun:
            self._begun = True
            first = seed if isinstance(seed, int) else int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
            self._streams[:] = stream_seeds(first, np.arange(self.copies))  # copies left out have streams too
            if copies is not None and self.restart:
                self.reset()  # and are shown, so they begin
        which = np.arange(self.copies) if copies is None else np.asarray(copies, np.int64)
        if seed is not None:
            self._streams[which] = stream_seeds(seed, which)
        self._turn = None
        for copy in which:
            self._begin(int(copy))
        if openings is not None:
            for copy, opening in zip(which, openings, strict=True):
                self._open_with(int(copy), opening)

    def turn(self) -> Turn:
        if not self._begun:
            self.reset()
        if self._turn is None:
            rows = [(copy, player) for copy, seats in enumerate(self._open) for player in seats]
            self._turn = self._assemble(rows, [self._open[copy][player] for copy, player in rows])
        return self._turn

    def step(self, actions: Array, rows: Ints | None = None) -> Outcome:
        turn = self.turn()
        actions = np.asarray(actions)
        answered = np.arange(len(turn)) if rows is None else np.asarray(rows, np.int64)
        answers = checked(self.spec, turn, actions, answered)
        n, players = self.copies, self.spec.players
        rewards: Floats = np.zeros((n, players), np.float32)
        terminated: Bools = np.zeros((n, players), bool)
        truncated: Bools = np.zeros((n, players), bool)
        finished: Bools = np.zeros(n, bool)
        broken: Bools = np.zeros(n, bool)
        cut: list[tuple[int, int]] = []
        cut_seen: list[Seen] = []
        seats = zip(turn.copies[answered].tolist(), turn.players[answered].tolist(), answers, strict=True)
        for copy, player, action in seats:
            self._answers[copy][player] = action
            del self._open[copy][player]
            if self._open[copy]:
                continue  # somebody at this table still thinks
            moved = self._act(copy)
            if moved is None:
                broken[copy] = True
                continue
            rewards[copy] = moved.rewards
            finished[copy] = not self._open[copy]
            for seat in moved.terminated:
                terminated[copy, seat] = True
            for seat, seen in moved.truncated.items():
                truncated[copy, seat] = True
                cut.append((copy, seat))
                cut_seen.append(seen)
        final = self._assemble(cut, cut_seen) if cut else None  # before the restarts
        if self.restart:
            for over in np.flatnonzero(finished | broken):
                self._begin(int(over))
        self._turn = None
        return Outcome(rewards, terminated, truncated, finished, broken, final)

    def stop(self, copies: Ints) -> None:
        self._turn = None
        for copy in np.asarray(copies, np.int64):
            self._open[copy], self._answers[copy] = {}, {}
        if self.restart:
            self.reset(copies=copies)

    def picture(self, copy: int, player: int | None = None) -> str:
        if player is None or self.spec.players == 1 or self.spec.perfect_information:
            frame = self._tables[copy].frame()
            if frame is not None:
                return framed(frame)
        return text_picture(self.text(copy, player))

    def text(self, copy: int, player: int | None = None) -> str:
        seats = self._open[copy]
        lines = [f"{self.spec.name}, ply {self._plies[copy]}"]
        for seat in sorted(seats if player is None else seats.keys() & {player}):
            lines.append(f"player {seat} to move")
            for name, value in seats[seat].observation.items():
                lines.append(f"{name}: {np.array2string(value, precision=3, threshold=200, separator=' ')}")
        return "\n".join(lines)

    def print_move(self, copy: int, action: int) -> str:
        return str(action)

    def parse_move(self, copy: int, text: str) -> int:
        space = self.spec.roles[0].action
        for seat in self._open[copy]:
            space = self.spec.role(seat).action
        if not isinstance(space, spaces.Discrete):
            raise UsageError(f"moves of {self.spec.name} are arrays, not '{text}'")
        last = int(space.n) - 1
        if not text.strip().isdecimal() or int(text) > last:
            raise UsageError(f"'{text}' is no move in {self.spec.name}: write a number from 0 to {last}")
        return int(text)

    def close(self) -> None:
        """Let go of the environments' resources."""
        for table in self._tables:
            table.close()

    def _begin(self, copy: int) -> None:
        """Start a new game at a table, which is made anew where that fails."""
        self._open[copy], self._answers[copy] = {}, {}
        for attempt in range(TRIES):
            stream = self._streams[copy : copy + 1]
            stream += GOLDEN
            self._seeds[copy] = mixed(stream, np.uint64(1))[0]
            self._plies[copy] = 0
            self._games[copy] = self._serial
            self._serial += 1
            try:
                table = self._tables[copy]
                table.begin(int(self._seeds[copy]) >> 33)
                self._open[copy] = {player: table.see(player) for player in table.seats()}
                if not self._open[copy]:
                    raise ValueError("the game is over before anybody acted")
                return
            except Exception as error:
                log.warning("%s, copy %d failed to begin", self.spec.name, copy, exc_info=True)
                if attempt == TRIES - 1:
                    raise RuntimeError(f"{self.spec.name} fails to begin: {error}") from error
                self._renew(copy)

    def _renew(self, copy: int) -> None:
        """A fresh environment in place of one that raised, whose state nobody can know."""
        try:
            self._tables[copy].close()
        except Exception:
            log.warning("%s, copy %d failed to close", self.spec.name, copy, exc_info=True)
        self._tables[copy] = self._make_table()

    def _act(self, copy: int) -> Moved | None:
        """Play what a copy's seats have answered; None if the environment raised, and then it is a fresh one."""
        table = self._tables[copy]
        answers, self._answers[copy] = self._answers[copy], {}
        try:
            moved = table.act(answers)
            self._open[copy] = {player: table.see(player) for player in table.seats()}
        except Exception:
            log.warning("%s, copy %d raised; its game is void", self.spec.name, copy, exc_info=True)
            self._renew(copy)
            return None
        self._plies[copy] += 1
        return moved

    def _open_with(self, copy: int, opening: Sequence[int]) -> None:
        """Play an opening; where it is wrong the copy begins anew without one."""
        for action in opening:
            seats = self._open[copy]
            if len(seats) == 1 and _is_legal(*next(iter(seats.items())), self.spec, action):
                self._answers[copy] = {player: int(action) for player in seats}
                self._open[copy] = {}
                self._act(copy)
            else:
                self._open[copy] = {}
            if not self._open[copy]:
                self._begin(copy)
                shown = " ".join(map(str, opening))
                raise UsageError(f"the opening {shown} of {self.spec.name} has an illegal action or ends the game")

    def _assemble(self, rows: Sequence[tuple[int, int]], seen: Sequence[Seen]) -> Turn:
        copies = np.array([copy for copy, _ in rows], np.int64)
        players = np.array([player for _, player in rows], np.int64)
        plies = self._plies[copies]
        draws = mixed(self._seeds[copies] + plies.astype(np.uint64) * GOLDEN, np.uint64(0))
        draws = mixed(draws + players.astype(np.uint64) * GOLDEN, np.uint64(0))  # seats that act together differ
        return assemble(self.spec, copies, players, self._games[copies], plies, draws, seen)


def _is_legal(player: int, seen: Seen, spec: GameSpec, action: int) -> bool:
    """Whether a seat may play this action of an opening."""
    space = spec.role(player).action
    return isinstance(space, spaces.Discrete) and may_play(space, action, seen.legal)
