"""The page in a real browser: Debian's Chromium, steered by Playwright, on a server in a process of its own."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_server import PATIENCE, Server

from lanista.agents.artifact import save_agent
from lanista.agents.policy_network import build_network
from lanista.envs.catalogue import make

pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="steering a browser needs Playwright: pip install playwright"
)

playwright.expect.set_options(timeout=PATIENCE * 1000)  # of its own accord it waits 5 seconds: few on a busy machine
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.long,
]


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
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of sound that the browser's microphone hears, from its begin on whenever a page begins to listen."""
    return tmp_path_factory.mktemp("microphone") / "said.wav"


@pytest.fixture(scope="module")
def chromium(steering: Any, microphone: Path) -> Iterator[Any]:
    hears = f"--use-file-for-fake-audio-capture={microphone}%noloop"
    listens = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", hears]
    browser = steering.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *listens])
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def window(chromium: Any) -> Iterator[Any]:
    """One window for all tabs: to open one costs a second of processors, and the page's scripts are read again."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    context.new_page()  # with its last tab the window would close
    yield context
    context.close()


@pytest.fixture
def tab(window: Any) -> Iterator[Any]:
    """A tab of somebody who was never here: the one before has left no cookies, in which the page keeps all it does."""
    page = window.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield page
    for each in window.pages[1:]:
        each.close()
    window.clear_cookies()
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
    # Both words are "1": which of them is current says that the move is taken back, and the board shows it.
    playwright.expect(tab.locator(".moves .move-row .move").nth(1)).to_have_attribute("aria-current", re.compile("."))
    playwright.expect(tab.locator(".board pre")).to_have_text(re.compile(r"^[^XO]*([XO][^XO]*){2}$"))
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


@pytest.mark.thorough
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


@pytest.mark.thorough
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


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_a_phone_scrolls_down_only_and_dark_is_dark(chromium: Any, server: Server, tab: Any) -> None:
    begin(tab, server, "othello")
    link = tab.url
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="light", has_touch=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    for path in (link, *map(server.link, ("/", "/analyse", "/standings", "/train", "/real-time"))):
        page.emulate_media(color_scheme="light")
        page.goto(path)
        page.wait_for_selector("main")
        page.wait_for_timeout(300)
        shades = [shade(page)]
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("document.body.classList.contains('body--dark')")
        shades.append(shade(page))
        assert shades[0] > 200 and shades[1] < 60, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.reload()
    page.wait_for_function("document.body.classList.contains('body--dark')")
    assert shade(page) < 60, "it is dark from the begin on"
    page.get_by_role("button", name="Light or dark").tap()
    page.wait_for_function("!document.body.classList.contains('body--dark')")
    page.reload()
    page.wait_for_selector("main")
    page.wait_for_function("!document.body.classList.contains('body--dark')")
    context.close()


def shade(page: Any) -> int:
    """How bright the page's ground is."""
    return int(re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[0])


