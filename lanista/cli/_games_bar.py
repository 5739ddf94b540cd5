"""A bar of the games that are finished, for commands that play many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from lanista.cli._printing import console


@contextmanager
def games_bar(doing: str) -> Iterator[Callable[..., None]]:
    """Show a bar on standard error if that is a terminal; gives what to tell it: finished, of how many, doing what.

    Args:
        doing: what is done, unless something else is told.
    """
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TextColumn("games"),
        TimeRemainingColumn(),
        console=console(errors=True),
        transient=True,
    )
    if not bar.console.is_terminal:
        yield lambda done, total, now=doing: None
        return
    with bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total, now=doing: bar.update(task, completed=done, total=total, description=now)
