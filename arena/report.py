"""One self-contained HTML page of a tournament: standings, rating plot, cross-table, faults and a few games."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lanista.arena.standings import Table, table_of
from lanista.arena.store import Store, StoredGame
from lanista.envs import make
from lanista.errors import UsageError
from lanista.files import claim_folder, write_text

TEMPLATE = Path(__file__).with_name("report.html")
SHOWN_FAULTS = 20


@dataclass(frozen=True)
class Replay:
    """A game to step through.

    Attributes:
        title: why it is shown.
        first, second: who sat where.
        result: how it ended, in words.
        frames: an SVG of the position after the opening and after each move.
        moves: all moves as the field writes them, the opening included.
        opening: how many of the moves are the opening.
    """

    title: str
    first: str
    second: str
    result: str
    frames: tuple[str, ...]
    moves: tuple[str, ...]
    opening: int


def write_report(store: Store, path: str | Path) -> None:
    """Write the report of a store.

    Args:
        store: the games.
        path: the HTML file; replaced as a whole.
    """
    write_text(check_target(path), report_html(store))


def check_target(path: str | Path) -> Path:
    """Where a report is to be written.

    Raises:
        UsageError: no file can be written there.
    """
    target = Path(path)
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name the report's file, as in {target / 'report.html'}")
    claim_folder(target.parent)
    return target


def report_html(store: Store) -> str:
    """The report of a store as HTML."""
    import jinja2

    table, games = table_of(store), store.games()
    replays = [replay for replay in choose_replays(table, games) if replay.frames]
    faults = [game for game in games if game.at_fault is not None]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.globals["colour"] = _colour
    return environment.from_string(TEMPLATE.read_text()).render(
        table=table,
        seed=store.setting("seed"),
        opening_plies=store.setting("opening_plies"),
        made=time.strftime("%d %B %Y"),
        plot=rating_plot(table),
        plot_text="; ".join(f"{row.name} {row.elo:+.0f} ({row.low:+.0f} to {row.high:+.0f})" for row in table.rows),
        faults=[_fault(game) for game in faults[:SHOWN_FAULTS]],
        more_faults=max(0, len(faults) - SHOWN_FAULTS),
        replays=replays,
        # In a script element only "<" could end it early.
        replays_json=json.dumps([asdict(replay) for replay in replays]).replace("<", "\\u003c"),
    )


def _fault(game: StoredGame) -> dict[str, Any]:
    assert game.at_fault is not None
    return {
        "name": game.seats[game.at_fault],
        "against": game.seats[1 - game.at_fault],
        "ply": len(game.moves) + 1,
        "reason": game.reason,
    }


def _colour(share: float) -> str:
    """Red at 0, white at a half, green at 1; dark text is readable on all of them."""
    toward = (112, 190, 130) if share >= 0.5 else (226, 122, 112)
    part = abs(share - 0.5) * 2
    return "#" + "".join(f"{round(250 + part * (end - 250)):02x}" for end in toward)


def rating_plot(table: Table) -> str:
    """Ratings with their intervals as an SVG that is readable on light and dark."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": "lanista"}):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 0.6 + 0.45 * len(table.rows)))
        axes = figure.subplots()
        rows = table.rows[::-1]
        places, soft = range(len(rows)), "#7a8594"
        errors = [[row.elo - row.low for row in rows], [row.high - row.elo for row in rows]]
        axes.errorbar(
            [row.elo for row in rows],
            places,
            xerr=errors,
            fmt="o",
            color="#2f74c0",
            elinewidth=3,
            markersize=8,
            alpha=0.9,
        )
        axes.set_yticks(places, [row.name for row in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel("Elo, the mean of all is 0", color=soft)
        axes.tick_params(colors=soft, length=0)
        axes.grid(axis="x", color=soft, alpha=0.25)
        axes.axvline(0, color=soft, linewidth=1)
        for side in axes.spines.values():
            side.set_visible(False)
        figure.tight_layout()
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Type": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)
    return text[text.index("<svg") :]


def choose_replays(table: Table, games: Sequence[StoredGame]) -> list[Replay]:
    """The best two against each other, the greatest upset, the longest and the shortest game, each shown once."""
    played = [game for game in games if not game.void and game.moves]
    if not played:
        return []
    elo = {row.name: row.elo for row in table.rows}
    best = {row.name for row in table.rows[:2]}

    def surprise(game: StoredGame) -> float:
        """By how much the winner was rated below the loser."""
        winner, loser = game.seats if game.points(game.seats[0]) == 1 else game.seats[::-1]
        return elo[loser] - elo[winner] if game.points(winner) == 1 else 0.0

    wanted: list[tuple[str, StoredGame]] = []
    between = [game for game in played if set(game.seats) == best]
    if between:
        wanted.append(("The best two", max(between, key=lambda game: len(game.moves))))
    upset = max(played, key=surprise)
    if surprise(upset) > 0:
        wanted.append(("The greatest upset", upset))
    wanted.append(("The longest game", max(played, key=lambda game: len(game.moves))))
    wanted.append(
        ("The quickest win", min(played, key=lambda game: (len(game.moves) - len(game.opening), game.opening)))
    )
    shown: list[StoredGame] = []
    replays = []
    for title, game in wanted:
        if game not in shown:
            shown.append(game)
            replays.append(replay(table.game, title, game))
    return replays


def replay(name: str, title: str, game: StoredGame) -> Replay:
    """Play a stored game again and draw each position."""
    board = make(name, 1, restart=False)
    start = len(game.opening)
    board.reset([game.seed])
    moves, frames = [], [board.picture(0)]
    for number, move in enumerate(game.moves):
        moves.append(board.print_move(0, move))
        board.step([move])  # type: ignore[arg-type]
        frames.append(board.picture(0))
        if number + 1 == start:
            frames = frames[-1:]
    first, second = game.seats
    points = game.points(first)
    winner = {1.0: f"{first} won", 0.5: "a draw", 0.0: f"{second} won"}[points]
    result = f"{winner} after {len(game.moves)} moves"
    if game.reason != "end":
        result += f" ({game.reason})"
    return Replay(title, first, second, result, tuple(frames), tuple(moves), start)