@pytest.mark.thorough
def test_pong_is_played_by_keys_in_real_time(tab: Any, server: Server) -> None:
    pytest.importorskip("ale_py", reason="Atari needs ale-py: pip install 'lanista[atari]'")
    tab.goto(server.link("/real-time?game=atari:pong"))
    tab.get_by_role("button", name="Start", exact=True).click()
    tab.wait_for_selector("[data-stage=ready]")
    racket = """() => {  // how high the green racket stands
      const canvas = document.querySelector('.arcade-screen canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 34, canvas.width, 160);
      let sum = 0, count = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i] === 92 && data[i + 1] === 186) { sum += i / 4 / canvas.width; count += 1; }
      }
      return sum / count;
    }"""
    tab.keyboard.down("ArrowDown")  # in a game's first pictures there may be no racket yet
    tab.wait_for_function(f"({racket})() > 100")
    tab.keyboard.up("ArrowDown")
    before = tab.evaluate(racket)
    tab.keyboard.down("ArrowUp")
    tab.wait_for_function(f"({racket})() < {before} - 15")
    tab.keyboard.up("ArrowUp")
    tab.wait_for_function("Number(document.querySelector('.arcade-screen').dataset.frames) > 60")
    assert re.search(r"Score\s+0", tab.locator(".arcade-bar").inner_text())
    sound = tab.get_by_role("button", name="Sound")
    assert sound.get_attribute("aria-pressed") == "false", "it is silent until somebody asks"
    sound.click()
    playwright.expect(sound).to_have_attribute("aria-pressed", "true")
    tab.wait_for_function("Number(document.querySelector('.arcade-screen').dataset.sounds) > 8")
    tab.keyboard.press("m")
    playwright.expect(sound).to_have_attribute("aria-pressed", "false")
    tab.wait_for_function("document.querySelector('.arcade-figure b').innerText === '-1'")  # the ball was missed
    tab.keyboard.press("p")
    tab.wait_for_selector("[data-stage=paused]")
    tab.reload()
    tab.get_by_role("button", name="Go on").first.click()
    tab.wait_for_selector("[data-stage=playing]")
    assert tab.locator(".arcade-figure b").first.inner_text() == "-1"
    tab.keyboard.press("r")
    tab.wait_for_selector("[data-stage=ready]")


@pytest.mark.thorough
def test_an_agent_is_watched_with_where_it_looks(tab: Any, server: Server) -> None:
    pytest.importorskip("ale_py", reason="Atari needs ale-py: pip install 'lanista[atari]'")
    network = build_network(make("atari:breakout").spec, "nature_cnn:dim=64").eval()  # has learned nothing yet
    save_agent(server.folder / "runs" / "first" / "agent", network, "atari:breakout", "float32", {})
    tab.goto(server.link("/real-time?game=atari:breakout"))
    tab.get_by_role("button", name="An agent, watched").click()
    playwright.expect(tab.get_by_label("Agent", exact=True)).to_contain_text("first, one of your runs")
    tab.get_by_role("button", name="Start", exact=True).click()
    tab.wait_for_selector("[data-stage=playing]")
    tab.wait_for_function("Number(document.querySelector('.arcade-heat').dataset.heats) > 2")
    looks = tab.get_by_role("button", name="Where it looks")
    assert looks.get_attribute("aria-pressed") == "true"
    hot = "[...document.querySelector('.arcade-heat').getContext('2d').getImageData(0, 0, 84, 84).data].some((v) => v)"
    assert tab.evaluate(hot)
    looks.click()
    playwright.expect(looks).to_have_attribute("aria-pressed", "false")
    assert not tab.evaluate(hot)
    tab.set_viewport_size({"width": 390, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_a_killed_server_has_the_game_again(tab: Any, server: Server) -> None:
    begin(tab, server, "tictactoe", mode="People")
    tab.mouse.click(*at(tab, 1, 1, 3.6, 3.6, 0.5, 0.1))
    moves(tab, 1)
    time.sleep(0.5)
    tab.evaluate("window.before = true")
    server.kill()
    server.begin()
    tab.wait_for_function("!window.before", timeout=PATIENCE * 1000)  # it loads itself anew
    moves(tab, 1)
    tab.mouse.click(*at(tab, 0, 0, 3.6, 3.6, 0.5, 0.1))
    moves(tab, 2)


@pytest.mark.thorough
def test_an_agent_is_trained_watched_stopped_resumed_and_played(tab: Any, server: Server) -> None:
    small = "copies=64 plies=8 minibatch_size=256 threads=1 anchor_pairs=8"
    tab.goto(server.link("/train?game=tictactoe"))
    tab.get_by_label("Minutes or steps").fill("5")
    tab.get_by_label("Name of the run").fill("learner")
    tab.get_by_text("More settings").click()
    tab.get_by_label("Other settings").fill(f"{small} encoder=mlp:dim=32")
    tab.get_by_role("button", name="Train", exact=True).click()
    tab.wait_for_url("**/train/learner")
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
    tab.get_by_role("link", name="learner").click()
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
