"""A tournament's report in a real browser: how large it is and how long it takes to open."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from lanista.arena.report import write_report
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.bench.worker import Work

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CONTESTANTS = ("random", "first-legal", "minimax:depth=1", "minimax:depth=2", "minimax:depth=3")  # ten pairs
OPENING = 120.0  # seconds after which it does not open


def begin(game: str, games: int) -> Work:
    """Play a tournament and write its report.

    Args:
        game: what is played.
        games: in all.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise RuntimeError("no Chromium is installed")
    scratch = tempfile.TemporaryDirectory()
    store, report = Path(scratch.name) / "t.sqlite", Path(scratch.name) / "report.html"
    pairs = len(CONTESTANTS) * (len(CONTESTANTS) - 1) // 2
    tournament(game, CONTESTANTS, games=games // pairs, db=store)
    with Store(store, write=False) as opened:
        write_report(opened, report)
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", report.as_uri()]

    def work(seconds: float) -> dict[str, float]:
        began = time.perf_counter()
        page = subprocess.run(words, capture_output=True, timeout=OPENING, check=True).stdout
        took = time.perf_counter() - began
        if b"</html>" not in page or len(page) < 1000:
            raise RuntimeError("the browser shows no page")
        return {"steps": 1, "open_seconds": took, "megabytes": Path(scratch.name, report.name).stat().st_size / 2**20}

    return work
