"""A standing arena: whoever is registered keeps being matched, the most telling pairs first, until it is stopped.

Games are played in small batches, so that a newcomer is seated within seconds; between two batches the roster and the
watched folders are looked at. All that is finished is in the store: after a kill the same call goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lanista.agents.adjudication import Adjudication
from lanista.agents.random_openings import check_plies
from lanista.agents.time_control import TimeControl
from lanista.arena.informative_pairing import Plan, plan_pairs
from lanista.arena.ladder_field import Field
from lanista.arena.ladder_roster import Kind, Roster
from lanista.arena.meetings import Meeting
from lanista.arena.missing_games import Missing, play_missing
from lanista.arena.openings import Openings, RandomOpenings
from lanista.arena.report import write_report
from lanista.arena.running_tally import RunningTally
from lanista.arena.store import Store
from lanista.arena.tables import players_of
from lanista.arena.tournament import rules_settings, versions
from lanista.cores import usable_cores
from lanista.envs import make
from lanista.envs.core import Agent, GameSpec
from lanista.errors import UsageError
from lanista.files import claim_file
from lanista.plugs import one_line

LOOK = 0.5  # seconds between two looks for newcomers where nobody plays
MOST_PAIRS, MOST_NAMED = 1024, 64  # pairs of games of a batch; different choices of who meets in one
GROWTH = 4.0  # of a batch over the one before, at most
RESTS_BELOW = 1e-5  # the share of all variance that one more pair of games must be expected to take away
REPORT_EVERY, REPORT_SHARE = 60.0, 0.05  # seconds at least; the share of the time that reports may take
MOST_FAILURES = 3  # batches that fail one after the other though everyone can be started


@dataclass(frozen=True)
class LadderNews:
    """How a ladder stands, told after every batch and at every look while it rests.

    Attributes:
        tally: what was played, ready to be rated.
        names: everyone who has played or plays, sorted.
        playing: who plays now.
        skipped: who cannot, and why.
        games: stored so far.
        speed: games a second of the last batch; 0 while it rests.
        deviation: of the ratings of those who play, in Elo: the root of the mean variance around their mean; None with
            fewer than two.
        resting: why nothing is played; empty while something is.
        happened: what happened since the last news, a sentence each.
    """

    tally: RunningTally
    names: tuple[str, ...]
    playing: tuple[str, ...]
    skipped: dict[str, str]
    games: int
    speed: float = 0.0
    deviation: float | None = None
    resting: str = ""
    happened: tuple[str, ...] = ()


@dataclass(frozen=True)
class LadderSettings:
    """What a ladder is served with.

    Attributes:
        seed: everything random is drawn from it and the games' places.
        opening_plies: each opening has this many random legal plies, least and most.
        seconds: how long a batch of games should take.
        report: where to keep an HTML report.
        control: the clock that every game is played by.
        adjudication: when games end before their end.
    """

    seed: int = 0
    opening_plies: tuple[int, int] = (0, 8)
    seconds: float = 2.0
    report: Path | None = None
    control: TimeControl | None = None
    adjudication: Adjudication | None = None


def found_ladder(db: Path, game: str | None, settings: LadderSettings) -> None:
    """Make a ladder's store, or check that one that is there is of this game and these settings.

    Args:
        db: the store.
        game: the game's string, of two players; None takes that of the store.
        settings: a new store gets its seed, openings, clock and adjudication.

    Raises:
        UsageError: there is no store and no game is named, the game is another one or not for two, or the settings
            will not do.
    """
    check_plies(settings.opening_plies)
    if settings.report is not None:
        claim_file(settings.report, beside=db)
    if not db.is_file():
        if game is None:
            raise UsageError(f"there is no ladder {db} yet; name its --game to begin one")
        spec = make(game).spec
        _for_two(spec)
        with Store(db) as store:
            _settle(store, spec, settings)
    else:
        with Store(db, write=False) as store:
            known, players = store.setting("game"), players_of(store)
        if players != 2:
            raise UsageError(f"the store {db} is of a game of {players} players; a ladder is of games for two")
        if game is not None and known != (wanted := make(game).spec.name):
            raise UsageError(f"the ladder in {db} is of the game {known}, not {wanted}; use another file")


def register(db: Path, contestants: Sequence[str], watch: Sequence[str]) -> None:
    """Want contestants and watched folders on the ladder of a store, also of one that is being served."""
    wanted: dict[str, Kind] = dict.fromkeys(contestants, "agent")
    wanted |= dict.fromkeys(watch, "watch")
    if wanted:
        with Roster(db) as roster:
            roster.want(wanted)


def serve_ladder(
    db: Path,
    settings: LadderSettings,
    *,
    told: Callable[[LadderNews], None] | None = None,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Match whoever is registered until `until` says so between two batches, or KeyboardInterrupt.

    Args:
        db: the store, as `found_ladder` leaves it.
        settings: as of a new store; seed, openings, clock and adjudication of an old one must be the same.
        told: hears how it goes.
        until: whether to stop.

    Raises:
        UsageError: the store is of something else, or somebody else writes into it.
        OSError: the store cannot be written any more, as when the disk is full.
    """
    with Store(db) as store, Roster(db) as roster:
        game = store.setting("game")
        if game is None:
            raise UsageError(f"{db} holds no ladder yet; name its game")
        board = make(str(game))
        _settle(store, board.spec, settings)
        tally = RunningTally(perfect_information=board.spec.perfect_information)
        tally.take(store.games_after(tally.last))
        field = Field(roster, store, board.spec, settings.seed)
        _Serving(store, field, tally, board.spec, settings, told, versions(board)).run(until)


