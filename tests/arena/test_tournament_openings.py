"""Openings: books are read to the word, balanced ones are balanced, and a store keeps to its own."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from lanista.agents.contestant import load_agent
from lanista.agents.random_openings import random_openings
from lanista.arena.book import Opening, read_book
from lanista.arena.exports.sgf import stones_set_up
from lanista.arena.openings import BalancedOpenings, BookOpenings, RandomOpenings
from lanista.arena.sgf_set_up import set_up
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.envs import make
from lanista.envs.catalogue import native_options
from lanista.envs.core import start_agent
from lanista.errors import UsageError

WHO = ["random", "first-legal"]
RUY = "r1bqkbnr/pppp1ppp/2n5/1B2p3/4P3/5N2/PPPP1PPP/RNBQK2R b KQkq -"
PGN = """[Event "x"]
[Result "*"]

1. e4 {best
[%clk 1]} e5 (1... c5 2. Nf3 (2. c3)) 2. Nf3 $1 Nc6 *

[Event "no result"]

1.d4 d5 2.c4
[Event "z"]

% a line left out
1. c4 ; the English
1-0
"""


def book(tmp_path: Path, text: str, name: str = "book.txt") -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path / name


def written(game: str, actions: tuple[int, ...]) -> list[str]:
    board, moves = make(game), []
    for action in actions:
        moves.append(board.print_move(0, action))
        board.step(np.array([action]))
    return moves


def test_a_text_is_read_line_by_line_in_the_games_own_words(tmp_path: Path) -> None:
    path = book(tmp_path, "# a book\n4 4 3\n\n 1. 7  2. 1 # the edge\n1;2\n")
    assert [written("connect_four", line.moves) for line in read_book("connect_four", path)] == [
        ["4", "4", "3"], ["7", "1"], ["1", "2"],
    ]  # fmt: skip


def test_a_pgn_gives_its_games_main_lines(tmp_path: Path) -> None:
    lines = read_book("chess", book(tmp_path, PGN, "book.pgn"))
    assert [written("chess", line.moves) for line in lines] == [["e4", "e5", "Nf3", "Nc6"], ["d4", "d5", "c4"], ["c4"]]


@pytest.mark.parametrize(
    "text", ["1. e4 1. ... e5 *", "1 e4 e5 2 Nf3 *", "1 . e4 1 ... e5 *", '[FEN "{}"]\n\n1. ... e5 2. Nf3 *']
)
def test_move_numbers_may_have_any_dots(text: str, tmp_path: Path) -> None:
    """As the standard's import format (PGN 1994, 8.2.2.1) has them."""
    after_e4 = "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1"
    (line,) = read_book("chess", book(tmp_path, text.replace("{}", after_e4), "b.pgn"))
    assert len(line.moves) in (2, 3)


def test_positions_and_games_from_positions_are_read(tmp_path: Path) -> None:
    """Equal positions are one however they are written; those of a PGN's tags stand before its moves."""
    epd = f'{RUY} id "Ruy Lopez";\n\n{RUY} 3 3\n8/8/4k3/8/8/4K3/4P3/8 w - - hmvc 7; fmvn 40;\n'
    read = read_book("chess", book(tmp_path, epd, "b.epd"))
    assert [line.moves for line in read] == [(), (), ()]
    assert [line.position for line in read] == [f"{RUY} 0 1", f"{RUY} 3 3", "8/8/4k3/8/8/4K3/4P3/8 w - - 7 40"]
    pgn = f'[FEN "{RUY} 3 3"]\n\n3... a6 4. Ba4 *\n[Event "usual"]\n\n1. e4 *\n\n[SetUp "1"]\n[FEN "{RUY} 3 3"]\n\n*\n'
    lines = read_book("chess", book(tmp_path, pgn, "b.pgn"))
    assert [line.position for line in lines] == [f"{RUY} 3 3", "", f"{RUY} 3 3"]
    assert [len(line.moves) for line in lines] == [2, 1, 0] and written("chess", lines[1].moves) == ["e4"]
    assert [len(line.moves) for line in read_book("chess", tmp_path / "b.pgn", 1)] == [1, 1, 0]


def test_an_sgf_gives_its_games_main_lines(tmp_path: Path) -> None:
    text = "(;FF[4]GM[1]SZ[9]C[a \\] b];B[cc](;W[gg];B[])(;W[ff]))\n(;SZ[9];Black[aa];White[])"
    lines = read_book("go:size=9", book(tmp_path, text, "b.sgf"))
    assert [written("go:size=9", line.moves) for line in lines] == [["C7", "G3", "pass"], ["A9", "pass"]]


