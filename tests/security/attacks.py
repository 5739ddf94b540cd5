"""What the security suite has in common: inputs as a stranger would make them, and what must hold whatever comes.

Each attack runs twice: a few examples, the same each time, by default; many fresh ones with `pytest -m faults`.
"""

from __future__ import annotations

import copy
import ctypes
import json
import math
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanista.errors import UsageError

QUICK, THOROUGH = 25, 2000
examples = pytest.mark.parametrize(
    "examples", [pytest.param(QUICK, id="quick"), pytest.param(THOROUGH, id="thorough", marks=pytest.mark.faults)]
)
SECONDS = 10.0  # of a processor that one input may take; of the clock twenty times as many, since machines are busy
MEGABYTES = 300  # by which one input may let the process grow
DIGITS = "@ 5000 digits @"  # stands for a number that Python refuses to read
NAN = "@ not a number @"

# What starts a program or calls what a file names; Python tells of each before it happens.
PROGRAMS = ("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen", "pickle.find_class")
# Whose classes may be unpickled: arrays, by the reader of RLlib's checkpoints, and what Numba keeps of compiled rules.
READERS = ("numpy", "numba", "copyreg")
CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate")
_watch: dict[str, Any] = {}


class TooSlow(BaseException):
    """The input took longer than it may; no `except Exception` swallows it."""


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what an input has done to the world, while one is watched. A hook cannot be taken away again."""
    if not _watch:
        return
    if event == "pickle.find_class" and (arguments[0].partition(".")[0] in READERS or _compiler_asks()):
        return
    if event in PROGRAMS and not _watch["programs"]:
        _watch["seen"].append(f"{event} {arguments[:1]}")
    elif event == "open" and isinstance(arguments[0], str | bytes):
        mode, flags = arguments[1], arguments[2]
        written = any(sign in mode for sign in "wax+") if isinstance(mode, str) else False
        written = written or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) != 0)
        if written and not _allowed(os.fsdecode(arguments[0])):
            _watch["seen"].append(f"wrote {arguments[0]!r}")
    elif event in CHANGES and isinstance(arguments[0], str | bytes) and not _allowed(os.fsdecode(arguments[0])):
        _watch["seen"].append(f"{event} {arguments[0]!r}")


def _compiler_asks() -> bool:
    """Whether Numba reads what it has compiled before."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("numba."):
            return True
        frame = frame.f_back
    return False


sys.addaudithook(_audit)


def _allowed(path: str) -> bool:
    """Whether an input may change this file: its own folder, and what compilers and Python keep of programs."""
    real = os.path.realpath(path)
    compiled = any(f"{ending}." in f"{real}." for ending in (".pyc", ".nbi", ".nbc")) or "__pycache__" in real
    kept = compiled or real == os.devnull
    return kept or any(real == each or real.startswith(each + os.sep) for each in _watch["folders"])


