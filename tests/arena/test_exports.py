"""What leaves a store is read back by programs that are not ours, and says what the store says."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from lanista.arena.exports import export_games
from lanista.arena.standings import table_of
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.arena.tournament import tournament
from lanista.cli.main import main
from lanista.envs import make
from lanista.envs.core import Agent, Array, Choice, Turn
from lanista.errors import UsageError


class Named:
    """Plays the last legal move, under a name that has to be escaped, and crashes now and then."""

    name = 'a "quoted]\\ name'

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        if (turn.games % 4 == 0).any() and (turn.plies > 6).any():
            raise RuntimeError("no idea")
        legal = np.asarray(turn.legal)
        return Choice(legal.shape[1] - 1 - legal[:, ::-1].argmax(1))


def played(game: str, folder: Path, *who: str | Agent, games: int = 6) -> tuple[Path, dict[int, StoredGame]]:
    """A small tournament's store, and its games."""
    db = folder / "t.sqlite"
    tournament(game, ["random", *who], games=games, db=db, opening_plies=(0, 4))
    with Store(db, write=False) as store:
        return db, store.readable()[0]


def written(db: Path, form: str) -> str:
    out = db.with_suffix(f".{form}")
    assert main(["export-games", str(db), "--out", str(out), "--format", form]) == 0
    return out.read_text(encoding="utf-8")


def test_python_chess_reads_our_pgn(tmp_path: Path) -> None:
    chess_pgn = pytest.importorskip("chess.pgn")
    db, games = played("chess", tmp_path, Named(), games=2)
    file, read = io.StringIO(written(db, "pgn")), 0
    while (game := chess_pgn.read_game(file)) is not None:
        stored = games[int(game.headers["GameId"])]
        assert not game.errors
        # python-chess leaves the standard's escapes in tags as they are.
        names = (re.sub(r"\\(.)", r"\1", game.headers[side]) for side in ("White", "Black"))
        assert tuple(names) == stored.seats
        points = {"1-0": 1.0, "0-1": 0.0, "1/2-1/2": 0.5}[game.headers["Result"]]
        assert points == stored.points(stored.seats[0])
        board, ours = game.board(), make("chess", 1, restart=False)
        ours.reset([stored.seed])
        for move, action in zip(game.mainline_moves(), stored.moves, strict=True):
            assert ours.rules.print_engine_move(ours.states[0], action) == move.uci()  # type: ignore[attr-defined]
            ours.step(np.array([action]))
            board.push(move)
        if stored.at_fault is None:
            assert game.headers["Termination"] == "normal" and board.is_game_over(claim_draw=True)
        else:
            assert "no idea" in game.headers["Reason"]
        read += 1
    assert read == len(games) == 2 and any(game.at_fault is not None for game in games.values())


@pytest.mark.parametrize(("game", "number"), [("go:size=5", 1), ("othello", 2), ("gomoku:size=5", 4)])
def test_sgfmill_reads_our_sgf(game: str, number: int, tmp_path: Path) -> None:
    grammar, sgf = pytest.importorskip("sgfmill.sgf_grammar"), pytest.importorskip("sgfmill.sgf")
    db, games = played(game, tmp_path, Named())
    trees = grammar.parse_sgf_collection(written(db, "sgf").encode())
    assert len(trees) == len(games) == 6
    for tree in trees:
        read = sgf.Sgf_game.from_coarse_game_tree(tree)
        root, size = read.get_root(), read.get_size()
        stored = games[int(root.get("GN"))]
        shape = make(game).spec.role(0).observation["board"].shape
        assert root.get("GM") == number and shape is not None and size == shape[-1]
        assert (read.get_player_name("b"), read.get_player_name("w")) == stored.seats
        points = {"b": 1.0, "w": 0.0, None: 0.5}[read.get_winner()]
        assert points == stored.points(stored.seats[0])
        moves = [node.get_move() for node in read.get_main_sequence()[1:]]
        actions = [
            size * size if point is None else (size - 1 - point[0]) * size + point[1] for _, point in moves
        ]  # sgfmill counts rows from below
        assert tuple(actions) == stored.moves
        assert all(colour == "bw"[ply % 2] for ply, (colour, _) in enumerate(moves))
        if number == 1:
            assert read.get_komi() == 7.5
            assert (root.get("RE")[1:] == "+F") == (stored.at_fault is not None)


