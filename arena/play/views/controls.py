"""Plain HTML controls in the page's own style: they work by keyboard and are read out without more ado."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

Handler = Callable[[], Any]


class Button(TextElement):
    """A button with words, or with an icon whose meaning is said to who does not see it."""

    def __init__(
        self, text: str, on_click: Handler | None = None, *, kind: str = "", icon: str = "", said: str = ""
    ) -> None:
        """Make it.

        Args:
            text: its words; may be empty beside an icon.
            on_click: called without arguments.
            kind: more CSS classes: `primary`, `quiet`, `danger`, `icon`.
            icon: of the icons that come with NiceGUI.
            said: what is read out, and shown as a tip.
        """
        super().__init__(tag="button", text=text)
        self.classes(f"button {kind}")
        self._props["type"] = "button"
        if said:
            self.say(said)
        if icon:
            with self:
                ui.icon(icon).props('aria-hidden="true"')
        if on_click is not None:
            self.on("click", lambda: on_click())

    def say(self, said: str) -> None:
        """What is read out, and shown as a tip."""
        if self._props.get("aria-label") != said:
            self._props["aria-label"] = self._props["title"] = said
            self.update()

    def enable(self, enabled: bool) -> None:
        """Whether it can be pressed."""
        if (self._props.get("disabled") is None) != enabled:
            if enabled:
                self._props.pop("disabled", None)
            else:
                self._props["disabled"] = True
            self.update()

    def press(self, pressed: bool) -> None:
        """Show it as a switch that is on or off."""
        value = "true" if pressed else "false"
        if self._props.get("aria-pressed") != value:
            self._props["aria-pressed"] = value
            self.update()


class Select(ui.element):
    """A choice of one from a list."""

    def __init__(self, said: str, on_change: Callable[[str], Any]) -> None:
        """Make it, without choices yet.

        Args:
            said: what is chosen.
            on_change: called with the chosen value, which is always one of `choose_from`.
        """
        super().__init__("select")
        self.classes("select")
        self._props["aria-label"] = said
        self.value = ""
        self._known: list[tuple[str, str]] = []
        self._told = on_change
        self.on("change", self._changed, js_handler="(e) => emit(e.target.value)")

    def choose_from(self, choices: Sequence[tuple[str, str]], value: str) -> None:
        """Offer (value, words) and choose one."""
        self._known, self.value = list(choices), value
        self.clear()
        with self:
            for each, words in choices:
                option = TextElement(tag="option", text=words)
                option._props["value"] = each
                if each == value:
                    option._props["selected"] = True
        self._props["key"] = f"{hash((tuple(choices), value))}"  # drawn anew: the browser then shows the chosen one
        self.update()

    def _changed(self, event: GenericEventArguments) -> None:
        chosen = event.args if isinstance(event.args, str) else ""
        if chosen in dict(self._known):
            self.value = chosen
            self._told(chosen)


class Field(ui.element):
    """A line, or an area, of text."""

    def __init__(
        self,
        said: str,
        *,
        value: str = "",
        hint: str = "",
        area: bool = False,
        on_enter: Callable[[str], Any] | None = None,
        most: int = 400,
    ) -> None:
        """Make it.

        Args:
            said: what is to be written.
            value: what stands there at first.
            hint: shown while nothing does.
            area: of several lines.
            on_enter: called with the text when Enter is pressed.
            most: characters of it.
        """
        super().__init__("textarea" if area else "input")
        self.classes("field")
        self._props["aria-label"] = said
        self._props["placeholder"] = hint
        self._props["autocomplete"] = "off"
        self._props["spellcheck"] = "false"
        self.text = value
        # Not `value`, which Vue sets again whenever anything on the page is drawn anew, over what was typed since.
        self._props["defaultValue"] = value
        self.on("input", self._typed, js_handler="(e) => emit(e.target.value.slice(0, 200000))")
        if on_enter is not None:
            script = (
                f"(e) => {{ if (e.key === 'Enter') {{ emit(e.target.value.slice(0, {most})); e.target.value = ''; }} }}"
            )
            self.on("keydown", lambda event: on_enter(str(event.args)), js_handler=script)

    def write(self, text: str) -> None:
        """Put another text in the place of what stands there."""
        self.text = self._props["defaultValue"] = text
        self._props["key"] = f"{hash((text, time.monotonic()))}"  # another field for the browser
        self.update()

    def suggest(self, hint: str) -> None:
        """Show something else while nothing is written."""
        if self._props["placeholder"] != hint:
            self._props["placeholder"] = hint
            self.update()

    def _typed(self, event: GenericEventArguments) -> None:
        if isinstance(event.args, str):
            self.text = event.args


class Choice(ui.element):
    """One of few: buttons side by side, one of them pressed."""

    def __init__(
        self, said: str, choices: Sequence[tuple[str, str]], value: str, on_change: Callable[[str], Any]
    ) -> None:
        """Make it from (value, words)."""
        super().__init__("div")
        self.classes("segments")
        self._props["role"], self._props["aria-label"] = "group", said
        self.value = value
        self._told = on_change
        self._buttons: dict[str, Button] = {}
        with self:
            for each, words in choices:
                self._buttons[each] = Button(words, self._choose(each), kind="segment")
        self._show()

    def choose(self, value: str) -> None:
        """Choose without telling."""
        self.value = value
        self._show()

    def _choose(self, value: str) -> Handler:
        def chosen() -> None:
            self.choose(value)
            self._told(value)

        return chosen

    def _show(self) -> None:
        for each, button in self._buttons.items():
            button.press(each == self.value)


class Rich(ui.element, component="rich.js"):
    """HTML that the server wrote; emits `pick` (what, number)."""

    def __init__(self, content: str = "", *, follow: bool = False) -> None:
        """Show some HTML; `follow` keeps what is current in view."""
        super().__init__()
        self._props["content"], self._props["follow"] = content, follow

    def show(self, content: str) -> None:
        """Show other HTML."""
        if self._props["content"] != content:
            self._props["content"] = content
            self.update()


def labelled(words: str) -> ui.element:
    """A container whose label stands above what is put in it."""
    box = ui.element("div").classes("labelled")
    with box:
        ui.label(words).classes("label").props('aria-hidden="true"')
    return box


def numbers(event: GenericEventArguments, count: int) -> list[Any] | None:
    """The arguments of an event from a browser, if there are as many as there should be."""
    args = event.args if isinstance(event.args, list) else [event.args]
    return args if len(args) == count else None
