"""The store: whole transactions, nothing twice, and clear words for files that are none of ours."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lanista.arena.missing_games import store_together
from lanista.arena.move_encoding import encoded
from lanista.arena.new_games import NewGames
from lanista.arena.store import Store
from lanista.arena.store_format import FORMAT
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError

GAME = StoredGame(("a", "b"), 0, 0, 7, (3,), (3, 2, 1), (1.0, -1.0), "end", None, 5.0)


def filled(path: Path) -> Path:
    with Store(path) as store:
        store.settle({"game": "tictactoe", "seed": 1})
        store.enter({"a": "x", "b": "y"})
        store.add([GAME, replace(GAME, leg=1, reason="illegal action 3", at_fault=0, returns=(-1.0, 1.0))])
    return path


def test_a_link_to_a_store_is_the_same_store(tmp_path: Path) -> None:
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "t.sqlite")
    with (
        Store(tmp_path / "t.sqlite"),
        pytest.raises(UsageError, match="another tournament"),
        Store(tmp_path / "link.sqlite"),
    ):
        pass


def test_games_come_back_as_they_were(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "t.sqlite"), write=False) as store:
        first, second = store.games()
        assert first == GAME
        assert second.seats == ("b", "a") and second.at_fault == 0
        assert (first.points("a"), first.points("b")) == (1.0, 0.0)
        assert (second.points("a"), second.points("b")) == (1.0, 0.0)
        assert store.setting("game") == "tictactoe" and store.contestants() == ["a", "b"]


def test_nothing_is_stored_twice_and_a_batch_is_whole_or_not_there(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "t.sqlite")) as store:
        with pytest.raises(sqlite3.IntegrityError):
            store.add([replace(GAME, number=1), GAME])
        assert len(store.games()) == 2


def test_another_tournaments_settings_are_refused(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "t.sqlite")) as store:
        store.settle({"game": "tictactoe", "seed": 1})
        with pytest.raises(UsageError, match="has the game tictactoe, not connect_four"):
            store.settle({"game": "connect_four"})


def test_a_contestant_that_changed_is_refused(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "t.sqlite")) as store, pytest.raises(UsageError, match="'a' has changed"):
        store.enter({"a": "other"})


def test_one_writer_at_a_time_and_readers_any_time(tmp_path: Path) -> None:
    path = filled(tmp_path / "t.sqlite")
    code = f"from lanista.arena.store import Store; Store({str(path)!r}).close()"
    with Store(path):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"another tournament (process {os.getpid()}) is writing into {path}" in done.stderr
        with Store(path, write=False) as reader:
            assert len(reader.games()) == 2
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["t.sqlite"]


def test_games_are_never_changed_and_readers_write_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path / "t.sqlite")
    with Store(path, write=False) as reader, pytest.raises(OSError, match="readonly"):
        reader.add([replace(GAME, number=1)])
    database = sqlite3.connect(path)
    for change in ("DELETE FROM games", "UPDATE games SET returns = x'00'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(change)
    database.close()


def test_actions_of_several_numbers_come_back(tmp_path: Path) -> None:
    several = replace(GAME, opening=([0.5, 1.0],), moves=([0.5, 1.0], [2.0, -1.0]), returns=(0.25, 0.75))
    with Store(tmp_path / "t.sqlite") as store:
        store.enter({"a": "x", "b": "y"})
        store.add([several])
        assert store.games() == [several]


FILL = """
import resource, sys
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
with Store(sys.argv[1]) as store:
    store.enter({"a": "x", "b": "y"})
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    for number in range(10_000):
        store.add([StoredGame(("a", "b"), number, 0, 7, (), tuple(range(200)), (1.0, -1.0), "end", None, 5.0)])
        print(number, flush=True)
