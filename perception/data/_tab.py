"""Tables of labelled texts as Orange keeps them: three lines of heading, then a label, a tab and a text a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.perception.dataset import DataSet, Examples, data_source, find

MOST_BYTES = 2**26


def load_tables(name: str, files: str) -> DataSet:
    """Parts "train" and "test" from two tables.

    Args:
        name: the set's id.
        files: the tables' names, with {part} for "train" and "test".
    """
    source = data_source(name)
    read = {part: _rows(find(name, source, files.format(part=part))[0]) for part in ("train", "test")}
    labels = sorted({label for label, _ in read["train"] if label})
    index = {label: place for place, label in enumerate(labels)}
    parts = {}
    for part, rows in read.items():
        known = [(index[label], text) for label, text in rows if label in index]
        parts[part] = Examples([text for _, text in known], np.array([label for label, _ in known], np.int64))
    return DataSet(parts, labels)


def _rows(path: Path) -> list[tuple[str, str]]:
    """(label, text) a line."""
    try:
        with path.open("rb") as file:
            lines = file.read(MOST_BYTES).decode("utf-8", "replace").split("\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error})") from None
    rows = [(label, text.strip()) for label, tab, text in (line.partition("\t") for line in lines[3:]) if tab]
    if lines[0].strip() != "Category\tText" or not rows:
        raise UsageError(f"{path} is damaged: it should begin with the heading 'Category, Text' and hold texts")
    return rows
