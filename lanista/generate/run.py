"""Measure proposed games: search agents in a process of their own, and meanwhile the networks in this one."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lanista.generate.proposing import propose
from lanista.generate.ranking import Variant, ranked
from lanista.generate.record import Record, Settings
from lanista.generate.searching import SearchMeasure, measure_search

NETWORK_GAMES = 40  # of a network against each of its two opponents, at most


@dataclass(frozen=True)
class Standing:
    """How far it is.

    Attributes:
        done, total: variants that are measured, and of how many.
        doing: what is measured now, in words.
    """

    done: int
    total: int
    doing: str


def generate(
    settings: Settings,
    count: int,
    folder: Path,
    *,
    progress: Callable[[Standing], None] | None = None,
) -> list[Variant]:
    """Propose variants of a family and measure each; on a folder that holds some, measure what is missing.

    What search tells is the same for the same settings on any machine; how far a network comes in some seconds is not.

    Args:
        settings: what decides the measures.
        count: how many variants.
        folder: where the record is kept.
        progress: told whenever it goes on.

    Returns:
        The variants, the best first.

    Raises:
        UsageError: the words are wrong, or the folder cannot be written or holds something else.
        KeyboardInterrupt: with a message that says how much is kept and how to go on.
    """
    settings.check()
    games = propose(settings.family, count, settings.seed)
    with Record(folder, settings) as record:
        try:
            _measure(record, settings, games, folder, progress or (lambda standing: None))
        except KeyboardInterrupt:
            kept = f"{len(_done(record, settings, games))} of {count} games are measured and kept in {folder}"
            raise KeyboardInterrupt(f"stopped: {kept}; the same command goes on") from None
        return ranked(Variant(game, record.search[game], record.learning.get(game)) for game in games)


def _done(record: Record, settings: Settings, games: Sequence[str]) -> list[str]:
    """The games of which nothing is missing."""
    return [game for game in games if game in record.search and (game in record.learning or not settings.train_seconds)]


def _measure(
    record: Record,
    settings: Settings,
    games: Sequence[str],
    folder: Path,
    progress: Callable[[Standing], None],
) -> None:
    """Measure what is missing."""
    unsearched = deque(game for game in games if game not in record.search)
    untrained = deque(
        game for game in games if settings.train_seconds and game in record.search and game not in record.learning
    )

    def tell(doing: str) -> None:
        progress(Standing(len(_done(record, settings, games)), len(games), doing))

    if not unsearched and not untrained:
        return
    tell("starting")
    with _searching(settings, list(unsearched)) as results:
        learn = _learning(settings, folder)
        while unsearched or untrained:
            while unsearched and (not untrained or results.poll()):
                tell(f"search on {unsearched[0]}")
                game = unsearched.popleft()
                record.add_search(game, _received(results, game))
                if settings.train_seconds:
                    untrained.append(game)
            if untrained:
                tell(f"training on {untrained[0]}")
                game = untrained.popleft()
                learn(record, game)
    tell("finished")


def _learning(settings: Settings, folder: Path) -> Callable[[Record, str], None]:
    """What measures how a network learns a game, and keeps it in the record."""
    if not settings.train_seconds:
        return lambda record, game: None
    from lanista.generate.learning import measure_learning, remove_drafts

    remove_drafts(folder)

    def learn(record: Record, game: str) -> None:
        played = min(settings.games, NETWORK_GAMES)
        record.add_learning(
            game,
            measure_learning(game, settings.train_seconds, played, settings.shallow, settings.seed, folder),
        )

    return learn


@contextlib.contextmanager
def _searching(settings: Settings, games: list[str]) -> Iterator[Connection]:
    """A process that measures these games by search, one after the other, and sends what it finds."""
    context = multiprocessing.get_context("spawn")  # a fork would inherit the threads of torch
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_search_all, args=(theirs, settings, games), daemon=True)
    if games:
        resource_tracker.ensure_running()  # else `start` does it, and unblocks what is blocked here
        # The other process inherits what is blocked: Ctrl-C reaches both, and this one decides.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        if games:
            process.terminate()
            process.join()


def _search_all(results: Connection, settings: Settings, games: Sequence[str]) -> None:
    """The other process: it ends with its last game, or when nobody listens any more."""
    with contextlib.suppress(BrokenPipeError):
        for game in games:
            found: Any
            try:
                found = measure_search(game, settings.games, settings.shallow, settings.deep, settings.seed)
            except Exception as error:
                found = f"{type(error).__name__}: {error}"
            results.send((game, found))


def _received(results: Connection, game: str) -> SearchMeasure:
    """What the other process found of this game.

    Raises:
        RuntimeError: it failed, or it is gone.
    """
    try:
        found_game, found = results.recv()
    except EOFError:
        raise RuntimeError(f"the process that searches ended before {game} was measured") from None
    assert found_game == game, (found_game, game)
    if isinstance(found, str):
        raise RuntimeError(f"search on {game} failed: {found}")
    measure: SearchMeasure = found
    return measure
