"""Vector environments as games: the frame around doors whose environments step a whole batch in one call.

A `Pool` is one vector environment. Usually a single one holds all copies; copies that must begin apart from the others
(a seed of their own, a stop) and cannot do so in their pool move to one of their own. Most vector environments begin
an ended game at the next step: that copy shows no row for one turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Bools, Floats, GameSpec, Ints, Outcome, Turn
from lanista.envs.doors._answers import checked_batch, first_illegal
from lanista.envs.doors._banks import Bank, Banks
from lanista.envs.doors._ledger import Ledger, placed, settle
from lanista.envs.doors._pools import Pool, Stepped, Sums, joined, quick
from lanista.envs.doors._spaces import Shown, legal_width, rows_of
from lanista.envs.doors._vector_views import VectorViews
from lanista.errors import UsageError

INT64 = np.dtype(np.int64)  # an array of it has this very object, which is quicker to see than that it is equal


class VectorGame(VectorViews):
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
        # What `settle` notes of one step.
        self._over, self._finished = np.zeros((2, copies, spec.players), bool), np.zeros(copies, bool)
        # What most steps say of ends: shown again and again, so nobody may write to it.
        self._nobody, self._none = np.zeros((copies, spec.players), bool), np.zeros(copies, bool)
        self._nobody.flags.writeable = self._none.flags.writeable = False
        self._filler = filler
        self._actions = np.zeros((copies, *filler.shape), filler.dtype)
        self._open = self._ledger.open
        self._ended = self._ledger.ended
        self._held = self._ledger.held
        self._turn: Turn | None = None
        self._waits = False  # an answer may be held until the others of its pool have answered

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
        turn = self.turn() if self._turn is None else self._turn
        actions = np.asarray(actions)
        if rows is None and not self._waits and len(self._banks) == 1 and self._banks[0].full:
            pool = self._banks[0].pool
            if len(turn.copies) == self.copies or not pool.singly or (pool.next_step and self.restart):
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
        self._waits = bool(self._held.any())
        return sums.outcome()

    def _step_all(self, turn: Turn, actions: Array) -> Outcome:
        """Step the one bank there is, all of it: the same as the general way, in few calls.

        Small environments take some 30 us for a batch, so that every microsecond here is 3 % of their speed.
        """
        bank = self._banks[0]
        own = self._all_actions(turn, actions)
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
        rewards: Floats = np.empty((n, players), np.float32)
        rows, draws = np.empty((3, n), np.int64), np.empty(n, np.uint64)
        gained = stepped.rewards if stepped.rewards.ndim == 2 else stepped.rewards.reshape(n, 1)
        who = self._first if shown.players is None else shown.players
        anew = bank.pool.next_step and self.restart
        ledger = self._ledger
        k, ends, cuts = settle(
            ledger.state, ledger.serial, who, stepped.terminated, stepped.truncated, gained, anew, rewards, self._over,
            self._finished, rows, draws,
        )  # fmt: skip
        terminated = truncated = self._nobody
        finished, final = self._none, None
        if ends:
            over, finished = self._over.copy(), self._finished.copy()
            terminated, truncated = over[0], over[1]
        if cuts:
            cut = np.flatnonzero(truncated[:, 0])
            final = self._last(cut, cut, stepped)
        if ends and self.restart and not anew:
            self._seating.again(bank, np.flatnonzero(finished))
        elif k == 0 and anew:  # all are over at once: none would have a row to answer, so they begin here
            self._step(bank, None, Sums.zeros(n, players))
        else:
            self._turn = self._rows_shown(shown, who, rows, draws, k)
        return quick(
            Outcome, rewards=rewards, terminated=terminated, truncated=truncated, finished=finished,
            broken=self._none, final=final,
        )  # fmt: skip

    def _all_actions(self, turn: Turn, actions: Array) -> Array:
        """(n, *shape): what each copy's environment is given; a filler where no row is shown.

        Raises:
            ValueError: an action may not be played.
        """
        k = len(turn.copies)
        whole = k == self.copies  # its rows are the copies, in their order
        if self._discrete and actions.ndim == 1 and actions.dtype.kind in "iu":
            if len(actions) != k:
                raise ValueError(f"{len(actions)} actions for {k} rows")
            if whole and actions.dtype is INT64:
                own, bad = actions, first_illegal(actions, turn.legal)
            else:
                own = np.zeros(self.copies, np.int64)
                bad = placed(actions, turn.legal, turn.copies, own)
            if bad >= 0:
                raise ValueError(f"action {actions[bad]} is illegal in row {bad}")
            return own
        actions = checked_batch(self._space, turn, actions, None)
        if whole:
            return actions
        own = np.broadcast_to(self._filler, self._actions.shape).copy()
        own[turn.copies] = actions
        return own

    def _rows_shown(self, shown: Shown, who: Ints, rows: Ints, draws: Array, k: int) -> Turn:
        """The turn of the rows that `settle` has found."""
        observation, legal = shown.observation, shown.legal
        if k == self.copies:
            copies, games, plies = self._all, rows[1], rows[2]
        else:
            copies, games, plies, draws = rows[0, :k], rows[1, :k], rows[2, :k], draws[:k]
            who = self._first[:k] if shown.players is None else who[copies]
            observation = {name: rows_of(value, copies) for name, value in observation.items()}
            legal = None if legal is None else legal[copies]
        if legal is None and self._all_legal is not None:
            legal = self._all_legal[:k]
        return quick(
            Turn, copies=copies, players=who, games=games, plies=plies, draws=draws, observation=observation,
            legal=legal,
        )  # fmt: skip

    def stop(self, copies: Ints) -> None:
        self._turn = None
        which = np.asarray(copies, np.int64)
        self._open[which] = self._held[which] = self._ended[which] = False
        if self.restart:
            self.reset(copies=which)

    def close(self) -> None:
        """Let go of the environments' resources."""
        self._seating.close()

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
