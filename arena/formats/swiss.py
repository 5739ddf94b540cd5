"""Swiss: in each round everyone meets someone who has about as many points, nobody twice (FIDE's Dutch pairings)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from lanista.arena.formats._encounters import Encounters
from lanista.arena.meetings import Meeting, meeting
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError
from lanista.plugs import required

FIXED = True
Results = tuple[tuple[int | None, float], ...]  # of a player, for each round: whom it met (None: a bye), its points


def meetings(names: Sequence[str], games: int, played: Sequence[StoredGame], *, rounds: int = 0) -> list[Meeting]:
    """The encounters of all rounds that are paired so far; the next round is paired when the last one is finished.

    An encounter is worth one point, whoever takes more of its games, or half a point each. A round's bye is a point.

    Args:
        names: who takes part; ties in the pairing go by this order, so the strongest should be named first.
        games: of an encounter, even.
        played: what was played so far.
        rounds: how many; 0: as many as a knockout of these would take.
    """
    return _Swiss(names, games, played, rounds).meetings


def standing(names: Sequence[str], games: int, played: Sequence[StoredGame], *, rounds: int = 0) -> list[str]:
    """Everyone's points with the opponents' (Buchholz) behind them, byes named, best first."""
    swiss = _Swiss(names, games, played, rounds)
    end = "; no other round can be paired in which nobody meets twice" if swiss.stuck else ""
    lines = [f"Swiss, {swiss.finished} of {swiss.rounds} rounds{end}:"]
    buchholz = [sum(swiss.points(other) for other in swiss.met(index)) for index in range(len(names))]
    order = sorted(range(len(names)), key=lambda index: (-swiss.points(index), -buchholz[index], index))
    width = max(map(len, names))
    for rank, index in enumerate(order, 1):
        bye = "".join(f"  bye in round {number}" for number in swiss.byes(index))
        lines.append(
            f"{rank:>2}  {names[index]:{width}}  {swiss.points(index):>4g} points  {buchholz[index]:>4g} Buchholz{bye}"
        )
    return lines


class _Swiss:
    """The rounds as far as they are played, drawn again from the results."""

    def __init__(self, names: Sequence[str], games: int, played: Sequence[StoredGame], rounds: int) -> None:
        required("py4swiss", "swiss", "swiss")
        most = len(names) - 1 + len(names) % 2
        self.rounds = rounds or (len(names) - 1).bit_length()
        if not 1 <= self.rounds <= most:
            raise UsageError(f"a swiss tournament of {len(names)} has 1 to {most} rounds, not {rounds}")
        self.meetings: list[Meeting] = []
        self.finished = 0
        self.stuck = False  # no further round can be paired
        self._results: list[list[tuple[int | None, float]]] = [[] for _ in names]
        encounters, numbers = Encounters(played), range(games // 2)
        for _ in range(self.rounds):
            drawn = _draw(self.rounds, tuple(map(tuple, self._results)))
            if drawn is None:
                self.stuck = True
                return
            pairs = [(first, second) for first, second in drawn if second is not None]
            # Openings in the outer loop, as in a round robin.
            self.meetings += [meeting(names[one], names[other], number=at) for at in numbers for one, other in pairs]
            if not all(encounters.finished(names[one], names[other], numbers) for one, other in pairs):
                return
            for one, other in drawn:
                if other is None:
                    self._results[one].append((None, 1.0))
                    continue
                mine, theirs = encounters.points(names[one], names[other], numbers)
                score = 1.0 if mine > theirs else 0.5 if mine == theirs else 0.0
                self._results[one].append((other, score))
                self._results[other].append((one, 1 - score))
            self.finished += 1

    def points(self, index: int) -> float:
        """Of one player so far."""
        return sum(points for _, points in self._results[index])

    def met(self, index: int) -> list[int]:
        """Whom a player has met."""
        return [other for other, _ in self._results[index] if other is not None]

    def byes(self, index: int) -> list[int]:
        """The rounds, from 1, in which a player had a bye."""
        return [number for number, (other, _) in enumerate(self._results[index], 1) if other is None]


@lru_cache(maxsize=64)  # what is played is asked for again and again, and a round of 100 takes half a second
def _draw(rounds: int, results: tuple[Results, ...]) -> list[tuple[int, int | None]] | None:
    """The next round.

    Args:
        rounds: of the tournament.
        results: each player's.

    Returns:
        Who meets whom by their indices, None for the bye; None if some would have to meet again.
    """
    from py4swiss.engines import DutchEngine
    from py4swiss.engines.common import PairingError
    from py4swiss.trf import ParsedTrf
    from py4swiss.trf.sections import XSection

    sections = [_section(index, mine) for index, mine in enumerate(results)]
    try:
        drawn = DutchEngine.generate_pairings(
            ParsedTrf(player_sections=sections, x_section=XSection(number_of_rounds=rounds))
        )
    except PairingError:
        return None
    return [(pair.white - 1, pair.black - 1 if pair.black else None) for pair in drawn]


def _section(index: int, mine: Results) -> Any:
    """A player as the library knows it.

    Both sit first equally often in an encounter, so colours must not decide who meets whom. Everyone is given the same
    history of them, in turns: then no preference is ever absolute, and none sets one apart.
    """
    from py4swiss.trf.codes import PlayerCode
    from py4swiss.trf.results import ColorToken, ResultToken, RoundResult
    from py4swiss.trf.sections import PlayerSection

    tokens = {1.0: ResultToken.WIN, 0.5: ResultToken.DRAW, 0.0: ResultToken.LOSS}
    results: list[Any] = []
    met = 0
    for other, points in mine:
        if other is None:
            bye = ResultToken.PAIRING_ALLOCATED_BYE
            results.append(RoundResult(id=0, color=ColorToken.BYE_OR_NOT_PAIRED, result=bye))
        else:
            color = ColorToken.BLACK if met % 2 else ColorToken.WHITE
            results.append(RoundResult(id=other + 1, color=color, result=tokens[points]))
            met += 1
    return PlayerSection(
        code=PlayerCode.PLAYER,
        starting_number=index + 1,
        rank=index + 1,
        points_times_ten=int(10 * sum(points for _, points in mine)),
        results=results,
    )
