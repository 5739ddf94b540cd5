"""Vector environments as games: the frame around doors whose environments step a whole batch in one call.

A `Pool` is one vector environment. Usually a single one holds all copies; copies that must begin apart from the others
(a seed of their own, a stop) and cannot do so in their pool move to one of their own. Most vector environments begin
an ended game at the next step: that copy shows no row for one turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Bools, Floats, GameSpec, Ints, Outcome, Role, Turn
from lanista.envs.doors._answers import checked_batch, parsed_number
from lanista.envs.doors._banks import Bank, Banks
from lanista.envs.doors._drawing import framed, pixels_in, seats_text, text_picture
from lanista.envs.doors._ledger import Ledger, placed, settle
from lanista.envs.doors._pools import Pool, Stepped, Sums, joined
from lanista.envs.doors._spaces import Shown, legal_width
from lanista.errors import UsageError


def vector_spec(
    source: str, role: Role, longest: int | None, description: str, players: int = 1, levels: bool = False
) -> GameSpec:
    """The spec of a game in vector environments, which tell nothing of their rewards.

    Args:
        source: the game's whole string.
        role: of every player.
        longest, description, players, levels: see `GameSpec`; several players move in turn.
    """
    return GameSpec(
        name=source,
        players=players,
        roles=(role,),
        role_of=(0,) * players,
        kind="single-player" if players == 1 else "turn-based",
        zero_sum=False,
        perfect_information=False,
        longest=longest,
        returns=(-inf, inf),
        description=description,
        levels=levels,
    )


class VectorGame:
    """`copies` copies of a game in vector environments. See `envs.core.Game`."""

    def __init__(
        self,
        spec: GameSpec,
        make_pool: Callable[[int], Pool],
        copies: int,
        restart: bool,
        filler: Array,
        make_apart: Callable[[int], Pool] | None = None,
        make_levels: Callable[[int], Pool] | None = None,
    ) -> None:
        """Make the game; `reset` or the first `turn` begins it.

        Args:
            spec: what the game is; it has one role.
            make_pool: makes a vector environment of so many copies.
            copies: how many are played together.
            restart: a finished copy begins anew by itself; else it shows no rows until `reset`.
            filler: the action for slots that nobody plays.
            make_apart: makes one for copies that begin apart from the others, where that is another.
            make_levels: makes one whose `restart` takes levels for seeds, and begins any slot exactly so; None: the
                game has no levels.
        """
        self.spec = spec
        self.copies = copies
        self.restart = restart
        self._ledger = Ledger(spec.name, copies)
        self._seating = Banks(self._ledger, make_pool, make_apart or make_pool)
        self._banks = self._seating.banks
        self._make_levels = make_levels
        self._space = spec.roles[0].action
        width = legal_width(self._space)
        self._discrete = isinstance(self._space, spaces.Discrete)
        self._all_legal = None if width is None else np.ones((copies * spec.players, width), bool)
        self._all = np.arange(copies)
        self._first = np.zeros(copies, np.int64)  # player 0, everywhere
        self._filler = filler
        self._actions = np.zeros((copies, *filler.shape), filler.dtype)
        self._open = self._ledger.open
        self._ended = self._ledger.ended
        self._held = self._ledger.held
        self._turn: Turn | None = None

    def reset(
        self,
        seed: int | Sequence[int] | None = None,
        copies: Ints | None = None,
        openings: Sequence[Sequence[int]] | None = None,
    ) -> None:
        which = self._ledger.reseed(seed, copies, self.reset if self.restart else None)  # copies left out are shown
        one_for_all = isinstance(seed, int | np.integer) and copies is None
        exact = openings is not None or (seed is not None and not one_for_all)
        self._turn = None
        self._seating.begin(which, exact, alone=openings is not None)
        for copy, opening in zip(which, openings or (), strict=openings is not None):
            self._open_with(int(copy), opening)

    def begin_levels(self, levels: Ints, copies: Ints, seeds: Sequence[int]) -> None:
        """See `envs.core.LevelGame`."""
        if self._make_levels is None:
            raise UsageError(f"{self.spec.name} has no levels to choose")
        which = self._ledger.reseed(seeds, copies, None)
        self._turn = None
        self._seating.begin_levels(which, np.asarray(levels, np.int64), self._make_levels, self._blank(self.copies))

    def turn(self) -> Turn:
        if not self._ledger.begun:
            self.reset()
        if self._turn is None:
            self._turn = self._show()
        return self._turn

    def step(self, actions: Array, rows: Ints | None = None) -> Outcome:
        turn = self.turn()
        actions = np.asarray(actions)
        if rows is None and len(self._banks) == 1 and self._banks[0].full and not self._held.any():
            pool = self._banks[0].pool
            if len(turn) == self.copies or not pool.singly or (pool.next_step and self.restart):
                return self._step_all(turn, actions)
        answered = None if rows is None else np.asarray(rows, np.int64)
        actions = checked_batch(self._space, turn, actions, answered)
        copies = turn.copies if answered is None else turn.copies[answered]
        self._actions[copies] = actions
        self._open[copies] = False
        self._held[copies] = True
        self._turn = None
        sums = Sums.zeros(self.copies, self.spec.players)
        for bank in tuple(self._banks):
            self._go_on(bank, sums)
        return sums.outcome()

    def _step_all(self, turn: Turn, actions: Array) -> Outcome:
        """Step the one bank there is, all of it: the same as the general way, in few calls."""
        (bank,) = self._banks
        if self._discrete and actions.ndim == 1 and actions.dtype.kind in "iu":
            if len(actions) != len(turn):
                raise ValueError(f"{len(actions)} actions for {len(turn)} rows")
            own = np.zeros(self.copies, np.int64)
            bad = placed(actions, turn.legal, turn.copies, own)
            if bad >= 0:
                raise ValueError(f"action {actions[bad]} is illegal in row {bad}")
        else:
            actions = checked_batch(self._space, turn, actions, None)
            own = np.broadcast_to(self._filler, self._actions.shape).copy()
            own[turn.copies] = actions
        n, players = self.copies, self.spec.players
        self._turn = None
        try:
            stepped = bank.pool.step(None, own)
        except Exception as error:
            sums = Sums.zeros(n, players)
            self._lose(bank, turn.copies, error, sums)
            return sums.outcome()
        if stepped.broken:
            self._open[turn.copies], self._held[turn.copies] = False, True
            sums = Sums.zeros(n, players)
            self._settle(bank, None, stepped, sums)
            return sums.outcome()
        bank.shown = shown = stepped.shown
        rewards: Floats = np.zeros((n, players), np.float32)
        flags, rows, draws = np.zeros((3, n), bool), np.empty((4, n), np.int64), np.empty(n, np.uint64)
        gained = stepped.rewards if stepped.rewards.ndim == 2 else stepped.rewards.reshape(n, 1)
        who = self._first if shown.players is None else shown.players
        anew = bank.pool.next_step and self.restart
        ledger = self._ledger
        k, ends, cuts = settle(
            ledger.state, ledger.serial, who, stepped.terminated, stepped.truncated, gained, anew, rewards, flags,
            rows, draws,
        )  # fmt: skip
        if players == 1:
            terminated, truncated = flags[0].reshape(n, 1), flags[1].reshape(n, 1)
        else:
            terminated, truncated = (np.repeat(part[:, None], players, axis=1) for part in flags[:2])
        outcome = Outcome(rewards, terminated, truncated, flags[2], np.zeros(n, bool))
        if cuts:
            cut = np.flatnonzero(flags[1])
            outcome = replace(outcome, final=self._last(cut, cut, stepped))
        if ends and self.restart and not anew:
            self._seating.again(bank, np.flatnonzero(flags[2]))
        elif k == 0 and anew:  # all are over at once: none would have a row to answer, so they begin here
            self._step(bank, None, Sums.zeros(n, players))
        else:
            self._turn = self._rows_shown(shown, rows, draws, k)
        return outcome

    def _rows_shown(self, shown: Shown, rows: Ints, draws: Array, k: int) -> Turn:
        """The turn of the rows that `settle` has found."""
        copies = rows[0, :k]
        if k < self.copies:
            shown = shown.take(copies)
        legal = shown.legal
        if legal is None and self._all_legal is not None:
            legal = self._all_legal[:k]
        return Turn(copies, rows[1, :k], rows[2, :k], rows[3, :k], draws[:k], shown.observation, legal)

    def stop(self, copies: Ints) -> None:
        self._turn = None
        which = np.asarray(copies, np.int64)
        self._open[which] = self._held[which] = self._ended[which] = False
        if self.restart:
            self.reset(copies=which)

    def picture(self, copy: int, player: int | None = None) -> str:
        for bank in self._banks if player is None or self.spec.players == 1 else ():
            for slot in bank.slots[bank.copies == copy]:
                frame = bank.pool.frame(int(slot))
                if frame is not None:
                    return framed(frame)
        seats = self._seats(copy, player)
        frame = next((drawn for seen in seats.values() if (drawn := pixels_in(seen)) is not None), None)
        return text_picture(self.text(copy, player)) if frame is None else framed(frame)

    def text(self, copy: int, player: int | None = None) -> str:
        return seats_text(self.spec.name, int(self._ledger.plies[copy]), self._seats(copy, player))

    def print_move(self, copy: int, action: int) -> str:
        return str(action)

    def parse_move(self, copy: int, text: str) -> int:
        return parsed_number(self.spec.name, self._space, text)

    def close(self) -> None:
        """Let go of the environments' resources."""
        self._seating.close()

    def _seats(self, copy: int, player: int | None) -> dict[int, dict[str, Array]]:
        """What the seat that must act in a copy sees, if that is this player or None."""
        turn = self.turn()
        rows = np.flatnonzero((turn.copies == copy) & (True if player is None else turn.players == player))
        return {int(turn.players[row]): {name: value[row] for name, value in turn.observation.items()} for row in rows}

    def _show(self) -> Turn:
        """The turn of the copies that are open."""
        if len(self._banks) == 1 and self._open.all():
            return self._as_turn(self._all, self._banks[0].shown)
        parts, shown = [], []
        for bank in self._banks:
            rows = np.flatnonzero(self._open[bank.copies])
            parts.append(bank.copies[rows])
            shown.append(bank.shown.take(bank.slots[rows]))
        if len(parts) == 1:
            return self._as_turn(parts[0], shown[0])
        turns = [self._as_turn(*part) for part in zip(parts, shown, strict=True) if len(part[0])]
        return joined(turns) if turns else self._as_turn(self._all[:0], self._blank(0))

    def _blank(self, rows: int) -> Shown:
        """Rows of zeros."""
        role = self.spec.roles[0].observation
        return Shown({name: np.zeros((rows, *(space.shape or ())), space.dtype) for name, space in role.items()})

    def _as_turn(self, copies: Ints, shown: Shown, players: Ints | None = None) -> Turn:
        k = len(copies)
        ledger = self._ledger
        who = players if players is not None else self._first[:k] if shown.players is None else shown.players
        legal = shown.legal
        if legal is None and self._all_legal is not None:
            legal = self._all_legal[:k]
        draws = ledger.draws(copies, who)
        return Turn(copies, who, ledger.games[copies], ledger.plies[copies], draws, shown.observation, legal)

    def _go_on(self, bank: Bank, sums: Sums) -> None:
        """Step a bank, once all have answered where it cannot step some without the others."""
        held = self._held[bank.copies]
        if not held.any() or (not bank.pool.singly and self._open[bank.copies].any()):
            return
        wanted = held | self._ended[bank.copies]
        every = not bank.pool.singly or (bank.full and bool(wanted.all()))
        self._step(bank, None if every else bank.slots[wanted], sums)
        if bank in self._banks and bank.pool.next_step and self.restart:
            ended = self._ended[bank.copies]
            if ended.any() and not self._open[bank.copies].any() and not self._held[bank.copies].any():
                # All are over at once: none would have a row to answer, so they begin here.
                self._step(bank, bank.slots[ended] if bank.pool.singly else None, sums)

    def _step(self, bank: Bank, slots: Ints | None, sums: Sums) -> None:
        """Step these slots of a bank (None: all that it has), where they are played or have ended."""
        full = slots is None and bank.full
        copies = bank.copies if slots is None else bank.copies[np.searchsorted(bank.slots, slots)]
        live = self._held[copies]
        actions = self._actions
        if not (full and live.all() and len(self._banks) == 1):
            actions = np.broadcast_to(self._filler, (bank.size if slots is None else len(slots), *self._filler.shape))
            actions = actions.copy()
            rows = (bank.slots if slots is None else np.arange(len(slots)))[live]
            actions[rows] = self._actions[copies[live]]
        try:
            stepped = bank.pool.step(slots, actions)
        except Exception as error:
            self._lose(bank, copies[live], error, sums)
            return
        self._settle(bank, slots, stepped, sums)

    def _settle(self, bank: Bank, slots: Ints | None, stepped: Stepped, sums: Sums) -> None:
        """Note what a step of these slots did."""
        full = slots is None and bank.full
        copies = bank.copies if slots is None else bank.copies[np.searchsorted(bank.slots, slots)]
        live = self._held[copies]
        played = live.all()
        bank.shown = stepped.shown if slots is None else bank.shown.put(slots, stepped.shown)
        at = slice(None) if full or slots is not None else bank.slots  # rows of `stepped` for these copies
        self._held[copies] = False
        broken = np.array(sorted(stepped.broken or ()), np.int64)
        for row in broken:
            sums.broken[copies[row]] = True
            self._ledger.count_broken(int(copies[row]), (stepped.broken or {})[int(row)])
            live[row] = False
        who = copies if played and not len(broken) else copies[live]
        part = live if len(who) < len(copies) else slice(None)
        self._ledger.plies[who] += 1
        rewards = stepped.rewards[at][part]
        sums.rewards[who] = rewards if rewards.ndim == 2 else rewards[:, None]
        over = (stepped.terminated | stepped.truncated)[at]
        self._open[who] = True
        if self.restart and bank.pool.next_step and not played:
            fresh = copies[~live & self._ended[copies]]
            self._ledger.begin(fresh)
            self._ended[fresh] = False
            self._open[fresh] = True
        if over.any() or len(broken):
            self._end(bank, stepped, copies, live, at, sums, copies[broken])

    def _end(self, bank: Bank, stepped: Stepped, copies: Ints, live: Bools, at: Any, sums: Sums, broken: Ints) -> None:
        """Note the games that ended among those that were played, and begin new ones."""
        terminated = stepped.terminated[at] & live
        truncated = stepped.truncated[at] & live & ~terminated
        sums.terminated[copies[terminated]] = True
        sums.truncated[copies[truncated]] = True
        if truncated.any():
            rows = (np.arange(len(stepped.terminated))[at])[truncated]
            sums.final.append(self._last(copies[truncated], rows, stepped))
        done = copies[terminated | truncated]
        self._open[done] = False
        if not self.restart:
            return
        if bank.pool.next_step:
            self._ended[done] = True
        again = broken if bank.pool.next_step else np.concatenate([done, broken])
        if len(again):
            self._seating.again(bank, np.sort(again))

    def _last(self, copies: Ints, rows: Ints, stepped: Stepped) -> Turn:
        """What every player of these copies saw when they were cut off."""
        players = self.spec.players
        shown = stepped.shown.take(rows) if stepped.everyone is None else stepped.everyone(rows)
        if shown.legal is not None and not shown.legal.any(axis=1).all():
            # Nobody acts there any more, so a mask may be empty; a value network still has to read it.
            shown = Shown(shown.observation, shown.legal | ~shown.legal.any(axis=1, keepdims=True), shown.players)
        if players == 1:
            return self._as_turn(copies, shown)
        return self._as_turn(np.repeat(copies, players), shown, np.tile(np.arange(players), len(copies)))

    def _lose(self, bank: Bank, played: Ints, error: Exception, sums: Sums) -> None:
        """A whole pool raised: its games are void, and its copies begin in a new one."""
        for copy in played:
            self._ledger.count_broken(int(copy), error)
        sums.broken[played] = True
        self._seating.lose(bank)
        if self.restart:
            self._seating.begin(bank.copies, exact=False)

    def _open_with(self, copy: int, opening: Sequence[int]) -> None:
        """Play an opening; where it is wrong the copy begins anew without one."""
        for action in opening:
            turn = self.turn()
            row = np.flatnonzero(turn.copies == copy)
            serial = self._ledger.games[copy]
            try:
                if not isinstance(self._space, spaces.Discrete):
                    raise ValueError("actions are arrays")
                self.step(np.array([action]), row)
                if self._ledger.games[copy] != serial or not (self._open[copy] or self._held[copy]):
                    raise ValueError("the game is over")
            except ValueError:
                self._turn = None
                self._seating.begin(np.array([copy]), exact=True)
                shown = " ".join(map(str, opening))
                raise UsageError(
                    f"the opening {shown} of {self.spec.name} has an illegal action or ends the game"
                ) from None
