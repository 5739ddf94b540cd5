"""What voices say to be learnt from, to validate and to test: no two parts share a voice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from lanista.perception.data._cast import Part, cast, said
from lanista.perception.dataset import Examples
from lanista.perception.voices import Voice

# People who say a list do not end a sentence with each word. The training voices say words with these in turn, which
# espeak-ng minds, and flite's differ in how far their pitch moves.
INTONATIONS = (0.4, 2.2)
MARKS = (".", ",", "?", "!")
PHRASES: dict[Part, int] = {"train": 26, "valid": 80, "test": 100}  # a voice


def parts_said(name: str, texts: Callable[[Part, int], list[Sequence[str]]], most: int) -> dict[str, Examples]:
    """The parts "train", "valid" and "test"; the targets are texts.

    Args:
        name: of the data set.
        texts: of a part and so many voices: what each says.
        most: voices in each part, at most; 0 for all.
    """
    parts = dict[str, Examples]()
    names: tuple[Part, ...] = ("train", "valid", "test")
    for part in names:
        voices = cast(part)
        # The last of the list are of another engine than the first: a few voices should have some of each.
        chosen = voices if not most else voices[:: max(1, -(-len(voices) // most))]
        marks = list[str]()
        if part == "train":
            chosen = lively(chosen)
            marks = [MARKS[place % len(MARKS)] for place in range(len(chosen))]
        parts[part] = said(name, chosen, texts(part, len(chosen)), marks)
    return parts


def phrases_said(name: str, seed: int, draw: Callable[[np.random.Generator], str], most: int) -> dict[str, Examples]:
    """As `parts_said`; each voice says phrases of its own, that `draw` makes up.

    Args:
        name, most: as there.
        seed: of the first part's phrases; the others' are the next ones.
    """

    def texts(part: Part, voices: int) -> list[Sequence[str]]:
        chance = np.random.default_rng(seed + list(PHRASES).index(part))
        return [[draw(chance) for _ in range(PHRASES[part])] for _ in range(voices)]

    return parts_said(name, texts, most)


def lively(voices: list[Voice]) -> list[Voice]:
    """The voices with intonations of their own, where their engine can set it; the same every time."""
    chance = np.random.default_rng(20_000)
    drawn = [round(float(value), 3) for value in chance.uniform(*INTONATIONS, len(voices))]
    return [
        dataclasses.replace(voice, intonation=value) if voice.engine == "flite" else voice
        for voice, value in zip(voices, drawn, strict=True)
    ]
