"""Instructions of BabyAI's language in many words, with what is to be done, in which order, with which things.

Made here, from a seed. Verbs and links are said in the ways of `_instructions.VARIED`, in more, and now and then in
words that are none, so that what an unknown word stands beside is understood all the same. "unseen phrasings" says each
in a way of `_instructions.UNSEEN`, in which no other part says anything. Chevalier-Boisvert et al. 2019,
arXiv:1810.08272.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

import numpy as np

from lanista.errors import UsageError
from lanista.perception.data._instructions import COLOURS, UNSEEN, VARIED
from lanista.perception.dataset import DataSet, Examples, Source

SOURCE = Source(modality="text", licence="made by Lanista: MIT")
NONE = "-"
VERBS = (NONE, "go-to", "pick-up", "open", "put")
COLOUR = (NONE, *COLOURS)
THINGS = (NONE, "ball", "box", "key", "door", "object")
WHERE = {  # after a thing; in BabyAI's words and others
    NONE: ("",),
    "ahead": ("in front of you", "ahead of you"),
    "behind": ("behind you", "at your back"),
    "left": ("on your left", "to the left of you"),
    "right": ("on your right", "to the right of you"),
}
THING = (COLOUR, THINGS, tuple(WHERE))
PART = (VERBS, *THING, *THING)  # of an instruction: the verb, what it is about, and beside what it is put
ATTRIBUTES = PART * 2  # what is done first, and what then
MORE = {  # besides those of VARIED, to learn from
    "go to": ("walk over to", "move over to", "travel to", "step up to", "get over to", "run to", "navigate to"),
    "pick up": ("collect", "gather", "pick", "seize", "take hold of"),
    "open": ("unseal", "push open", "unbar"),
    "put": ("position", "leave", "bring"),
    "next to": ("adjacent to", "alongside", "at the side of"),
    "then": ("after which you", "and after that", "and finally"),
}
POLITE = ("", "", "", "", "please", "you must", "you should", "could you", "now", "your task is to", "i want you to")
NONSENSE = 0.15  # the share of phrases to learn from that are no words
SINGLE, BEFORE, PUT, PLACED, PLAIN = 0.5, 0.3, 0.25, 0.15, 0.75  # chances of what is said
MOST = 10**6


@dataclass(frozen=True)
class Done:
    """One instruction.

    Attributes:
        verb: of VERBS.
        thing, beside: (colour, thing, where), indices; the latter zeros where nothing is put.
    """

    verb: int
    thing: tuple[int, int, int]
    beside: tuple[int, int, int]

    @property
    def values(self) -> tuple[int, ...]:
        """Indices of PART."""
        return (self.verb, *self.thing, *self.beside)


def load(count: int = 30_000, tests: int = 2000, seed: int = 0) -> DataSet:
    """Parts "train", "valid", "test", "unseen phrasings"; no sentence is in two of them.

    Targets are (n, 1, 14) uint8, indices of ATTRIBUTES.

    Args:
        count: sentences to learn from.
        tests: in each other part.
        seed: of all of them.
    """
    if not (1 <= count <= MOST and 1 <= tests <= MOST):
        raise UsageError(f"'count' and 'tests' of the data set 'missions' must be 1 to {MOST:,}")
    seen: set[str] = set()
    parts = {}
    # The tests come first, so that they are the same however many sentences are trained on.
    sizes = {"unseen phrasings": tests, "test": tests, "valid": tests, "train": count}
    for place, (part, size) in enumerate(sizes.items()):
        parts[part] = _examples(part, size, random.Random(seed * 4 + place), seen)
    return DataSet(parts)


def _examples(part: str, size: int, draws: random.Random, seen: set[str]) -> Examples:
    """Sentences of a part, none of those `seen`, which they join."""
    texts: dict[str, tuple[int, ...]] = {}
    nonsense = NONSENSE if part in ("train", "valid") else 0.0
    while len(texts) < size:
        text, values = _sentence(draws, part == "unseen phrasings", nonsense)
        if text not in seen:
            texts[text] = values
    seen.update(texts)
    return Examples(list(texts), np.array(list(texts.values()), np.uint8)[:, None])


def _sentence(draws: random.Random, unseen: bool, nonsense: float) -> tuple[str, tuple[int, ...]]:
    """An instruction, or two, as a sentence, with indices of ATTRIBUTES."""

    def phrase(usual: str) -> str:
        if draws.random() < nonsense:
            letters = (draws.choices(string.ascii_lowercase, k=draws.randint(2, 8)) for _ in range(draws.randint(1, 3)))
            return " ".join(map("".join, letters))
        return draws.choice(UNSEEN[usual] if unseen else (*VARIED[usual], *MORE[usual]))

    def said(done: Done) -> str:
        words = [phrase(VERBS[done.verb].replace("-", " ")), _named(draws, done.thing)]
        if VERBS[done.verb] == "put":
            words += [phrase("next to"), _named(draws, done.beside)]
        return " ".join(words)

    first = _instruction(draws)
    if draws.random() < SINGLE:
        text, values = said(first), (*first.values, *[0] * len(PART))
    else:
        then = _instruction(draws)
        values = (*first.values, *then.values)
        if draws.random() < BEFORE:
            text = f"{said(then)} after you {said(first)}"
        else:
            link = "and" if draws.random() < BEFORE else phrase("then")
            text = f"{said(first)}{draws.choice(('', ',')) if link != 'and' else ''} {link} {said(then)}"
    return f"{draws.choice(POLITE)} {text}".strip(), values


def _instruction(draws: random.Random) -> Done:
    """What is to be done, as BabyAI would have it: doors alone are opened, and carried things alone are put."""
    if draws.random() < PUT:
        return Done(VERBS.index("put"), _thing(draws, THINGS[1:4]), _thing(draws, THINGS[1:5]))
    verb = draws.choice(("go-to", "go-to", "pick-up", "open"))
    things = {"go-to": THINGS[1:], "pick-up": (*THINGS[1:4], "object"), "open": ("door",)}[verb]
    return Done(VERBS.index(verb), _thing(draws, things), (0, 0, 0))


def _thing(draws: random.Random, things: tuple[str, ...]) -> tuple[int, int, int]:
    colour = draws.randrange(1, len(COLOUR)) if draws.random() < PLAIN else 0
    where = draws.randrange(1, len(WHERE)) if draws.random() < PLACED else 0
    return colour, THINGS.index(draws.choice(things)), where


def _named(draws: random.Random, thing: tuple[int, int, int]) -> str:
    colour, kind, where = thing
    words = (draws.choice(["the", "the", "a"]), COLOUR[colour] if colour else "", THINGS[kind])
    return " ".join([word for word in (*words, draws.choice(WHERE[tuple(WHERE)[where]])) if word])
