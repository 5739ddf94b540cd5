"""What commands print: JSON for scripts, lines and tables for people."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from lanista.plugs import Summary, Value

WIDTH_IN_A_PIPE = 160  # where there is no terminal, tables should not be folded to a narrow one


def console(*, errors: bool = False) -> Console:
    """Where a command prints: standard output, or standard error for what is not its result."""
    terminal = (sys.stderr if errors else sys.stdout).isatty()
    return Console(stderr=errors, highlight=False, width=None if terminal else WIDTH_IN_A_PIPE)


def called() -> str:
    """What to write to run this program again: `lanista`, or its path where the shell would not find it."""
    here = Path(sys.argv[0])
    found = shutil.which("lanista")
    if here.name != "lanista":
        return "python -m lanista" if here.name == "__main__.py" else "lanista"
    if found is not None and Path(found).resolve() == here.resolve():
        return "lanista"
    near = os.path.relpath(here)
    return shlex.quote(near if len(near) < len(str(here)) else str(here))


def print_json(value: Any) -> None:
    """Print one JSON value."""
    print(json.dumps(value, indent=2))


def print_listing(title: str, lines: Iterable[tuple[str, str]]) -> None:
    """Print a title and a line for each name, what it is beside it."""
    pairs = list(lines)
    width = max((len(name) for name, _ in pairs), default=0)
    print(title)
    for name, about in pairs:
        print(f"  {name:{width}}  {about}".rstrip())


def summary_json(summaries: Mapping[str, Summary]) -> list[dict[str, Any]]:
    """Plugs for a script: name, about, options with their defaults (null: must be given, or no value unless given)."""
    return [{"name": name, "about": about(found), "options": found.options} for name, found in summaries.items()]


def with_options(name: str, summary: Summary) -> str:
    """A plug's name with its options at their defaults, as a user would write it: `minimax:depth=4`."""
    options = ",".join(
        f"[{key}=...]" if key in summary.optional else f"{key}={_written(default)}"
        for key, default in summary.options.items()
    )
    return f"{name}:{options}" if options else name


def about(summary: Summary) -> str:
    """What a plug is, without the name at the beginning of its docstring."""
    name, colon, rest = summary.about.partition(": ")
    return rest[:1].upper() + rest[1:] if colon and name.startswith("`") else summary.about


def _written(default: Value | None) -> str:
    if default is None:
        return "..."
    return str(default).lower() if isinstance(default, bool) else str(default)
