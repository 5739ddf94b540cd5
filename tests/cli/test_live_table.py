"""The live table: on a terminal standings and what is left; elsewhere a line now and then; ratings take little time."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

import lanista
from lanista.arena.running_tally import RunningTally
from lanista.cli import _live_table
from lanista.cli._live_table import live_tournament

LONGEST = 120.0


def seen_on_a_terminal(words: list[str], until: str) -> tuple[str, int]:
    """What a command draws until it has drawn something, when it is stopped; and its exit code."""
    mine, its = pty.openpty()
    os.set_blocking(mine, False)
    process = subprocess.Popen(
        [sys.executable, "-m", "lanista", *words], stdin=its, stdout=subprocess.PIPE, stderr=its,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "30"},
    )  # fmt: skip
    os.close(its)
    drawn, deadline, stopped = "", time.monotonic() + LONGEST, False
    while process.poll() is None:
        assert time.monotonic() < deadline, drawn[-2000:]
        try:
            drawn += os.read(mine, 65536).decode(errors="replace")
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:  # its end is closed
            break
        if not stopped and until in drawn:
            process.send_signal(signal.SIGINT)
            stopped = True
    process.communicate()
    os.close(mine)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn), process.returncode


@pytest.mark.thorough
def test_on_a_terminal_a_tournament_shows_who_stands_where_and_how_much_is_left() -> None:
    words = ["tournament", "--game", "connect_four", "random", "minimax:depth=2", "first-legal", "--games", "200000"]
    drawn, code = seen_on_a_terminal(words, until="95 % interval")
    assert code == 130 and "stopped: " in drawn
    rows = re.findall(r"(\d)  ([\w:=-]+) +([+-]\d+) +([+-]\d+) \.\. ([+-]\d+) +[\d.]+%", drawn)
    assert {name for _, name, *_ in rows} == {"random", "minimax:depth=2", "first-legal"}
    assert all(int(low) < int(elo) < int(high) for *_, elo, low, high in rows)
    assert re.search(r"\d+/600000 games", drawn) and "a second" in drawn and "left" in drawn


def test_elsewhere_it_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_live_table, "LINE_EVERY", 0.0)
    monkeypatch.setattr(_live_table, "OFTEN", 0.0)
    with live_tournament("tictactoe") as watcher:
        lanista.tournament(
            "tictactoe", ["random", "first-legal"], games=200, progress=watcher.progress, opened=watcher.opened
        )
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("tictactoe: 200 of 200 games, ") and "\x1b" not in lines[-1]
    assert any(re.search(r"; (random|first-legal) leads with [+-]\d+ \([+-]\d+ \.\. [+-]\d+\)", line) for line in lines)


def test_ratings_take_a_small_share_of_the_time_however_long_one_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    standings = _live_table._Standings(tally=RunningTally())

    def slow() -> None:
        now[0] += 3.0

    spent = 0.0
    while now[0] < 1000:
        if standings.rate(["a", "b"], slow):
            spent += 3.0
        now[0] += 0.1
    assert 0 < spent <= 1.1 * _live_table.SHARE * 1000
