"""A standing ladder: newcomers are seated, the bad skipped, the gone retired; a kill loses nothing that was stored."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from lanista.agents.adjudication import adjudication_of
from lanista.agents.contestant import SHIPPED
from lanista.agents.time_control import parse_time_control
from lanista.arena.ladder import LadderNews, LadderSettings, found_ladder, register, serve_ladder
from lanista.arena.ladder_roster import Roster
from lanista.arena.standings import table_of
from lanista.arena.store import Store
from lanista.arena.verification import verify
from lanista.arena.watched_folders import agents_in
from lanista.cli.main import main
from lanista.errors import UsageError

QUICK = LadderSettings(seconds=0.05)
LONGEST = 120.0  # seconds, on a busy machine


class Watcher:
    """Hears the news, does something at some of them, and says when to stop."""

    def __init__(self, *deeds: Callable[[LadderNews], bool]) -> None:
        self.deeds = list(deeds)  # each is asked until it says that it is done
        self.news: list[LadderNews] = []
        self._began = time.monotonic()

    def told(self, news: LadderNews) -> None:
        self.news.append(news)
        while self.deeds and self.deeds[0](news):
            self.deeds.pop(0)

    def until(self) -> bool:
        assert time.monotonic() - self._began < LONGEST, f"left to do: {self.deeds}; {self.news[-1:]}"
        return not self.deeds

    @property
    def happened(self) -> list[str]:
        return [sentence for news in self.news for sentence in news.happened]


def serve(db: Path, *deeds: Callable[[LadderNews], bool], settings: LadderSettings = QUICK) -> Watcher:
    watcher = Watcher(*deeds)
    serve_ladder(db, settings, told=watcher.told, until=watcher.until)
    return watcher


def plays(*names: str) -> Callable[[LadderNews], bool]:
    """Whether just these play, and have played."""

    def done(news: LadderNews) -> bool:
        return set(news.playing) == set(names) and all(sum(news.tally.record(name)[:3]) for name in names)

    return done


def checkpoint(path: Path, game: str = "tictactoe") -> Path:
    """A trained agent's folder."""
    shutil.copytree(SHIPPED / game, path)
    return path


@pytest.fixture
def ladder(tmp_path: Path) -> Path:
    db = tmp_path / "l.sqlite"
    found_ladder(db, "tictactoe", QUICK)
    register(db, ["random", "first-legal"], [str(tmp_path / "run")])
    return db


def test_newcomers_are_seated_the_bad_are_skipped_and_the_gone_retired(ladder: Path, tmp_path: Path) -> None:
    run, made = tmp_path / "run", []

    def a_checkpoint_appears(news: LadderNews) -> bool:
        made.append(checkpoint(run / "checkpoints" / "1000"))
        return True

    def bad_ones_appear(news: LadderNews) -> bool:
        half = run / "checkpoints" / "2000"
        half.mkdir()
        shutil.copy(made[0] / "agent.json", half)
        (half / "model.safetensors").write_bytes((made[0] / "model.safetensors").read_bytes()[:1000])
        checkpoint(run / "checkpoints" / "3000", "connect_four")
        checkpoint(run / "checkpoints" / ".4000")  # its name says that it is being written
        with Roster(ladder) as roster:
            roster.want({"minimax:deth=3": "agent", "random?": "agent"})
        return True

    def they_are_skipped(news: LadderNews) -> bool:
        return {Path(each).name for each in news.skipped} == {"2000", "3000", "minimax:deth=3", "random?"}

    def the_half_becomes_whole(news: LadderNews) -> bool:
        shutil.copy(made[0] / "model.safetensors", run / "checkpoints" / "2000")
        return True

    def the_first_goes(news: LadderNews) -> bool:
        shutil.rmtree(made[0])
        with Roster(ladder) as roster:
            roster.drop("random")
        return True

    first, second = (str(run / "checkpoints" / steps) for steps in ("1000", "2000"))
    watcher = serve(
        ladder, plays("random", "first-legal"), a_checkpoint_appears, plays("random", "first-legal", first),
        bad_ones_appear, they_are_skipped, the_half_becomes_whole, plays("random", "first-legal", first, second),
        the_first_goes, plays("first-legal", second),
    )  # fmt: skip
    said = "\n".join(watcher.happened)
    assert f"{first} is seated" in said and f"{second} is skipped: " in said and f"{second} is seated" in said
    assert "trained on connect_four and does not fit tictactoe" in said and "'deth'" in said
    assert f"{first} is retired: it was removed" in said and "random is retired: it was removed" in said
    assert len([line for line in watcher.happened if "does not fit" in line]) == 1, "it is said once"
    with Roster(ladder, write=False) as roster:
        states = {Path(name).name: each.state for name, each in roster.seen().items()}
    assert states["1000"] == states["random"] == "retired" and states["3000"] == "skipped" and states["2000"] == "plays"
    with Store(ladder, write=False) as store:
        names = {row.name for row in table_of(store).rows}
        assert names == {"random", "first-legal", first, second} and verify(store).true


