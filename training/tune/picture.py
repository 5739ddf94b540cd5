"""A search as a picture: how the trials' scores went, and which values of each setting led to which."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lanista import plots
from lanista.files import drafted
from lanista.training.tune.records import Trial, ranked
from lanista.training.tune.space import METRICS, Dimension, Plan, Value

BEST, OTHERS = "#D55E00", "#0072B2"  # Okabe and Ito's


@plots.drawing()
def draw(game: str, plan: Plan, trials: Sequence[Trial], out: Path) -> None:
    """Write the picture: a panel of the curves, then one of each setting that was searched.

    Of asha a setting's panel shows the last score against its value; of pbt, where values change, the value along the
    trial. The best trial stands out, and those that were stopped early are hollow and thin.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    order = [trial for trial in ranked(plan, trials) if trial.rows]
    best = order[0]
    count = 1 + len(plan.space)
    columns = min(count, 3)
    lines = -(-count // columns)
    figure, axes = pyplot.subplots(
        lines, columns, figsize=(4.6 * columns + 0.4, 3.3 * lines + 0.5), squeeze=False, layout="constrained"
    )
    panels = list(axes.flat)
    for trial in reversed(order):  # the best last, above the others
        look = _look(trial, best)
        percents, scores = ([row[name] for row in trial.rows] for name in ("percent", "score"))
        panels[0].plot(percents, scores, marker="o", markersize=2.5, **look)
    panels[0].set_xlabel("per cent of the trial")
    panels[0].set_ylabel(METRICS[plan.metric])
    panels[0].set_title(f"{len(trials)} trials; best: {best.number:03d}", fontsize=11)
    for panel, (name, dimension) in zip(panels[1:], plan.space.items(), strict=False):
        panel.set_title(name, fontsize=11)
        if plan.scheduler == "pbt":
            _draw_changes(panel, name, dimension, order, best)
        else:
            _draw_values(panel, name, dimension, order, best)
            panel.set_ylabel(METRICS[plan.metric].split(",")[0])
    for panel in panels:
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[count:]:
        panel.set_visible(False)
    words = {"asha": "successive halving; hollow: stopped early", "pbt": "population-based training"}[plan.scheduler]
    figure.suptitle(f"Settings for {game}, by {words}")
    with drafted(out) as draft:
        figure.savefig(draft, format=out.suffix.removeprefix("."), dpi=150)
    pyplot.close(figure)


def _look(trial: Trial, best: Trial) -> dict[str, Any]:
    """How a trial's line is drawn."""
    if trial is best:
        return {"color": BEST, "linewidth": 2.4, "zorder": 3}
    whole = trial.rows[-1]["percent"] >= 100
    return {"color": OTHERS, "linewidth": 1.3 if whole else 0.8, "alpha": 0.8 if whole else 0.4}


def _draw_values(panel: Any, name: str, dimension: Dimension, order: Sequence[Trial], best: Trial) -> None:
    """Last scores against a setting's values."""
    places = _places(dimension)
    for trial in reversed(order):
        colour = BEST if trial is best else OTHERS
        whole = trial.rows[-1]["percent"] >= 100
        panel.plot(
            [places(trial.values[name])], [trial.score], "o", color=colour, markersize=8 if trial is best else 5,
            markerfacecolor=colour if whole else "none", zorder=3 if trial is best else 2,
        )  # fmt: skip
    _mark(panel.xaxis, panel.set_xscale, panel.set_xlim, dimension)


def _draw_changes(panel: Any, name: str, dimension: Dimension, order: Sequence[Trial], best: Trial) -> None:
    """A setting's values along the trials, as steps."""
    places = _places(dimension)
    for trial in reversed(order):
        steps = [(0.0, trial.first[name]), *((change["percent"], change["values"][name]) for change in trial.changes)]
        steps.append((trial.rows[-1]["percent"], trial.values[name]))
        where, values = zip(*steps, strict=True)
        panel.plot(where, [places(value) for value in values], drawstyle="steps-post", **_look(trial, best))
    panel.set_xlabel("per cent of the trial")
    _mark(panel.yaxis, panel.set_yscale, panel.set_ylim, dimension)


def _places(dimension: Dimension) -> Any:
    """Where a value is drawn: choices in a row, numbers where they are."""
    if dimension.kind == "choice":
        return lambda value: dimension.values.index(value)
    return float


def _mark(axis: Any, set_scale: Any, set_limits: Any, dimension: Dimension) -> None:
    """Name the values along an axis."""
    if dimension.kind == "choice":
        axis.set_ticks(range(len(dimension.values)), [_short(value) for value in dimension.values])
        axis.set_tick_params(labelsize=8)
        set_limits(-0.5, len(dimension.values) - 0.5)
    elif dimension.kind == "log_uniform":
        set_scale("log")
    elif dimension.kind == "integer":
        from matplotlib.ticker import MaxNLocator

        axis.set_major_locator(MaxNLocator(integer=True))


def _short(value: Value) -> str:
    """A choice's words, broken where they are long."""
    return str(value).replace(":", ":\n", 1)
