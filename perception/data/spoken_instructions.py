"""Instructions said by synthetic voices as people tell an agent what to do: "go to the red ball", "grab a key".

A phrase is one clause of BabyAI's language (Chevalier-Boisvert et al. 2019, arXiv:1810.08272) of 37 words: what to do,
with which thing, and where that lies. Some say it in other words. A voice says it in one breath.
"""

from __future__ import annotations

import numpy as np

from lanista.perception.data._cast import ENGINES, RATE
from lanista.perception.data._instructions import COLOURS
from lanista.perception.data._parts_said import phrases_said
from lanista.perception.dataset import DataSet, Source

SOURCE = Source(
    modality="sound",
    licence="made here by free programs; their voices' licences leave what they say free",
    extra="perception",
    needs=ENGINES,
)
# What is done to one thing, as BabyAI says it -> how people say it.
VERBS = {
    "go to": ("go to", "walk to", "move to"),
    "pick up": ("pick up", "take", "get", "grab", "fetch"),
    "open": ("open",),
}
PUTS, BESIDES = ("put", "place"), ("next to", "beside")
ARTICLES = ("the", "a")
THINGS = ("ball", "box", "key", "door", "object")
PLACES = ("in front of you", "behind you", "on your left", "on your right")
_WAYS = (*(way for ways in VERBS.values() for way in ways), *PUTS, *BESIDES)
WORDS = tuple(dict.fromkeys(" ".join([*_WAYS, *ARTICLES, *COLOURS, *THINGS, *PLACES]).split()))
USUAL = 0.6  # share of the verbs that are BabyAI's own
PUT, PLACED, COLOURED = 0.12, 0.15, 0.85  # shares of the phrases, and of the things


def load(most: int = 0) -> DataSet:
    """Each voice says phrases of its own. Parts "train", "valid" and "test" share no voice; the targets are texts.

    Args:
        most: voices in each part, at most; 0 for all.
    """
    return DataSet(phrases_said("spoken_instructions", 31_000, draw_phrase, most), WORDS, RATE)


def draw_phrase(chance: np.random.Generator) -> str:
    """Something that an agent might be told."""

    def one_of(words: tuple[str, ...]) -> str:
        return words[int(chance.integers(len(words)))]

    def thing() -> str:
        colour = f"{one_of(COLOURS)} " if chance.random() < COLOURED else ""
        place = f" {one_of(PLACES)}" if chance.random() < PLACED else ""
        return f"{one_of(ARTICLES)} {colour}{one_of(THINGS)}{place}"

    if chance.random() < PUT:
        return f"{one_of(PUTS)} {thing()} {one_of(BESIDES)} {thing()}"
    usual = tuple(VERBS)[int(chance.integers(len(VERBS)))]
    return f"{usual if chance.random() < USUAL else one_of(VERBS[usual])} {thing()}"
