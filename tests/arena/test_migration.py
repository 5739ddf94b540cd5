"""Stores of format 2 are read as they are, and go on as format 3; `stores/make_format_2.py` made the one kept here."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from lanista.arena.exports import export_games
from lanista.arena.standings import table_of
from lanista.arena.store import Store
from lanista.arena.store_format import FORMAT
from lanista.arena.tournament import tournament
from lanista.arena.verification import verify
from lanista.cli.main import main

STORES = Path(__file__).parent / "stores"
WHO = ["random", "first-legal", "minimax:depth=1"]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(STORES / "format_2.sqlite", tmp_path / "old.sqlite"))


def version(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def exported(path: Path) -> list[dict[str, object]]:
    """The games as the export tells them."""
    with Store(path, write=False) as store:
        export_games(store, "jsonl", path.with_suffix(".jsonl"))
    return lines(path.with_suffix(".jsonl"))


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_reader_sees_the_old_games_and_leaves_the_file_as_it_is(old: Path) -> None:
    before = old.read_bytes()
    assert exported(old) == lines(STORES / "format_2.jsonl")
    with Store(old, write=False) as store:
        verdict = verify(store)
    assert verdict.true and verdict.games == 24
    assert old.read_bytes() == before


def test_a_writer_brings_it_to_the_newest_format_and_goes_on(old: Path, tmp_path: Path) -> None:
    again = tournament("connect_four", WHO, games=4, seed=3, db=old)
    assert again.games == 24, "nothing was missing"
    assert version(old) == FORMAT
    assert exported(old) == lines(STORES / "format_2.jsonl")
    tournament("connect_four", WHO, games=6, seed=3, db=old)
    tournament("connect_four", WHO, games=6, seed=3, db=tmp_path / "new.sqlite")
    with Store(old, write=False) as went_on, Store(tmp_path / "new.sqlite", write=False) as new:
        mine = [game for game in went_on.games() if "wrongdoer" not in game.names]
        for game, fresh in zip(mine, new.games(), strict=True):
            of_its_time = {"stored_at": 0, "session": 0, "values": ()}  # format 2 kept no values
            assert vars(game) | of_its_time == vars(fresh) | of_its_time
        assert table_of(went_on, WHO) == table_of(new, WHO)
        assert went_on.faults_of_file() == []
        assert verify(went_on).true


FIRST_OF_FORMAT_3 = ("ALTER TABLE games DROP COLUMN expected", "DROP TABLE positions", "DROP TABLE times")


@pytest.mark.parametrize("lacking", [1, 3])
def test_the_first_stores_of_format_3_are_read_and_get_what_they_lack(tmp_path: Path, lacking: int) -> None:
    db = tmp_path / "t.sqlite"
    words = {"db": db, "seed": 3}
    tournament("tictactoe", ["random", "minimax:depth=2"], games=4, **words)  # type: ignore[arg-type]
    with contextlib.closing(sqlite3.connect(db)) as database, database:
        for statement in FIRST_OF_FORMAT_3[:lacking]:
            database.execute(statement)
    before = db.read_bytes()
    with Store(db, write=False) as store:
        games = list(store.games())
        assert len(games) == 4 and all(game.values == () for game in games) and verify(store).true
    assert db.read_bytes() == before, "a reader changes nothing"
    tournament("tictactoe", ["random", "minimax:depth=2"], games=8, **words)  # type: ignore[arg-type]
    with Store(db, write=False) as store:
        assert list(store.games())[:4] == games and verify(store).true and store.faults_of_file() == []
        assert [bool(game.values) for game in store.games()] == [False] * 4 + [True] * 4


def test_a_migration_that_is_cut_short_leaves_the_old_store(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = exported(old)
    monkeypatch.setattr("lanista.arena.store_format._plies", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Store(old)
    monkeypatch.undo()
    assert version(old) == 2 and exported(old) == before
    Store(old).close()
    assert version(old) == FORMAT and exported(old) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("moves = '{\"3\":3}'", "cannot be read: no list"),
        ("moves = '[3,'", "cannot be read: "),
        ("returns = '[1.0]'", "it does not have 2 players' points"),
        ("returns = '[1.0,\"x\"]'", "it does not have 2 players' points"),
        ("opening = '[6,6,6,6,6,6,6]'", "it does not begin with its opening"),
        ("reason = CAST(x'ff65' AS TEXT)", "cannot be read: 'utf-8' codec"),
        ("one = 'nobody'", "never entered"),
        ("leg = 3", "its leg is 3"),
    ],
)
def test_what_was_damaged_stays_so_and_is_named(old: Path, change: str, says: str) -> None:
    with contextlib.closing(sqlite3.connect(old)) as database, database:
        database.execute("DROP TRIGGER games_never_change")
        database.execute(f"UPDATE games SET {change} WHERE id = 5")
    for write in (False, True):
        with Store(old, write=write) as store:
            games, damaged = store.readable()
        assert list(damaged) == [5] and says in damaged[5], damaged
        assert len(games) == 23


def test_commands_read_an_old_store(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["standings", str(old)]) == 0
    assert "wrongdoer" in capsys.readouterr().out
    assert main(["verify", str(old)]) == 0
    assert main(["merge", str(old), str(old), "--out", str(old.with_name("both.sqlite"))]) == 0
    assert "24 games of 4 contestants; 24 were there more than once" in capsys.readouterr().out
