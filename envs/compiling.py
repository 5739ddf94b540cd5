"""Compile kernels that close over a game's rules, and find them again on the disk in another process."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.extending import intrinsic

# numba's own annotation has its functions take the typing context, which calls do not give.
_intrinsic: Callable[[Any], Callable[..., Any]] = intrinsic


@_intrinsic
def borrowed(typing_context: Any, array: Any) -> Any:
    """The same array, for whose life the caller answers: nobody counts who holds it.

    Numba counts the holders of an array wherever a compiled function takes, slices or hands it on, and each count is an
    atomic operation; in loops of a few nanoseconds they take most of the time.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        made.meminfo = ir.Constant(made.meminfo.type, None)
        return made._getvalue()

    return array(array), code


def reached(plain: Any, seen: dict[int, Any]) -> Iterable[Any]:
    """A function that is to be compiled, and all compiled functions that it calls, as plain functions."""
    if id(plain) not in seen:
        seen[id(plain)] = plain
        named = (plain.__globals__.get(name) for name in plain.__code__.co_names)
        closed = (cell.cell_contents for cell in plain.__closure__ or ())
        for value in (*named, *closed):
            # A few compiled functions may be handed around together, in a named tuple.
            for each in value if isinstance(value, tuple) else (value,):
                if hasattr(each, "py_func"):
                    reached(each.py_func, seen)
    return seen.values()


def source_digest(functions: Iterable[Any], *more: str) -> str:
    """A digest of the files that plain functions and the compiled ones that they call come from, and of more files."""
    seen: dict[int, Any] = {}
    for plain in functions:
        reached(plain, seen)
    files = {inspect.getfile(plain) for plain in seen.values()} | set(more)
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def _name_apart(plain: Any, key: str) -> None:
    """Give the functions that are nested in others names of their own for each key.

    Numba names machine code by a function's name, the order of compilation and numbers for the types of records, which
    begin anew in every process. Code of two games that two processes compiled may so have one name, and a third that
    loads both runs the one for the other.
    """
    mark = f".{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    for function in reached(plain, {}):
        if "<locals>" in function.__qualname__ and not re.search(r"\.[0-9a-f]{16}$", function.__qualname__):
            function.__qualname__ += mark


class _FileEach(IndexDataCacheFile):
    """A file for each compiled kernel, named by all that it depends on.

    Numba numbers the files of a function and keeps an index of them without a lock. Two processes that compile for two
    games at once may take one number, and whoever loads it later runs the code of the one game on the memory of the
    other.
    """

    def save(self, key: Any, data: Any) -> None:
        self._save_data(self._name(key), data)  # type: ignore[no-untyped-call]  # to a temporary name, then renamed

    def load(self, key: Any) -> Any:
        try:
            return self._load_data(self._name(key))  # type: ignore[no-untyped-call]
        except FileNotFoundError:
            return None

    def _name(self, key: Any) -> str:
        digest = hashlib.sha256(repr((self._version, self._source_stamp, key)).encode()).hexdigest()
        return f"{self._index_name.removesuffix('.nbi')}.{digest[:32]}.nbc"


class _KeyedCache(FunctionCache):
    """Numba's file cache, with a key that outlives the process.

    Numba keys a closure by the pickles of what it closes over; a compiled function's pickle differs in every process,
    so kernels built around a game's rules would never be found again.
    """

    def __init__(self, function: Callable[..., Any], key: str) -> None:
        self._key = key
        super().__init__(function)  # type: ignore[no-untyped-call]
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = _FileEach(self._cache_path, self._impl.filename_base, stamp)  # type: ignore[no-untyped-call]

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return sig, codegen.magic_tuple(), self._key


def compiled(function: Callable[..., Any], key: str) -> Callable[..., Any]:
    """Compile a kernel that closes over a game's rules; a second process finds it compiled.

    Args:
        function: a nested function.
        key: what it depends on besides the files that it and the functions it calls come from: `Rules.key`, and any
            number it closes over.
    """
    _name_apart(function, key)
    dispatcher: Any = numba.njit(nogil=True, boundscheck=False)(function)
    dispatcher._cache = _KeyedCache(function, f"{key} {source_digest({function})}")
    return dispatcher  # type: ignore[no-any-return]
