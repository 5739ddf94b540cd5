"""The curves of a run as charts of ECharts, which comes with NiceGUI: drawn as SVG in the page's own colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lanista.agents.run_records import LAST_GAMES, Row, values_of

MOST_POINTS = 240  # of a curve; others between them are left out
# Okabe and Ito's colours, told apart by colour-blind eyes, those that stand out on white and on black alike.
COLOURS = ("#0a84c6", "#d5691a", "#0f9d76", "#c0699f", "#b58a00", "#7a7fd0")
NO_CURVES = ("steps", "updates", "seconds", "learning_rate")
# Shown first; each stands in the rows until it is measured again: level, then a jump.
STRENGTH = ("rating", "score", "return", "nash_conv", "league_score")
PLAYED = ("success", "first_player_return")  # of the training games
SHOWN = (*STRENGTH, "ep_rew_mean", "entropy", "approx_kl")
TITLES = {
    "rating": "Rating, Elo above random play", "score": "Points against fixed opponents",
    "first_player_return": f"Return of the first player in training, mean of the last {LAST_GAMES} games",
    "success": f"Games with a return above 0, of the last {LAST_GAMES}",
    "nash_conv": "What best responses gain (0: equilibrium)", "return": "Mean return", "entropy": "Entropy, nats",
    "approx_kl": "Change of the policy in an update, KL",
    "game_length": f"Length of a game, plies, mean of the last {LAST_GAMES}",
    "steps_a_second": "Speed, steps a second", "value_loss": "Loss of the value", "policy_loss": "Loss of the policy",
    "clip_fraction": "Share of moves that were clipped", "grad_norm": "Norm of the gradient",
    "ep_rew_mean": "Mean reward of the last games", "league_score": "Points against the league",
}  # fmt: skip
PER_CENT = ("score", "success", "clip_fraction", "league_score")
_STEPS = "v => v >= 1e6 ? +(v / 1e6).toFixed(2) + ' M' : v >= 1e3 ? +(v / 1e3).toFixed(1) + ' k' : v"
_SHARE = "v => Math.round(100 * v) + ' %'"
_TIP = "v => v == null ? '' : "


@dataclass(frozen=True)
class Curve:
    """One line: its name, and for each point steps, value, and the ends of its interval where there is one."""

    label: str
    points: tuple[tuple[float, float, float | None, float | None], ...]


@dataclass(frozen=True)
class Chart:
    """Curves that share their axes.

    Attributes:
        name: what they measure, as the rows call it.
        curves: at least one.
        first: whether it is shown without being asked for.
    """

    name: str
    curves: tuple[Curve, ...]
    first: bool

    @property
    def title(self) -> str:
        """What it shows, for people."""
        return TITLES.get(self.name, self.name.replace("_", " ").replace("/", ", ").capitalize())

    @property
    def said(self) -> str:
        """The last values, for who does not see the curves."""
        share = self.name in PER_CENT
        last = (
            f"{curve.label}: {100 * value:.0f} %" if share else f"{curve.label}: {value:.4g}"
            for curve in self.curves
            for _, value, _, _ in curve.points[-1:]
        )  # fmt: skip
        return f"{self.title}; at the end {', '.join(last)}"


def charts(rows: Sequence[Row]) -> list[Chart]:
    """What a run's rows hold, strength first; `score/A` and `score/B` are curves of one chart."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    ends = {f"{name}_{end}" for name in names for end in ("low", "high")}
    groups: dict[str, list[str]] = {}
    for name in names:
        if name not in NO_CURVES and name not in ends:
            groups.setdefault(name.partition("/")[0], []).append(name)
    # Where nobody is measured against, as in a game of one player, the games' returns tell how good it is.
    shown = SHOWN if "score" in groups or "return" in groups else (*PLAYED, *SHOWN)
    order = {name: place for place, name in enumerate(shown)}
    found = []
    for group in sorted(groups, key=lambda name: (order.get(name, len(order)), name)):
        curves = tuple(_curve(rows, name) for name in groups[group])
        if any(value for curve in curves for _, value, _, _ in curve.points):  # such as the share of what is off
            found.append(Chart(group, curves, group in shown))
    return found


