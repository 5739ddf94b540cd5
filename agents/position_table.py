"""The positions that a search has looked at: a table with two places for each, which forgets what is least worth.

A position is named by two words of its whole record, so that what is remembered of it, such as the positions before in
Go and chess, is part of its name: nothing that is found with the table differs from what is found without.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from lanista.envs.bits import eight
from lanista.envs.core import Array
from lanista.envs.draws import mix

UPPER, EXACT, LOWER = -1, 0, 1
ENTRY = np.dtype(
    [
        ("key", np.uint64),
        ("check", np.uint64),
        ("value", np.float64),
        ("action", np.int16),
        ("remaining", np.int16),  # plies to the horizon
        ("search", np.uint16),  # that wrote it
        ("bound", np.int8),  # UPPER, EXACT or LOWER
        ("final", np.bool_),
    ],
    align=True,
)


def new_table(megabytes: int) -> Array:
    """A table of positions of at most this size, a power of two of entries; its memory is taken as it is used."""
    entries = megabytes * 2**20 // ENTRY.itemsize
    return np.zeros(1 << max(entries.bit_length() - 1, 1), ENTRY)


NO_TABLE = np.zeros(0, ENTRY)


@numba.njit
def key_of(record: Any, total: Any, level: Any, search: Any) -> Any:
    """Two words that name a position in the table: (itemsize,) uint8 of the whole record, repetitions included.

    Every word is mixed by itself, so that they are computed together; the sum of two of them under other factors is
    the same for two different records about once in 2**128.
    """
    key = mix(np.uint64(search)) + mix(np.uint64(level) ^ np.uint64(0x6A09E667F3BCC909))
    check = np.uint64(level)
    if total != 0:
        key += mix(np.float64(total).view(np.uint64) ^ np.uint64(0xBB67AE8584CAA73B))
        check += mix(np.float64(total).view(np.uint64))
    whole = len(record) & ~7
    salt = np.uint64(0x9E3779B97F4A7C15)
    for place in range(0, whole, 8):
        word = mix(eight(record, place) ^ salt)
        key += word
        check += word * salt
        salt += np.uint64(0x9E3779B97F4A7C16)  # even steps from an odd number: always odd
    for place in range(whole, len(record)):
        word = mix(np.uint64(record[place]) ^ salt)
        key += word
        check += word * salt
        salt += np.uint64(0x9E3779B97F4A7C16)
    return key, check


@numba.njit
def look_up(table: Any, key: Any, check: Any) -> Any:
    """The place of a position in the table, or -1."""
    place = np.int64(key & np.uint64(len(table) - 2))
    for at in range(place, place + 2):
        if table[at].key == key and table[at].check == check:
            return at
    return -1


@numba.njit
def write(table: Any, frame: Any, remaining: Any, search: Any) -> None:
    """Keep what a position is worth: one of its two places is for what was searched deepest, one for the last."""
    place = np.int64(frame.key & np.uint64(len(table) - 2))
    known = table[place]
    same = known.key == frame.key and known.check == frame.check
    if not same and known.search == np.uint16(search) and known.remaining > remaining:
        place += 1
    entry = table[place]
    entry.key, entry.check, entry.value = frame.key, frame.check, frame.best
    entry.action, entry.remaining, entry.search = frame.best_action, remaining, np.uint16(search)
    entry.bound = UPPER if frame.best <= frame.first_low else LOWER if frame.best >= frame.first_high else EXACT
    entry.final = frame.final