def _for_two(spec: GameSpec) -> None:
    if spec.players != 2:
        raise UsageError(f"ladders are for games of two players; {spec.name} has {spec.players}")


def _settle(store: Store, spec: GameSpec, settings: LadderSettings) -> None:
    _for_two(spec)
    source = RandomOpenings(spec.name, settings.opening_plies)
    store.settle(
        {"game": spec.name, "seed": settings.seed}
        | source.settings
        | rules_settings(settings.control, settings.adjudication)
        | {"perfect_information": spec.perfect_information, "players": spec.players}
    )


def _missing(batch: Sequence[tuple[Meeting, int]]) -> Missing:
    meetings = list(dict.fromkeys(meeting for meeting, _ in batch))
    at = {meeting: number for number, meeting in enumerate(meetings)}
    which = np.array([at[meeting] for meeting, _ in batch], np.int64)
    return Missing(meetings, which, np.array([leg for _, leg in batch], np.int64))


class _Serving:
    """A ladder that is being served."""

    def __init__(
        self,
        store: Store,
        field: Field,
        tally: RunningTally,
        spec: GameSpec,
        settings: LadderSettings,
        told: Callable[[LadderNews], None] | None,
        playing_with: dict[str, str],
    ) -> None:
        self._store, self._field, self._tally, self._spec = store, field, tally, spec
        self._settings, self._told, self._versions = settings, told, playing_with
        self._source: Openings = RandomOpenings(spec.name, settings.opening_plies)
        self._session: int | None = None
        self._pairs = float(max(1, usable_cores()))  # of games, of the next batch
        self._failures, self._speed = 0, 0.0
        self._happened: list[str] = []
        self._reported, self._report_cost, self._in_report = time.monotonic(), 0.0, tally.games

    def run(self, until: Callable[[], bool]) -> None:
        """Serve until it is stopped; a report is written at the end too."""
        try:
            while not until():
                self._happened += self._field.refresh()
                agents = self._field.agents
                if self._happened:
                    self._tell(agents, speed=self._speed)
                batch, plan = self._next(agents)
                if batch:
                    self._play(agents, batch, plan)
                else:
                    self._rest(agents, plan)
                self._report()
        finally:
            self._report(at_last=True)

    def _next(self, agents: dict[str, Agent]) -> tuple[list[tuple[Meeting, int]], Plan | None]:
        """The games to play now, and the plan that they come from; none where nothing is worth it."""
        halves = [
            (Meeting((one, other), number), leg)
            for one, other, number, leg in self._tally.halves()
            if one in agents and other in agents
        ]
        if halves:
            return halves[: 2 * MOST_PAIRS], None
        if len(agents) < 2:
            return [], None
        began = time.monotonic()
        plan = self._plan(agents)
        cost = time.monotonic() - began
        if plan.gains[0] < RESTS_BELOW:
            return [], plan
        # Planning should take a small part of the time, however many play.
        if cost > self._settings.seconds / 10:
            self._pairs = max(self._pairs, self._pairs * min(GROWTH, 10 * cost / self._settings.seconds))
        batch, further = [], dict[tuple[str, str], int]()
        order = sorted(set(self._names(agents)))
        for one, other in (tuple(order[index] for index in pair) for pair in plan.pairs.tolist()):
            for _ in range(self._each):
                number = self._tally.next_number(one, other) + further.get((one, other), 0)
                further[one, other] = further.get((one, other), 0) + 1
                batch += [(Meeting((one, other), number), leg) for leg in (0, 1)]
        return batch, plan

    @property
    def _each(self) -> int:
        """How many pairs of games each choice of the plan stands for."""
        return max(1, round(self._pairs / MOST_NAMED))

    def _plan(self, agents: dict[str, Agent]) -> Plan:
        names = self._names(agents)
        tally = self._tally.counts(names)
        named = max(1, min(MOST_NAMED, round(self._pairs)))
        active = np.array([name in agents for name in names], bool)
        return plan_pairs(
            len(names),
            tally.who,
            tally.cells,
            named,
            each=self._each,
            fresh=self._tally.freshness(names),
            active=active,
        )

    def _names(self, agents: dict[str, Agent]) -> list[str]:
        """Everyone who is rated: those who have played or play, sorted."""
        return sorted({*self._store.contestants(), *agents})

    def _play(self, agents: dict[str, Agent], batch: list[tuple[Meeting, int]], plan: Plan | None) -> None:
        """Play a batch, and say how it went; a batch that cannot be played ends nothing."""
        if self._session is None:
            self._session = self._store.begin_session(self._versions)
        began, before = time.monotonic(), self._tally.games
        seated = {name for meeting, _ in batch for name in meeting.names}
        players = {name: agent for name, agent in agents.items() if name in seated}
        try:
            rules = {"control": self._settings.control, "adjudication": self._settings.adjudication}
            for _ in play_missing(
                self._spec.name, players, _missing(batch), self._store, self._session, self._settings.seed,
                self._source, rules,
            ):  # fmt: skip
                pass
            self._failures = 0
        except UsageError as error:  # of an agent that cannot be started any more
            unable = self._field.unable()
            self._happened += unable or [f"a batch could not be played: {one_line(error)}"]
            self._failures += not unable
            if self._failures >= MOST_FAILURES:
                raise
        self._tally.take(self._store.games_after(self._tally.last))
        spent = max(time.monotonic() - began, 1e-3)
        self._pairs = min(MOST_PAIRS, max(usable_cores(), self._pairs * min(GROWTH, self._settings.seconds / spent)))
        self._speed = (self._tally.games - before) / spent
        self._tell(agents, speed=self._speed, deviation=plan and plan.deviation)

    def _rest(self, agents: dict[str, Agent], plan: Plan | None) -> None:
        why = "more games would hardly say more" if plan is not None else "fewer than two can play"
        self._tell(agents, resting=f"{why}; waiting for newcomers", deviation=plan and plan.deviation)
        time.sleep(LOOK)

    def _tell(self, agents: dict[str, Agent], **more: Any) -> None:
        if self._told is None:
            return
        news = LadderNews(
            tally=self._tally,
            names=tuple(self._names(agents)),
            playing=tuple(agents),
            skipped=dict(self._field.skipped),
            games=self._tally.games,
            happened=tuple(self._happened),
        )
        self._happened = []
        self._told(replace(news, **more))

    def _report(self, at_last: bool = False) -> None:
        """Write the report, if it is time."""
        report, now = self._settings.report, time.monotonic()
        if report is None or (self._tally.games == self._in_report and report.is_file()):
            return
        if not at_last and now - self._reported < max(REPORT_EVERY, self._report_cost / REPORT_SHARE):
            return
        self._in_report = self._tally.games
        write_report(self._store, report)
        self._reported = time.monotonic()
        self._report_cost = self._reported - now
