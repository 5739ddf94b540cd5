"""The synthetic voices that words are said by, in training and in tests, and what they said, kept between runs.

No voice of the tests is heard in training: the tests have two whole accents of espeak-ng and variants of their own,
and festival, an engine, whose speaker's recordings are in no other engine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

from lanista.perception.data._made import made_once
from lanista.perception.dataset import Examples
from lanista.perception.inputs.sound import trimmed
from lanista.perception.voices import FLITE, Voice, program, speak, variants

RATE = 8000
VERSION = 1  # of what is made here; another makes what is kept anew
ENGINES = ("espeak-ng", "flite", "festival")
HEARD = ("en-us", "en-gb", "en-us-nyc", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd")
UNHEARD = ("en-gb-scotland", "en-029")
# Variants that whisper, buzz or are so distorted that people do not understand them.
ODD = {
    "whisper",
    "whisperf",
    "croak",
    "Demonic",
    "fast",
    "UniRobot",
    "anikaRobot",
    *(f"robosoft{n}" for n in range(2, 9)),
}
FORMANTS, RECORDED = 256, 64  # voices in training: of espeak-ng; of each of flite's speakers
# Engines hurry: people who say a word alone take about a quarter longer.
SPEEDS, PITCHES, TRACTS = (0.6, 1.15), (0.75, 1.3), (0.87, 1.15)
# How words are written so that every engine says them as people do; other words are said as they are written. The
# letter "a" would be said as the article.
WRITTEN = {"lima": "leema", "quebec": "kebeck", "a": "eigh"}
Part = Literal["train", "valid", "test"]


def cast(part: Part) -> list[Voice]:
    """The voices of a part: the same on every machine that has the same variants of espeak-ng.

    Raises:
        UsageError: an engine is not on this machine; the message says how to get it.
    """
    for engine in ENGINES:
        program(engine)
    chance = np.random.default_rng(20_000)
    names = [name for name in variants() if name not in ODD]
    order = [names[place] for place in chance.permutation(len(names))]
    shares = {"test": order[:8], "valid": order[8:16], "train": order[16:]}
    chance = np.random.default_rng({"train": 1, "valid": 2, "test": 3}[part])
    if part == "train":
        found = [("espeak-ng", f"{HEARD[n % 6]}+{shares[part][n % len(shares[part])]}") for n in range(FORMANTS)]
        found += [("flite", name) for name in FLITE for _ in range(RECORDED)]
    elif part == "valid":
        found = [("espeak-ng", f"{HEARD[n % 6]}+{name}") for n, name in enumerate(shares[part])]
    else:
        found = [("espeak-ng", f"{UNHEARD[n % 2]}+{name}") for n, name in enumerate(shares[part])]
        found += [("festival", "ked_diphone")] * 4
    return [_varied(engine, name, chance) for engine, name in found]


def _varied(engine: str, name: str, chance: np.random.Generator) -> Voice:
    speed, pitch, tract = (round(float(chance.uniform(*bounds)), 3) for bounds in (SPEEDS, PITCHES, TRACTS))
    return Voice(engine, name, speed, pitch, tract)


def said(name: str, voices: Sequence[Voice], words: Sequence[Sequence[str]], marks: Sequence[str] = ()) -> Examples:
    """Words said by voices, without silence at both ends; synthesised once, then read from the data folder.

    Args:
        name: the data set's id.
        voices: who speaks.
        words: what each of them says; several words in one text are said without a pause.
        marks: for each voice the punctuation it says each word with, for its intonation; none if empty.

    Returns:
        Sounds of 8,000 samples a second; the targets are the words, the groups engine and name of the voice.
    """
    about = {
        "version": VERSION,
        "rate": RATE,
        "voices": [_told(voice) for voice in voices],
        "words": [list(texts) for texts in words],
        **({"marks": list(marks)} if marks else {}),
    }

    def make() -> dict[str, np.ndarray]:
        waves: list[np.ndarray] = []
        for voice, texts, mark in zip(voices, words, marks or [""] * len(voices), strict=True):
            spoken = speak([written(text) + mark for text in texts], voice, RATE)
            waves += [np.rint(trimmed(wave, RATE) * 32767).astype(np.int16) for wave in spoken]
        ends = np.cumsum([len(wave) for wave in waves])
        return {"waves": np.concatenate(waves) if waves else np.zeros(0, np.int16), "ends": ends.astype(np.int64)}

    made = made_once(name, about, make)
    whole = made["waves"].astype(np.float32) / 32767
    texts = [text for row in words for text in row]
    groups = [f"{voice.engine} {voice.name}" for voice, row in zip(voices, words, strict=True) for _ in row]
    return Examples(np.split(whole, made["ends"][:-1]), texts, groups)


def written(text: str) -> str:
    """Words as they are given to an engine."""
    return " ".join(WRITTEN.get(word, word) for word in text.split())


def _told(voice: Voice) -> dict[str, str | float]:
    """A voice as plain data; of usual intonation as it was told before there was another, so that sets stay valid."""
    told: dict[str, str | float] = dataclasses.asdict(voice)
    if voice.intonation == 1:
        del told["intonation"]
    return told