def test_one_whose_files_change_is_retired_and_comes_back_with_the_same(ladder: Path, tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "run" / "a")
    weights = folder / "model.safetensors"
    good = weights.read_bytes()

    def it_is_overwritten(news: LadderNews) -> bool:
        shutil.copy(SHIPPED / "connect_four" / "model.safetensors", weights)
        return True

    def it_is_restored(news: LadderNews) -> bool:
        weights.write_bytes(good)
        return True

    watcher = serve(
        ladder, plays("random", "first-legal", str(folder)), it_is_overwritten, plays("random", "first-legal"),
        it_is_restored, plays("random", "first-legal", str(folder)),
    )  # fmt: skip
    assert f"{folder} is retired: its files have changed" in watcher.happened


def test_it_rests_when_more_games_would_say_nothing_and_when_nobody_is_there(tmp_path: Path) -> None:
    db = tmp_path / "l.sqlite"
    found_ladder(db, "tictactoe", LadderSettings(opening_plies=(0, 0), seconds=0.2))
    register(db, ["first-legal"], [])

    def lonely(news: LadderNews) -> bool:
        register(db, ["minimax:depth=9"], [])
        return "fewer than two can play" in news.resting and news.games == 0

    watcher = serve(
        db, lonely, lambda news: "hardly say more" in news.resting,
        settings=LadderSettings(opening_plies=(0, 0), seconds=0.2),
    )  # fmt: skip
    assert watcher.news[-1].games < 5_000, "some thirty games are all that these two can play"


def test_clocks_and_adjudication_are_those_of_the_ladder(tmp_path: Path) -> None:
    db = tmp_path / "l.sqlite"
    settings = LadderSettings(
        seconds=0.05,
        control=parse_time_control("move=9"),
        adjudication=adjudication_of((), (), 8),
    )
    found_ladder(db, "connect_four", settings)
    register(db, ["random", "first-legal"], [])
    serve(db, plays("random", "first-legal"), settings=settings)
    with Store(db, write=False) as store:
        assert store.setting("time control").startswith("move=9")
        lengths = [len(game.moves) for game in store.games_after(0)]
        assert max(lengths) == 8, "random play seldom wins so soon"
        assert verify(store).true
    with pytest.raises(UsageError, match="has the time control move=9"):
        serve_ladder(db, QUICK, until=lambda: True)


def test_the_report_is_there_at_the_end(ladder: Path, tmp_path: Path) -> None:
    report = tmp_path / "l.html"
    serve(ladder, plays("random", "first-legal"), settings=LadderSettings(seconds=0.05, report=report))
    assert "tictactoe tournament" in report.read_text()


