"""Whatever ends a tournament, finished games are there, each once, and the same command goes on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lanista.arena.standings import table_of
from lanista.arena.store import Store
from lanista.arena.verification import verify
from lanista.cli.main import main
from lanista.errors import UsageError

WHO = ["random", "minimax:depth=1", "minimax:depth=3"]


def command(db: Path, games: int) -> list[str]:
    return ["tournament", "--game", "connect_four", *WHO, "--games", str(games), "--db", str(db)]


def rows_of(path: Path) -> list[tuple[object, ...]]:
    """The rows of the games as they lie in the file, also while it is being written; none before it is whole."""
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path)) as database:
        try:
            return database.execute("SELECT * FROM games").fetchall()
        except sqlite3.OperationalError:
            return []


def told(path: Path) -> list[tuple[object, ...]]:
    """All that is stored of the games, but for when and in which session."""
    with Store(path, write=False) as store:
        return [tuple(v for k, v in vars(game).items() if k not in ("stored_at", "session")) for game in store.games()]


@pytest.mark.parametrize(("kills", "games"), [(5, 2_000), pytest.param(100, 20_000, marks=pytest.mark.faults)])
def test_kills_at_random_instants_lose_nothing_and_play_nothing_twice(kills: int, games: int, tmp_path: Path) -> None:
    path, unbroken, chance = tmp_path / "t.sqlite", tmp_path / "unbroken.sqlite", random.Random(kills)
    assert main(command(unbroken, games)) == 0
    kept: set[tuple[object, ...]] = set()
    under_way = stored = 0
    for kill in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-m", "lanista", *command(path, games)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        # Half of them from the start on, when files are made and opened; half once games are being stored.
        deadline = time.monotonic() + (chance.random() * 2 if kill % 2 else 60)
        while process.poll() is None and time.monotonic() < deadline:
            if not kill % 2 and len(rows_of(path)) > len(kept):
                time.sleep(chance.random() * 0.05)
                break
            time.sleep(0.005)
        process.kill()  # which minds that it may have ended by itself
        _, said = process.communicate()
        assert process.returncode in (-signal.SIGKILL, 0), said
        under_way += process.returncode != 0
        now = rows_of(path)
        places = {row[1:4] for row in now}
        assert len(now) == len(places), "a game was played twice"
        assert kept <= set(now), "a stored game was lost"
        kept, stored = set(now), stored + len(now) - len(kept)
        if process.returncode == 0 and kill < kills - 1:  # a quick machine plays all of it between two kills: once more
            path, kept = tmp_path / f"t{kill}.sqlite", set()
    assert under_way >= kills // 2 and stored > 0, "it was hardly ever killed under way"
    assert main(command(path, games)) == 0
    assert told(path) == told(unbroken) and len(told(path)) == 3 * games
    with Store(path, write=False) as store, Store(unbroken, write=False) as whole:
        assert table_of(store) == table_of(whole)
        assert verify(store).true


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_on_a_full_disk_it_stops_with_what_it_has_and_goes_on_when_there_is_room(
    disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = disk / "t.sqlite"
    assert main(command(db, 1200)) == 1
    said = capsys.readouterr().err
    assert f"cannot write to {db}" in said and "the same command goes on" in said
    kept = told(db)
    assert 0 < len(kept) < 3600
    subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
    assert main(command(db, 1200)) == 0
    assert set(kept) <= set(told(db)) and len(told(db)) == 3600


def test_a_read_only_disk_can_be_read_and_says_that_it_cannot_be_written(
    disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = disk / "t.sqlite"
    assert main(command(db, 2)) == 0
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert main(["standings", str(db)]) == 0
    assert main(["verify", str(db)]) == 0
    capsys.readouterr()
    assert main(command(db, 4)) == 2
    assert f"cannot write to {db}" in capsys.readouterr().err


def test_a_read_only_store_is_named_and_can_be_read() -> None:
    with tempfile.TemporaryDirectory() as name:  # another user could not enter pytest's folders
        folder = Path(name)
        db = folder / "t.sqlite"
        assert main(command(db, 2)) == 0
        db.chmod(0o444)
        folder.chmod(0o755)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)  # root may write everything
        try:
            with pytest.raises(UsageError, match=f"cannot write to {db}: it is read-only"):
                Store(db)
            with Store(db, write=False) as store:
                assert store.count() == 6
        finally:
            if root:
                os.seteuid(0)