"""


def test_a_file_that_cannot_grow_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    done = subprocess.run([sys.executable, "-c", FILL, str(path)], capture_output=True, text=True)
    assert f"DiskError: cannot write to {path}" in done.stderr and "are safe" in done.stderr
    stored = int(done.stdout.split()[-1]) + 1
    assert stored > 10
    with Store(path, write=False) as store:
        assert len(store.games()) == stored


def test_files_that_are_no_store_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("not a database at all, but long enough to look at " * 20)
    with pytest.raises(UsageError, match="cannot be opened"):
        Store(tmp_path / "text.sqlite")
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE songs (name TEXT)")
    with pytest.raises(UsageError, match="no tournament's store"):
        Store(tmp_path / "other.sqlite")
    with pytest.raises(UsageError, match="there is no store"):
        Store(tmp_path / "nothing.sqlite", write=False)
    with pytest.raises(UsageError, match="cannot write"):
        Store(tmp_path / "text.sqlite" / "t.sqlite")


def test_a_truncated_store_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "t.sqlite")
    whole = path.read_bytes()
    for size in (1, 50, 1000, 5000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        for write in (False, True):
            with pytest.raises(UsageError, match=r"damaged|cannot be opened") as told:
                Store(path, write=write)
            assert "\n" not in str(told.value)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "t.sqlite")
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {FORMAT + 1}")
    database.close()
    with pytest.raises(UsageError, match="update Lanista"):
        Store(path)


def new_games(store: Store, number: int) -> NewGames:
    """Three games of two meetings, one of which someone lost by a fault and one of which is of no bytes."""
    keys = store.meet([("b", "c"), ("a", "b")])
    return NewGames(
        meetings=np.array([keys["b", "c"], keys["a", "b"], keys["b", "c"]]),
        numbers=np.full(3, number),
        legs=np.array([1, 0, 0]),
        seeds=np.array([2**55, 3, 4]),
        openings=np.array([1, 0, 2]),
        moves=[encoded((3, 2)), encoded(()), encoded((0.5, 40_000))],
        returns=np.array([[1.0, -1.0], [0.0, 0.0], [-1.0, 1.0]]),
        reasons=["end", "broken", "illegal action 3"],
        at_fault=[None, None, 0],
    )


@pytest.mark.parametrize("remembered", [500_000, 4])
def test_what_was_just_written_is_told_as_a_reader_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered: int
) -> None:
    monkeypatch.setattr("lanista.arena.store.MOST_REMEMBERED", remembered)
    with Store(filled(tmp_path / "t.sqlite")) as store:
        store.enter({"c": "z"})
        session = store.begin_session({"python": "3"})
        for number in (5, 4):
            store.add_columns(new_games(store, number), session)
            told = store.games()
            with Store(tmp_path / "t.sqlite", write=False) as reader:
                found = reader.games()
            assert told == found and told.ids.tolist() == found.ids.tolist() and len(told) == 2 + 3 * (6 - number)
            assert told.reasons == found.reasons and told.plies.tolist() == found.plies.tolist()
        with pytest.raises(sqlite3.IntegrityError):
            store.add_columns(new_games(store, 4), session)
        assert store.games() == found, "what was not stored is not told"
        store.add([replace(GAME, number=9)])
        assert len(store.games()) == 9


def test_games_that_come_fast_are_stored_together_and_none_waits_for_long(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "t.sqlite")) as store:
        store.enter({"c": "z"})
        session = store.begin_session({})

        def fast(pause: float, first: int) -> Iterator[NewGames]:
            for games in [new_games(store, number) for number in range(first, first + 40)]:
                time.sleep(pause)
                yield games

        together = list(store_together(store, fast(0.0, 10), session))
        assert sum(together) == 120 and len(together) < 30, "even if the machine stalls now and then"
        assert list(store_together(store, fast(0.02, 60), session)) == [3] * 40

        def stopped() -> Iterator[NewGames]:
            yield from fast(0.0, 110)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(store_together(store, stopped(), session))
    with Store(tmp_path / "t.sqlite", write=False) as reader:
        assert reader.count() == 2 + 3 * 120, "what has finished is stored, though it was stopped"