@pytest.mark.parametrize(
    ("game", "name", "text", "says"),
    [
        ("connect_four", "b.txt", "4\n1 1 1 1 1 1 1\n", "line 2: move 7, '1', is not legal"),
        ("connect_four", "b.txt", "4 9\n", "line 1: move 2, '9', is not legal.*a column from 1 to 7"),
        ("connect_four", "b.txt", "\n\n1 2 1 2 1 2 1\n", "line 3: move 7, '1', ends the game"),
        ("connect_four", "b.txt", "# nothing\n", "no opening in"),
        ("chess", "b.pgn", PGN.replace("2.c4", "2.Kc4"), "line 9: move 3, 'Kc4', is not legal"),
        ("chess", "b.pgn", '[FEN "8/8/8/8/8/8/8/8 w - - 0 1"]\n', "line 1: .* is no position of chess: white has 0"),
        ("chess", "b.epd", f"{RUY}\n# no more\n8/8/8/8/8/8/8/8 w - -\n", "line 3: .*white has 0 kings"),
        ("chess", "b.epd", '7k/5Q2/6K1/8/8/8/8/8 b - - id "mate";\n', "line 1: .*the game is over in this position"),
        ("chess", "b.fen", "what is this\n", "line 1: .*a FEN has six parts"),
        ("othello", "b.epd", f"{RUY}\n", "line 1: .* is no position of othello: write 8 rows of 8 cells"),
        ("go:size=9", "b.sgf", "(;GM[1]SZ[9]\n;B[cc];W[cc])", "line 2: move 2, 'C7', is not legal"),
        ("go:size=9", "b.sgf", "(;SZ[19];B[cc])", "line 1: a board of size 19"),
        ("go:size=9", "b.sgf", "(;SZ[9];B[dd]\n\nAB[cc];W[dd])", "line 3: stones that are put up after the first move"),
        ("go:size=9", "b.sgf", "(;SZ[9]AB[cc][ij];W[dd])", "line 1: 'ij' is no point of a board of size 9"),
        ("go:size=9", "b.sgf", "(;SZ[9]AB[cc]PL[B];W[dd])", "line 1: white moves out of turn"),
        ("go:size=9", "b.sgf", "(;SZ[9]PL[X];W[dd])", "line 1: PL says who is to move, B or W, not 'X'"),
        ("go:size=9", "b.sgf", "(;SZ[9];W[cc])", "white moves out of turn"),
        ("go:size=9", "b.sgf", "(;SZ[9];B[zz])", "'zz' is no point"),
        ("chess", "b.sgf", "(;B[cc])", "SGF is for go"),
        ("liars_dice", "b.txt", "1\n", "without chance"),
    ],
)
def test_what_is_not_legal_is_named_with_line_and_move(
    game: str, name: str, text: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=says):
        read_book(game, book(tmp_path, text, name))


def test_an_sgf_may_begin_with_stones(tmp_path: Path) -> None:
    text = "(;SZ[9]HA[2]AB[gc][cg];W[ee])(;SZ[9]AB[aa:ca]AW[ai][bi]PL[B])(;SZ[9]AB[ee];B[aa];W[bb])"
    handicap, study, early = read_book("go:size=9", book(tmp_path, text, "b.sgf"))
    assert handicap.position == "9/9/6x2/9/9/9/2x6/9/9 o" and handicap.moves == (40,)
    assert study.position == "xxx6/9/9/9/9/9/9/9/oo7 x" and study.moves == ()
    assert early.position == "9/9/9/9/4x4/9/9/9/9 x" and early.moves == (0, 10)
    (turned,) = read_book("othello", book(tmp_path, "(;GM[2]AB[dd];W[cc])", "o.sgf"))
    assert turned.position == "8/8/8/3xx3/3xo3/8/8/8 o"


@pytest.mark.parametrize("game", ["go:size=9", "othello", "hex:size=5"])
def test_what_an_sgf_of_ours_sets_up_is_read_again(game: str) -> None:
    board = make(game, 4, restart=False)
    kind, size = game.partition(":")[0], int(native_options(game).get("size", 8))
    for copy, opening in enumerate(random_openings(game, [1, 2, 3, 4], (6, 20))):
        board.reset([copy], copies=np.array([copy]), openings=[opening])
        position = board.print_position(copy)  # type: ignore[attr-defined]
        properties = {
            key: re.findall(r"\[(.*?)\]", values)
            for key, values in re.findall(r"([A-Z]+)((?:\[.*?\])+)", stones_set_up(kind, position, size))
        }
        assert set_up(kind, size, properties)[0] == position


