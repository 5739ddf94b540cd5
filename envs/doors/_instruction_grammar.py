"""What an instruction asks for: BabyAI's language and MiniGrid's missions, in their own words or in others, as data.

The language is that of Chevalier-Boisvert et al. 2019, arXiv:1810.08272, figure 2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lanista.errors import UsageError, unknown
from lanista.perception.data._instructions import COLOURS, UNSEEN, VARIED

KINDS = ("ball", "box", "key", "door")
Verb = Literal["go to", "pick up", "open", "put"]
EXAMPLES = "'go to the red ball', 'pick up a key', 'open the blue door', 'put the box next to the ball'"
# As people and MiniGrid's missions say it besides.
_MORE: dict[str, tuple[str, ...]] = {
    "go to": ("go over to", "walk over to", "reach"),
    "pick up": ("you must fetch", "go fetch", "go get", "fetch", "pick"),
}
_VERBS = {
    way: verb
    for verb in ("go to", "pick up", "open", "put")
    for way in (*VARIED[verb], *UNSEEN[verb], *_MORE.get(verb, ()))
}
_BESIDE = re.compile(rf"\b(?:{'|'.join((*VARIED['next to'], *UNSEEN['next to']))})\b")
_THEN = re.compile(r"\b(?:and then|then|after that|afterwards|next(?! to))\b")
_PLACES = {
    "in front of you": "front", "in front of me": "front", "ahead": "front",
    "behind you": "behind", "behind me": "behind", "on your left": "left", "on the left": "left",
    "on your right": "right", "on the right": "right",
}  # fmt: skip
_THING = re.compile(rf"(?:(?:the|an|a|any) )?(.*?) ?([^ ]+?)(?: ({'|'.join(_PLACES)}))?")


@dataclass(frozen=True)
class Thing:
    """What is described.

    Attributes:
        kind: one of `KINDS`; None: any.
        colour: one of `COLOURS`; None: any.
        place: "front", "behind", "left" or "right" of the agent when it is told; None: anywhere.
    """

    kind: str | None = None
    colour: str | None = None
    place: str | None = None

    def __str__(self) -> str:
        where = {"front": " in front of it", "behind": " behind it", None: ""}.get(self.place, f" on its {self.place}")
        return f"{self.colour} {self.kind or 'object'}{where}" if self.colour else f"{self.kind or 'object'}{where}"


@dataclass(frozen=True)
class Act:
    """One clause: what is done with which thing, and for "put" beside which other."""

    verb: Verb
    thing: Thing
    beside: Thing | None = None


@dataclass(frozen=True)
class Both:
    """Two things to do: the first before the second, after it, or in any order."""

    first: Act | Both
    second: Act | Both
    order: Literal["before", "after", "and"]


Order = Act | Both


def parsed(words: str) -> Order:
    """What an instruction asks for.

    Raises:
        UsageError: it is none of the language; the sentence says what is not understood.
    """
    text = " ".join(word for word in re.findall(r"\w+", words.lower()) if word != "please")
    parts = re.split(r"\bafter you\b", text)
    if len(parts) == 2:
        return Both(_clauses(parts[0]), _clauses(parts[1]), "after")
    parts = [part for part in _THEN.split(text) if part.strip()]
    if len(parts) == 1:
        return _clauses(parts[0])
    if len(parts) != 2:
        raise UsageError("it asks for more than two things one after the other, which BabyAI's language does not")
    return Both(_clauses(parts[0]), _clauses(parts[1]), "before")


def _clauses(text: str) -> Order:
    parts = [part for part in re.split(r"\band\b", text) if part.strip()]
    if not 1 <= len(parts) <= 2:
        raise UsageError(f"'{text.strip()[:60]}' is not one thing to do or two")
    first = _act(parts[0].strip())
    return first if len(parts) == 1 else Both(first, _act(parts[1].strip()), "and")


def _act(text: str) -> Act:
    way = next((way for way in sorted(_VERBS, key=len, reverse=True) if text == way or text.startswith(f"{way} ")), "")
    if not way:
        raise UsageError(f"'{text[:60]}' is no instruction that is known; for example {EXAMPLES}")
    verb, rest = _VERBS[way], text.removeprefix(way).strip()
    if verb != "put":
        return Act(verb, _thing(rest, way))  # type: ignore[arg-type]  # the table's are verbs
    parts = _BESIDE.split(rest)
    if len(parts) != 2:
        raise UsageError(f"'{text[:60]}' does not say next to which other thing")
    return Act("put", _thing(parts[0].strip(), way), _thing(parts[1].strip(), "next to"))


def _thing(text: str, before: str) -> Thing:
    """A description of things, such as "a red ball on your left"."""
    found = _THING.fullmatch(text)
    if not text or found is None:
        raise UsageError(f"nothing stands after '{before}'; for example {EXAMPLES}")
    colour, kind, place = found[1].strip(), found[2], _PLACES.get(found[3] or "")
    colour = {"gray": "grey"}.get(colour, colour)
    if kind not in (*KINDS, "object", "thing"):
        raise unknown("thing", kind, (*KINDS, "object"))
    if colour and colour not in COLOURS:
        raise unknown("colour", colour, COLOURS)
    return Thing(kind if kind in KINDS else None, colour or None, place)
