"""What games with hidden hands have in common: their spec, dealing, and pictures of cards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numba
import numpy as np
from gymnasium import spaces

from lanista.envs.bits import bit
from lanista.envs.boards import label, svg
from lanista.envs.core import Array, Floats, GameSpec, Role, Symmetry
from lanista.envs.draws import below, next_draw
from lanista.errors import UsageError

HIDDEN = "?"
MOST_DEALS = 2_000_000  # that are listed


def hidden_spec(
    name: str,
    players: int,
    size: int,
    num_actions: int,
    longest: int,
    returns: tuple[float, float],
    description: str,
    symmetries: tuple[Symmetry, ...] = (),
) -> GameSpec:
    """A zero-sum game in which players move in turn and each sees its own hand and what was said.

    Args:
        name, players, longest, returns, description, symmetries: see `GameSpec`.
        size: length of the observation `information`, int8 of 0 and 1.
        num_actions: how many actions there are.
    """
    seen = spaces.Dict({"information": spaces.Box(0, 1, (size,), np.int8)})
    return GameSpec(
        name=name,
        players=players,
        roles=(Role(seen, spaces.Discrete(num_actions)),),
        role_of=(0,) * players,
        kind="turn-based",
        zero_sum=True,
        perfect_information=False,
        longest=longest,
        returns=returns,
        description=description,
        symmetries=symmetries,
    )


@numba.njit
def deal(deck: Any, hands: Any, stream: Any) -> None:
    """Deal different cards of 0 to `deck` - 1 into an array; at most 64."""
    free = (np.uint64(1) << np.uint64(deck)) - np.uint64(1)
    for place in range(len(hands)):
        wanted = below(next_draw(stream), deck - place)
        before: Any = 0
        card: Any = 0
        for each in range(deck):  # the wanted one of those left, without a branch
            before += np.int64((free >> np.uint64(each)) & np.uint64(1))
            card += before <= wanted
        hands[place] = card
        free &= ~bit(card)


def all_starts(new: Any, state: np.dtype[Any], field: str, hands: Iterable[Sequence[int]]) -> tuple[Array, Floats]:
    """Every position that a game can begin with, and its probability.

    Args:
        new: the rules' function; what it deals is replaced.
        state: the record of a position.
        field: of the record, which holds the hands.
        hands: all equally likely deals; alike ones are put together.

    Raises:
        UsageError: there are too many.
    """
    listed = list(islice(hands, MOST_DEALS + 1))
    if len(listed) > MOST_DEALS:
        raise UsageError(f"there are more than {MOST_DEALS:,} ways to deal: too many for an exact answer")
    different, counts = np.unique(np.array(listed), axis=0, return_counts=True)
    states = np.zeros(len(different), state)
    new(states[0], np.zeros(1, np.uint64))
    states[:] = states[0]
    states[field] = different
    return states, counts / counts.sum()


def hands_svg(rows: Sequence[tuple[str, Sequence[str], str]], moving: int | None) -> str:
    """Hands one below the other.

    Args:
        rows: who, the faces of cards or dice, and what to say beside them.
        moving: the row whose turn it is.
    """
    high, wide = 64, 46
    cards = max((len(faces) for _, faces, _ in rows), default=0)
    width = 130 + cards * (wide + 8) + 220
    parts = [f'<rect width="{width}" height="{len(rows) * high + 8}" rx="6" fill="#2f6b4f"/>']
    for number, (who, faces, said) in enumerate(rows):
        y = 4 + number * high
        if number == moving:
            parts.append(f'<rect x="4" y="{y + 3}" width="120" height="{high - 6}" rx="6" fill="#24533d"/>')
        parts.append(label(64, y + high / 2, who, 14, "#f4f1e6"))
        for place, face in enumerate(faces):
            x = 130 + place * (wide + 8)
            fill = "#35507c" if face == HIDDEN else "#fbfaf4"
            parts.append(
                f'<rect x="{x}" y="{y + 6}" width="{wide}" height="{high - 12}" rx="5" fill="{fill}" stroke="#1c1c1c"/>'
            )
            ink = "#cfd8ea" if face == HIDDEN else "#b3261e" if face[-1:] in "♥♦" else "#1c1c1c"
            parts.append(label(x + wide / 2, y + high / 2, face, 22, ink))
        parts.append(label(130 + cards * (wide + 8) + 110, y + high / 2, said, 14, "#f4f1e6"))
    return svg(width, len(rows) * high + 8, parts)


def parse_word(text: str, words: Sequence[str], synonyms: dict[str, str]) -> int:
    """The place of a word, or of what it stands for, in a list.

    Raises:
        ValueError: it is none of them.
    """
    word = " ".join(text.strip().lower().split())
    word = synonyms.get(word, word)
    if word not in words:
        raise ValueError(f"write {', '.join(words[:-1])} or {words[-1]}")
    return words.index(word)
