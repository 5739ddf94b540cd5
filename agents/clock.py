"""The time, read in compiled code: for searches that are given milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

# numba's own annotation has its functions take the typing context, which calls do not give.
_intrinsic: Callable[[Any], Callable[..., Any]] = intrinsic
CLOCK = time.CLOCK_MONOTONIC  # its number differs between systems


@_intrinsic
def _clock_gettime(typing_context: Any) -> Any:
    """POSIX's `clock_gettime` of `CLOCK`, in nanoseconds."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word, number = ir.IntType(64), ir.IntType(32)
        timespec = ir.ArrayType(word, 2)  # seconds and nanoseconds, as every 64-bit POSIX system lays them out
        kind = ir.FunctionType(number, [number, timespec.as_pointer()])
        function = builder.module.globals.get("clock_gettime") or ir.Function(builder.module, kind, "clock_gettime")
        with builder.goto_entry_block():
            place = builder.alloca(timespec)
        builder.call(function, [ir.Constant(number, CLOCK), place])
        found = builder.load(place)
        seconds, rest = builder.extract_value(found, 0), builder.extract_value(found, 1)
        return builder.add(builder.mul(seconds, ir.Constant(word, 10**9)), rest)

    return types.int64(), code


@numba.njit
def nanoseconds() -> Any:
    """Nanoseconds of a clock that only goes forward: int64."""
    return _clock_gettime()