def test_a_file_that_is_no_book_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="no text"):
        read_book("connect_four", tmp_path / "b.txt")
    with pytest.raises(UsageError, match="cannot read the openings"):
        read_book("connect_four", tmp_path / "none.txt")


def test_a_tournament_plays_every_line_of_its_book_before_any_again(tmp_path: Path) -> None:
    path = book(tmp_path, "1\n2 2\n3 3 3\n3 3 3\n")
    tournament("connect_four", [*WHO, "minimax:depth=1"], games=8, openings=path, db=tmp_path / "t.sqlite")
    lines = {line.moves for line in read_book("connect_four", path)}
    with Store(tmp_path / "t.sqlite", write=False) as store:
        games = store.games()
    for number in range(4):
        assert len({game.opening for game in games if game.number == number}) == 1, "not the same for every two"
    assert {game.opening for game in games if game.number < 3} == lines
    assert all(game.moves[: len(game.opening)] == game.opening for game in games)


def test_a_store_goes_on_with_its_own_openings_only(tmp_path: Path) -> None:
    one, other = book(tmp_path, "1\n2 2\n"), book(tmp_path, "1\n2 3\n", "other.txt")
    tournament("connect_four", WHO, games=2, openings=one, db=tmp_path / "t.sqlite")
    moved = book(tmp_path, "1 # the same\n2 2\n", "moved.txt")
    assert tournament("connect_four", WHO, games=4, openings=moved, db=tmp_path / "t.sqlite").games == 4
    for change in ({"openings": other}, {}, {"balanced": "minimax:depth=1"}):
        with pytest.raises(UsageError, match="has the openings book of 2 openings"):
            tournament("connect_four", WHO, games=4, db=tmp_path / "t.sqlite", **change)


def test_a_store_from_before_there_were_books_has_random_openings(tmp_path: Path) -> None:
    tournament("connect_four", WHO, games=2, db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite") as store:
        store._database.execute("DELETE FROM about WHERE key = 'openings'")
    with pytest.raises(UsageError, match="has the openings random"):
        tournament("connect_four", WHO, games=4, openings=book(tmp_path, "1\n"), db=tmp_path / "t.sqlite")
    assert tournament("connect_four", WHO, games=4, db=tmp_path / "t.sqlite").games == 4


def test_balanced_openings_are_even_for_their_judge_and_depend_on_their_seeds_alone() -> None:
    """Judged again by a search of its own, one position at a time."""
    judge = load_agent("minimax:depth=4")
    source = BalancedOpenings("connect_four", (10, 14), judge, 0.3)
    seeds = list(range(40))
    found = source.draw([0] * 40, seeds)

    def values(openings: list[Opening]) -> np.ndarray:
        board, judged = make("connect_four", len(openings), restart=False), load_agent("minimax:depth=4")
        board.reset(0, None, [opening.moves for opening in openings])
        start_agent(judged, board.spec, 0)
        value = judged.act(board.turn()).value
        assert value is not None
        return np.abs(value)

    assert (values(found) <= 0.3).all()
    assert (values(RandomOpenings("connect_four", (10, 14)).draw([0] * 40, seeds)) > 0.3).any(), (
        "nothing to be sorted out"
    )
    assert source.draw([0] * 3, seeds[7:10]) == found[7:10]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"balanced": "random"}, "'random' gives no values"),
        ({"balanced": "minimax:depth=1", "balanced_within": 0.0}, "above 0"),
        ({"balanced": "minimax:depth=1", "openings": "book.txt"}, "not both"),
        ({"balanced": "minimax:depth=1", "game": "liars_dice"}, "nothing is hidden"),
    ],
)
def test_wrong_words_about_openings(words: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        tournament(**{"game": "connect_four", "contestants": WHO, "games": 2} | words)  # type: ignore[arg-type]


def test_another_seed_takes_the_book_in_another_order() -> None:
    lines = tuple(Opening((number % 7, number // 7)) for number in range(40))
    one, other = (BookOpenings(lines, seed).draw(range(40), [0] * 40) for seed in (0, 1))
    assert one != other and sorted(one) == sorted(other) == sorted(lines)
