"""What came of generating games: a page, plain data, and the best as a file of presets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanista.arena.replays import Replay, replay
from lanista.arena.report import POINT, SOFT, drawing, filled
from lanista.arena.stored_games import StoredGame
from lanista.files import write_json, write_text
from lanista.generate.matches import Estimate
from lanista.generate.ranking import DEEP, Variant
from lanista.generate.record import Settings
from lanista.generate.searching import Forced

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = Path(__file__).with_name("report.html")
PAGE, DATA, KEPT = "report.html", "games.json", "kept.toml"


def write_results(folder: Path, settings: Settings, variants: Sequence[Variant], keep: int) -> dict[str, Any]:
    """Write the page, the data and the presets; each is replaced as a whole.

    Args:
        folder: where.
        settings: what decided the measures.
        variants: the best first.
        keep: so many of them are kept as presets and shown on the page, as far as their score is more than 0.

    Returns:
        The data.
    """
    kept = kept_games(variants, keep)
    data = {
        "settings": asdict(settings),
        "kept": kept,
        "games": [variant_json(rank, variant) for rank, variant in enumerate(variants, 1)],
    }
    write_json(folder / DATA, data)
    lines = [f'{name} = "{game}"' for name, game in kept.items()]
    head = "# Game strings by name, the best first; each works wherever a game is asked for, as in"
    example = f"# lanista train {next(iter(kept.values()), 'STRING')} --minutes 5"
    write_text(folder / KEPT, "\n".join([head, example, "[games]", *lines, ""]))
    write_text(folder / PAGE, report_html(settings, variants, len(kept)))
    return data


def kept_games(variants: Sequence[Variant], keep: int) -> dict[str, str]:
    """The presets: name -> game string, the best first; none whose score is 0."""
    return {preset_name(one.game): one.game for one in variants[:keep] if one.score > 0}


def preset_name(game: str) -> str:
    """A name that TOML takes without quotes: `mnk-rows6-columns7-k4-gravity`."""
    family, _, options = game.partition(":")
    words = [option.removesuffix("=true") for option in options.split(",") if not option.endswith("=false")]
    return "-".join([family, *(word.replace("=", "") for word in words)])


def variant_json(rank: int, variant: Variant) -> dict[str, Any]:
    """A variant as plain data."""
    return {"rank": rank, "game": variant.game, "score": variant.score, "parts": variant.parts} | {
        "search": asdict(variant.search),
        "learning": None if variant.learning is None else asdict(variant.learning),
    }


def report_html(settings: Settings, variants: Sequence[Variant], shown: int) -> str:
    """The page: the ranking, balance against depth, and a game of each of the first `shown`."""
    return filled(
        TEMPLATE,
        [sample_replay(rank, one) for rank, one in enumerate(variants[:shown], 1)],
        settings=settings,
        variants=variants,
        deep_elo=DEEP,
        plot=scatter(variants, shown),
        percent=percent,
        forced=forced,
        points=points,
    )


def percent(estimate: Estimate, interval: bool = True) -> str:
    """A share: `54 % (47-61)`."""
    ends = f" ({100 * estimate.low:.0f}-{100 * estimate.high:.0f})" if interval else ""
    return f"{100 * estimate.value:.0f} %{ends}"


def points(estimate: Estimate, interval: bool = True) -> str:
    """Elo points: `+180 (+120 to +240)`."""
    value, low, high = (round(number) for number in (estimate.value, estimate.low, estimate.high))
    return f"{value:+d} ({low:+d} to {high:+d})" if interval else f"{value:+d}"


def forced(win: Forced | None) -> str:
    """A forced win: `first in 5`; empty if none was found."""
    return "" if win is None else f"{('first', 'second')[win.player]} in {win.plies}"


def sample_replay(rank: int, variant: Variant) -> Replay:
    """A variant's sample game, drawn move by move."""
    sample = variant.search.sample
    first, second = "the first player", "the second player"
    game = StoredGame(
        (first, second), 0, 0, sample.seed, sample.opening, sample.moves, sample.returns, reason="end", at_fault=None
    )
    return replay(variant.game, f"{rank}. {variant.game.partition(':')[2].replace(',', ', ')}", game)


def scatter(variants: Sequence[Variant], shown: int) -> str:
    """An SVG: the share of the first seat to the right, Elo by depth upwards, the first `shown` with their ranks."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axvline(50, color=SOFT, linewidth=1)
        axes.axhline(0, color=SOFT, linewidth=1)
        seats = [one.search.first_seat for one in variants]
        depths = [one.search.depth for one in variants]
        points = axes.scatter(
            [100 * seat.value for seat in seats],
            [depth.value for depth in depths],
            c=[one.score for one in variants],
            cmap="viridis_r",
            vmin=0,
            vmax=max([0.5, *(one.score for one in variants)]),
            s=70,
            edgecolors=SOFT,
            linewidths=0.6,
            zorder=3,
        )
        for rank, (seat, depth) in enumerate(zip(seats[:shown], depths[:shown], strict=True), 1):
            axes.errorbar(
                100 * seat.value,
                depth.value,
                xerr=[[100 * (seat.value - seat.low)], [100 * (seat.high - seat.value)]],
                yerr=[[depth.value - depth.low], [depth.high - depth.value]],
                color=POINT,
                alpha=0.35,
                elinewidth=1.5,
                zorder=2,
            )
            axes.annotate(
                str(rank),
                (100 * seat.value, depth.value),
                (7, 6),
                textcoords="offset points",
                color=POINT,
                weight="bold",
            )
        axes.set_xlim(-3, 103)
        axes.set_xlabel("the first seat's share of the points, %", color=SOFT)
        axes.set_ylabel("Elo of the deep search over the shallow", color=SOFT)
        axes.tick_params(colors=SOFT, length=0)
        axes.grid(color=SOFT, alpha=0.2)
        bar = figure.colorbar(points, ax=axes, fraction=0.03, pad=0.02)
        bar.set_label("score", color=SOFT)
        bar.ax.tick_params(colors=SOFT, length=0)
        bar.outline.set_visible(False)
        for side in axes.spines.values():
            side.set_visible(False)

    return drawing(draw, (9, 5))
