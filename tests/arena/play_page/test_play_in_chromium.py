"""The page in a real browser: Debian's Chromium, steered by Playwright, on a server in a process of its own."""

from __future__ import annotations

import base64
import io
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from page_server import PATIENCE, Server
from PIL import Image

from lanista.envs.catalogue import native_rules
from lanista.errors import UsageError
from lanista.perception.data.boards import _zoo
from lanista.perception.voices import Voice, speak

pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="steering a browser needs Playwright: pip install playwright"
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("page"))
    yield running
    running.kill()


@pytest.fixture(scope="module")
def steering() -> Iterator[Any]:
    with playwright.sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def chromium(steering: Any) -> Iterator[Any]:
    browser = steering.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert not [error for error in errors if "WebSocket" not in error and "ERR_CONNECTION" not in error]


def begin(tab: Any, server: Server, game: str, *, written: str = "", mode: str = "", seat: str = "") -> None:
    """Choose a game and an opponent, and begin."""
    tab.goto(server.link(f"/?game={game}"))
    if mode:
        tab.get_by_role("button", name=mode, exact=True).click()
    if written:
        tab.get_by_label("Opponent", exact=True).select_option("other")
        tab.get_by_label("A player as text").first.fill(written)
    if seat:
        tab.get_by_role("button", name=seat, exact=True).click()
    tab.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_url("**/game/*")
    tab.wait_for_selector(".board-picture svg")


def analyse(tab: Any, server: Server, game: str, text: str) -> None:
    tab.goto(server.link(f"/analyse?game={game}"))
    tab.get_by_label("Position or moves").fill(text)
    tab.get_by_role("button", name="Set up").click()
    tab.wait_for_url("**/game/*")
    tab.wait_for_selector(".board-picture svg")


def at(
    tab: Any, column: float, row: float, columns: float, rows: float, left: float = 0.0, top: float = 0.0
) -> tuple[float, float]:
    """The place on the page of a cell of a picture whose board has margins, in cells, at the left and above."""
    box = tab.locator(".board-layer").bounding_box()
    return (
        box["x"] + box["width"] * (column + 0.5 + left) / columns,
        box["y"] + box["height"] * (row + 0.5 + top) / rows,
    )


def moves(tab: Any, count: int) -> None:
    """Wait until so many moves are listed."""
    playwright.expect(tab.locator(".moves .move-row .move")).to_have_count(count, timeout=PATIENCE * 1000)


def says(tab: Any, words: str) -> None:
    playwright.expect(tab.locator(".status")).to_contain_text(words, timeout=PATIENCE * 1000)


def test_a_whole_game_is_played_by_clicks_and_won(tab: Any, server: Server) -> None:
    begin(tab, server, "connect_four", written="first-legal")
    for ply in range(4):
        says(tab, "Your move")
        tab.mouse.click(*at(tab, 3, 1, 7, 6))
        moves(tab, min(2 * ply + 2, 7))
    says(tab, "You win: 4 in a row")
    assert tab.get_by_role("button", name="Rematch").is_visible()
    # It is in a store, where people are ranked beside agents.
    tab.goto(server.link("/standings"))
    playwright.expect(tab.get_by_label("Table")).to_contain_text("guest (person)", timeout=PATIENCE * 1000)
    tab.locator("[data-node]").first.click()
    tab.wait_for_url("**/game/*")
    says(tab, "4 in a row")
    moves(tab, 7)


def test_takeback_replay_keys_variations_and_reload(tab: Any, server: Server) -> None:
    begin(tab, server, "connect_four", written="first-legal")
    for column, count in ((3, 2), (4, 4)):
        says(tab, "Your move")
        tab.mouse.click(*at(tab, column, 1, 7, 6))
        moves(tab, count)
    tab.get_by_role("button", name="Take back").click()
    says(tab, "Your move")
    playwright.expect(tab.locator(".moves [aria-current]")).to_have_text("1")
    tab.mouse.click(*at(tab, 5, 1, 7, 6))
    playwright.expect(tab.locator(".moves .variation .move").first).to_have_text("5")
    moves(tab, 4)
    tab.locator("body").click(position={"x": 5, "y": 500})
    for key, word in (("ArrowLeft", "6"), ("ArrowLeft", "1"), ("Home", None), ("End", "1"), ("ArrowLeft", "6")):
        tab.keyboard.press(key)
        current = tab.locator(".moves .move-row [aria-current]")
        playwright.expect(current).to_have_count(0 if word is None else 1)
        if word is not None:
            playwright.expect(current).to_have_text(word)
    tab.reload()
    moves(tab, 4)
    playwright.expect(tab.locator(".moves .variation .move").first).to_have_text("5")


