"""Randomness as games draw it: a stream of 64-bit words for each copy, in compiled code and for whole batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from lanista.envs.bits import count, eight, nth
from lanista.envs.core import Array, Ints


@numba.njit
def mix(value: Any) -> Any:
    """SplitMix64's output function (Steele, Lea, Flood 2014): uint64 -> uint64."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(inline="always")
def next_draw(stream: Any) -> Any:
    """The next uint64 of a random stream, a (1,) uint64 array that is advanced."""
    stream[0] += np.uint64(0x9E3779B97F4A7C15)
    return mix(stream[0])


@numba.njit
def below(draw: Any, bound: Any) -> Any:
    """A number in [0, bound) from a draw, by multiplying its upper half (bound < 2**31)."""
    return np.int64(((draw >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@numba.njit
def pick(mask: Any, draw: Any) -> Any:
    """One random action among those marked: (num_actions,) bool contiguous, uint64 -> int64."""
    width = len(mask)
    whole = width & ~7
    marked = 0
    for place in range(0, whole, 8):
        marked += count(eight(mask, place))
    for action in range(whole, width):
        marked += mask[action]
    wanted = below(draw, marked)
    for place in range(0, whole, 8):
        word = eight(mask, place)
        here = count(word)
        if wanted < here:
            return place + nth(word, wanted)
        wanted -= here
    # Counting is quicker than leaving at the right place, which no processor foresees.
    before, place = 0, whole
    for action in range(whole, width):
        before += mask[action]
        place += before <= wanted
    return place


@numba.njit(cache=True)
def random_legal(legal: Any, draws: Any) -> Any:
    """One random legal action a row.

    Args:
        legal: (k, num_actions) bool.
        draws: (k,) uint64, one draw a row.
    """
    actions = np.empty(len(legal), np.int64)
    for row in range(len(legal)):
        actions[row] = pick(legal[row], draws[row])
    return actions


@numba.njit(cache=True)
def mixed(values: Any, salt: Any) -> Any:
    """New draws from draws and a salt: (k,) uint64 -> (k,) uint64."""
    out = np.empty(len(values), np.uint64)
    for i in range(len(values)):
        out[i] = mix(values[i] ^ mix(np.uint64(salt) + np.uint64(0x9E3779B97F4A7C15)))
    return out


def stream_seeds(seed: int | Sequence[int], copies: Ints) -> Array:
    """A random stream's start for each copy, from one seed or one each."""
    if isinstance(seed, int | np.integer):
        return mixed(copies.astype(np.uint64), np.uint64(int(seed) % 2**64))  # type: ignore[no-any-return]
    each = np.array([int(value) % 2**64 for value in seed], np.uint64)
    return mixed(each, np.uint64(0))  # type: ignore[no-any-return]


def first_streams(seed: int | Sequence[int] | None, copies: Ints) -> Array:
    """Streams for all copies at a first reset, which may be of some of them only: a list of seeds is for these."""
    first = seed if isinstance(seed, int) else int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    return stream_seeds(first, copies)
