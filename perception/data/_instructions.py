"""Missions in other words: whole phrases of BabyAI's language are said otherwise."""

from __future__ import annotations

import re

import numpy as np

COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")  # of MiniGrid's things
PHRASINGS = ("usual", "varied", "unseen")
# BabyAI's own words -> others with the same sense, to learn from; and some that are kept for tests.
VARIED = {
    "go to": ("go to", "walk to", "move to", "head to", "go over to"),
    "pick up": ("pick up", "take", "grab", "get"),
    "open": ("open", "open up", "unlock"),
    "put": ("put", "place", "lay"),
    "next to": ("next to", "beside", "by"),
    "then": ("then", "after that"),
}
UNSEEN = {
    "go to": ("find", "approach", "make your way to"),
    "pick up": ("lift", "fetch"),
    "open": ("get through", "swing open"),
    "put": ("set", "drop"),
    "next to": ("near", "close to"),
    "then": ("next", "afterwards"),
}
WORDS = re.compile(rf"\b({'|'.join(VARIED)})\b")


def rephrased(mission: str, phrasing: str, chance: np.random.Generator) -> str:
    """A mission as "usual", "varied" (its own words among others), or "unseen" phrasing has it."""
    if phrasing == "usual":
        return mission
    known = VARIED if phrasing == "varied" else UNSEEN
    return WORDS.sub(lambda found: str(chance.choice(known[found.group()])), mission)