def _curve(rows: Sequence[Row], name: str) -> Curve:
    having = [row for row in rows if name in row]
    values = values_of(having, name).tolist()
    ends = [(row.get(f"{name}_low"), row.get(f"{name}_high")) for row in having]
    whole = [(row["steps"], value, *end) for row, value, end in zip(having, values, ends, strict=True)]
    every = -(-len(whole) // MOST_POINTS)
    thinned = whole[::every] if every > 1 else whole
    if thinned[-1] != whole[-1]:
        thinned = [*thinned, whole[-1]]
    return Curve(name.partition("/")[2].replace("_", " ") or name, tuple(thinned))


def options(chart: Chart) -> dict[str, Any]:
    """The chart as ECharts wants it.

    Colours are the page's CSS variables, which an SVG understands: light and dark need no other chart.
    """
    share, several = chart.name in PER_CENT, len(chart.curves) > 1
    lines: list[dict[str, Any]] = []
    for place, curve in enumerate(chart.curves):
        colour = COLOURS[place % len(COLOURS)]
        lines += _band(curve, colour, chart.name in STRENGTH)
        lines.append(
            {"type": "line", "name": curve.label, "data": [[x, y] for x, y, _, _ in curve.points],
             "showSymbol": len(curve.points) < 3, "symbolSize": 5, "color": colour, "lineStyle": {"width": 2},
             "emphasis": {"disabled": True}, "z": 3, "step": "end" if chart.name in STRENGTH else False}
        )  # fmt: skip
    axis: dict[str, Any] = {
        "axisLabel": {"color": "var(--muted)", "fontSize": 12, "hideOverlap": True},
        "axisLine": {"lineStyle": {"color": "var(--line)"}}, "axisTick": {"show": False},
        "splitLine": {"lineStyle": {"color": "var(--line)"}},
    }  # fmt: skip
    x_label, y_label = {":formatter": _STEPS}, {":formatter": _SHARE if share else _STEPS}
    return {
        "animation": False,
        "grid": {"left": 8, "right": 18, "top": 14 + 16 * several, "bottom": 26, "containLabel": True},
        "legend": {
            "show": several, "top": 0, "left": 4, "itemWidth": 16, "itemHeight": 8, "icon": "roundRect",
            "data": [curve.label for curve in chart.curves], "textStyle": {"color": "var(--ink)", "fontSize": 12},
            "inactiveColor": "var(--line)",
        },
        "tooltip": {
            "trigger": "axis", "backgroundColor": "var(--surface)", "borderColor": "var(--line)", "confine": True,
            "textStyle": {"color": "var(--ink)", "fontSize": 13}, ":valueFormatter": _TIP + (_tip(share)),
            "axisPointer": {"lineStyle": {"color": "var(--muted)"}},
        },
        "xAxis": {
            "type": "value", "min": 0, "name": "moves learned from", "nameLocation": "middle", "nameGap": 26,
            "nameTextStyle": {"color": "var(--muted)", "fontSize": 12},
            **axis, "axisLabel": axis["axisLabel"] | x_label, "splitLine": {"show": False}, "splitNumber": 4,
        },
        "yAxis": {
            "type": "value", "scale": not share, **axis, "axisLabel": axis["axisLabel"] | y_label, "splitNumber": 4,
            **({"min": 0, "max": 1, "interval": 0.25} if share else {}),
        },
        "series": lines,
    }  # fmt: skip


def _tip(share: bool) -> str:
    return "(100 * v).toFixed(1) + ' %'" if share else "+Number(v).toPrecision(4)"


def _band(curve: Curve, colour: str, steps: bool) -> list[dict[str, Any]]:
    """The interval around a curve: an area stacked upon its lower end."""
    if not any(low is not None for _, _, low, _ in curve.points):
        return []
    low = [[x, y if low is None else low] for x, y, low, _ in curve.points]
    high = [[x, (y if high is None else high) - (y if low is None else low)] for x, y, low, high in curve.points]
    common = {"type": "line", "stack": curve.label, "stackStrategy": "all", "symbol": "none", "silent": True,
              "lineStyle": {"opacity": 0}, "tooltip": {"show": False}, "emphasis": {"disabled": True}, "color": colour,
              "z": 1, "step": "end" if steps else False}  # fmt: skip
    return [
        {**common, "data": low, "areaStyle": {"opacity": 0}},
        {**common, "data": high, "areaStyle": {"opacity": 0.18}},
    ]
