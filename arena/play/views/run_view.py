"""The page of one run: how far it is, its curves, what it has kept, and the buttons that stop it and go on."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from nicegui import ui

from lanista.agents.run_records import Row
from lanista.arena.play.house import House
from lanista.arena.play.roster import game_title
from lanista.arena.play.runs import DIED, GOES_ON, STOPPING, Checkpoint, RunStatus
from lanista.arena.play.views.controls import Button, Field, Rich, labelled
from lanista.arena.play.views.curves import Chart, charts, options
from lanista.arena.play.views.frame import notice
from lanista.errors import UsageError

EVERY = 2.0  # seconds between looks at the folder
MORE_MINUTES = "10"
STATES = {
    "starting": "Starting", "running": "Running", "stopping": "Stopping: it finishes its update and keeps a checkpoint",
    "stopped": "Stopped", "done": "Done", "died": "Died", "damaged": "Damaged",
}  # fmt: skip


def run_address(name: str) -> str:
    """Where a run's page is."""
    return f"/train/{quote(name, safe='')}"


def play_address(game: str, contestant: str) -> str:
    """Where a game against an agent is begun."""
    return f"/?{urlencode({'game': game, 'against': contestant})}"


def clock(seconds: float) -> str:
    """Seconds as 1:05 or 2:03:04."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


class RunView:
    """See the module."""

    def __init__(self, house: House, name: str, status: RunStatus) -> None:
        """Show a run.

        Args:
            house: whose runs it is among.
            name: of the run.
            status: how it stands now.
        """
        self.house, self.name, self.state = house, name, ""
        self.client = ui.context.client
        self.drawn: dict[str, tuple[ui.echart, ui.element]] = {}
        self.shown_rows = -1
        with ui.element("div").classes("stack"):
            with ui.element("section").classes("panel padded stack").props('aria-label="The run"'):
                self._head(status)
            with ui.element("section").classes("panel padded stack").props('aria-label="Why it died"') as self.death:
                ui.label("What its process said last").classes("subheading")
                self.log = Rich()
            with ui.element("section").classes("stack").props('aria-label="Curves"') as self.curves:
                self.first = ui.element("div").classes("charts")
                with ui.element("details").classes("more") as self.more:
                    with ui.element("summary"):
                        ui.label("More curves")
                    self.others = ui.element("div").classes("charts")
            with ui.element("section").classes("panel padded stack").props('aria-label="Checkpoints"'):
                ui.label("Checkpoints").classes("subheading")
                self.checkpoints = Rich()
        self.death.set_visibility(False)
        self.curves.set_visibility(False)
        self.more.set_visibility(False)
        self._show_status(status)
        ui.timer(EVERY, self.look)

    def _head(self, status: RunStatus) -> None:
        with ui.element("div").classes("row apart"):
            with ui.element("div"):
                ui.html(escape(self.name), tag="h1", sanitize=False).classes("heading")
                ui.label(game_title(status.record.about)).classes("faint")
            with ui.element("div").classes("row"):
                self.play = ui.link("Play", "/").classes("button primary").props('aria-label="Play its newest agent"')
                self.play.set_visibility(False)  # until it leads somewhere
                self.stop = Button("Stop", self._stop)
                with ui.element("div").classes("row") as self.more_box:
                    with labelled("Minutes more"):
                        self.minutes = Field("Minutes more", value=MORE_MINUTES)
                    self.minutes.props('inputmode="decimal" size="5"')
                self.resume = Button("Resume", self._resume)
        self.said = ui.label("").classes("run-state").props('role="status" aria-live="polite"')
        self.bar = Rich()
        self.facts = ui.label("").classes("faint")
        self.error = ui.label("").classes("error").props('role="alert"')

    # --- looking

    async def look(self) -> None:
        """Read the folder, and show what has changed."""
        try:
            status, rows, kept, log = await asyncio.to_thread(self._read)
        except (UsageError, OSError) as error:
            self.error.set_text(str(error))
            return
        with self.client:
            if status is None:
                ui.navigate.to("/train")  # it was stopped before it began
                return
            self._show_status(status)
            self.death.set_visibility(status.state == DIED)
            if status.state == DIED:
                said = "\n".join(log) or "It said nothing, or was begun on a command line."
                self.log.show(f'<pre class="log">{escape(said)}</pre>')
            self._show_curves(rows)
            self.checkpoints.show(checkpoints_html(kept, status.record.about))
            self.play.set_visibility(bool(kept))
            if kept:
                self.play._props["href"] = play_address(status.record.about, kept[0].contestant)
                self.play.update()

    def _read(self) -> tuple[RunStatus | None, list[Row], list[Checkpoint], list[str]]:
        runs = self.house.runs
        status = runs.status(self.name)
        return status, runs.rows(self.name), runs.checkpoints(self.name), runs.last_words(self.name)

    def _show_status(self, status: RunStatus) -> None:
        record, self.state = status.record, status.state
        going = status.state in GOES_ON
        self.said.set_text(f"{STATES[status.state]}{f': {status.words}' if status.words else ''}")
        self.said.classes(replace=f"run-state {status.state}")
        self.bar.show(bar_html(status))
        facts = [f"{record.steps:,} steps", f"{clock(record.seconds)} of training"]
        facts += [f"{record.steps_a_second:,.0f} steps/s"] if record.steps_a_second else []
        facts += [f"{clock(status.seconds_left)} left"] if going and status.seconds_left is not None else []
        self.facts.set_text(" · ".join([*facts, *best_words(status)]))
        self.stop.set_visibility(going)
        self.stop.enable(status.state != STOPPING)
        can_go_on = not going and record.kept is not None
        self.resume.set_visibility(can_go_on)
        self.more_box.set_visibility(can_go_on and record.share == 1.0)
        self.resume.set_text("Train on" if record.share == 1.0 else "Resume")

    def _show_curves(self, rows: list[Row]) -> None:
        if len(rows) == self.shown_rows or not rows:
            return
        self.shown_rows = len(rows)
        self.curves.set_visibility(True)
        for chart in charts(rows):
            if chart.name in self.drawn:
                drawn, box = self.drawn[chart.name]
                drawn.options.clear()
                drawn.options.update(options(chart))
                drawn.update()
            else:
                drawn, box = self._new_chart(chart)
            if box._props.get("aria-label") != chart.said:
                box._props["aria-label"] = chart.said
                box.update()
        self.more.set_visibility(bool(self.others.default_slot.children))

    def _new_chart(self, chart: Chart) -> tuple[ui.echart, ui.element]:
        with self.first if chart.first else self.others, ui.element("section").classes("panel chart-box"):
            ui.label(chart.title).classes("subheading").props('aria-hidden="true"')
            with ui.element("div").props('role="img"') as box:
                drawn = ui.echart(options(chart), renderer="svg").classes("chart")
        self.drawn[chart.name] = drawn, box
        return drawn, box

    # --- acting

    async def _stop(self) -> None:
        self.stop.enable(False)
        await self._do(self.house.runs.stop)

    async def _resume(self) -> None:
        self.resume.enable(False)
        more = 0.0
        try:
            if self.more_box.visible:
                more = positive(self.minutes.text, "minutes")
        except UsageError as error:
            self.error.set_text(str(error))
        else:
            await self._do(self.house.runs.resume, more)
        self.resume.enable(True)

    async def _do(self, work: Any, *more: float) -> None:
        self.error.set_text("")
        try:
            await asyncio.to_thread(work, self.name, *more)
        except (UsageError, OSError) as error:
            self.error.set_text(str(error))
            with self.client:
                notice(str(error))
        await self.look()


def positive(text: str, what: str) -> float:
    """A number above 0 as somebody writes it.

    Raises:
        UsageError: it is none.
    """
    try:
        value = float(text.strip().replace("_", ""))
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"the {what} are a number above 0, not '{text.strip()[:20]}'")
    return value


def bar_html(status: RunStatus) -> str:
    """How much of a run is done."""
    share = status.record.share or 0.0
    left = status.seconds_left
    said = f"{share:.0%}" + (f", {clock(left)} left" if left and status.state in GOES_ON else "")
    return (
        f'<div class="progress" role="progressbar" aria-label="Done" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{100 * share:.0f}" aria-valuetext="{said}">'
        f'<span style="width:{100 * share:.1f}%"></span></div>'
    )


def best_words(status: RunStatus) -> list[str]:
    """The best that a run has reached, in words: its rating, else its points or what best responses gain."""
    best = status.record.best or {}
    if "rating" in best:
        return [f"best {best['rating']:+.0f} Elo"]
    scores = [f"{value:.0%} against {name.removeprefix('score/')}" for name, value in best.items() if "/" in name]
    return scores[:1] or ([f"best responses gain {best['nash_conv']:.4f}"] if "nash_conv" in best else [])


def checkpoints_html(kept: list[Checkpoint], game: str) -> str:
    """The agents that a run has kept, each rating's interval drawn."""
    if not kept:
        return '<p class="faint">None yet: some are kept as the run goes on, and one at its end.</p>'
    rated = [each.rating for each in kept if each.rating is not None]
    low, high = min((each[1] for each in rated), default=0.0), max((each[2] for each in rated), default=1.0)
    rows = "".join(_checkpoint_row(each, game, low, max(high - low, 1.0)) for each in kept)
    elo, interval = ("Elo", "95 % interval") if rated else ("", "")  # a game of one player has no opponents
    return (
        '<table class="sheet"><thead><tr><th class="number">Steps</th><th class="number wide">Trained</th>'
        f'<th class="number">{elo}</th><th class="wide">{interval}</th><th class="number"><span class="sr-only">Play'
        f"</span></th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _checkpoint_row(kept: Checkpoint, game: str, low: float, span: float) -> str:
    rating, interval = "", ""
    if kept.rating is not None:
        left, right, at = (2 + 196 * (value - low) / span for value in (kept.rating[1], kept.rating[2], kept.rating[0]))
        rating, said = f"{kept.rating[0]:+.0f}", f"{kept.rating[1]:+.0f} to {kept.rating[2]:+.0f}"
        interval = (
            f'<svg viewBox="0 0 200 18" preserveAspectRatio="none" role="img" aria-label="{said}"><title>{said}</title>'
            f'<line x1="{left:.1f}" x2="{right:.1f}" y1="9" y2="9" stroke="var(--line)" stroke-width="6"/>'
            f'<line x1="{at - 1.5:.1f}" x2="{at + 1.5:.1f}" y1="9" y2="9" stroke="var(--accent)" stroke-width="14"/>'
            "</svg>"
        )
    trained = "" if kept.seconds is None else clock(kept.seconds)
    link = escape(play_address(game, kept.contestant))
    return (
        f'<tr><td class="number">{kept.steps:,}</td><td class="number wide">{trained}</td>'
        f'<td class="number">{rating}</td><td class="interval wide">{interval}</td>'
        f'<td class="number"><a class="button" href="{link}" aria-label="Play checkpoint {kept.steps}">Play</a>'
        "</td></tr>"
    )