def test_the_policy_is_a_heat_map_and_the_chances_a_graph(tab: Any, server: Server) -> None:
    analyse(tab, server, "connect_four", "4 4 3 3 5")
    playwright.expect(tab.locator(".board-layer .heat").first).to_be_visible(timeout=PATIENCE * 1000)
    playwright.expect(tab.locator(".graph-line")).to_have_count(1, timeout=PATIENCE * 1000)
    shares = [float(word.split()[0]) for word in tab.locator(".thoughts .bar-words").all_inner_texts()]
    assert shares == sorted(shares, reverse=True) and 50 < sum(shares) <= 100.5
    tab.locator(".thoughts [data-action]").first.click()
    moves(tab, 6)
    tab.locator(".graph [data-node]").nth(1).click()
    playwright.expect(tab.locator(".moves [aria-current]")).to_have_text("4")


def test_two_tabs_play_two_games_and_one_together(tab: Any, server: Server) -> None:
    begin(tab, server, "tictactoe", mode="People")
    other, third = tab.context.new_page(), tab.context.new_page()
    other.goto(tab.url)
    begin(third, server, "tictactoe", mode="People")
    tab.mouse.click(*at(tab, 1, 1, 3.6, 3.6, 0.5, 0.1))
    for page in (tab, other):
        moves(page, 1)
        says(page, "guest 2 is to move")
    other.mouse.click(*at(other, 0, 0, 3.6, 3.6, 0.5, 0.1))
    moves(tab, 2)
    assert third.locator(".moves .move").count() == 0


def test_chess_is_dragged_and_a_pawn_becomes_what_is_chosen(tab: Any, server: Server) -> None:
    analyse(tab, server, "chess", "k7/7P/8/8/8/8/P7/K7 w - - 0 1")
    begin_at, end = (at(tab, 7, row, 8.6, 8.6, 0.5, 0.1) for row in (1, 0))
    tab.mouse.move(*begin_at)
    tab.mouse.down()
    tab.mouse.move(end[0], (begin_at[1] + end[1]) / 2)
    tab.mouse.move(*end)
    tab.mouse.up()
    tab.get_by_role("menuitem", name="h8=N").click()
    moves(tab, 1)
    playwright.expect(tab.locator(".moves .move").first).to_have_text("h8=N")
    king, beside = at(tab, 0, 0, 8.6, 8.6, 0.5, 0.1), at(tab, 1, 0, 8.6, 8.6, 0.5, 0.1)
    tab.mouse.click(*king)
    playwright.expect(tab.locator(".board-dot")).to_have_count(3)
    tab.mouse.click(*beside)
    moves(tab, 2)


def test_it_works_by_keyboard_alone(tab: Any, server: Server) -> None:
    begin(tab, server, "tictactoe", mode="People")
    board = tab.locator(".board")
    board.focus()
    for keys, words in (("ArrowUp Enter", "b2"), ("ArrowUp ArrowUp Enter", None)):
        for key in keys.split():
            tab.keyboard.press(key)
        moves(tab, 1 if words else 2)
    assert re.search("b2", tab.locator(".moves").inner_text())
    tab.get_by_label("Type a move and press Enter").fill("c1")
    tab.keyboard.press("Enter")
    moves(tab, 3)
    assert "Board of tictactoe" in (board.get_attribute("aria-label") or "")
    unnamed = tab.evaluate(
        "[...document.querySelectorAll('button, select, input, textarea')].filter((e) => e.offsetParent"
        " && !e.innerText.trim() && !e.getAttribute('aria-label')).map((e) => e.outerHTML)"
    )
    assert unnamed == []


def test_a_phone_scrolls_down_only_and_dark_is_dark(chromium: Any, server: Server, tab: Any) -> None:
    begin(tab, server, "othello")
    link = tab.url
    for dark in (False, True):
        context = chromium.new_context(
            viewport={"width": 390, "height": 844}, color_scheme="dark" if dark else "light", has_touch=True
        )
        page = context.new_page()
        for path in (link, server.link("/"), server.link("/analyse"), server.link("/standings"), server.link("/train")):
            page.goto(path)
            page.wait_for_selector("main")
            page.wait_for_timeout(300)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
        red = int(re.findall(r"\d+", shade)[0])
        assert red < 60 if dark else red > 200
        if dark:
            page.get_by_role("button", name="Light or dark").tap()
            page.wait_for_function("!document.body.classList.contains('body--dark')")
            page.reload()
            page.wait_for_selector("main")
            page.wait_for_function("!document.body.classList.contains('body--dark')")
        context.close()


