"""Common English words said by synthetic voices, to learn to spell from sound; other words by other voices to test.

The words are the commonest of SCOWL (Spell Checker Oriented Word Lists). All that begin with the same four letters are
of one part, so that no test asks for another form of a word that was learnt; nor for one of which there are
recordings of real people.
"""

from __future__ import annotations

import re

import numpy as np

from lanista.perception.data._cast import ENGINES, RATE, cast, said
from lanista.perception.data.real_words import spoken_by_people
from lanista.perception.dataset import DataSet, Examples, Source, find

SOURCE = Source(
    modality="sound",
    licence="words: SCOWL's own, free for any use; voices: made here by free programs, what they say is free",
    packages=("deb:scowl",),
    places=("/usr/share/dict/scowl",),
    extra="perception",
    megabytes=2,
    needs=ENGINES,
)
LEAST_LETTERS, MOST_LETTERS = 3, 10
ALIKE = 4  # letters; words that begin with the same are in the same part
TEST, VALID = 0.06, 0.04  # shares of the words' beginnings
SAYS = {"train": 60, "valid": 80, "test": 60}  # words a voice


def words() -> dict[str, list[str]]:
    """The words of the parts "train", "valid" and "test", sorted; the same every time.

    Raises:
        UsageError: the list is not on this machine.
    """
    lists = find("spelt_words", SOURCE, "english-words.[12]0")
    text = "\n".join(file.read_text("latin-1") for file in lists)
    known = sorted(set(re.findall(rf"^[a-z]{{{LEAST_LETTERS},{MOST_LETTERS}}}$", text, re.MULTILINE)))
    taken = {word[:ALIKE] for word in spoken_by_people()}
    begins = sorted({word[:ALIKE] for word in known} - taken)
    order = [begins[place] for place in np.random.default_rng(20_000).permutation(len(begins))]
    first, second = round(len(order) * TEST), round(len(order) * (TEST + VALID))
    sides = {"test": set(order[:first]), "valid": set(order[first:second]), "train": set(order[second:])}
    return {part: [word for word in known if word[:ALIKE] in side] for part, side in sides.items()}


def load(most: int = 0) -> DataSet:
    """Each voice says some of the words of its part; parts "train", "valid", "test" share no word and no voice.

    Args:
        most: voices in each part, at most; 0 for all.
    """
    vocabulary, parts = words(), dict[str, Examples]()
    for part in ("train", "valid", "test"):
        voices, chance = cast(part), np.random.default_rng(20_000)
        if most:
            voices = voices[:: max(1, -(-len(voices) // most))]
        known = vocabulary[part]
        spoken = [chance.permutation(len(known))[: SAYS[part]] for _ in voices]
        parts[part] = said("spelt_words", voices, [[known[place] for place in row] for row in spoken])
    return DataSet(parts, rate=RATE)
