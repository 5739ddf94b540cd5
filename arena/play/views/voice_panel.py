"""Moves by voice: a button to talk, what was heard, and the question which of two was meant."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import numpy as np
from nicegui import ui
from nicegui.events import GenericEventArguments

from lanista.arena.play.hearing import Ear, Guess, Heard, samples_of
from lanista.arena.play.spoken import Meaning, example, grammar
from lanista.arena.play.views.controls import Button, Handler
from lanista.errors import UsageError

if TYPE_CHECKING:
    from lanista.arena.play.house import House
    from lanista.arena.play.views.game_view import GameView

TROUBLES = (
    "no microphone was found",
    "the browser does not give this page the microphone",
    "nothing was recorded: hold the key a little longer",
)


class Talk(ui.element, component="voice.js"):
    """The button; emits `begin`, `utterance` (base64 of 16-bit samples) and `trouble` (one of `TROUBLES`)."""

    def __init__(
        self,
        what: str,
        house: House,
        ear: Ear,
        begun: Callable[[], None],
        said: Callable[[np.ndarray], Awaitable[None]],
        trouble: Callable[[str], None],
    ) -> None:
        """Make it.

        Args:
            what: is said: "your move".
            house: loads the recogniser meanwhile.
            ear: the recogniser.
            begun: told that somebody speaks.
            said: given the samples of what was said; one utterance at a time.
            trouble: told what is wrong, one of `TROUBLES`.
        """
        super().__init__()
        self._props["what"] = what
        self._house, self._ear, self._tell_begun, self._say, self._trouble = house, ear, begun, said, trouble
        self._busy = False
        self.on("begin", self._begun)
        self.on("utterance", self._uttered)
        self.on("trouble", self._troubled)

    def _begun(self) -> None:
        self._tell_begun()
        self._house.soon(asyncio.to_thread(self._load))

    def _load(self) -> None:
        """Load the recogniser while somebody speaks; what is wrong with it is told when it is asked."""
        with contextlib.suppress(UsageError):
            self._ear.load()

    def _troubled(self, event: GenericEventArguments) -> None:
        if event.args in TROUBLES:
            self._trouble(str(event.args))

    async def _uttered(self, event: GenericEventArguments) -> None:
        samples = samples_of(event.args)
        if samples is None or self._busy:
            return
        self._busy = True
        try:
            await self._say(samples)
        finally:
            self._busy = False


class VoicePanel:
    """See the module; it stands below the board of a view."""

    def __init__(self, view: GameView) -> None:
        self.view, self.house, self.session = view, view.house, view.session
        self._asked: tuple[int, tuple[Guess, ...]] | None = None  # the position, and what might have been meant
        with ui.element("div").classes("voice").props('role="group" aria-label="Voice"') as self.panel:
            Talk("your move", self.house, self.house.ear, self._begun, self._hear, self._troubled)
            self.said = ui.label("").classes("voice-said").props('role="status" aria-live="polite"')
            self.words = ui.element("div").classes("voice-words").props('role="group" aria-label="Heard words"')
            self.choices = ui.element("div").classes("voice-choices").props('role="group" aria-label="Which one?"')
        self.panel.set_visibility(False)
        self.show()

    def show(self) -> None:
        """Follow the view: there is a hint of what can be said, and no question about another position."""
        view = self.view
        movers = self.session.may_move(view.at)
        self.session.table.go_to(self.session.tree.moves(view.at))
        phrase = example(self.session.table, movers[0]) if movers else ""
        if movers:  # while others think, what can be said is as it was
            self.panel.set_visibility(bool(phrase))
        if self._asked is not None and self._asked[0] != view.at:
            self._ask(())
        if not self.said.text and phrase:
            self.said.set_text(f"For example: “{phrase}”, “undo”")

    # --- what is heard

    def _begun(self) -> None:
        self.said.set_text("…")

    def _troubled(self, words: str) -> None:
        self.view.say(words)
        self.said.set_text("")

    async def _hear(self, samples: np.ndarray) -> None:
        view, at = self.view, self.view.at
        movers = self.session.may_move(at)
        self.session.table.go_to(self.session.tree.moves(at))
        phrases = grammar(self.session.table, movers[0] if movers else None, self._commands())
        try:
            heard = await asyncio.to_thread(self.house.ear.hear, samples, phrases)
        except UsageError as error:
            view.say(str(error))
            return
        with view.client:
            self._show_words(heard)
            if heard.verdict == "sure" and at == view.at:
                await self._obey(heard.guesses[0].meaning)
            elif heard.verdict == "unsure" and at == view.at:
                self._ask(heard.guesses)
            else:
                self._ask(())

    def _commands(self) -> list[str]:
        """What can be told to the page now."""
        view = self.view
        found = ["new game"]
        if view.back.visible and self.session.live != 0:
            found.append("undo")
        found += [name for name, button in (("hint", view.hinting), ("draw", view.draw)) if button.visible]
        found += ["resign"] if view.resign.visible else []
        return found + (["yes", "no"] if self._asked is not None or view.confirming else [])

    def _show_words(self, heard: Heard) -> None:
        self.words.clear()
        with self.words:
            for word, chance in heard.words[:8]:
                with ui.element("span").classes("voice-word"):
                    ui.label(word)
                    ui.label(f"{100 * chance:.0f} %").classes("faint")
        shown = " ".join(word for word, _ in heard.words)
        verdict = {
            "silence": "Nothing was heard",
            "nothing": f"“{shown}” is nothing that can be done here",
            "unsure": "Which one? Say it again, or choose",
            "sure": f"Heard: {heard.guesses[0].meaning.words}, {100 * heard.guesses[0].probability:.0f} %"
            if heard.guesses
            else "",
        }
        self.said.set_text(verdict[heard.verdict])

    # --- what is done

    def _ask(self, guesses: tuple[Guess, ...]) -> None:
        """Show what might have been meant; none takes the question away."""
        self._asked = (self.view.at, guesses) if guesses else None
        self.choices.clear()
        with self.choices:
            for place, guess in enumerate(guesses):
                words = f"{guess.meaning.words}, {100 * guess.probability:.0f} %"
                Button(words, self._chooser(guess.meaning), kind="" if place else "primary")
            if guesses:
                Button("Neither", lambda: self._ask(()), kind="quiet")

    def _chooser(self, meaning: Meaning) -> Handler:
        async def chosen() -> None:
            await self._obey(meaning)

        return chosen

    async def _obey(self, meaning: Meaning) -> None:
        """Play the move, or do the command."""
        view, asked = self.view, self._asked
        self._ask(())
        if meaning.action >= 0:
            view.play(meaning.action)
        elif meaning.words == "undo":
            view.take_back()
        elif meaning.words == "hint":
            await view.ask_hint()
        elif meaning.words == "resign" and not view.confirming:
            view.resign_or_ask()
            self.said.set_text("Really resign? Say yes or no")
        elif meaning.words == "draw":
            view.agree_draw()
        elif meaning.words == "new game":
            ui.navigate.to("/")
        elif meaning.words == "yes" and asked is not None:
            await self._obey(asked[1][0].meaning)
        elif meaning.words == "yes" and view.confirming:
            view.resign_or_ask()
        elif meaning.words == "no" and view.confirming:
            view.stop_confirming()