def test_a_move_is_said(server: Server, tmp_path: Path, steering: Any) -> None:
    """Through Chromium's fake microphone, by a voice that was not learnt from."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("no speech synthesiser here: apt-get install espeak-ng")
    rate = 48_000
    (wave,) = speak(["column four"], Voice("espeak-ng", "en-gb-scotland+m3"), rate)
    still = np.zeros(rate // 2)
    soundfile.write(tmp_path / "said.wav", np.concatenate([still, 0.8 * wave, still]), rate, subtype="PCM_16")
    browser = steering.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={tmp_path / 'said.wav'}%noloop",
        ],
    )
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
    tab.get_by_role("button", name="Analyse", exact=True).click()
    tab.wait_for_url("**/game/*")
    says(tab, "Analysis:")
    discs = tab.locator(".board-picture circle[fill='#d64545'], .board-picture circle[fill='#f2c037']")
    assert discs.count() == text.count("x") + text.count("o")


def test_hands_are_covered_between_two_people(tab: Any, server: Server) -> None:
    begin(tab, server, "kuhn_poker", mode="People")
    hidden = tab.locator(".board-picture text", has_text="?")
    playwright.expect(hidden).to_have_count(2)
    tab.get_by_role("button", name="Show the hand of guest").click()
    playwright.expect(hidden).to_have_count(1)
    tab.get_by_role("button", name="Pass", exact=True).click()
    playwright.expect(hidden).to_have_count(2)
    tab.get_by_role("button", name="Show the hand of guest 2").click()
    tab.get_by_role("button", name="Pass", exact=True).click()
    says(tab, "wins: showdown")
    playwright.expect(hidden).to_have_count(0)


def test_a_killed_server_has_the_game_again(tab: Any, server: Server) -> None:
    begin(tab, server, "tictactoe", mode="People")
    tab.mouse.click(*at(tab, 1, 1, 3.6, 3.6, 0.5, 0.1))
    moves(tab, 1)
    time.sleep(0.5)
    server.kill()
    server.begin()
    tab.goto(tab.url)
    moves(tab, 1)
    tab.mouse.click(*at(tab, 0, 0, 3.6, 3.6, 0.5, 0.1))
    moves(tab, 2)


def test_an_agent_is_trained_watched_stopped_resumed_and_played(tab: Any, server: Server) -> None:
    small = "copies=64 plies=8 minibatch_size=256 threads=1 anchor_pairs=8"
    tab.goto(server.link("/train?game=tictactoe"))
    tab.get_by_label("Minutes or steps").fill("5")
    tab.get_by_label("Name of the run").fill("first")
    tab.get_by_text("More settings").click()
    tab.get_by_label("Other settings").fill(f"{small} encoder=mlp:dim=32")
    tab.get_by_role("button", name="Train", exact=True).click()
    tab.wait_for_url("**/train/first")
    playwright.expect(tab.locator(".run-state")).to_have_text("Running", timeout=PATIENCE * 1000)
    playwright.expect(tab.locator(".chart svg path").first).to_be_attached(timeout=PATIENCE * 1000)
    stops(tab)
    steps = steps_of(tab)
    assert steps > 0
    tab.get_by_role("button", name="Resume").click()
    playwright.expect(tab.locator(".run-state")).to_have_text("Running", timeout=PATIENCE * 1000)
    playwright.expect(tab.get_by_label("The run")).not_to_contain_text(f"{steps:,} steps", timeout=PATIENCE * 1000)
    stops(tab)
    assert steps_of(tab) > steps
    tab.get_by_role("link", name="Train", exact=True).click()
    playwright.expect(tab.locator(".runs .run-state")).to_have_text("Stopped", timeout=PATIENCE * 1000)
    tab.get_by_role("link", name="first").click()
    tab.get_by_role("link", name="Play its newest agent").click()
    playwright.expect(tab.locator(".setup")).to_contain_text("One of your runs, after", timeout=PATIENCE * 1000)
    tab.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_url("**/game/*")
    playwright.expect(tab.locator(".strip-name").first).to_contain_text("checkpoint", timeout=PATIENCE * 1000)
    tab.wait_for_selector(".board-picture svg")
    tab.mouse.click(*at(tab, 1, 1, 3.6, 3.6, 0.5, 0.1))
    moves(tab, 2)


def stops(tab: Any) -> None:
    """Stop a run by its button, and wait until it has kept its checkpoint."""
    tab.get_by_role("button", name="Stop", exact=True).click()
    playwright.expect(tab.locator(".run-state")).to_have_text("Stopped", timeout=PATIENCE * 1000)


def steps_of(tab: Any) -> int:
    found = re.search(r"([\d,]+) steps", tab.get_by_label("The run").inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))
