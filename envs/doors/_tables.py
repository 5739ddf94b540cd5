"""From one Python environment a copy to a batch: the frame around every door whose environments are Python objects.

What `envs.batched` is for native games, this is for everyone else's: it keeps seeds, serial numbers and draws, checks
legality, holds rows open, restarts or freezes finished copies, and voids the game of an environment that raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Bools, Floats, GameSpec, Ints, Outcome, Turn
from lanista.envs.doors._answers import checked, may_play, parsed_number
from lanista.envs.doors._drawing import framed, seats_text, text_picture
from lanista.envs.doors._ledger import Ledger, log
from lanista.envs.doors._spaces import Seen
from lanista.envs.doors._turns import assemble
from lanista.errors import UsageError

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

    def text(self, player: int | None) -> str | None:
        """The position in words, as that player may see it (None: all), if the environment has them."""
        return None

    def move_names(self, player: int) -> Mapping[int, str] | None:
        """What the environment calls the legal actions of a player that must act, all different, if it names them."""
        return None

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
        self._ledger = Ledger(spec.name, copies)
        self._turn: Turn | None = None

    def reset(
        self,
        seed: int | Sequence[int] | None = None,
        copies: Ints | None = None,
        openings: Sequence[Sequence[int]] | None = None,
    ) -> None:
        which = self._ledger.reseed(seed, copies, self.reset if self.restart else None)  # copies left out are shown
        self._turn = None
        for copy in which:
            self._begin(int(copy))
        if openings is not None:
            for copy, opening in zip(which, openings, strict=True):
                self._open_with(int(copy), opening)

    def turn(self) -> Turn:
        if not self._ledger.begun:
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

    def pixels(self, copy: int) -> Array | None:
        """The environment's own picture of everything, (height, width, 3) uint8; None where it draws none."""
        return self._tables[copy].frame()

    def text(self, copy: int, player: int | None = None) -> str:
        told = self._tables[copy].text(player) if self._ledger.begun else None
        ply = int(self._ledger.plies[copy])
        if told is not None:
            return f"{self.spec.name}, ply {ply}\n{told}".rstrip()
        open_seats = self._open[copy]
        chosen = open_seats if player is None else open_seats.keys() & {player}
        return seats_text(self.spec.name, ply, {seat: open_seats[seat].observation for seat in chosen})

    def print_move(self, copy: int, action: int) -> str:
        return self._move_names(copy).get(int(action), str(action))

    def parse_move(self, copy: int, text: str) -> int:
        names = self._move_names(copy)
        if names:
            wanted = text.strip()
            same = [action for action, name in names.items() if name.strip() == wanted]
            alike = [action for action, name in names.items() if name.strip().lower() == wanted.lower()]
            if same or len(alike) == 1:
                return (same or alike)[0]
            if not wanted.isdecimal() or not wanted.isascii() or int(wanted) not in names:
                near = get_close_matches(wanted, names.values(), n=1, cutoff=0.0) or list(names.values())[:1]
                raise UsageError(f"'{text}' is no move in {self.spec.name} here: write one as in '{near[0]}'")
            return int(wanted)
        space = self.spec.roles[0].action
        for seat in self._open[copy]:
            space = self.spec.role(seat).action
        return parsed_number(self.spec.name, space, text)

    def _move_names(self, copy: int) -> dict[int, str]:
        """What the seats that must act in a copy call their actions; empty if they have no names."""
        found: dict[int, str] = {}
        for seat in self._open[copy]:
            found = {**(self._tables[copy].move_names(seat) or {}), **found}
        return found

    def close(self) -> None:
        """Let go of the environments' resources."""
        for table in self._tables:
            table.close()

    def _begin(self, copy: int) -> None:
        """Start a new game at a table, which is made anew where that fails."""
        self._open[copy], self._answers[copy] = {}, {}
        for attempt in range(TRIES):
            (seed,) = self._ledger.begin(np.array([copy]))
            try:
                table = self._tables[copy]
                table.begin(int(seed))
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
        except Exception as error:
            self._renew(copy)
            self._ledger.count_broken(copy, error)
            return None
        self._ledger.plies[copy] += 1
        return moved

    def _open_with(self, copy: int, opening: Sequence[int]) -> None:
        """Play an opening, of seats that act together one after the other; a copy where it is wrong begins anew."""
        for action in opening:
            seats = self._open[copy]
            player = min(seats)
            if _is_legal(player, seats[player], self.spec, action):
                self._answers[copy][player] = int(action)
                del seats[player]
                if not seats:
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
        ledger = self._ledger
        draws = ledger.draws(copies, players)
        return assemble(self.spec, copies, players, ledger.games[copies], ledger.plies[copies], draws, seen)


def _is_legal(player: int, seen: Seen, spec: GameSpec, action: int) -> bool:
    """Whether a seat may play this action of an opening."""
    space = spec.role(player).action
    return isinstance(space, spaces.Discrete) and may_play(space, action, seen.legal)
