"""A run's league: frozen past selves and fixed opponents, who took how many points of whom, and who is played next.

Plain data and pure functions. The league stands with the learner; before each batch every runner gets its `Seating`
and draws from it, and tells how its games against the members ended. Opponents are drawn by prioritised fictitious
self-play (Vinyals et al. 2019, "Grandmaster level in StarCraft II", Methods): the more often, the less the learner
beats them. Members play as they draw from their policies, in training and in all that is counted here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanista.errors import UsageError, unknown

Numbers = NDArray[np.float64]
FORMAT = 1
LEARNER = "learner"
MATRIX = "league.json"  # in every checkpoint
PFSP = ("hard", "variance", "uniform")
PRIOR_GAMES = 10.0  # drawn games that each member is taken to have played already: an unplayed one is an equal
RECENT_GAMES = 500  # of the learner against a member: it changes, so older games fade (AlphaStar: 100)


@dataclass(frozen=True)
class LeagueSettings:
    """Settings of the league, the opponents of self-play."""

    league_size: int = 0
    """Frozen past selves that are kept as opponents; 0 is no league: the network plays itself."""
    league_share: float = 0.25
    """Share of the copies in which a member of the league, a past self or one of `opponents`, has seats."""
    pfsp: str = "hard"
    """How members are drawn, by the learner's share p of the points against each: "hard" by (1 - p)^`pfsp_exponent`,
    "variance" by p (1 - p), or "uniform"."""
    pfsp_exponent: float = 2.0
    """The greater, the more the members that beat the learner are played."""
    league_opponents_at_once: int = 2
    """Members that a runner draws and seats at once; each is computed for itself at every ply."""
    league_redraw: int = 4
    """Updates after which it draws them anew. Games that have begun are played to their end."""
    promotion_updates: int = 10
    """Updates after which the network is offered to the league: a sequential test against the newest past self."""
    promotion_score: float = 0.55
    """It is frozen and joins if it takes this share of the points rather than half of them."""
    promotion_error: float = 0.05
    """How often the test may err either way."""
    promotion_pairs: int = 256
    """Pairs of games after which the test is ended by what is likelier."""
    exploiters: int = 0
    """Networks that learn against the current one alone, each in its own games beside those of the run, which count
    for no steps. One that wins, or whose time is up, joins the league and begins anew from the current network."""
    exploiter_share: float = 0.25
    """Games of an exploiter, as a share of `copies`."""
    exploiter_score: float = 0.7
    """The share of the points with which it has won."""
    exploiter_updates: int = 50
    """Updates after which its time is up."""


def check_league(settings: LeagueSettings, opponent_share: float) -> None:
    """Refuse settings that cannot be.

    Raises:
        UsageError: a value that cannot be, or a league beside a share of fixed opponents.
    """
    if settings.pfsp not in PFSP:
        raise unknown("way of PFSP", settings.pfsp, PFSP)
    for name in ("league_share", "exploiter_share"):
        if getattr(settings, name) > 1:
            raise UsageError(f"the setting '{name}' must be at most 1, but is {getattr(settings, name)}")
    names = ("league_opponents_at_once", "league_redraw", "promotion_updates", "promotion_pairs", "exploiter_updates")
    for name in names:
        if getattr(settings, name) == 0:
            raise UsageError(f"the setting '{name}' must be more than 0")
    for name in ("promotion_score", "exploiter_score"):
        if not 0.5 < getattr(settings, name) < 1:
            raise UsageError(f"the setting '{name}' must be between 0.5 and 1, but is {getattr(settings, name)}")
    if not 0 < settings.promotion_error < 0.5:
        raise UsageError(f"the setting 'promotion_error' must be between 0 and 0.5, but is {settings.promotion_error}")
    if settings.exploiters and not settings.league_size:
        raise UsageError("exploiters join a league: say how large, as in league_size=8")
    if settings.league_size and opponent_share:
        raise UsageError("'opponents' are members of the league: say how much is played by league_share, and leave "
                         "opponent_share 0")  # fmt: skip


def pfsp_probabilities(scores: Numbers, kind: str, exponent: float) -> Numbers:
    """With which probability each member is drawn, (m,), by the learner's share of the points against it, (m,)."""
    if kind == "hard":
        lost = np.maximum(1 - scores, 1e-12)
        weights = (lost / lost.max()) ** exponent  # the hardest has weight 1, however great the exponent
    elif kind == "variance":
        weights = scores * (1 - scores)
    else:
        weights = np.ones_like(scores)
    probabilities: Numbers = weights / weights.sum()
    return probabilities


def faded(games: float, points: float, new_games: float, new_points: float) -> tuple[float, float]:
    """Games and points of one that changes, with new ones: with each the older ones count less."""
    keep = (1 - 1 / RECENT_GAMES) ** new_games
    return games * keep + new_games, points * keep + new_points


@dataclass(frozen=True)
class Member:
    """An opponent.

    Attributes:
        name: of a past self the steps after which it was frozen, of an exploiter these and its number: the name of its
            folder; else the contestant's string.
        frozen: it is a past self or an exploiter.
    """

    name: str
    frozen: bool

    @property
    def past_self(self) -> bool:
        """It is what the learner was."""
        return self.frozen and self.name.isdecimal()


