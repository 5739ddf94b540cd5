"""Voice and eyes in a real browser: what is said through Chromium's fake microphone, or dropped on the page.

Instructions that are typed are here too, beside those that are said.
"""

from __future__ import annotations

import base64
import io
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from page_server import PATIENCE, Server
from PIL import Image
from test_play_in_chromium import (
    CHROMIUM,
    begin,
    chromium,
    microphone,
    moves,
    playwright,
    says,
    server,
    steering,
    tab,
    window,
)
from test_talking import HEARD, LEVEL, untaught

from lanista.envs.catalogue import native_rules
from lanista.errors import UsageError
from lanista.perception.data.boards import _zoo
from lanista.perception.voices import Voice, speak

__all__ = ["chromium", "microphone", "server", "steering", "tab", "window"]  # fixtures
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.long,
]


def say(words: str, file: Path) -> float:
    """Write what the microphone will hear, in a voice that was not learnt from; how many seconds it takes."""
    rate = 48_000
    (wave,) = speak([words], Voice("espeak-ng", "en-gb-scotland+m3"), rate)
    still = np.zeros(rate // 2)
    both = np.stack([np.concatenate([still, 0.8 * wave, still])] * 2, 1)
    soundfile.write(file, both, rate, subtype="PCM_16")
    return len(wave) / rate + 1


def hold_and_talk(page: Any, seconds: float) -> None:
    page.keyboard.down("v")
    playwright.expect(page.get_by_role("button", name="Listening")).to_be_visible(timeout=PATIENCE * 1000)
    page.wait_for_timeout(1000 * seconds)
    page.keyboard.up("v")


def test_a_move_is_said(server: Server, microphone: Path, tab: Any) -> None:
    """Through Chromium's fake microphone, by a voice that was not learnt from."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("no speech synthesiser here: apt-get install espeak-ng")
    seconds = say("column four", microphone)
    begin(tab, server, "connect_four", mode="People")
    talk = tab.get_by_role("button", name="Hold V and say your move")
    assert talk.is_visible()
    hold_and_talk(tab, seconds)
    moves(tab, 1)
    playwright.expect(tab.locator(".moves .move").first).to_have_text("4")
    heard = tab.get_by_role("group", name="Heard words").locator(".voice-word")
    assert [text.split()[0] for text in heard.all_inner_texts()] == ["column", "four"]
    assert all(re.search(r"\d+ %", text) for text in heard.all_inner_texts())


def goes_on(text: str) -> bool:
    """Whether a position of Connect Four is not the end of a game."""
    rules = native_rules("connect_four")
    assert rules.parse_position is not None
    try:
        rules.parse_position(text)
    except ValueError:
        return False
    return text.startswith(".")


@pytest.mark.thorough
def test_a_picture_is_dropped_corrected_and_analysed(tab: Any, server: Server) -> None:
    """One of PettingZoo, turned, blurred and lit unevenly."""
    try:
        zoo = _zoo(6)
    except UsageError as error:
        pytest.skip(str(error))
    place = next(place for place, text in enumerate(zoo["texts"].tolist()) if goes_on(text))
    text = str(zoo["texts"][place])
    file = io.BytesIO()
    Image.fromarray(zoo["photographed"][place]).save(file, "JPEG", quality=90)
    tab.goto(server.link("/analyse"))
    tab.wait_for_selector(".picture-drop")
    transfer = tab.evaluate_handle(
        """(text) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "board.jpg", { type: "image/jpeg" }));
          return transfer;
        }""",
        base64.b64encode(file.getvalue()).decode(),
    )
    tab.dispatch_event(".picture-drop", "drop", {"dataTransfer": transfer})
    cells = tab.locator(".read-cell")
    playwright.expect(cells).to_have_count(42, timeout=PATIENCE * 1000)
    signs = {"empty": ".", "Red": "x", "Yellow": "o"}
    said = [str(cell.get_attribute("aria-label")) for cell in cells.all()]
    assert [signs[words.split(": ")[1].split(",")[0]] for words in said] == list(text.replace("/", ""))
    for words in ("cannot be|floats", "cannot be|floats", ""):  # a disc more at the top; of the other side; as it was
        cells.first.click()
        playwright.expect(tab.locator(".narrow .error").nth(2)).to_have_text(re.compile(words or "^$"))
    cells.first.evaluate("(cell) => { cell.click(); cell.click(); }")  # faster than any answer: neither is lost
    playwright.expect(cells.first).to_have_attribute("aria-label", re.compile(": Yellow$"))
    cells.first.click()
    playwright.expect(cells.first).to_have_attribute("aria-label", said[0].removesuffix(", unsure"))
    tab.get_by_role("button", name="Analyse", exact=True).click()
    tab.wait_for_url("**/game/*")
    says(tab, "Analysis:")
    discs = tab.locator(".board-picture circle[fill='#d64545'], .board-picture circle[fill='#f2c037']")
    assert discs.count() == text.count("x") + text.count("o")


def watch(page: Any, server: Server, name: str) -> None:
    """Choose the level and an agent, and begin."""
    page.goto(server.link(f"/real-time?game={LEVEL}"))
    watched = page.get_by_role("button", name="An agent, watched")
    playwright.expect(watched).to_have_attribute("aria-pressed", "true", timeout=1000 * PATIENCE)  # the game is opened
    agent = page.get_by_label("Agent", exact=True)
    agent.select_option(label=agent.locator("option", has_text=f"{name}, one of your runs").inner_text())
    page.get_by_role("button", name="Start", exact=True).click()
    try:
        page.wait_for_selector(".told-bar", timeout=4000 * PATIENCE)  # a process begins, and a voice may have to speak
    except playwright.TimeoutError:
        raise AssertionError(f"nothing is thought on this page:\n{page.inner_text('body')}") from None
    page.get_by_role("button", name="One a second").click()


def told(page: Any, words: str) -> None:
    playwright.expect(page.get_by_label("What it is told")).to_contain_text(words, timeout=PATIENCE * 1000)


@pytest.mark.thorough
def test_an_instruction_is_typed_and_its_words_are_weighed(tab: Any, server: Server) -> None:
    untaught(server.folder / "runs" / "reads", f"{LEVEL}?mission=text")
    watch(tab, server, "reads")
    told(tab, "Mission of the level")
    field = tab.get_by_label("Instruction, then Enter")
    field.fill("go to the velvet sofa")
    field.press("Enter")
    told(tab, "Told by you")
    told(tab, "The agent does not know the words “velvet”, “sofa”")
    told(tab, "unknown thing 'sofa'")
    playwright.expect(tab.locator(".told-word.strange")).to_have_text(["velvet", "sofa"])
    if tab.get_by_role("button", name="Pause", exact=False).first.is_enabled():
        tab.get_by_role("button", name="Pause", exact=False).first.click()
    else:
        tab.get_by_role("button", name="Same level").click()
        tab.get_by_role("button", name="Pause", exact=False).first.click()
    playwright.expect(tab.locator(".told-word").first).to_have_attribute("title", re.compile("bits: with"))
    hot = "[...document.querySelector('.arcade-heat').getContext('2d').getImageData(0, 0, 5, 5).data].some((v) => v)"
    tab.wait_for_function(hot)
    playwright.expect(tab.locator(".told-bar")).to_have_count(7)
    assert tab.locator(".told-bar.chosen").count() == 1
    tab.get_by_role("button", name="The level's own mission").click()
    told(tab, "Mission of the level")
    field.fill("y" * 2100)
    tab.get_by_role("button", name="Tell", exact=True).click()
    playwright.expect(tab.get_by_role("alert")).to_contain_text("at most 2,000 characters, not 2,100")
    tab.set_viewport_size({"width": 390, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.thorough
def test_an_instruction_is_said(server: Server, microphone: Path, tab: Any) -> None:
    """By a voice that was not learnt from: one agent is told what was understood, the other hears it itself."""
    if not all(map(shutil.which, ("espeak-ng", "flite", "festival"))):
        pytest.skip("no speech synthesiser here: apt-get install espeak-ng flite festival")
    seconds = say("go to the blue ball", microphone)
    untaught(server.folder / "runs" / "reads", f"{LEVEL}?mission=text")
    untaught(server.folder / "runs" / "hears", HEARD)
    for name in ("reads", "hears"):
        watch(tab, server, name)
        tab.locator(".arcade-screen").focus()
        hold_and_talk(tab, seconds)
        told(tab, "Told by you")
        told(tab, "go to the blue ball")
        told(tab, "Understood: “" if name == "reads" else "It hears your voice")
        assert tab.locator(".told-wave").count() == (name == "hears")
