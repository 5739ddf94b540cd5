"""Voice and eyes in a real browser: a move said through Chromium's fake microphone, a picture dropped on the page."""

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
from test_play_in_chromium import CHROMIUM, begin, chromium, listening, moves, playwright, says, server, steering, tab

from lanista.envs.catalogue import native_rules
from lanista.errors import UsageError
from lanista.perception.data.boards import _zoo
from lanista.perception.voices import Voice, speak

__all__ = ["chromium", "server", "steering", "tab"]  # fixtures
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")


def test_a_move_is_said(server: Server, tmp_path: Path, steering: Any) -> None:
    """Through Chromium's fake microphone, by a voice that was not learnt from."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("no speech synthesiser here: apt-get install espeak-ng")
    rate = 48_000
    (wave,) = speak(["column four"], Voice("espeak-ng", "en-gb-scotland+m3"), rate)
    still = np.zeros(rate // 2)
    soundfile.write(tmp_path / "said.wav", np.concatenate([still, 0.8 * wave, still]), rate, subtype="PCM_16")
    browser = listening(steering, tmp_path / "said.wav")
    page = browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    begin(page, server, "connect_four", mode="People")
    talk = page.get_by_role("button", name="Hold V and say your move")
    assert talk.is_visible()
    page.keyboard.down("v")
    playwright.expect(page.get_by_role("button", name="Listening")).to_be_visible(timeout=PATIENCE * 1000)
    page.wait_for_timeout(1000 * (len(wave) / rate + 1))
    page.keyboard.up("v")
    moves(page, 1)
    playwright.expect(page.locator(".moves .move").first).to_have_text("4")
    heard = page.get_by_role("group", name="Heard words").locator(".voice-word")
    assert [text.split()[0] for text in heard.all_inner_texts()] == ["column", "four"]
    assert all(re.search(r"\d+ %", text) for text in heard.all_inner_texts())
    browser.close()


def goes_on(text: str) -> bool:
    """Whether a position of Connect Four is not the end of a game."""
    rules = native_rules("connect_four")
    assert rules.parse_position is not None
    try:
        rules.parse_position(text)
    except ValueError:
        return False
    return text.startswith(".")


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
