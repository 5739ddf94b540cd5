"""The page of a tournament whose game is not for two: scores of one player, or tables of more than two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lanista.arena.aggregates import Aggregate
from lanista.arena.game_browser import browsed_games
from lanista.arena.many_standings import ManyTable
from lanista.arena.report import POINT, SHOWN_FAULTS, SOFT, drawing, filled, played_with, script_json
from lanista.arena.score_standings import ScoreTable
from lanista.arena.shown_names import shown_name
from lanista.arena.store import Store
from lanista.arena.stored_games import NOBODY, StoredGames
from lanista.arena.tables import any_table_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = Path(__file__).with_name("report_other.html")
SECONDS = 20.0  # of processor time for drawing: environments draw slowly, and all other games show their moves
Spread = tuple[str, float, float, float]  # a name with a value and its interval


def other_report_html(store: Store, standing: Sequence[str] = (), seconds: float = SECONDS) -> str:
    """The report of a store as HTML.

    Args:
        store: of a game that is not for two.
        standing: lines that tell how the format's own contest stands.
        seconds: of processor time for drawing games.
    """
    table = any_table_of(store)
    assert isinstance(table, ManyTable | ScoreTable), "tournaments of two have a page of their own"
    many = isinstance(table, ManyTable)
    columns, lines = _many(table) if isinstance(table, ManyTable) else _scores(table)
    spreads = _spreads(table)
    browsed = browsed_games(table.game, store.readable()[0], seconds=seconds)
    title = "Mean score" if not many else "Mean return" if table.shared else "Skill"  # type: ignore[union-attr]
    return filled(
        TEMPLATE,
        [],
        table=table,
        about=", all seatings of each opening" if many else ", everyone on the same seeds",
        seed=store.setting("seed"),
        columns=columns,
        lines=lines,
        remarks=table.remarks(),
        standing=standing or table.standing,
        plot=drawing(lambda figure: _draw(figure, spreads, title), (9, 0.6 + 0.45 * len(table.rows))),
        plot_title=f"{title} with 95 % intervals",
        plot_text="; ".join(f"{name} {value:.4g} ({low:.4g} to {high:.4g})" for name, value, low, high in spreads),
        seats=table.seats if isinstance(table, ManyTable) else (),
        faults=_faults(store.games())[:SHOWN_FAULTS],
        versions=played_with(store),
        games=browsed,
        games_json=script_json(browsed),
    )


def _many(table: ManyTable) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """Columns with what is to be said of them, and lines."""
    columns = [
        ("#", ""), ("Contestant", ""),
        ("Skill", "OpenSkill's mean; who has not played is at 25"), ("95 % interval", ""),
        ("Above next", "How likely its score, or its mean return where that ranks, is above that of the one below"),
        ("Score", "The share of the others at its table that it left behind"), ("95 % interval", ""),
        ("Mean return", ""), ("95 % interval", ""), ("Games", ""),
        ("Distinct", "Games that differ in seats or moves; only these are rated"), ("Faults", ""),
    ]  # fmt: skip
    lines = [
        [
            str(row.rank), row.name, f"{row.skill:.1f}", f"{row.low:.1f} to {row.high:.1f}",
            "" if row.superior is None else f"{row.superior:.0%}",
            *_cells(row.score, "{:.0%}"), *_cells(row.mean_return, "{:.3g}"),
            str(row.games), str(row.distinct), str(row.faults),
        ]
        for row in table.rows
    ]  # fmt: skip
    return columns, lines


def _scores(table: ScoreTable) -> tuple[list[tuple[str, str]], list[list[str]]]:
    columns = [
        ("#", ""), ("Contestant", ""), ("Mean score", ""), ("95 % interval", ""),
        ("Middle half", "The mean of the middle half of its scores"), ("95 % interval", ""),
        ("Above next", "How often it scores more than the one below on the same seed"), ("95 % interval", ""),
        ("Games", ""), ("Faults", ""),
    ]  # fmt: skip
    lines = [
        [
            str(row.rank), row.name, *_cells(row.mean, "{:.4g}"), *_cells(row.middle, "{:.4g}"),
            *_cells(row.improvement, "{:.0%}"), str(row.games), str(row.faults),
        ]
        for row in table.rows
    ]  # fmt: skip
    return columns, lines


def _cells(found: Aggregate | None, form: str) -> tuple[str, str]:
    """A value and its interval."""
    if found is None:
        return "", ""
    return form.format(found.value), f"{form.format(found.low)} to {form.format(found.high)}"


def _spreads(table: ManyTable | ScoreTable) -> list[Spread]:
    """What the plot shows of everyone who has it, best first."""
    if isinstance(table, ManyTable) and not table.shared:
        return [(row.name, row.skill, row.low, row.high) for row in table.rows]
    means = [(row.name, row.mean if isinstance(table, ScoreTable) else row.mean_return) for row in table.rows]  # type: ignore[union-attr]
    return [(name, mean.value, mean.low, mean.high) for name, mean in means if mean is not None]


def _draw(figure: Figure, spreads: Sequence[Spread], title: str) -> None:
    axes = figure.subplots()
    shown = spreads[::-1]
    middles = [value for _, value, _, _ in shown]
    errors = [[value - low for _, value, low, _ in shown], [high - value for _, value, _, high in shown]]
    axes.errorbar(middles, range(len(shown)), xerr=errors, fmt="o", color=POINT, elinewidth=3, markersize=8, alpha=0.9)
    axes.set_yticks(range(len(shown)), [shown_name(name) for name, _, _, _ in shown])
    axes.set_ylim(-0.6, max(1, len(shown)) - 0.4)
    axes.set_xlabel(title, color=SOFT)
    axes.tick_params(colors=SOFT, length=0)
    axes.grid(axis="x", color=SOFT, alpha=0.25)
    for side in axes.spines.values():
        side.set_visible(False)


def _faults(games: StoredGames) -> list[tuple[str, str, int]]:
    """Who failed, how, and how often, most frequent first."""
    failed = games.take(games.at_fault != NOBODY)
    found = Counter((game.seats[game.at_fault or 0], game.reason) for game in failed)
    return [(name, reason, times) for (name, reason), times in sorted(found.items(), key=lambda each: (-each[1], each))]
