"""Operations on 64-bit words that a processor has and Numba does not show: for boards kept as bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

# numba's own annotation has its functions take the typing context, which calls do not give.
_intrinsic: Callable[[Any], Callable[..., Any]] = intrinsic


@_intrinsic
def _ctpop(typing_context: Any, word: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


@_intrinsic
def _cttz(typing_context: Any, word: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), code


@_intrinsic
def _bswap(typing_context: Any, word: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bswap(arguments[0])

    return types.uint64(types.uint64), code


@_intrinsic
def _word_at(typing_context: Any, row: Any, place: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(builder.bitcast(data, ir.IntType(8).as_pointer()), [arguments[1]])
        # Alignment 1: a row may begin anywhere.
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(row, types.intp), code


@numba.njit(inline="always")
def eight(row: Any, place: Any) -> Any:
    """Eight bools as the bytes of a word: (width,) bool contiguous, place + 8 <= width -> uint64."""
    return _word_at(row, np.intp(place))


@numba.njit
def nth(word: Any, number: Any) -> Any:
    """The place of the `number`-th set byte, counted from 0, among eight bytes of 0 or 1; 8 if there are fewer.

    A product with ones sums the bytes up to each place; then all are compared at once (Vigna 2008, "Broadword
    implementation of rank/select queries").
    """
    sums = word * np.uint64(0x0101010101010101)
    wanted = np.uint64(number) * np.uint64(0x0101010101010101) | np.uint64(0x8080808080808080)
    return np.int64(_ctpop((wanted - sums) & np.uint64(0x8080808080808080)))


@numba.njit
def count(word: Any) -> Any:
    """How many bits are set: uint64 -> int64."""
    return np.int64(_ctpop(np.uint64(word)))


@numba.njit
def lowest(word: Any) -> Any:
    """The place of the lowest bit that is set, 64 if none is: uint64 -> int64."""
    return np.int64(_cttz(np.uint64(word)))


@numba.njit
def swapped(word: Any) -> Any:
    """The bytes in the opposite order, a board of 8 x 8 turned upside down: uint64 -> uint64."""
    return _bswap(np.uint64(word))


@numba.njit
def bit(place: Any) -> Any:
    """The word with this one bit: 0 to 63 -> uint64."""
    return np.uint64(1) << np.uint64(place)


@numba.njit(inline="always")
def spread(word: Any, out: Any) -> None:
    """Write the bits of a word to 64 cells, the lowest first."""
    for cell in range(64):
        out[cell] = (word >> np.uint64(cell)) & np.uint64(1)
