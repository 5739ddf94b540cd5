"""Positions of three small games in words, each with a question whose answer the rules give exactly.

Heroes with a place, a thing and coins; noughts and crosses, where crosses begin; tricks of three cards, which the
highest card of the suit that was led wins. Made here, from a seed; no position occurs in two parts. Half of what is
trained on has fewer heroes or cards, as one learns to read. In "unseen
phrasings" every sentence and every question is worded as none in the other parts.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from lanista.errors import UsageError
from lanista.perception.data import _phrasings as words
from lanista.perception.dataset import DataSet, Examples, Source

SOURCE = Source(modality="text", licence="made by Lanista: MIT")
KEPT = {"train": slice(0, -3), "valid": slice(-3, -2), "unseen phrasings": slice(-2, None)}
SQUARES = tuple("123456789")
LABELS = tuple(
    dict.fromkeys(
        [
            *words.HEROES,
            *words.PLACES,
            *words.ITEMS,
            *words.PLAYERS,
            *words.SUITS,
            *(str(number) for number in range(1, 11)),
            *words.VALUES,
            *words.STONES,
            "nothing",
            "yes",
            "no",
        ]
    )
)
MOST = 10**6
EASIER = (1, 2, 3, 3)  # heroes or cards, of texts to train on


def load(count: int = 40_000, tests: int = 3000, seed: int = 0) -> DataSet:
    """Parts "train", "valid", "test", "unseen phrasings"; a text is a question and the position; groups are positions.

    "valid" has as many phrasings of training as of its own; "test" has those of training.

    Args:
        count: texts to train on.
        tests: texts in each other part.
        seed: of all of them.
    """
    if not (1 <= count <= MOST and 1 <= tests <= MOST):
        raise UsageError(f"'count' and 'tests' of the data set 'game_states' must be 1 to {MOST:,}")
    seen: set[str] = set()
    parts = {}
    # The tests come first, so that they are the same however many texts are trained on.
    for place, (part, size) in enumerate(
        {"unseen phrasings": tests, "test": tests, "valid": tests, "train": count}.items()
    ):
        draws = random.Random(seed * 4 + place)
        parts[part] = _examples(part, size, draws, seen)
    return DataSet(parts, LABELS)


def _examples(part: str, size: int, draws: random.Random, seen: set[str]) -> Examples:
    """Examples of a part, their positions in none of those `seen`, which they join."""
    index = {label: place for place, label in enumerate(LABELS)}
    texts: list[str] = []
    targets: list[int] = []
    groups: list[str] = []
    mine: set[str] = set()
    while len(texts) < size:
        phrasing = "train" if part == "test" else part
        if part == "valid" and len(texts) % 2:
            phrasing = "train"
        count = draws.choice(EASIER) if part == "train" else 3
        position, question, answer, sentences = draws.choice((heroes, board, trick))(draws, KEPT[phrasing], count)
        if position in seen:
            continue
        mine.add(position)
        texts.append(f"{question}? {'. '.join(sentences)}.")
        targets.append(index[answer])
        groups.append(position)
    seen |= mine
    return Examples(texts, np.array(targets, np.int64), groups)


Made = tuple[str, str, str, list[str]]  # the position, the question, its answer, the position in words


def heroes(draws: random.Random, kept: slice, count: int) -> Made:
    """`count` heroes, each with a place, a thing and coins that no other has."""
    rows = list(
        zip(
            draws.sample(words.HEROES, count),
            draws.sample(words.PLACES, count),
            draws.sample(words.ITEMS, count),
            draws.sample(range(1, 11), count),
            strict=True,
        )
    )
    sentences = []
    for hero, place, item, coins in rows:
        about = {"place": place, "item": item, "coins": coins}
        said = [draws.choice(words.STATEMENTS[kind][kept]).format(**about) for kind in draws.sample(sorted(about), 3)]
        sentences.append(f"the {hero} {said[0]}, {said[1]} and {said[2]}")
    hero, place, item, coins = draws.choice(rows)
    answers: dict[str, Any] = {
        "where": place,
        "what": item,
        "how many coins": str(coins),
        "who is there": hero,
        "who has it": hero,
        "richest": max(rows, key=lambda row: row[3])[0],
    }
    kind = draws.choice(sorted(answers))
    question = draws.choice(words.QUESTIONS[kind][kept]).format(hero=hero, place=place, item=item)
    return repr(sorted(rows)), question, answers[kind], sentences


def board(draws: random.Random, kept: slice, count: int) -> Made:
    """A board of noughts and crosses after two to `2 * count` moves, in the order in which they were made."""
    moves = draws.sample(SQUARES, draws.randint(2, 2 * count))
    stones = {square: words.STONES[place % 2] for place, square in enumerate(moves)}
    said = [
        draws.choice(words.STATEMENTS["stone"][kept]).format(stone=stone, square=square)
        for square, stone in stones.items()
    ]
    kind = draws.choice(("square", "square", "free", "turn"))
    # Half of the squares that are asked for are free.
    square = draws.choice(moves if draws.random() < 0.5 else [name for name in SQUARES if name not in stones])
    answers = {
        "square": stones.get(square, "nothing"),
        "free": "no" if square in stones else "yes",
        "turn": words.STONES[len(moves) % 2],
    }
    question = draws.choice(words.QUESTIONS[kind][kept]).format(square=square)
    return repr(sorted(stones.items())), question, answers[kind], said


def trick(draws: random.Random, kept: slice, count: int) -> Made:
    """`count` cards that are played one after the other; the second and third follow suit more often than by chance."""
    players = draws.sample(words.PLAYERS, count)
    led = draws.choice(words.SUITS)
    cards = [(draws.choice(words.VALUES), led)]
    while len(cards) < count:
        card = (draws.choice(words.VALUES), led if draws.random() < 0.5 else draws.choice(words.SUITS))
        if card not in cards:
            cards.append(card)
    said = [
        draws.choice(words.STATEMENTS[kind][kept]).format(player=player, value=value, suit=suit)
        for kind, player, (value, suit) in zip(("lead", *["follow"] * (count - 1)), players, cards, strict=True)
    ]
    asked = draws.randrange(count)
    best = max(
        (place for place in range(count) if cards[place][1] == led), key=lambda p: words.VALUES.index(cards[p][0])
    )
    kind = draws.choice(("which value", "suit led", "winner"))
    answers = {"which value": cards[asked][0], "suit led": led, "winner": players[best]}
    question = draws.choice(words.QUESTIONS[kind][kept]).format(player=players[asked])
    return repr((players, cards)), question, answers[kind], said
