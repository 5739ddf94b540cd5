"""Tournaments by the clock, adjudicated, and from positions: stored, verified, merged, exported."""

from __future__ import annotations

import io
import sqlite3
from dataclasses import replace
from pathlib import Path

import chess.pgn
import pytest

from lanista.agents.adjudication import Adjudication, ResignRule
from lanista.arena.drawn_games import drawn_games
from lanista.arena.exports import export_games
from lanista.arena.merging import merge
from lanista.arena.report import report_html
from lanista.arena.report_statistics import opening_rows
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.arena.tournament import tournament
from lanista.arena.verification import verify
from lanista.errors import UsageError

RUY = "r1bqkbnr/pppp1ppp/2n5/1B2p3/4P3/5N2/PPPP1PPP/RNBQK2R b KQkq - 3 3"
ENDING = "8/5k2/8/8/3R4/8/5K2/8 w - - 0 1"
CLOCK = "20+0.1"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of chess games from two positions, by the clock, given up or cut off."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "book.epd").write_text(f"{RUY}\n{ENDING}\n")
    rules = Adjudication(ResignRule(1, 0.2, twosided=False), most_plies=40)
    tournament(
        "chess", ["minimax:depth=2", "random"], games=4, db=folder / "t.sqlite", openings=folder / "book.epd",
        time_control=CLOCK, adjudication=rules,
    )  # fmt: skip
    return folder


def stored(folder: Path) -> list[StoredGame]:
    with Store(folder / "t.sqlite", write=False) as store:
        return list(store.games())


def test_games_tell_where_they_began_how_they_ended_and_what_each_move_took(played: Path) -> None:
    games = stored(played)
    assert [game.position for game in games if game.leg == 0] == [game.position for game in games if game.leg == 1]
    assert {game.position for game in games} == {RUY, ENDING}
    assert {game.reason for game in games} <= {"adjudicated: length", "adjudicated: resign", "end"}
    assert "adjudicated: length" in {game.reason for game in games}
    for game in games:
        assert len(game.seconds) == len(game.moves) + (game.reason != "end")
        assert min(game.seconds) >= 0 and max(game.seconds) < 20 and game.opening == ()


def test_such_games_verify_and_what_is_wrong_with_them_is_found(played: Path, tmp_path: Path) -> None:
    with Store(played / "t.sqlite", write=False) as store:
        assert verify(store).true
        games, settings = list(store.games()), store.about()
        digests = store.digests()
    length = next(at for at, game in enumerate(games) if game.reason == "adjudicated: length")
    wrongs = {
        "is illegal": [replace(game, position="") for game in games],
        "does not give the points": [
            *games[:length],
            replace(games[length], returns=(1.0, -1.0)),
            *games[length + 1 :],
        ],
    }
    for number, (says, others) in enumerate(wrongs.items()):
        with Store(tmp_path / f"{number}.sqlite") as store:
            store._database.executemany("INSERT INTO about VALUES (?, ?)", settings.items())
            store.enter(digests)
            store.add([replace(game, session=None) for game in others])
            found = verify(store)
        assert found.wrong and says in found.wrong[0].why, found


def test_another_clock_or_other_rules_are_another_tournament(played: Path) -> None:
    with Store(played / "t.sqlite", write=False) as store:
        assert store.setting("time control") == "20+0.1, margin 0.05"
    words = {"games": 4, "db": played / "t.sqlite", "openings": played / "book.epd"}
    rules = Adjudication(ResignRule(1, 0.2, twosided=False), most_plies=40)
    for other in ({"adjudication": rules}, {"time_control": CLOCK}, {"time_control": "1+0.1", "adjudication": rules}):
        with pytest.raises(UsageError, match=r"has the (time control|adjudication)"):
            tournament("chess", ["minimax:depth=2", "random"], **words, **other)  # type: ignore[arg-type]


def test_stores_of_such_games_merge(played: Path) -> None:
    both = played / "both.sqlite"
    (played / "copy.sqlite").write_bytes((played / "t.sqlite").read_bytes())
    assert merge([played / "t.sqlite", played / "copy.sqlite"], both).equal == 4
    with Store(both, write=False) as store:
        assert list(store.games()) == [replace(game, session=1) for game in stored(played)]


def test_an_outside_reader_plays_the_pgn_from_its_positions(played: Path) -> None:
    with Store(played / "t.sqlite", write=False) as store:
        export_games(store, "pgn", played / "t.pgn")
    text = io.StringIO((played / "t.pgn").read_text())
    for game in stored(played):
        read = chess.pgn.read_game(text)
        assert read is not None and not read.errors
        assert read.board().fen() == game.position and read.headers["SetUp"] == "1"
        nodes = list(read.mainline())
        assert len(nodes) == len(game.moves)
        assert [node.emt() for node in nodes] == pytest.approx(game.seconds[: len(nodes)], abs=0.001)


def test_the_report_draws_games_from_where_they_began(played: Path) -> None:
    games = stored(played)
    for game, drawn in zip(games, drawn_games("chess", games), strict=True):
        board = chess.Board(game.position)
        assert drawn is not None and len(drawn.moves) == len(game.moves) and len(drawn.frames) == len(game.moves) + 1
        for move in drawn.moves:
            board.push_san(move)
    with Store(played / "t.sqlite", write=False) as store:
        text = report_html(store)
    assert "Time control 20+0.1, margin 0.05 s; adjudication: resign movecount=1" in text
    depth, rows = opening_rows("chess", games)
    assert depth == 1 and sum(row.games for row in rows) == len(games)
    assert all(row.name.endswith((f"from {RUY}", f"from {ENDING}")) for row in rows)


def test_a_store_without_clocks_and_positions_holds_nothing_of_them(tmp_path: Path) -> None:
    tournament("tictactoe", ["random", "first-legal"], games=2, db=tmp_path / "t.sqlite")
    with sqlite3.connect(tmp_path / "t.sqlite") as database:
        assert [database.execute(f"SELECT count(*) FROM {name}").fetchone() for name in ("positions", "times")] == [
            (0,), (0,),
        ]  # fmt: skip
    with Store(tmp_path / "t.sqlite", write=False) as store:
        assert {(game.position, game.seconds) for game in store.games()} == {("", ())}
