"""The report: one file that needs nothing else, and whose script runs in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from lanista.arena.report import rating_plot, report_html
from lanista.arena.standings import table_of
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.errors import UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    tournament(
        "connect_four",
        ["random", "first-legal", "minimax:depth=2"],
        games=6,
        db=path / "t.sqlite",
        report=path / "t.html",
    )
    return path


def test_it_needs_no_other_file_and_no_network(folder: Path) -> None:
    text = (folder / "t.html").read_text()
    addresses = set(re.findall(r"https?://[^\s\"'<>)\\]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(link|iframe|object|embed)\b|\bsrc=|@import|url\((?!#)", text)


def test_it_says_what_the_table_says(folder: Path) -> None:
    text = (folder / "t.html").read_text()
    with Store(folder / "t.sqlite", write=False) as store:
        table = table_of(store)
    for row in table.rows:
        assert f">{row.name}</td><td>{row.elo:+.0f}</td><td>{row.low:+.0f} to {row.high:+.0f}</td>" in text
    assert len(table.rows) == 3


def test_the_plot_is_an_svg_with_every_name(folder: Path) -> None:
    with Store(folder / "t.sqlite", write=False) as store:
        plot = rating_plot(table_of(store))
    words = {text.strip() for element in ElementTree.fromstring(plot).iter() for text in [element.text or ""]}
    assert {"random", "first-legal", "minimax:depth=2"} <= words


def test_names_are_escaped(tmp_path: Path) -> None:
    class Named:
        name = "<script>alert(1)</script>"

        def act(self, turn, memory=None):  # type: ignore[no-untyped-def]
            raise RuntimeError("</script><b>")

    tournament("tictactoe", [Named(), "random"], games=2, db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        text = report_html(store)
    assert "<script>alert" not in text and "</script><b>" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_folder_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        tournament("tictactoe", ["random", "first-legal"], games=2, report=tmp_path)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_replays_run_in_a_browser(folder: Path, tmp_path: Path) -> None:
    switches = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --virtual-time-budget=5000"
    )
    done = subprocess.run(
        ["chromium", *switches.split(), f"--user-data-dir={tmp_path}", "--dump-dom", (folder / "t.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    captions = re.findall(r'<p class="caption"[^>]*>([^<]*)</p>', done.stdout)
    assert len(captions) >= 2 and all(re.search(r"after \d+ moves|move \d+", caption) for caption in captions)
    assert len(re.findall(r'<div class="board"[^>]*><svg', done.stdout)) == len(captions)
