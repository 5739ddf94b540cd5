"""Tell the player of a real-time game what to do: by typing, or by voice. It stands in the game's view."""

from __future__ import annotations

import asyncio

from nicegui import ui

from lanista.arena.play.arcade.hall import Cabinet
from lanista.arena.play.hearing import RATE, Heard
from lanista.arena.play.house import House
from lanista.arena.play.spoken_instructions import grammar
from lanista.arena.play.views.controls import Button, Field
from lanista.arena.play.views.voice_panel import Talk
from lanista.envs.core import Array
from lanista.envs.instructed import Sound
from lanista.errors import UsageError

MOST = 20_000  # characters that a browser may send; the game says how many an instruction may have
LIKELY = 0.5  # what is heard so surely is taken for what a player that hears was told


class InstructionDesk:
    """See the module."""

    def __init__(self, house: House, cabinet: Cabinet) -> None:
        self.house, self.cabinet = house, cabinet
        with ui.element("div").classes("told-desk").props('role="group" aria-label="Tell it something else"'):
            with ui.element("div").classes("told-typed"):
                self.field = Field(
                    "Instruction, then Enter", hint="Tell it something else: go to the red ball", on_enter=self._tell,
                    most=MOST,
                )  # fmt: skip
                Button("Tell", self._pressed, kind="primary")
            with ui.element("div").classes("voice"):
                Talk("what to do", house, house.instruction_ear, self._begun, self._hear, self._troubled)
                Button("The level's own mission", lambda: self.cabinet.tell(None), kind="quiet")
                self.said = ui.label("").classes("voice-said").props('role="status" aria-live="polite"')

    def _pressed(self) -> None:
        text = self.field.text
        self.field.write("")
        self._tell(text)

    def _tell(self, text: str) -> None:
        self.field.text = ""  # with Enter the browser has emptied it itself, and it keeps the keyboard
        self.said.set_text("")
        self.cabinet.tell(text[:MOST])

    # --- what is said

    def _begun(self) -> None:
        self.said.set_text("…")

    def _troubled(self, words: str) -> None:
        self.said.set_text(f"{words[:1].upper()}{words[1:]}")

    async def _hear(self, samples: Array) -> None:
        """Pass on what was said: to a player that hears as it is, to one that reads if it was understood."""
        hears, wrong = self.cabinet.state.hears, ""
        try:
            heard = await asyncio.to_thread(self.house.instruction_ear.hear, samples, grammar())
        except UsageError as error:
            heard, wrong = Heard("nothing"), str(error)
        best = heard.guesses[0] if heard.guesses else None
        surely = heard.verdict == "sure" or (hears and best is not None and best.probability >= LIKELY)
        words = best.meaning.words if best is not None and heard.verdict != "nothing" and surely else ""
        shown = " ".join(word for word, _ in heard.words)
        if heard.verdict == "silence":
            self.said.set_text("Nothing was heard: speak nearer to the microphone")
        elif hears:
            self.said.set_text(f"It hears your voice, taken for: “{words}”" if words else "It hears your voice")
            self.cabinet.tell(words, Sound(samples, RATE))
        elif words:
            self.said.set_text(f"Understood: “{words}”")
            self.cabinet.tell(words)
        elif best is not None and heard.verdict == "unsure":
            self.field.write(best.meaning.words)
            self.said.set_text("Is this what you said? Press Enter, or say it again")
        else:
            self.said.set_text(wrong or f"“{shown}” is no instruction that is understood: say it again, or type it")
