"""VADER's ratings: tweets and sentences of film reviews, product reviews and leading articles, rated by 20 people.

23,703 texts, each with the mean of its ratings from -4, most negative, to 4, most positive (Hutto and Gilbert, ICWSM
2014). They lie in the source archive of the package vaderSentiment.
"""

from __future__ import annotations

import html
import tarfile

import numpy as np

from lanista.errors import UsageError
from lanista.perception.dataset import DataSet, Examples, Source, find

SOURCE = Source(
    modality="text",
    licence="MIT",
    packages=("pypi-source:vaderSentiment==3.3.2",),
    megabytes=2.5,
)
PARTS = {
    "tweets": "tweets",
    "films": "movieReviewSnippets",
    "products": "amazonReviewSnippets",
    "newspapers": "nytEditorialSnippets",
}
MOST_BYTES = 2**24


def load() -> DataSet:
    """Parts "tweets", "films", "products" and "newspapers"; targets (n, 1), mean ratings; groups are documents."""
    archive = find("vader", SOURCE, "hutto_ICWSM_2014.tar.gz")[0]
    parts = {}
    try:
        with tarfile.open(archive) as tar:
            for part, name in PARTS.items():
                file = tar.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
                assert file is not None
                parts[part] = _examples(part, file.read(MOST_BYTES).decode("utf-8", "replace"))
    except (OSError, EOFError, tarfile.TarError, KeyError, ValueError, AssertionError) as error:
        raise UsageError(f"{archive} is damaged ({error}): lanista data get vader") from None
    return DataSet(parts)


def _examples(part: str, table: str) -> Examples:
    """Lines of id, mean rating and text, parted by tabs."""
    texts, ratings, groups = [], [], []
    for line in table.splitlines():
        name, rating, text = line.split("\t", 2)
        texts.append(html.unescape(text).strip())
        ratings.append(float(rating))
        groups.append(f"{part} {name.partition('_')[0]}")
    return Examples(texts, np.array(ratings, np.float32)[:, None], groups)
