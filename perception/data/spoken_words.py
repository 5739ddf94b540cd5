"""Words said by synthetic voices: numbers, days, months, the phonetic alphabet, words of commands and of games.

They are words of which recordings of real people exist (`real_words`), so that what learnt from these voices can be
tested on people.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from lanista.perception.data._cast import ENGINES, RATE, cast, said
from lanista.perception.data.real_words import DAYS, MONTHS, NUMBERS, PHONETIC
from lanista.perception.dataset import DataSet, Source
from lanista.perception.voices import Voice

SOURCE = Source(
    modality="sound",
    licence="made here by free programs; their voices' licences leave what they say free",
    extra="perception",
    needs=ENGINES,
)
COMMANDS = (
    "hundred thousand million billion plus minus slash space star hello goodbye yesterday today tomorrow hours minutes "
    "seconds number"
)
# No "tree": in the accent en-029 of the tests "three" is said alike.
THINGS = (
    "alien astronaut ball bicycle bridge camel car cheese cucumber dog donkey flower key monster mushroom onion "
    "pineapple planet pyramid rocket satellite tomato train umbrella"
)
# People who say a list do not end a sentence with each word. The training voices say words with these in turn, which
# espeak-ng minds, and flite's differ in how far their pitch moves.
INTONATIONS = (0.4, 2.2)
MARKS = (".", ",", "?", "!")
WORDS = tuple(dict.fromkeys([*NUMBERS.values(), *DAYS, *MONTHS, *PHONETIC, *COMMANDS.split(), *THINGS.split()]))


def load(most: int = 0) -> DataSet:
    """Every voice says every word. Parts "train", "valid" and "test" share no voice; the targets are texts.

    Args:
        most: voices in each part, at most; 0 for all.
    """
    parts = {}
    for part in ("train", "valid", "test"):
        voices = cast(part)
        # The last of the list are of another engine than the first: a few voices should have some of each.
        chosen = voices if not most else voices[:: max(1, -(-len(voices) // most))]
        marks = list[str]()
        if part == "train":
            chosen = lively(chosen)
            marks = [MARKS[number % len(MARKS)] for number in range(len(chosen))]
        parts[part] = said("spoken_words", chosen, [WORDS] * len(chosen), marks)
    return DataSet(parts, WORDS, RATE)


def lively(voices: list[Voice]) -> list[Voice]:
    """The voices with intonations of their own, where their engine can set it; the same every time."""
    chance = np.random.default_rng(20_000)
    drawn = [round(float(value), 3) for value in chance.uniform(*INTONATIONS, len(voices))]
    return [
        dataclasses.replace(voice, intonation=value) if voice.engine == "flite" else voice
        for voice, value in zip(voices, drawn, strict=True)
    ]
