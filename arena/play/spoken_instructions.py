"""What an agent can be told by voice: BabyAI's single clauses, each with the phrases that mean it.

Words are those that the recogniser `spoken_instructions` knows. "Grab a ball" and "pick up the ball" mean the same;
what is understood is said as BabyAI says it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product

from lanista.arena.play.spoken import Meaning
from lanista.perception.data._instructions import COLOURS
from lanista.perception.data.spoken_instructions import ARTICLES, BESIDES, PLACES, PUTS, THINGS, VERBS


@lru_cache(maxsize=1)
def grammar() -> Mapping[str, Meaning]:
    """Phrase -> the instruction that it means."""
    found: dict[str, Meaning] = {}
    for verb, ways in VERBS.items():
        for thing in _things(True):
            if _fits(verb, thing):
                for way, article in product(ways, ARTICLES):
                    found[f"{way} {article} {thing}"] = Meaning(f"{verb} the {thing}")
    for moved, other in product(_things(False), repeat=2):
        if not moved.endswith(("door", "object")) and not other.endswith("object") and moved != other:
            for way, beside in product(PUTS, BESIDES):
                found[f"{way} the {moved} {beside} the {other}"] = Meaning(f"put the {moved} next to the {other}")
    return found


def _things(placed: bool) -> Iterator[str]:
    """Descriptions; those of any colour also by where they lie, if `placed`."""
    for colour, thing in product(("", *COLOURS), THINGS):
        yield f"{colour} {thing}".strip()
    if placed:
        yield from (f"{thing} {place}" for thing, place in product(THINGS, PLACES))


def _fits(verb: str, thing: str) -> bool:
    """Whether BabyAI's language has that: doors are opened and nothing else is, and are never picked up."""
    return ("door" in thing.split()) == (verb == "open") or verb == "go to"
