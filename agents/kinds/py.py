"""`py:my_agent.py:MyAgent`: a user's own class with a method `act`, in its own process.

After `?` come Lanista's limits, `seconds` for the answer to a turn and `memory` in megabytes, and the arguments of the
class, as in `py:my_agent.py:MyAgent?seconds=2&memory=1000&depth=3`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lanista.agents.isolate import IsolatedAgent
from lanista.errors import UsageError
from lanista.files import written_path
from lanista.plugs import call, parse_options


def make(file: str, seconds: float = 10.0, memory: int = 8192) -> PyAgent:
    """An agent by `file:class`; `read` takes all that a contestant's string can say."""
    return read(f"{file}?seconds={seconds}&memory={memory}", f"py:{file}")


def read(written: str, source: str) -> PyAgent:
    """The agent of a contestant's string.

    Args:
        written: it, without `py:`.
        source: all of it.

    Raises:
        UsageError: there is no such file, or no class is named.
    """
    place, _, options = written.partition("?")
    path, colon, name = place.rpartition(":")
    if not colon or not path or not name.isidentifier():
        raise UsageError(f"'{source}' names no class; write it as in 'py:my_agent.py:MyAgent'")
    file = written_path(path)
    if not file.is_file():
        raise UsageError(f"'{source}' needs the file '{path}', which is not there")
    given = parse_options(options, source)
    limits: dict[str, Any] = {key: given.pop(key) for key in ("seconds", "memory") if key in given}

    def limited(seconds: float = 10.0, memory: int = 8192) -> PyAgent:
        loading = {"file": str(file.absolute()), "class": name, "options": given}
        return PyAgent(source, loading, seconds=seconds, memory=memory)

    agent: PyAgent = call(limited, f"the agent '{source}'", limits)
    agent.files = (file,)
    return agent


class PyAgent(IsolatedAgent):
    """A user's own class in its own process; its file decides what it plays."""

    files: tuple[Path, ...] = ()
