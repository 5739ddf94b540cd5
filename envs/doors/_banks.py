"""Who sits in which vector environment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lanista.envs.core import Array, Ints
from lanista.envs.doors._ledger import Ledger, log
from lanista.envs.doors._pools import Pool, closed
from lanista.envs.doors._spaces import Shown

TRIES = 3  # pools that fail to begin are made anew this many times


class Bank:
    """A pool, and which of the game's copies sit in its slots."""

    def __init__(self, pool: Pool, copies: Ints, shown: Shown, apart: bool) -> None:
        self.pool = pool
        self.apart = apart  # its copies had to begin apart from the others
        self.slots = np.arange(len(copies))  # those in use, rising
        self.copies = copies  # (m,) in those slots
        self.size = len(copies)
        self.full = True  # whether every slot is in use
        self.shown = shown  # (size,)

    def leave(self, gone: Ints) -> None:
        """These copies sit here no more."""
        stay = ~np.isin(self.copies, gone)
        self.slots, self.copies = self.slots[stay], self.copies[stay]
        self.full = len(self.slots) == self.size


class Banks:
    """The pools of a game, and its copies in them."""

    def __init__(self, ledger: Ledger, make_pool: Callable[[int], Pool], make_apart: Callable[[int], Pool]) -> None:
        """None yet.

        Args:
            ledger: of the game's copies.
            make_pool: makes a vector environment of so many copies.
            make_apart: makes one for copies that begin apart from the others.
        """
        self.banks: list[Bank] = []
        self._levels: Bank | None = None  # the one whose pool was made for levels
        self._ledger = ledger
        self._copies = len(ledger.state)
        self._make_pool = make_pool
        self._make_apart = make_apart

    def close(self) -> None:
        """Let go of the pools' resources."""
        for bank in self.banks:
            closed(bank.pool)
        self.banks.clear()

    def frame(self, copy: int) -> Array | None:
        """The picture that a copy's environment draws, (height, width, 3) uint8, if it does."""
        seat = self.seat(copy)
        return None if seat is None else seat[0].pool.frame(seat[1])

    def lives(self, copy: int) -> int | None:
        """The lives that are left in a copy, where its environment counts them."""
        seat = self.seat(copy)
        counted: Ints | None = None if seat is None else getattr(seat[0].pool, "lives", None)
        return None if seat is None or counted is None else int(counted[seat[1]])

    def seat(self, copy: int) -> tuple[Bank, int] | None:
        """The bank in which a copy sits, and its slot there; None if it sits nowhere."""
        for bank in self.banks:
            for slot in bank.slots[bank.copies == copy]:
                return bank, int(slot)
        return None

    def heard(self, copy: int) -> Array | None:
        """What a copy's environment said last, (samples,) uint8, if it is one that can be heard."""
        for bank in self.banks:
            chunk = getattr(bank.pool, "heard", None)
            if chunk is not None and (bank.copies == copy).any():
                sound: Array = chunk(int(bank.slots[bank.copies == copy][0]))
                return sound
        return None

    def lose(self, bank: Bank) -> None:
        """Close a pool that has raised; its copies sit nowhere until they begin."""
        self.banks.remove(bank)
        closed(bank.pool)
        for flags in (self._ledger.open, self._ledger.held, self._ledger.ended):
            flags[bank.copies] = False

    def again(self, bank: Bank, which: Ints) -> None:
        """Begin new games in these copies of a bank, rising, which go on with random streams of their own."""
        seeds = self._ledger.begin(which)
        slots = bank.slots[np.searchsorted(bank.copies, which)]
        shown = bank.pool.restart(slots, seeds, False)
        assert shown is not None, "such a pool begins its games itself"
        self._ledger.open[which] = True
        bank.shown = bank.shown.put(slots, shown)

    def begin(self, which: Ints, exact: bool, alone: bool = False) -> None:
        """Begin new games in these copies: where they sit if their pool can, else in pools of their own.

        Args:
            which: (m,) these copies.
            exact: see `Pool.restart`.
            alone: each must be able to go on without the others.
        """
        seeds = self._ledger.begin(which)
        self._ledger.open[which] = True
        self._ledger.held[which] = self._ledger.ended[which] = False
        together = len(which) == self._copies and not exact
        if len(which) == self._copies and (len(self.banks) != 1 or (together and self.banks[0].apart)):
            self.close()
        moving = np.ones(len(which), bool)
        order = np.argsort(which, kind="stable")
        for bank in tuple(self.banks):
            found = np.isin(bank.copies, which)
            if not found.any():
                continue
            mine = order[np.searchsorted(which, bank.copies[found], sorter=order)]
            every = bool(found.all()) and bank.full
            bound = alone and bank.size > 1 and not bank.pool.singly
            shown = None if bound else bank.pool.restart(None if every else bank.slots[found], seeds[mine], exact)
            if shown is None:
                bank.leave(which[mine])
                if not len(bank.copies):
                    self.banks.remove(bank)
                    closed(bank.pool)
                continue
            moving[mine] = False
            bank.shown = shown if every else bank.shown.put(bank.slots[found], shown)
        if moving.any():
            self._move(which[moving], seeds[moving], exact, alone)

    def begin_levels(self, which: Ints, levels: Ints, make: Callable[[int], Pool], blank: Shown) -> None:
        """Begin these levels in these copies, in one pool of all copies, which is made if it is not there yet.

        Copies that sat elsewhere and are not among these have no game until they begin.

        Args:
            which: (m,) these copies.
            levels: (m,) of each.
            make: makes a pool whose `restart` takes levels for seeds.
            blank: (n,) what a copy without a game shows.

        Raises:
            RuntimeError: the environments fail to begin.
        """
        if self._levels is None or self._levels not in self.banks:
            self.close()
            self._ledger.open[:] = self._ledger.held[:] = self._ledger.ended[:] = False
            self._levels = Bank(make(self._copies), np.arange(self._copies), blank, True)
            self.banks.append(self._levels)
        bank = self._levels
        shown = bank.pool.restart(which, levels, True)
        assert shown is not None, "such a pool begins any slot by itself"
        self._ledger.begin(which)
        self._ledger.open[which] = True
        self._ledger.held[which] = self._ledger.ended[which] = False
        bank.shown = bank.shown.put(which, shown)

    def _move(self, copies: Ints, seeds: Ints, exact: bool, alone: bool) -> None:
        """Give copies a new pool, or one each where one cannot do what is asked; see `_begin`."""
        order = np.argsort(copies, kind="stable")
        copies, seeds = copies[order], seeds[order]
        together = len(copies) == self._copies and not exact
        for attempt in range(TRIES):
            pool = (self._make_pool if together else self._make_apart)(len(copies))
            try:
                shown = None if alone and len(copies) > 1 and not pool.singly else pool.restart(None, seeds, exact)
            except Exception as error:
                closed(pool)
                if attempt == TRIES - 1:
                    raise RuntimeError(f"{self._ledger.name} fails to begin: {error}") from error
                log.warning("%s failed to begin", self._ledger.name, exc_info=True)
                seeds = self._ledger.begin(copies)
                continue
            if shown is not None:
                self.banks.append(Bank(pool, copies, shown, not together))
                return
            closed(pool)
            for copy, seed in zip(copies, seeds, strict=True):
                self._move(np.array([copy]), np.array([seed]), exact, alone)
            return
