"""Ask a pretrained encoder with its head: labels of pictures and sounds, texts that are read, heard or translated.

Example:
    lanista recognise encoders/clothes shirt.png shoe.jpg
    lanista recognise runs/sentiment "what a game" --top 2
    lanista recognise runs/words *.wav --json
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.cli._printing import print_json
from lanista.errors import UsageError


@dataclass(frozen=True)
class Options:
    """Whom to ask, and what about."""

    encoder: Annotated[Positional[str], arg(metavar="ENCODER", help_behavior_hint="")]
    """An encoder's folder, or the name of one that comes with Lanista; `lanista encoders` lists those."""
    things: Annotated[Positional[tuple[str, ...]], arg(metavar="FILE|TEXT ...")] = ()
    """Pictures, sounds, or texts themselves; of an encoder of texts, `-` reads lines from standard input."""
    top: Annotated[int, arg(metavar="N")] = 3
    """At most so many answers for each."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Print the answers for each thing, the likeliest first."""
    if options.top < 1:
        raise UsageError("--top must be 1 or more")
    from lanista.perception.pretrained import load_recogniser  # imports torch: after the words are right

    recogniser = load_recogniser(options.encoder)
    things: list[str] = []
    for thing in options.things:
        things += [line.rstrip("\n") for line in sys.stdin] if thing == "-" else [thing]
    if not things:
        raise UsageError(f"say what {options.encoder} should recognise: files, or texts in quotes")
    answers = recogniser.recognise(things, options.top)
    if options.json:
        named = [
            {"input": thing, "answers": [{"text": a.text, "probability": round(a.probability, 6)} for a in found]}
            for thing, found in zip(things, answers, strict=True)
        ]
        print_json(named)
        return 0
    for thing, found in zip(things, answers, strict=True):
        print(thing)
        for answer in found:
            print(f"  {answer.probability:6.1%}  {answer.text}")
    return 0