@contextmanager
def harmless(
    *folders: Path, programs: bool = False, seconds: float = SECONDS, megabytes: int = MEGABYTES
) -> Iterator[None]:
    """Fail if what runs meanwhile takes long, takes much memory, starts a program, or writes outside of `folders`.

    Args:
        folders: that may be written to.
        programs: whether programs may be started, where the code under test has one of its own do the work.
        seconds: of a processor, of this process.
        megabytes: by which the memory of this process may grow meanwhile, at its greatest.
    """

    def late(*_: object) -> NoReturn:
        raise TooSlow

    before = peak(anew=True)
    seen: list[str] = []
    _watch.update(seen=seen, folders=[os.path.realpath(each) for each in folders], programs=programs)
    old = [(kind, signal.signal(kind, late)) for kind in (signal.SIGPROF, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 20 * seconds)
    try:
        yield
    except TooSlow:
        pytest.fail(f"it took more than {seconds:g} seconds")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for kind, handler in old:
            signal.signal(kind, handler)
        _watch.clear()
    grown = (peak() - before) >> 10
    assert grown <= megabytes, f"it took {grown} MB"
    assert not seen, seen


def peak(anew: bool = False) -> int:
    """The most memory that this process has held, in KB.

    Args:
        anew: since now. What an earlier test once held would else hide as much of what comes; only Linux can.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if anew:
        # What training keeps of freed memory (`keep_memory`) would else be filled again without being seen.
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak is what is held now
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def taken_or_refused(call: Callable[[], object], *folders: Path, **bounds: Any) -> bool:
    """Whether an input was taken; if it was not, it was refused by a `UsageError` of one line, and nothing else."""
    with harmless(*folders, **bounds):
        try:
            call()
        except UsageError as error:
            assert str(error).strip() and len(str(error)) < 2000 and "\n" not in str(error), repr(str(error))
            return False
    return True


def attack(examples: int, inputs: st.SearchStrategy[Any], once: Callable[[Any], object]) -> None:
    """Try many inputs; the quick ones are the same each time."""
    relaxed = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

    @settings(
        max_examples=examples,
        derandomize=examples == QUICK,
        deadline=None,
        database=None,
        suppress_health_check=relaxed,
    )
    @given(inputs)
    def tried(value: Any) -> None:
        once(value)

    tried()


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file as a disk, a network or a stranger leaves it: bits flipped, cut short, parts lost, doubled or made up."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        count = draw(st.integers(1, 64))
        kind = draw(st.sampled_from(("flip", "cut", "lose", "double", "put", "overwrite", "ones")))
        if kind == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del data[at:]
        elif kind == "lose":
            del data[at : at + count]
        elif kind == "double":
            data[at:at] = data[at : at + count]
        elif kind == "put":
            data[at:at] = draw(st.binary(min_size=1, max_size=16))
        elif kind == "overwrite":
            part = draw(st.binary(min_size=1, max_size=16))
            data[at : at + len(part)] = part
        else:
            data[at : at + count] = b"\xff" * min(count, len(data) - at)
    return bytes(data)


ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, -0.5, DIGITS, NAN, math.inf, -math.inf,
    "", "\x00", "\ud800", "../../etc/passwd", "/etc/passwd", "a" * 10_000, "%s%n{0}", "__class__", "__import__('os')",
    [], {}, [[]], [-1], [10**10], [10**10] * 4, [1] * 1000, [None], {"": None}, {"__init__": 1},
]  # fmt: skip


@st.composite
def odd_json(draw: st.DrawFn, plain: Any) -> bytes:
    """A JSON document of which one to three values are another's, or gone, or of a kind that nobody expects there."""
    document = copy.deepcopy(plain)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(document))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        kind = draw(st.sampled_from(("odd", "odd", "odd", "lose", "swap", "deep")))
        if kind == "odd":
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif kind == "lose":
            del holder[key]
        elif kind == "swap":
            other, name = draw(st.sampled_from(places))
            holder[key] = copy.deepcopy(other[name] if not isinstance(other, list) or name < len(other) else None)
        else:
            nested: Any = 1
            for _ in range(draw(st.sampled_from((3, 400)))):
                nested = [nested]
            holder[key] = nested
    text = json.dumps(document)
    return text.replace(json.dumps(DIGITS), "9" * 5000).replace(json.dumps(NAN), "NaN").encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Where a value lies in a document: (holder, key)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from _places(inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value[:50]):
            yield value, index
            yield from _places(inner)


@st.composite
def odd_text(draw: st.DrawFn, words: list[str], most: int = 60) -> str:
    """A text of the format's own words in any order, with anything between them."""
    anything = st.text(max_size=8) | st.sampled_from(
        ["\x00", "\ufeff", "\uff19", "²", "9" * 5000, "-" * 50, "\n", "\r\n"]
    )
    parts = draw(st.lists(st.sampled_from(words) | anything, max_size=most))
    return draw(st.sampled_from(("", " ", "\n"))).join(parts)


class Canary:
    """What, unpickled, writes a file: the code that must never run."""

    def __init__(self, path: Path) -> None:
        """Say which file."""
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Have the reader open it for writing."""
        return open, (str(self.path), "w")
