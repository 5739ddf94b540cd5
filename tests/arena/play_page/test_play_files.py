"""What is pasted, shared and kept: FEN, PGN, SGF, move lists, JSON, open games on disk, finished ones in stores."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import chess.pgn
import pytest
import torch
from sgfmill import sgf

from lanista.agents.artifact import save_agent
from lanista.agents.policy_network import build_network
from lanista.agents.time_control import TimeControl
from lanista.arena.play.keeping import Keeper, from_plain, reopened, to_plain
from lanista.arena.play.pasting import read
from lanista.arena.play.session import Rules, Seat, Session
from lanista.arena.play.sharing import as_json, export, formats, frames
from lanista.arena.play.table import Start, Table
from lanista.arena.play.tournament_data import StoreView
from lanista.arena.standings import table_of
from lanista.arena.store import Store
from lanista.arena.verification import verify
from lanista.envs.catalogue import native_rules
from lanista.errors import UsageError
from lanista.files import DRAFT

ADA, BOB, AGENT = Seat("person", "ada"), Seat("person", "bob"), Seat("agent", "random")
FEN = "r1bqkbnr/pppp1ppp/2n5/4p3/4P3/5N2/PPPP1PPP/RNBQKB1R w KQkq - 2 3"


def played(game: str, words: str, *seats: Seat, position: str | None = None, rules: Rules | None = None) -> Session:
    session = Session(Start(game, 5, position), seats or (ADA, BOB), rules or Rules())
    for word in words.split():
        session.table.go_to(session.tree.moves(session.live))
        session.play(session.live, session.movers()[0], session.table.parse_move(word), 0.0)
    return session


def test_chess_is_read_as_fen_pgn_and_moves() -> None:
    assert read(FEN, "chess") == (Start("chess", 0, FEN), ())
    plain = read("e4 e5 2. Nf3 Nc6", "chess")[1]
    text = '[Event "x"]\n[White "a (b)"]\n\n1. e4 {best; [%eval 1]} e5 (1... c5 2. Nf3 (2. c3)) 2. Nf3 $1 Nc6 *\n'
    assert read(text, "chess")[1] == plain and len(plain) == 4
    start, moves = read(f'[FEN "{FEN}"]\n\n3. Bb5 a6 1/2-1/2', "chess")
    assert start.position == FEN and len(moves) == 2


def test_go_is_read_as_sgf_whose_size_counts() -> None:
    start, moves = read("(;GM[1]FF[4]SZ[5]C[a \\] ; bracket];B[cc];W[];B[ab](;W[aa])(;W[bb];B[dd]))", "go")
    assert start.game == "go:size=5" and moves == (12, 25, 5, 0)
    assert read("C3 pass", "go:size=5")[1] == (12, 25)


def test_connect_four_is_read_as_digits() -> None:
    assert read("44352", "connect_four")[1] == (3, 3, 2, 4, 1) == read("4, 4; 3 5\n2", "connect_four")[1]


@pytest.mark.parametrize(
    ("text", "game", "words"),
    [
        ("e4 e5 Ke3", "chess", "move 3"),
        ("rnbqkbnr/8/8/8/8/8/8/8 w - - 0 1", "chess", "black has 1 kings|white has 0 kings"),
        ("4 4 4 4 4 4 4", "connect_four", "move 7, '4', is not legal"),
        ("(;GM[1]SZ[5];B[zz])", "go:size=5", "no point"),
        ("(;GM[1]SZ[5];W[cc])", "go:size=5", "line 1: white moves out of turn"),
        ("(;GM[1]SZ[5];B[aa];AB[cc])", "go:size=5", "after the first move"),
        ("(;GM[11]SZ[5])", "go:size=5", "is of hex"),
        ("(;GM[1]SZ[5]", "othello", "is of go"),
        ("(", "go:size=5", "no node"),
        ("a1 b1 a2 b2 a3 b3", "tictactoe", "over before move 6"),
        ("x" * 300_000, "tictactoe", "characters"),
        ("1x1 " * 3000, "liars_dice", "at most"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, game: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(text, game)


def test_a_pgn_with_variations_is_read_by_another_library() -> None:
    session = played("chess", "e4 e5 Nf3 Nc6")
    at = session.tree.line(session.live)[0].number
    session.play(at, 1, _action(session, at, "c5"), 0.0)  # the game goes on there
    session.agree_draw()
    game = chess.pgn.read_game(io.StringIO(export(session, "pgn")))
    assert game is not None and not game.errors
    assert [move.uci() for move in game.mainline_moves()] == ["e2e4", "c7c5"]
    (other,) = [node for node in game.variations[0].variations if node.move.uci() == "e7e5"]
    assert [node.san() for node in other.mainline()] == ["Nf3", "Nc6"]
    assert game.headers["Result"] == "1/2-1/2" and game.headers["White"] == "ada"


def test_a_pgn_from_a_position_goes_on_from_it() -> None:
    session = played("chess", "Bb5 a6", position=FEN)
    game = chess.pgn.read_game(io.StringIO(export(session, "pgn")))
    assert game is not None and game.board().fen() == FEN and "3. Bb5 a6 *" in export(session, "pgn")


def _action(session: Session, at: int, word: str) -> int:
    session.table.go_to(session.tree.moves(at))
    return session.table.parse_move(word)


def test_an_sgf_is_read_by_another_library_and_by_us() -> None:
    session = played("go:size=5", "C3 D4 pass pass")
    game = sgf.Sgf_game.from_string(export(session, "sgf"))
    assert game.get_size() == 5 and game.get_root().get("RE").startswith("B+") == (session.result.returns[0] > 0)  # type: ignore[union-attr]
    assert [node.get_move() for node in game.get_main_sequence()[1:]] == [
        ("b", (2, 2)), ("w", (3, 3)), ("b", None), ("w", None),
    ]  # fmt: skip
    assert read(export(session, "sgf"), "go:size=5")[1] == session.tree.moves(session.live)


def test_an_sgf_sets_up_the_stones_that_a_game_begins_with() -> None:
    sessions = [
        Session(Start(game, 0, position), (ADA, BOB), Rules(analysis=True))
        for game, position in (
            ("go:size=5", "xo3/5/5/5/4x o"), ("hex:size=3", "1x1/3/3 o"), ("othello", "8/8/8/3xx3/3o4/8/8/8 x")
        )
    ]  # fmt: skip
    tree = sgf.Sgf_game.from_string(export(sessions[0], "sgf"))
    black, white, empty = tree.get_root().get_setup_stones()
    assert (black, white, empty) == ({(4, 0), (0, 4)}, {(4, 1)}, set()) and tree.get_root().get("PL") == "w"
    assert "AB[b1]PL[W]" in export(sessions[1], "sgf")
    assert "AE[ee]AB[dd][ed]AW[de]PL[B]" in export(sessions[2], "sgf")


def test_all_games_are_given_as_json_and_only_some_as_more() -> None:
    session = played("connect_four", "4 4")
    assert formats(session) == ["json"] and json.loads(as_json(session))["moves"] == ["4", "4"]
    with pytest.raises(UsageError, match="json"):
        export(session, "pgn")
    assert [said for _, _, said in frames(session)] == ["start", "1. 4", "2. 4"]
    with pytest.raises(UsageError, match="hidden"):
        frames(played("kuhn_poker", "", ADA, AGENT))


def test_an_open_game_is_there_after_a_restart(tmp_path: Path) -> None:
    session = played("chess", "e4 e5 Nf3", rules=Rules(strict=True, control=TimeControl(180, 2)))
    session.tree[1].chance = 0.5
    keeper = Keeper(tmp_path)
    keeper.keep(to_plain(session))
    again = keeper.read_kept(session.number, 9.0)
    assert again is not None and to_plain(again) == to_plain(session)
    assert again.movers() == (1,) and again.clock is not None and again.clock.running == 1
    assert again.table.text(None) == session.table.text(None)


@pytest.mark.parametrize("number", ["../../etc/passwd", "", "a" * 99, "nothere123"])
def test_a_number_that_is_none_reads_no_file(tmp_path: Path, number: str) -> None:
    assert Keeper(tmp_path).read_kept(number, 0.0) is None


def test_a_damaged_file_is_no_game(tmp_path: Path) -> None:
    session = played("tictactoe", "b2 a1")
    plain = to_plain(session)
    damages: list[dict[str, Any]] = [
        {"live": 77},
        {"nodes": [[0, [99], None, None, None]]},
        {"seats": []},
        {"children": [[1]]},
    ]
    for damage in damages:
        with pytest.raises(UsageError):
            from_plain(plain | damage, 0.0)


def test_a_finished_game_is_stored_once_and_ranked_as_a_person(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for words in ("4 3 4 3 4 3 4", "4 5 4 5 4 5 4"):
        session = played("connect_four", words, ADA, AGENT)
        path = keeper.store(session)
        assert path == tmp_path / "connect_four.sqlite" and session.saved and keeper.store(session) is None
    resigned = played("connect_four", "4", AGENT, ADA)
    resigned.resign(1)
    keeper.store(resigned)
    assert path is not None
    with Store(path, write=False) as store:
        table = table_of(store)
        games = store.games()
        verdict = verify(store)
    assert verdict.true and not verdict.missing, "games of people are as the rules have them"
    assert {row.name for row in table.rows} == {"person:ada", "random"} and table.games == 3
    assert table.rows[0].name == "person:ada"
    assert sorted(game.reason for game in games) == ["end", "end", "resigned"]


def test_games_against_a_run_that_has_trained_on_are_stored_under_a_name_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keeper, run = Keeper(tmp_path), Seat("agent", "runs/first")
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = build_network(native_rules("tictactoe").spec, "mlp:dim=8").eval()
        save_agent("runs/first/agent", network, "tictactoe", "float32", {})
        for words in ("a1 b1 a2 b2 a3", "b2 b1 a2 b3 c2"):
            assert keeper.store(played("tictactoe", words, ADA, run)) is not None
    with Store(tmp_path / "tictactoe.sqlite", write=False) as store:
        first, later = sorted(name for name in store.contestants() if name.startswith("runs/first"))
        assert first == "runs/first" and re.fullmatch("runs/first@[0-9a-f]{8}", later)
        assert sorted(game.names[1] for game in store.games()) == [first, first, later, later]


def test_what_was_over_when_a_server_was_killed_is_stored_but_no_draft(tmp_path: Path) -> None:
    """A kill may come when an end is written but its file has not taken its place: then the game goes on."""
    over, going = (played("connect_four", words, ADA, AGENT) for words in ("4 3 4 3 4 3 4", "4 5 4 5 4 5 4"))
    keeper = Keeper(tmp_path)
    for session in (over, going):
        keeper.keep(to_plain(session))
    path = tmp_path / "open" / f"{going.number}.json"
    path.rename(path.with_name(f"{DRAFT}{going.number}.x7_k2.json"))
    keeper.store_unsaved()
    with Store(tmp_path / "connect_four.sqlite", write=False) as store:
        assert [game.moves for game in store.games()] == [over.tree.moves(over.live)]


def test_a_store_of_another_game_is_left_alone(tmp_path: Path) -> None:
    db = tmp_path / "t.sqlite"
    keeper = Keeper(tmp_path / "own", db)
    first = played("tictactoe", "a1 b1 a2 b2 a3", ADA, AGENT)
    assert keeper.store(first) == db
    other = played("connect_four", "4 3 4 3 4 3 4", ADA, AGENT)
    assert keeper.store(other) == tmp_path / "own" / "connect_four.sqlite"


def test_stored_games_are_listed_anew_when_there_are_more_and_opened(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    path = keeper.store(played("tictactoe", "a1 b1 a2 b2 a3", ADA, AGENT))
    assert path is not None
    view = StoreView(path, "t")
    count, table, lines = view.refresh()
    assert (count, len(lines)) == (1, 1) and table is not None and view.refresh()[1] is table
    keeper.store(played("tictactoe", "b2 b1 a2 b3 c2", ADA, AGENT))
    assert view.refresh()[0] == 2
    game, stored = view.game(lines[0].number)
    session = reopened(game, lines[0].number, stored)
    assert session.over and session.restored and session.seats == (ADA, AGENT)
    assert [node.word for node in session.tree.line(session.live)] == ["a1", "b1", "a2", "b2", "a3"]
    assert keeper.store(session) is None, "a game from a store is not stored again"


def test_a_table_refuses_what_cannot_be_clicked() -> None:
    with pytest.raises(UsageError, match="not counted"):
        Table(Start("gym:Pendulum-v1", 0))
