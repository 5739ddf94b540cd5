"""New games: proposed, measured, ranked and kept, and what is known of some of them comes out."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

import lanista
from lanista.cli.main import main
from lanista.errors import UsageError
from lanista.generate.learning import LearningMeasure
from lanista.generate.matches import Estimate
from lanista.generate.proposing import families, propose
from lanista.generate.ranking import Variant, ranked
from lanista.generate.record import FILE, Record, Settings
from lanista.generate.searching import Forced, SearchMeasure, forced_win, measure_search

pytestmark = pytest.mark.long

LONGEST = 120.0  # seconds that anything here may take on a busy machine
# Each game is compiled, so all measure the first ones that are proposed.
QUICK = ["generate-game", "--family", "mnk", "--games", "4", "--deep", "3", "--train-seconds", "0"]


@pytest.fixture(scope="module")
def tictactoe() -> SearchMeasure:
    return measure_search("mnk:rows=3,columns=3,k=3", games=60, shallow=2, deep=7, seed=0)


@pytest.mark.parametrize("family", families())
def test_a_family_gives_distinct_games_that_can_be_played(family: str) -> None:
    games = propose(family, 8, seed=1)
    assert len({lanista.make(game).spec.name for game in games}) == 8
    assert propose(family, 5, seed=1) == games[:5], "a greater count goes on"
    assert propose(family, 8, seed=2) != games


def test_no_two_variants_without_gravity_are_one_board_on_its_side() -> None:
    with pytest.raises(UsageError, match=r"the family mnk has (\d+) variants") as told:
        propose("mnk", 100_000, seed=0)
    count = int(str(told.value).split()[4])
    boards = [game.partition(":")[2].split(",") for game in propose("mnk", count, seed=0)]
    flat = [(sorted(board[:2], key=lambda side: side[-1]), board) for board in boards if board[3] == "gravity=false"]
    seen = {(*(side.partition("=")[2] for side in sides), board[2]) for sides, board in flat}
    assert len(seen) == len(flat) > 30


@pytest.mark.thorough
def test_tictactoe_is_drawn_by_deep_search(tictactoe: SearchMeasure) -> None:
    assert tictactoe.draws.value == 1.0
    assert tictactoe.first_seat.value == 0.5
    assert tictactoe.plies == 9
    assert tictactoe.used == 1.0
    assert tictactoe.first_seat_shallow.value != 0.5, "the shallow searcher does not see every fork"
    assert tictactoe.depth.value > 0
    assert tictactoe.games == 180


@pytest.mark.thorough
# Each game here is compiled: those that show the same are slow tests.
@pytest.mark.parametrize(("k", "plies"), [pytest.param(1, 1, marks=pytest.mark.slow), (2, 3)])
def test_short_lines_are_won_by_whoever_begins(k: int, plies: int) -> None:
    found = measure_search(f"mnk:rows=3,columns=3,k={k}", games=40, shallow=2, deep=4, seed=0)
    assert found.first_seat.value == 1.0
    assert found.first_seat.low > 0.85
    assert found.draws.value == 0.0
    assert found.plies == plies
    assert abs(found.depth.value) < 1e-6, "nothing is left to think about"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("game", "forced"),
    [
        ("mnk:rows=3,columns=3,k=3", None),
        # As above: k=2 and the swap's game show the same.
        pytest.param("mnk:rows=3,columns=3,k=1", Forced(0, 1), marks=pytest.mark.slow),
        ("mnk:rows=3,columns=3,k=2", Forced(0, 3)),
        ("mnk:rows=4,columns=9,k=3", Forced(0, 5)),
        pytest.param("hex:size=3", Forced(0, 5), marks=pytest.mark.slow),
        ("connect_four", None),  # its win is too deep to be found here
    ],
)
def test_forced_wins_are_found(game: str, forced: Forced | None) -> None:
    assert forced_win(game) == forced


@pytest.mark.thorough
def test_the_swap_gives_the_forced_win_to_the_second_player() -> None:
    found = forced_win("hex:size=3,swap=true")
    assert found is not None
    assert found.player == 1


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_measures(tictactoe: SearchMeasure) -> None:
    again = measure_search("mnk:rows=3,columns=3,k=3", games=60, shallow=2, deep=7, seed=0)
    assert again == tictactoe
    assert measure_search("mnk:rows=3,columns=3,k=3", games=60, shallow=2, deep=7, seed=1) != tictactoe


@pytest.mark.thorough
def test_intervals_narrow_with_more_games() -> None:
    widths = []
    for games in (10, 160):
        found = measure_search("mnk:rows=3,columns=3,k=3", games=games, shallow=1, deep=3, seed=0)
        for estimate in (found.first_seat, found.draws, found.depth):
            assert estimate.low <= estimate.value <= estimate.high
        widths.append(found.first_seat.high - found.first_seat.low)
    assert widths[1] < widths[0] / 2, "four times narrower with sixteen times the games"


@pytest.mark.thorough
def test_forced_draws_and_forced_wins_come_last(tictactoe: SearchMeasure) -> None:
    fair = Estimate(0.5, 0.45, 0.55)
    good = replace(tictactoe, first_seat=fair, draws=Estimate(0.1, 0.05, 0.2), depth=Estimate(300, 200, 400))
    games = {
        "forced draws": replace(good, draws=Estimate(1.0, 0.95, 1.0)),
        "first wins": replace(good, first_seat=Estimate(1.0, 0.95, 1.0)),
        "second wins": replace(good, first_seat=Estimate(0.0, 0.0, 0.05)),
        "shallow": replace(good, depth=Estimate(10, -40, 60)),
        "proved": replace(good, forced=Forced(0, 5)),
        "uneven": replace(good, first_seat=Estimate(0.7, 0.65, 0.75)),
        "good": good,
    }
    order = ranked(Variant(game, search, None) for game, search in games.items())
    assert [one.game for one in order[:2]] == ["good", "uneven"]
    assert {one.score for one in order[2:]} == {0.0}
    assert order[0].parts == pytest.approx({"balance": 0.9, "decided": 0.8, "depth": 0.5})
    assert order[0].score == pytest.approx((0.9 * 0.8 * 0.5) ** (1 / 3))
    unlearned = LearningMeasure(Estimate(0.5, 0.4, 0.6), Estimate(0.5, 0.4, 0.6), 100)
    assert Variant("good", good, unlearned).score == 0.0


@pytest.mark.thorough
def test_the_command_ranks_reports_and_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new"
    words = ["generate-game", "--family", "mnk", "--count", "2", "--games", "8", "--train-seconds", "0.3"]
    assert main([*words, "--out", str(out), "--keep", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [game["rank"] for game in told["games"]] == [1, 2]
    assert {game["game"] for game in told["games"]} == set(propose("mnk", 2, seed=0))
    for game in told["games"]:
        assert set(game["parts"]) == {"balance", "decided", "depth", "learned"}
        assert game["learning"]["steps"] > 0
        assert 0 <= game["learning"]["against_random"]["value"] <= 1
    assert json.loads((out / "games.json").read_text()) == told
    kept = tomllib.loads((out / "kept.toml").read_text())["games"]
    assert kept == told["kept"]
    page = (out / "report.html").read_text()
    assert all(game["game"] in page for game in told["games"])
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert sorted(path.name for path in out.iterdir()) == ["games.json", "kept.toml", FILE, "report.html"]


@pytest.mark.thorough
def test_what_is_kept_is_a_game_that_can_be_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate-game", "--family", "mnk", "--count", "4", "--games", "20", "--train-seconds", "0"]
    assert main([*words, "--out", str(tmp_path), "--keep", "2"]) == 0
    out = capsys.readouterr().out
    kept = tomllib.loads((tmp_path / "kept.toml").read_text())["games"]
    assert len(kept) == 2
    for name, game in kept.items():
        assert f"\n  {game}\n" in out
        assert name.startswith("mnk-rows")
        assert lanista.make(game).spec.players == 2
    page = (tmp_path / "report.html").read_text()
    assert page.count('<article class="replay"') == 2
    options = next(iter(kept.values())).partition(":")[2].replace(",", ", ")
    assert f"1. {options}: the first player against" in page
    lines = [shlex.split(line.rpartition(">")[2]) for line in page.splitlines() if "lanista train " in line]
    trained = [words[2] for words in lines]
    assert trained == list(kept.values()), "the page's lines can be copied into a shell"


@pytest.mark.thorough
def test_a_second_run_measures_only_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--count", "1", "--out", str(tmp_path)]) == 0
    first = (tmp_path / FILE).read_text()
    assert main([*QUICK, "--count", "2", "--out", str(tmp_path)]) == 0
    second = (tmp_path / FILE).read_text()
    assert second.startswith(first)
    assert len(second.splitlines()) == len(first.splitlines()) + 1 == 3
    assert main([*QUICK, "--count", "2", "--out", str(tmp_path), "--seed", "1"]) == 2
    assert "was begun with --seed 0, not 1; choose another --out" in capsys.readouterr().err
    assert (tmp_path / FILE).read_text() == second


@pytest.mark.thorough
def test_a_kill_loses_nothing_that_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*QUICK, "--count", "2", "--out", str(tmp_path), "--json"]
    process = subprocess.Popen([sys.executable, "-m", "lanista", *words], stdout=subprocess.DEVNULL)
    record, began = tmp_path / FILE, time.monotonic()
    while not (record.exists() and len(record.read_bytes().splitlines()) > 1):
        assert time.monotonic() - began < LONGEST
        assert process.poll() is None, "it should have been killed on its way"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = record.read_bytes()
    record.write_bytes(before + b'{"game": "mnk:rows=')  # as if the kill had cut a line short
    assert main(words) == 0
    assert record.read_bytes().startswith(before)
    measured = [json.loads(line)["game"] for line in record.read_text().splitlines()[1:]]
    assert measured == propose("mnk", 2, seed=0), "nothing is lost, nothing is measured twice"
    assert len(json.loads(capsys.readouterr().out)["games"]) == 2


@pytest.mark.thorough
def test_a_record_tells_what_is_wrong_with_it(tmp_path: Path, tictactoe: SearchMeasure) -> None:
    settings = Settings("mnk")
    with Record(tmp_path, settings) as record:
        record.add_search("one", tictactoe)
        record.add_search("two", tictactoe)
        with pytest.raises(UsageError, match="is being written by another process"):
            Record(tmp_path, settings)
    with Record(tmp_path, settings) as record:
        assert record.search == {"one": tictactoe, "two": tictactoe}
    lines = (tmp_path / FILE).read_text().splitlines(keepends=True)
    (tmp_path / FILE).write_text(lines[0] + "\0" * 20 + "\n" + lines[2])
    with pytest.raises(UsageError, match="damaged at line 2"):
        Record(tmp_path, settings)
    (tmp_path / FILE).write_text(lines[0] + '{"game": "one", "search": {}}\n' + lines[2])
    with pytest.raises(UsageError, match="damaged at line 2"):
        Record(tmp_path, settings)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main([*QUICK, "--out", str(tmp_path / "file" / "new")]) == 2
    assert capsys.readouterr().err.startswith("lanista: cannot write to ")


@pytest.mark.thorough
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "lanista", *QUICK, "--count", "40", "--out", str(tmp_path)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)
    record, began = tmp_path / FILE, time.monotonic()
    while not (record.exists() and len(record.read_bytes().splitlines()) > 1):
        assert time.monotonic() - began < LONGEST
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    _, told = process.communicate(timeout=LONGEST)
    assert process.returncode == 130
    assert told.startswith("lanista: stopped: ")
    assert told.endswith(f"of 40 games are measured and kept in {tmp_path}; the same command goes on\n")
