"""What a report tells of all games together: how long they were, and how the first seat fared from each opening."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lanista.arena.drawn_games import drawn_games
from lanista.arena.stored_games import StoredGame

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEEPEST = 6  # moves of an opening that is told apart
MOST_OPENINGS = 24  # that are told apart; fewer moves of them are looked at until they are so few
SHOWN = 12  # of these
BINS, FEWEST = 24, 10  # bars at most; so many have room at least
SEATS = ("won by the first seat", "drawn", "won by the second seat")
COLOURS = ("#2f74c0", "#9aa6b5", "#e0a33a")  # as the page has them for the seats


@dataclass(frozen=True)
class LengthsRow:
    """How long some games were, in moves: the shortest, the quartiles, the longest."""

    name: str
    games: int
    least: int
    low: float
    median: float
    high: float
    most: int


@dataclass(frozen=True)
class OpeningRow:
    """How the first seat fared from an opening.

    Attributes:
        name: its moves, as the field writes them.
        score: the first seat's share of the points, in [0, 1].
    """

    name: str
    games: int
    score: float
    wins: int
    draws: int
    losses: int


def _sound(games: Sequence[StoredGame]) -> list[StoredGame]:
    return [game for game in games if not game.void and game.at_fault is None and game.moves]


def _outcome(game: StoredGame) -> int:
    """0 won by the first seat, 1 drawn, 2 won by the second."""
    return {1.0: 0, 0.5: 1, 0.0: 2}[game.points(game.seats[0])]


def lengths_by_outcome(games: Sequence[StoredGame]) -> list[list[int]]:
    """The lengths in moves of the games that ended without a fault: won by the first seat, drawn, by the second."""
    found: list[list[int]] = [[], [], []]
    for game in _sound(games):
        found[_outcome(game)].append(len(game.moves))
    return found


def lengths_rows(lengths: Sequence[Sequence[int]]) -> list[LengthsRow]:
    """A row for all, and one for each outcome that there was."""
    rows = []
    named = [("all", [each for some in lengths for each in some]), *zip(SEATS, lengths, strict=True)]
    for name, some in named:
        if some:
            low, median, high = np.quantile(some, [0.25, 0.5, 0.75]).tolist()
            rows.append(LengthsRow(name, len(some), min(some), low, median, high, max(some)))
    return rows


def draw_lengths(figure: Figure, lengths: Sequence[Sequence[int]], soft: str) -> None:
    """A histogram, the outcomes on top of each other.

    Args:
        figure: to draw on.
        lengths: as `lengths_by_outcome` gives them.
        soft: a colour that is readable on light and dark.
    """
    from matplotlib.ticker import MaxNLocator

    everything = [each for some in lengths for each in some]
    least, most = min(everything), max(everything)
    step = 1 if most - least < BINS else 2 * -(-(most - least) // (2 * BINS))  # the sides win at every other move
    edges = np.arange(least, most + step + 1, step) - 0.5
    axes = figure.subplots()
    axes.hist(lengths, edges.tolist(), stacked=True, color=COLOURS, label=SEATS)
    axes.set_xlabel("moves", color=soft)
    axes.set_ylabel("games", color=soft)
    axes.tick_params(colors=soft, length=0)
    axes.grid(axis="y", color=soft, alpha=0.25)
    room = max(0.0, FEWEST - len(edges)) * step / 2  # on either side, where there are few bars
    axes.set_xlim(edges[0] - room, edges[-1] + room)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend(frameon=False, fontsize=8, labelcolor=soft, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(SEATS))
    for side in axes.spines.values():
        side.set_visible(False)


def opening_rows(name: str, games: Sequence[StoredGame]) -> tuple[int, list[OpeningRow]]:
    """The openings that were played most.

    Args:
        name: the game's string.
        games: what was played.

    Returns:
        By how many first moves games were told apart, 0 if there was nothing to tell; the rows, most frequent first.
    """
    sound = _sound(games)
    # Equal moves from another position are another opening, so it stands before them.
    texts = [(game.position, *map(str, game.moves[:DEEPEST])) for game in sound]
    most = min(MOST_OPENINGS, len(texts) // 2)  # what came once says little
    depth = next(
        (depth for depth in range(DEEPEST, 0, -1) if len({text[: 1 + depth] for text in texts}) <= most),
        1 if texts else 0,
    )
    counts: dict[tuple[str, ...], Counter[int]] = {}
    example: dict[tuple[str, ...], StoredGame] = {}
    for text, game in zip(texts, sound, strict=True):
        counts.setdefault(text[: 1 + depth], Counter())[_outcome(game)] += 1
        example.setdefault(text[: 1 + depth], game)
    shown = sorted(counts, key=lambda text: (-counts[text].total(), text))[:SHOWN]
    # Cut short, they do not end as they are stored.
    begun = [replace(example[text], moves=example[text].moves[:depth], opening=(), reason="") for text in shown]
    rows = []
    for text, drawn in zip(shown, drawn_games(name, begun), strict=True):
        wins, draws, losses = (counts[text][outcome] for outcome in range(3))
        total = wins + draws + losses
        moves = " ".join(drawn.moves if drawn is not None else text[1:])
        rows.append(
            OpeningRow(
                f"{moves} from {text[0]}" if text[0] else moves, total, (wins + draws / 2) / total, wins, draws, losses
            )
        )
    return depth, rows
