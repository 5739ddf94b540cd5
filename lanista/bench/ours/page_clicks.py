"""Clicks on the page in a real browser: how long until the agent's reply is drawn."""

from __future__ import annotations

import shutil
import socket
import statistics
import sys
import tempfile
import time
from typing import Any

from lanista.agents import processes
from lanista.bench.worker import Work

PATIENCE = 60_000  # milliseconds
# Notes when a column was clicked and when the board was drawn with the reply in it.
_WATCH = """() => {
  window.waited = []; let began = 0, wanted = 0;
  const list = () => document.querySelectorAll('.moves .move').length;
  document.querySelector('.board-layer').addEventListener('pointerdown', () => {
    began = performance.now();
    wanted = list() + 2;
  }, true);
  new MutationObserver(() => {
    if (began && list() >= wanted) requestAnimationFrame(() => {
      if (began) { window.waited.push(performance.now() - began); began = 0; }
    });
  }).observe(document.querySelector('main'), {childList: true, subtree: true});
}"""


def begin(agent: str) -> Work:
    """Start the page's server and a browser.

    Args:
        agent: who is played, in Connect Four.
    """
    from playwright.sync_api import sync_playwright

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "lanista", "play", "--no-browser", "--port", str(port)]
    server = processes.begin(command, cwd=tempfile.mkdtemp())  # which dies with this process
    assert server.stdout is not None
    server.stdout.readline()  # where it is; no more is said
    for _ in range(600):
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                break
        time.sleep(0.1)
    browser = sync_playwright().start().chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    page: Any = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)

    def new_game() -> None:
        page.goto(f"http://127.0.0.1:{port}/?game=connect_four")
        page.get_by_label("Opponent", exact=True).select_option("other")
        page.get_by_label("A player as text").first.fill(agent)
        page.get_by_role("button", name="Play", exact=True).click()
        page.wait_for_url("**/game/*")
        page.wait_for_selector(".board.live")
        page.evaluate(_WATCH)

    def click(column: int) -> float | None:
        """Milliseconds until the reply; None if the game is over without one."""
        before = page.evaluate("window.waited.length")
        box = page.locator(".board-layer").bounding_box()
        page.mouse.click(box["x"] + box["width"] * (column + 0.5) / 7, box["y"] + box["height"] / 2)
        page.wait_for_function(
            f"window.waited.length > {before} || document.querySelector('.status').innerText.includes('Rematch')"
        )
        waited = page.evaluate("window.waited")
        return float(waited[-1]) if len(waited) > before else None

    new_game()
    for column in (3, 2, 4, 3):  # until all is loaded
        click(column)
    new_game()
    columns = [3, 2, 4, 1, 5, 0, 6]
    state = {"clicks": 0}

    def work(seconds: float) -> dict[str, float]:
        found: list[float] = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until or not found:
            waited = None
            if page.locator(".board.live").count() and state["clicks"] < len(columns):
                waited = click(columns[state["clicks"]])
            state["clicks"] += 1
            if waited is None:
                new_game()
                state["clicks"] = 0
            else:
                found.append(waited / 1000)
            time.sleep(0.2)
        return {"steps": len(found), "median": statistics.median(found)}

    return work
