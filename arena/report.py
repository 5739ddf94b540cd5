"""One self-contained HTML page of a tournament: standings, rating plot, cross-table, faults, and all its games.

`filled` and `drawing` make other pages in the same style.
"""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanista import plots
from lanista.arena.game_browser import SECONDS, browsed_games
from lanista.arena.insight import circular, repeated
from lanista.arena.remarks import unplayed
from lanista.arena.replays import Replay, choose_replays, judged, packed, replay
from lanista.arena.report_statistics import draw_lengths, lengths_by_outcome, lengths_rows, opening_rows
from lanista.arena.shown_names import shown_name
from lanista.arena.standings import Table, in_words, table_of
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.arena.tables import players_of
from lanista.envs.core import Agent
from lanista.files import claim_file, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lanista.arena.analysis import Analysis

TEMPLATE = Path(__file__).with_name("report.html")
SHOWN_FAULTS, SHOWN_WARNINGS = 20, 10
POINT, SOFT = "#2f74c0", "#7a8594"  # in plots


@dataclass(frozen=True)
class Analysed:
    """A stored game with what a judge says of it."""

    game: StoredGame
    analysis: Analysis


def write_report(
    store: Store,
    path: str | Path,
    *,
    anchors: Mapping[str, float] | None = None,
    standing: Sequence[str] = (),
    judge: Agent | None = None,
    featured: Sequence[Analysed] = (),
    seconds: float = SECONDS,
) -> None:
    """Write the report of a store.

    Args:
        store: the games.
        path: the HTML file; replaced as a whole.
        anchors: as of `table_of`.
        standing: lines that tell how the format's own contest stands.
        judge: analyses the games worth seeing.
        featured: games with their analyses, which are shown before these.
        seconds: of processor time for drawing games; those that are left are listed only.
    """
    text = report_html(store, anchors=anchors, standing=standing, judge=judge, featured=featured, seconds=seconds)
    write_text(claim_file(Path(path)), text)


def report_html(
    store: Store,
    *,
    anchors: Mapping[str, float] | None = None,
    standing: Sequence[str] = (),
    judge: Agent | None = None,
    featured: Sequence[Analysed] = (),
    seconds: float = SECONDS,
) -> str:
    """The report of a store as HTML; the arguments are those of `write_report`."""
    if players_of(store) != 2:
        from lanista.arena.report_other import SECONDS as SECONDS_OTHER
        from lanista.arena.report_other import other_report_html

        return other_report_html(store, standing, min(seconds, SECONDS_OTHER))
    table, numbered = table_of(store, anchors=anchors), store.readable()[0]
    games = list(numbered.values())
    replays = [
        judged(replay(table.game, f"Game {each.analysis.number}", each.game), each.analysis) for each in featured
    ]
    replays += choose_replays(table, games, judge, [each.game for each in featured])
    faults = _faults(games)
    browsed = browsed_games(table.game, numbered, seconds=seconds)
    return filled(
        TEMPLATE,
        replays,
        table=table,
        seed=store.setting("seed"),
        opening_plies=store.setting("opening_plies"),
        conduct=_conduct(store),
        plot=rating_plot(table),
        plot_text="; ".join(f"{row.name} {row.elo:+.0f} ({row.low:+.0f} to {row.high:+.0f})" for row in table.rows),
        circular=circular,
        warnings=[repeated(each) for each in table.insight.repeats[:SHOWN_WARNINGS]],
        unplayed=unplayed(table.void, complete=True),  # of void games alone
        more_warnings=max(0, len(table.insight.repeats) - SHOWN_WARNINGS),
        faults=faults[:SHOWN_FAULTS],
        more_faults=max(0, len(faults) - SHOWN_FAULTS),
        endings=in_words(table.endings),
        seats=_seats(games),
        lengths=_lengths(games),
        openings=_openings(table.game, games),
        games=browsed,
        games_json=script_json(browsed),
        standing=standing,
        versions=played_with(store),
    )


def _conduct(store: Store) -> str:
    """By what clock games were played, and when they ended before their end, in words; empty where neither is told."""
    clock, rules = store.setting("time control"), store.setting("adjudication") or {}
    words = [] if clock in (None, "none") else [f"time control {clock} s"]
    if rules:
        words.append(f"adjudication: {', '.join(f'{name} {rule}' for name, rule in rules.items())}")
    text = "; ".join(words)
    return text[:1].upper() + text[1:]


