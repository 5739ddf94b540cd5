"""Standings of a tournament or a ladder while it is played: a live table on a terminal, else now and then a line.

Play comes first: the picture is drawn `DRAWN` times a second, and ratings take at most `SHARE` of the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lanista.arena.ladder import LadderNews
from lanista.arena.ratings import Ratings
from lanista.arena.running_tally import RunningTally
from lanista.arena.store import Store
from lanista.cli._printing import console

DRAWN = 2.0  # times a second
OFTEN, SHARE = 2.0, 0.04  # seconds between two ratings, at least; the share of the time that they may take
TAKEN = 10_000  # games that are counted before one rating, at most
LINE_EVERY = 30.0  # seconds, where there is no terminal
FURNITURE, EVENTS = 8, 4  # lines beside the rows of the table; of what happened last


@dataclass
class _Standings:
    """What is drawn: ratings as they were last computed, with the lines below."""

    names: tuple[str, ...] = ()
    ratings: Ratings | None = None
    tally: RunningTally = field(default_factory=RunningTally)
    playing: frozenset[str] | None = None  # None is everyone
    due: float = 0.0  # when the next rating may be computed

    def rate(self, names: Sequence[str], taken: Callable[[], object] = lambda: None) -> bool:
        """Rate these anew if it is time; False if it is not.

        Args:
            names: who is rated.
            taken: what else is to be done before, and counts as time that it takes.
        """
        began = time.monotonic()
        if began < self.due or len(names) < 2:
            return False
        taken()
        if self.tally.games:
            self.names, self.ratings = tuple(names), self.tally.rate(names)
        now = time.monotonic()
        self.due = now + max(OFTEN, (now - began) / SHARE)
        return True

    def order(self) -> list[int]:
        """The indices of those who are rated, best first."""
        if self.ratings is None:
            return []
        elo, names = self.ratings.elo, self.ratings.names
        return sorted(range(len(names)), key=lambda number: (-elo[number], names[number]))

    @property
    def faults(self) -> int:
        """Games that were lost by a fault, of those that are counted."""
        return sum(self.tally.record(name)[3] for name in self.names)

    def leader(self) -> str:
        """Who is first, in words; empty before the first rating."""
        if self.ratings is None:
            return ""
        first = self.order()[0]
        low, high = self.ratings.low[first], self.ratings.high[first]
        return f"{self.ratings.names[first]} leads with {self.ratings.elo[first]:+.0f} ({low:+.0f} .. {high:+.0f})"

    def table(self, room: int) -> RenderableType:
        """The table in at most so many rows."""
        if self.ratings is None:
            return Text("the standings follow", style="dim")
        table = Table(box=None, pad_edge=False, header_style="dim", caption_style="dim", caption_justify="left")
        table.add_column("#", justify="right")
        table.add_column("name", overflow="ellipsis", no_wrap=True)
        for title in ("Elo", "95 % interval", "score", "W/D/L", "games", "faults"):
            table.add_column(title, justify="right", no_wrap=True)
        order = self.order()
        shown = order if len(order) <= room else order[: max(1, room - 1)]
        for rank, number in enumerate(shown, 1):
            table.add_row(str(rank), *self._cells(number), style=self._style(number))
        if len(shown) < len(order):
            table.add_row("", f"and {len(order) - len(shown)} more", style="dim")
        return table

    def _style(self, number: int) -> str:
        assert self.ratings is not None, "rows are drawn of ratings"
        return "" if self.playing is None or self.ratings.names[number] in self.playing else "dim"

    def _cells(self, number: int) -> list[str | Text]:
        ratings = self.ratings
        assert ratings is not None, "rows are drawn of ratings"
        name = ratings.names[number]
        wins, draws, losses, faults = self.tally.record(name)
        games = wins + draws + losses
        score = f"{(wins + draws / 2) / games:.1%}" if games else ""
        return [
            name,
            Text(f"{ratings.elo[number]:+.0f}", style="bold"),
            f"{ratings.low[number]:+.0f} .. {ratings.high[number]:+.0f}",
            score,
            f"{wins}/{draws}/{losses}",
            f"{games:,}",
            Text(f"{faults:,}", style="red") if faults else "",
        ]


class _Screen:
    """What `rich` draws: the table, and what is below it as it stands at the moment."""

    def __init__(self, standings: _Standings, below: Callable[[], RenderableType], to: Console) -> None:
        self._standings, self._below, self._console = standings, below, to

    def __rich__(self) -> RenderableType:
        return Group(self._standings.table(max(3, self._console.height - FURNITURE)), Text(), self._below())


@dataclass
class TournamentWatcher:
    """What a tournament is to be given: `opened` and `progress`."""

    opened: Callable[[Store], None]
    progress: Callable[[int, int], None]


@contextmanager
def live_tournament(game: str) -> Iterator[TournamentWatcher]:
    """Show a tournament on standard error.

    Args:
        game: what is played.
    """
    to, standings = console(errors=True), _Standings()
    bar = _games_bar(to)
    task = bar.add_task(game, total=None, speed="")
    stores: list[Store] = []
    began, last = time.monotonic(), time.monotonic()
    first: list[int] = []  # games that were there before

    def opened(store: Store) -> None:
        if store.setting("players") in (None, 2):  # the ratings are those of games between two
            stores.append(store)
        standings.tally = RunningTally(perfect_information=store.setting("perfect_information") is not False)

    def take() -> None:
        standings.tally.take(stores[0].games_after(standings.tally.last, TAKEN))

    def progress(done: int, total: int) -> None:
        nonlocal last
        first[:] = first or [done]
        now = time.monotonic()
        speed = (done - first[0]) / max(now - began, 1e-3)
        bar.update(task, completed=done, total=total, speed=f"{speed:,.0f} a second" if now - began > 1 else "")
        if stores:
            standings.rate(stores[0].contestants(), take)  # which asks nothing of the store before it is time
        if not to.is_terminal and now - last > LINE_EVERY:
            last = now
            left = f", about {(total - done) / speed:,.0f} s left" if speed else ""
            faults = f", {standings.faults} faults" if standings.faults else ""
            leader = f"; {standings.leader()}" if standings.ratings is not None else ""
            to.print(
                f"{game}: {done:,} of {total:,} games, {speed:,.0f} a second{left}{faults}{leader}", soft_wrap=True
            )

    standings.due = began + OFTEN
    with _shown(_Screen(standings, lambda: bar, to), to):
        yield TournamentWatcher(opened, progress)


@contextmanager
def live_ladder() -> Iterator[Callable[[LadderNews], None]]:
    """Show a ladder on standard error; gives what it is to tell its news."""
    to, standings = console(errors=True), _Standings()
    events: list[str] = []
    latest: list[LadderNews] = []
    last = time.monotonic()

    def below() -> RenderableType:
        lines = [Text(event, style="dim", overflow="ellipsis", no_wrap=True) for event in events[-EVENTS:]]
        return Group(Text(_ladder_line(latest[-1], standings) if latest else "", style="cyan"), *lines)

    def told(news: LadderNews) -> None:
        nonlocal last
        latest[:] = [news]
        events.extend(news.happened)
        standings.tally, standings.playing = news.tally, frozenset(news.playing)
        standings.rate(news.names)
        if to.is_terminal:
            del events[:-EVENTS]
            return
        for event in news.happened:
            to.print(event, soft_wrap=True)
        if time.monotonic() - last > LINE_EVERY:
            last = time.monotonic()
            leader = f"; {standings.leader()}" if standings.ratings is not None else ""
            to.print(f"{_ladder_line(news, standings)}{leader}", soft_wrap=True)

    with _shown(_Screen(standings, below, to), to):
        yield told


def _ladder_line(news: LadderNews, standings: _Standings) -> str:
    parts = [f"{news.games:,} games"]
    parts.append(f"resting: {news.resting}" if news.resting else f"{news.speed:,.0f} a second")
    if news.deviation is not None:
        parts.append(f"ratings known to {news.deviation:.1f} Elo on average")
    parts.append(f"{len(news.playing)} play")
    if standings.faults:
        parts.append(f"{standings.faults} faults")
    if news.skipped:
        parts.append(f"{len(news.skipped)} skipped")
    return ", ".join(parts)


def _games_bar(to: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TextColumn("games {task.fields[speed]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=to,
    )


@contextmanager
def _shown(screen: _Screen, to: Console) -> Iterator[None]:
    """Draw it as long as the block runs, if there is a terminal."""
    if not to.is_terminal:
        yield
        return
    with Live(screen, console=to, refresh_per_second=DRAWN, transient=True):
        yield