@dataclass(frozen=True)
class Seating:
    """What runners are told before a batch.

    Attributes:
        update: its number, from 0.
        members: who may be drawn, and `probabilities`, (m,), how often.
        folder: of the past selves.
    """

    update: int
    members: tuple[Member, ...]
    probabilities: Numbers
    folder: Path


@dataclass(frozen=True)
class LeagueNews:
    """What a runner tells of one batch: of the games that ended.

    Attributes:
        games: name of a member -> games of the learner against it, and `points`: what the learner took of them.
    """

    games: Mapping[str, float]
    points: Mapping[str, float]


class League:
    """The members and the payoff matrix.

    Attributes:
        members: fixed opponents first, then the past selves, oldest first.
        games: (1 + m, 1 + m) how many games each played against each, the learner first; the learner's fade.
        points: (1 + m, 1 + m) what the row took of the column in them.
        folder: where the past selves lie, each an agent's folder. Those that left the league stay there.
    """

    def __init__(self, settings: LeagueSettings, fixed: Sequence[str], folder: Path) -> None:
        """Begin with the fixed opponents, contestants' strings."""
        self.settings = settings
        self.folder = folder.absolute()
        self.members = [Member(name, frozen=False) for name in dict.fromkeys(fixed)]
        self.games: Numbers = np.zeros((1 + len(self.members),) * 2)
        self.points: Numbers = np.zeros_like(self.games)

    @property
    def newest(self) -> Member | None:
        """The youngest past self."""
        return next((member for member in reversed(self.members) if member.past_self), None)

    def scores(self) -> Numbers:
        """(m,) the learner's share of the points against each member, drawn to 1/2 where games are few."""
        scores: Numbers = (self.points[0, 1:] + PRIOR_GAMES / 2) / (self.games[0, 1:] + PRIOR_GAMES)
        return scores

    def seating(self, update: int) -> Seating:
        """What runners draw from now."""
        probabilities = np.zeros(0)
        if self.members:
            probabilities = pfsp_probabilities(self.scores(), self.settings.pfsp, self.settings.pfsp_exponent)
        return Seating(update, tuple(self.members), probabilities, self.folder)

    def hear(self, news: LeagueNews) -> None:
        """Count games of the learner; of a member that left meanwhile they are forgotten."""
        names = [member.name for member in self.members]
        for name, games in news.games.items():
            if name in names:
                at = 1 + names.index(name)
                self._count(0, at, *faded(self.games[0, at], self.points[0, at], games, news.points[name]))

    def note(self, one: Member, other: Member, games: int, points: float) -> None:
        """Count games between members, and the points of the one."""
        row, column = 1 + self.members.index(one), 1 + self.members.index(other)
        self._count(row, column, self.games[row, column] + games, self.points[row, column] + points)

    def _count(self, row: int, column: int, games: float, points: float) -> None:
        self.games[row, column] = self.games[column, row] = games
        self.points[row, column], self.points[column, row] = points, games - points

    def admit(self, member: Member) -> Member | None:
        """Take in a frozen network; where the league is full, the one that the learner beats most surely leaves it.

        Returns:
            Who left.
        """
        frozen = [at for at, other in enumerate(self.members) if other.frozen]
        left = None
        if len(frozen) >= self.settings.league_size:
            scores = self.scores()
            at = max(frozen, key=lambda at: scores[at])  # of equals the oldest
            left = self.members.pop(at)
            self.games, self.points = (np.delete(np.delete(m, at + 1, 0), at + 1, 1) for m in (self.games, self.points))
        self.members.append(member)
        self.games, self.points = (np.pad(matrix, (0, 1)) for matrix in (self.games, self.points))
        return left

    def metrics(self) -> dict[str, float]:
        """For the run's curves: how many past selves there are, the learner's mean and least score, all members'."""
        told = {"league_members": float(len(self.members))}
        if self.members:
            scores = self.scores()
            told |= {"league_score": float(scores.mean()), "league_least_score": float(scores.min())}
        return told

    def state(self) -> dict[str, Any]:
        """All there is, as JSON."""
        return {
            "format": FORMAT,
            "members": [{"name": member.name, "frozen": member.frozen} for member in self.members],
            "games": self.games.tolist(),
            "points": self.points.tolist(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is damaged.
        """
        self.members, self.games, self.points = payoffs_from(state)


def payoffs_from(state: Mapping[str, Any]) -> tuple[list[Member], Numbers, Numbers]:
    """Members, games and points, as `League` has them, from its state.

    Raises:
        KeyError, TypeError, ValueError: it is damaged or of a newer format.
    """
    if state["format"] != FORMAT:
        raise ValueError(f"the league has the format {state['format']}, not {FORMAT}")
    members = [Member(str(member["name"]), bool(member["frozen"])) for member in state["members"]]
    games, points = (np.array(state[name], np.float64) for name in ("games", "points"))
    if games.shape != (1 + len(members),) * 2 or points.shape != games.shape:
        raise ValueError(f"the league's matrix is of {games.shape}, its members are {len(members)}")
    if not (np.isfinite(games).all() and (games >= 0).all() and (points >= 0).all() and (points <= games).all()):
        raise ValueError("the league's matrix holds points that cannot be")
    return members, games, points
