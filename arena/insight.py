"""What a table does not show by itself: repeated games, whether they were enough, and cycles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lanista.arena.enough_games import MOST_PAIRS, SURE, Neighbours, enough_games
from lanista.arena.game_theory import Cycles, Place, find_cycles, met_all, pair_counts, places
from lanista.arena.ratings import Pair, Ratings, Tally

WARNED = 0.9  # where fewer of the games differ, more of them say little
LINES = 10  # of each kind in a terminal


@dataclass(frozen=True)
class Repeats:
    """Two who played the same games again.

    Attributes:
        one, other: by name.
        games: that count as played.
        distinct: of them, which differ in seats or moves.
    """

    one: str
    other: str
    games: int
    distinct: int


@dataclass(frozen=True)
class Insight:
    """Beside a table.

    Attributes:
        repeats: matchups in which less than `WARNED` of the games differ, worst first.
        neighbours: each two who follow each other in the table.
        cycles: None with fewer than three contestants.
        game_theory: alpha-rank and Nash averaging; none with fewer than three contestants, or if two have not met.
    """

    repeats: tuple[Repeats, ...]
    neighbours: tuple[Neighbours, ...]
    cycles: Cycles | None
    game_theory: tuple[Place, ...]

    @property
    def open(self) -> list[Neighbours]:
        """The neighbours whose order is not settled."""
        return [each for each in self.neighbours if not each.sure]

    def __str__(self) -> str:
        """As people read it in a terminal, below the table."""
        lines = [f"Warning: {repeated(each)}" for each in self.repeats[:LINES]]
        if len(self.repeats) > LINES:
            lines.append(f"Warning: {len(self.repeats) - LINES} more matchups repeat themselves.")
        lines += [f"Enough games? {text}" for text in settled(self.neighbours)]
        if self.cycles is not None:
            lines.append(circular(self.cycles))
        shown = [each for each in self.game_theory if max(each.alpha_rank, each.nash) >= 0.005][:LINES]
        if shown:
            width = max(len(each.name) for each in shown)
            lines.append(f"{'':{width}}  alpha-rank    Nash  95 % interval")
        for each in shown:
            lines.append(
                f"{each.name:{width}}  {each.alpha_rank:>10.1%}  {each.nash:>6.1%}"
                f"  {each.nash_low:>5.0%} .. {each.nash_high:.0%}"
            )
        return "\n".join(lines)


def insight_of(
    ratings: Ratings, order: Sequence[str], pairs: Sequence[Pair] | Tally, repeats: Iterable[Repeats]
) -> Insight:
    """Look at a tournament.

    Args:
        ratings: of everyone.
        order: the table's names, best first.
        pairs: what was rated, or its tally.
        repeats: of each two who met.
    """
    counts = pair_counts(pairs, order)
    several = len(order) >= 3
    return Insight(
        repeats=_worst(repeats),
        neighbours=tuple(enough_games(ratings, order)),
        cycles=find_cycles(counts, order) if several else None,
        game_theory=tuple(places(counts, order)) if several and met_all(counts) else (),
    )


def _worst(repeats: Iterable[Repeats]) -> tuple[Repeats, ...]:
    """The matchups that repeat themselves, worst first."""
    few = [each for each in repeats if each.distinct < WARNED * each.games]
    return tuple(sorted(few, key=lambda each: (each.distinct / each.games, each.one, each.other)))


def repeated(repeats: Repeats) -> str:
    """What there is to say of a matchup that repeats itself."""
    return (
        f"{repeats.one} and {repeats.other} repeat themselves: {repeats.distinct} of their {repeats.games} games "
        "differ, and only these are rated; other openings would tell more, not more games of the same."
    )


def settled(neighbours: Sequence[Neighbours]) -> Iterator[str]:
    """What there is to say of whether the games were enough."""
    unsettled = [each for each in neighbours if not each.sure]
    if neighbours and not unsettled:
        yield f"Yes: each is above the next one for sure (at {SURE:.0%})."
    for each in unsettled[:LINES]:
        yield f"{each.better} above {each.worse} is {each.surety:.0%} sure; {needed(each)}."
    if len(unsettled) > LINES:
        yield f"{len(unsettled) - LINES} more neighbours are not settled."


def needed(neighbours: Neighbours) -> str:
    """How many more pairs of games settle an order."""
    more = neighbours.more_pairs
    if more is None:
        return f"not even {MOST_PAIRS:,} more pairs of games would settle it"
    return f"about {more:,} more pair{'s' if more > 1 else ''} of games between them would settle it"


def circular(cycles: Cycles) -> str:
    """What there is to say of cycles."""
    if not cycles.found:
        return f"No real cycle is seen (p = {cycles.p_value:.2g})."
    more = f" {len(cycles.found) - 1} more are as real." if len(cycles.found) > 1 else ""
    names, scores = cycles.found[0].names, cycles.found[0].scores
    circle = ", ".join(
        f"{name} takes {score:.0%} from {loser}"
        for name, score, loser in zip(names, scores, names[1:] + names[:1], strict=True)
    )
    return f"A real cycle (p = {cycles.p_value:.2g}): {circle}. No rating can tell who beats whom there.{more}"