def places(path: Path) -> list[tuple[object, ...]]:
    """The games' rows, also while the file is being written."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        try:
            return database.execute("SELECT * FROM games ORDER BY id").fetchall()
        except sqlite3.OperationalError:
            return []


def begin(db: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lanista", "ladder", "serve", str(db), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.faults
def test_killed_it_keeps_what_was_stored_and_goes_on_and_sigterm_ends_it_in_peace(tmp_path: Path) -> None:
    db = tmp_path / "l.sqlite"
    words = ["--game", "tictactoe", "random", "minimax:depth=1", "--seconds", "0.2"]
    kept: list[tuple[object, ...]] = []
    for ending in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
        process = begin(db, *words)
        wait_for(partial(played_on, process, db, len(kept) + 50))
        if ending == signal.SIGTERM:
            assert main(["ladder", "add", str(db), "first-legal"]) == 0
            wait_for(lambda: len(with_first_legal(db)) > 0)
        os.kill(process.pid, ending)
        out, err = process.communicate(timeout=LONGEST)
        assert process.returncode == (0 if ending == signal.SIGTERM else -ending), err
        now = places(db)
        assert now[: len(kept)] == kept, "a stored game was lost or changed"
        kept = now
    assert "stopped; the same command goes on" in out and "first-legal" in out and "Traceback" not in err
    assert "first-legal is seated" in err
    with Store(db, write=False) as store:
        assert verify(store).true
        halves: dict[tuple[str, str, int], int] = {}
        for game in store.games():
            halves[game.one, game.other, game.number] = halves.get((game.one, game.other, game.number), 0) + 1
    # What was cut short under way was played to its end: only the last batch may have been cut again.
    assert sum(count == 1 for count in halves.values()) < len(halves) / 2


def played_on(process: subprocess.Popen[str], db: Path, games: int) -> bool:
    """Whether more than so many are stored, or nobody plays any more."""
    return process.poll() is not None or (db.exists() and len(places(db)) > games)


def with_first_legal(db: Path) -> list[str]:
    with Store(db, write=False) as store:
        return [game.one for game in store.games() if "first-legal" in game.seats]


def test_the_commands_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "l.sqlite"
    assert main(["ladder", "serve", str(db), "random"]) == 2
    assert "name its --game" in capsys.readouterr().err
    assert main(["ladder", "status", str(db)]) == 2
    assert main(["ladder", "add", str(db), "random", "--game", "tictactoe"]) == 0
    assert main(["ladder", "add", str(db)]) == 2
    assert main(["ladder", "remove", str(db), "nobody"]) == 2
    assert "nobody is called 'nobody' on the ladder; there are random" in capsys.readouterr().err
    assert main(["ladder", "add", str(db), "x", "--game", "connect_four"]) == 2
    assert "is of the game tictactoe, not connect_four" in capsys.readouterr().err
    assert main(["ladder", "status", str(db)]) == 0
    assert "registered, not seated yet: random" in capsys.readouterr().out
    with pytest.raises(UsageError, match="ladders are for games of two players"):
        found_ladder(tmp_path / "other.sqlite", "gym:CartPole-v1", QUICK)


@pytest.mark.parametrize("called", ["minimax", "minimax:depth=4"])
def test_who_was_registered_in_other_words_than_its_name_is_removed_by_either(
    called: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = tmp_path / "l.sqlite"
    found_ladder(db, "tictactoe", QUICK)
    register(db, ["minimax", "random", "first-legal"], [])

    def removed(news: LadderNews) -> bool:
        if "minimax:depth=4" not in news.playing:
            return False
        assert main(["ladder", "status", str(db)]) == 0
        assert "not seated yet" not in capsys.readouterr().out
        assert main(["ladder", "remove", str(db), called]) == 0
        return True

    watcher = Watcher(removed, lambda news: "minimax:depth=4" not in news.playing)
    serve_ladder(db, QUICK, told=watcher.told, until=watcher.until)


def test_a_roster_of_the_first_ladders_learns_who_is_meant(tmp_path: Path) -> None:
    db = tmp_path / "l.sqlite"
    found_ladder(db, "tictactoe", QUICK)
    with Roster(db) as roster:
        roster.note("minimax:depth=4", "plays", words="minimax")
    with contextlib.closing(sqlite3.connect(db)) as database:
        database.execute("ALTER TABLE ladder_seen DROP COLUMN words")
    with Roster(db, write=False) as roster:
        assert roster.seen()["minimax:depth=4"].words == ""
    with Roster(db) as roster:
        roster.note("minimax:depth=4", "plays", words="minimax")
        assert roster.seen()["minimax:depth=4"].words == "minimax"


def test_no_table_is_written_into_a_file_that_is_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "bookmarks.sqlite")) as database, database:
        database.execute("CREATE TABLE bookmarks (address TEXT)")
    (tmp_path / "empty.sqlite").write_bytes(b"")
    with Store(tmp_path / "three.sqlite") as store:
        store.settle({"game": "kuhn_poker:players=3", "players": 3})
    for name, words in {"bookmarks": "no tournament's store", "empty": "holds no", "three": "3 players"}.items():
        path = tmp_path / f"{name}.sqlite"
        before = path.read_bytes()
        for command in ("add", "remove", "serve"):
            assert main(["ladder", command, str(path), "random"]) == 2, (name, command)
            said = capsys.readouterr().err
            assert words in said or command == "remove", said
        assert path.read_bytes() == before or name == "three"


def test_a_watched_folder_is_a_run_or_holds_runs_or_agents(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for steps in ("900", "1000", ".1100"):
        checkpoint(run / "checkpoints" / steps)
    checkpoint(run / "agent")  # changes while it trains
    (run / "league").mkdir()
    assert agents_in(run) == [str(run / "checkpoints" / "900"), str(run / "checkpoints" / "1000")]
    checkpoint(tmp_path / "mine")
    assert agents_in(tmp_path) == [str(tmp_path / "mine"), *agents_in(run)]
    assert agents_in(tmp_path / "nowhere") == []