def test_sgfmill_scores_our_go_games_alike(tmp_path: Path) -> None:
    grammar, sgf = pytest.importorskip("sgfmill.sgf_grammar"), pytest.importorskip("sgfmill.sgf")
    moves = pytest.importorskip("sgfmill.sgf_moves")
    db, _ = played("go:size=5", tmp_path, "first-legal")
    for tree in grammar.parse_sgf_collection(written(db, "sgf").encode()):
        read = sgf.Sgf_game.from_coarse_game_tree(tree)
        board, plays = moves.get_setup_and_moves(read)
        for colour, point in plays:
            if point is not None:
                board.play(*point, colour)
        score = board.area_score() - read.get_komi()
        assert read.get_root().get("RE") == f"{'B' if score > 0 else 'W'}+{abs(score):g}"


@pytest.mark.thorough
def test_hex_has_its_own_points(tmp_path: Path) -> None:
    grammar, sgf = pytest.importorskip("sgfmill.sgf_grammar"), pytest.importorskip("sgfmill.sgf")
    db, games = played("hex:size=3,swap=true", tmp_path, "first-legal")

    for tree in grammar.parse_sgf_collection(written(db, "sgf").encode()):
        read = sgf.Sgf_game.from_coarse_game_tree(tree)
        stored, board = games[int(read.get_root().get("GN"))], make("hex:size=3,swap=true", 1, restart=False)
        board.reset([stored.seed])
        for node, action in zip(read.get_main_sequence()[1:], stored.moves, strict=True):
            word = node.get_raw(node.properties()[0]).decode()

            assert board.parse_move(0, word.removesuffix("-pieces")) == action
            board.step(np.array([action]))
    assert read.get_root().get("GM") == 11


@pytest.mark.parametrize("game", ["connect_four", "kuhn_poker", "zoo:classic/tictactoe_v3"])
def test_json_lines_hold_every_game_of_every_kind(game: str, tmp_path: Path) -> None:
    db, games = played(game, tmp_path, "first-legal")
    lines = [json.loads(line) for line in written(db, "jsonl").splitlines()]
    assert [line["number"] for line in lines] == list(games)
    for line in lines:
        stored = games[line["number"]]
        assert (tuple(line["moves"]), tuple(line["returns"])) == (stored.moves, stored.returns)
        assert tuple(line["players"]) == stored.seats and len(line["words"]) == len(stored.moves)


def test_csv_has_a_line_for_each_game_and_each_contestant(tmp_path: Path) -> None:
    db, games = played("connect_four", tmp_path, Named())
    rows = list(csv.DictReader(io.StringIO(written(db, "csv"))))
    assert [int(row["number"]) for row in rows] == list(games)
    for row in rows:
        stored = games[int(row["number"])]
        assert (row["first"], row["second"]) == stored.seats and int(row["plies"]) == len(stored.moves)
        assert float(row["points_first"]) == stored.points(stored.seats[0])
        assert row["at_fault"] == ("" if stored.at_fault is None else stored.seats[stored.at_fault])
    with Store(db, write=False) as store:
        table = table_of(store)
    lines = list(csv.DictReader(io.StringIO(written(db, "table"))))
    assert [(line["name"], float(line["elo"])) for line in lines] == [(row.name, row.elo) for row in table.rows]


def test_what_does_not_fit_is_refused_and_leaves_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db, _ = played("connect_four", tmp_path, "first-legal")
    out = tmp_path / "games.pgn"
    out.write_text("what was there")
    for words, says in (
        ([str(out)], "PGN is for chess"),
        ([str(tmp_path / "games.sgf")], "SGF has no number for connect_four"),
        ([str(tmp_path / "games.txt")], "say what"),
        ([str(tmp_path / "games"), "--format", "pgm"], "did you mean 'pgn'"),
        ([str(tmp_path)], "say what"),
    ):
        assert main(["export-games", str(db), "--out", *words]) == 2
        assert says in capsys.readouterr().err
    assert out.read_text() == "what was there" and not (tmp_path / "games.sgf").exists()
    with Store(db, write=False) as store, pytest.raises(UsageError, match="cannot write"):
        export_games(store, "csv", Path("/proc/nothing/games.csv"))