def _lengths(games: Sequence[StoredGame]) -> dict[str, Any] | None:
    """What the page tells of the games' lengths; None without a game to tell of."""
    lengths = lengths_by_outcome(games)
    rows = lengths_rows(lengths)
    if not rows:
        return None
    plot = drawing(lambda figure: draw_lengths(figure, lengths, SOFT), (9, 2.6))
    text = "; ".join(f"{row.name}: {row.games} games of {row.least} to {row.most} moves" for row in rows)
    return {"plot": plot, "rows": rows, "text": text}


def _openings(name: str, games: Sequence[StoredGame]) -> dict[str, Any] | None:
    """What the page tells of the openings; None without a game to tell of."""
    depth, rows = opening_rows(name, games)
    if not rows:
        return None
    begin = "move" if depth == 1 else f"{depth} moves"
    return {"rows": rows, "about": f"How the first seat fared, by the first {begin}; the {len(rows)} that came most."}


def script_json(value: Any) -> str:
    """JSON for a script element, which only "<" could end early."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def filled(template: Path, replays: Sequence[Replay], **values: Any) -> str:
    """A page from a template, which may include those in its folder and those of this room.

    Args:
        template: the file; besides `values` it knows `replays`, `replays_json` (both for the macros of
            `report_replays.html`), `made` (the date) and `colour` (a cell's ground by a share in [0, 1]).
        replays: games to step through.
        **values: what else the template shows.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, TEMPLATE.parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template.name).render(
        replays=replays,
        replays_json=script_json(packed(replays)),
        made=time.strftime("%d %B %Y"),
        colour=_colour,
        **values,
    )


def _seats(games: Sequence[StoredGame]) -> list[tuple[str, int, float]]:
    """How games ended for the two seats: what, how many, and the share of all."""
    points = [game.points(game.seats[0]) for game in games if not game.void]
    counts = [
        ("won by the first seat", points.count(1.0)),
        ("drawn", points.count(0.5)),
        ("won by the second seat", points.count(0.0)),
    ]
    return [(what, count, count / max(1, len(points))) for what, count in counts]


def played_with(store: Store) -> str:
    """What played the games, in words; several versions of one thing where they changed under way."""
    found: dict[str, list[str]] = {}
    for _, versions in store.sessions().values():
        for name, version in versions.items():
            known = found.setdefault(name, [])
            if version[:12] not in known:
                known.append(version[:12])
    return ", ".join(f"{name} {' and '.join(versions)}" for name, versions in sorted(found.items()))


def _faults(games: Sequence[StoredGame]) -> list[dict[str, Any]]:
    """What went wrong, most frequent first: who, what, how often, and where it was seen first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for game in games:
        if game.at_fault is None:
            continue
        name, against = game.seats[game.at_fault], game.seats[1 - game.at_fault]
        first = {"name": name, "reason": game.reason, "times": 0, "against": against, "move": len(game.moves) + 1}
        found.setdefault((name, game.reason), first)["times"] += 1
    return sorted(found.values(), key=lambda fault: (-fault["times"], fault["name"], fault["reason"]))


def _colour(share: float) -> str:
    """Red at 0, white at a half, green at 1; dark text is readable on all of them."""
    toward = (112, 190, 130) if share >= 0.5 else (226, 122, 112)
    part = abs(share - 0.5) * 2
    return "#" + "".join(f"{round(250 + part * (end - 250)):02x}" for end in toward)


def rating_plot(table: Table) -> str:
    """Ratings with their intervals as an SVG that is readable on light and dark."""
    rows = table.rows[::-1]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        errors = [[row.elo - row.low for row in rows], [row.high - row.elo for row in rows]]
        axes.errorbar(
            [row.elo for row in rows],
            range(len(rows)),
            xerr=errors,
            fmt="o",
            color=POINT,
            elinewidth=3,
            markersize=8,
            alpha=0.9,
        )
        axes.set_yticks(range(len(rows)), [shown_name(row.name) for row in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel("Elo" if table.anchors else "Elo, the mean of all is 0", color=SOFT)
        axes.tick_params(colors=SOFT, length=0)
        axes.grid(axis="x", color=SOFT, alpha=0.25)
        axes.axvline(0, color=SOFT, linewidth=1)
        for side in axes.spines.values():
            side.set_visible(False)

    return drawing(draw, (9, 0.6 + 0.45 * len(rows)))


def drawing(draw: Callable[[Figure], None], size: tuple[float, float]) -> str:
    """A plot as an SVG for a page: no ground, text as text, the same for the same data.

    Args:
        draw: draws on the figure; `SOFT` is readable on light and dark.
        size: width and height in inches.
    """
    with plots.drawing(svg__fonttype="none", font__family="sans-serif"):
        from matplotlib.figure import Figure

        figure = Figure(figsize=size)
        draw(figure)
        figure.tight_layout()
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Type": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)
    return text[text.index("<svg") :]
