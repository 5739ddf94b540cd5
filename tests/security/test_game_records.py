"""Games and openings that somebody brings: SGF, PGN, EPD and plain words, in books and pasted on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attacks import attack, damaged, examples, harmless, odd_text, taken_or_refused

from lanista.arena.book import read_book
from lanista.arena.play.pasting import MOST_TEXT, read
from lanista.errors import UsageError

SGF = (
    "(;FF[4]GM[1]SZ[5]KM[0.5]AB[aa][bb]AW[cc:dd]PL[B]C[a \\] comment];B[ee];W[ed](;B[ea];W[eb])(;B[ec]))\n"
    "(;GM[1]SZ[5];B[ab]LB[aa:1];W[];B[cc])"
)
PGN = (
    '[Event "?"]\n[Result "1-0"]\n\n1. e4 {best (by test)} e5 2. Nf3 $1 (2. f4 exf4 (2... d5)) Nc6 ; a line\n'
    "3. Bb5 a6 1-0\n"
    '\n[SetUp "1"]\n[FEN "4k3/8/8/8/8/8/4P3/4K3 w - - 0 1"]\n\n1. e3 *\n'
)
EPD = 'rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - hmvc 3; fmvn 7; id "a";\n8/8/8/4k3/8/8/4P3/4K3 b - - 0 40\n'
BOOKS = {
    "go.sgf": (
        "go:size=5",
        SGF,
        ["(", ")", ";", "B[aa]", "W[]", "AB[aa:cc]", "SZ[", "SZ[5]", "\\", "]", "GM[1]", "PL[W]"],
    ),
    "hex.sgf": (
        "hex:size=5",
        "(;GM[11]SZ[5];B[a1];W[c3];B[b2])",
        ["(", ")", ";B[a1]", ";W[e5]", "[", "SZ[5]"],
    ),
    "games.pgn": (
        "chess",
        PGN,
        ["1.", "e4", "e5", "(", ")", "{", "}", ";", "*", "1-0", '[FEN "', '"]', "\n", "%", "$1"],
    ),
    "places.epd": ("chess", EPD, ["8/", "k", "K", " w ", " b ", "KQkq", "-", "0", "1", "hmvc", ";", "\n", "#", "9/9"]),
    "lines.txt": ("connect_four", "1. 4 4 2. 3 # mine\n1;2;3\n", ["1", "7", "8", "4.", ";", "#", "\n", " "]),
}


@pytest.fixture(params=BOOKS)
def book(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path, str, list[str]]:
    """A game, a book's file, its whole text, and words of its format."""
    game, text, words = BOOKS[request.param]
    path = tmp_path / request.param
    path.write_text(text)
    read_book(game, path)
    return game, path, text, words


@examples
def test_books(book: tuple[str, Path, str, list[str]], examples: int) -> None:
    game, path, text, words = book

    def once(data: bytes) -> None:
        path.write_bytes(data)
        taken_or_refused(lambda: read_book(game, path), path.parent)

    attack(examples, damaged(text.encode()) | odd_text(words).map(lambda made: made.encode("utf-8", "replace")), once)


PASTED = {
    "go:size=5": (SGF, BOOKS["go.sgf"][2]),
    "chess": (PGN, BOOKS["games.pgn"][2]),
    "connect_four": ("44352", ["4", "1. 4", "/", "x", "o", "7", "4x2", "(;GM[4]"]),
}


@pytest.mark.parametrize("game", PASTED)
@examples
def test_pasted_texts(game: str, examples: int) -> None:
    text, words = PASTED[game]
    made = damaged(text.encode()).map(lambda data: data.decode("utf-8", "replace")) | odd_text(words)
    read({"connect_four": "44352", "go:size=5": "(;SZ[5];B[aa])"}.get(game, "e4 e5"), game)  # compiled once, now
    attack(examples, made, lambda pasted: taken_or_refused(lambda: read(pasted, game)))


LONG = {
    "brackets that are opened": ("chess", "1. e4 " + "(" * 100_000 + ")" * 90_000),
    "brackets in brackets": ("chess", "1. e4 " + "(" * 90_000 + ")" * 90_000),
    "comments that are opened": ("chess", "1. e4 " + "{ " * 90_000),
    "lines that are empty": ("chess", "1. e4" + "\n" * 190_000 + "e5"),
    "tags that are opened": ("chess", "[\n" * 90_000),
    "positions that are opened": ("chess", '[FEN "' * 30_000),
    "values that are opened": ("go:size=5", "(;" + "A[" * 90_000),
    "values that end in the sign before a sign": ("go:size=5", "(;A[" + "\\" * 190_000),
    "names without values": ("go:size=5", "(;" + "A" * 190_000),
    "a board of many digits": ("go:size=5", "(;GM[1]SZ[" + "9" * 10_000 + "])"),
    "nodes": ("go:size=5", "(" + ";" * 190_000 + ")"),
    "trees": ("go:size=5", "(;" * 90_000),
    "a move's number": ("chess", "1" * 190_000),
    "digits": ("connect_four", "4" * 190_000),
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_pasted_text_takes_no_longer_than_its_length(name: str) -> None:
    """Each of these took the square of its length, minutes, or was refused by an error of Python's own."""
    game, text = LONG[name]
    assert len(text) <= MOST_TEXT
    read({"connect_four": "1", "go:size=5": "(;SZ[5];B[aa])"}.get(game, "e4"), game)  # what is compiled once
    with harmless(seconds=8):
        try:
            read(text, game)
        except UsageError:
            return


BULKY: dict[str, tuple[str, str, Callable[[int], str]]] = {
    "comments": ("x.pgn", "chess", lambda n: "1. e4 e5 " + "{ " * n),
    "a tag": ("x.pgn", "chess", lambda n: '[FEN "' + '" ' * n + "\n1. e4 *"),
    "games with positions": ("x.pgn", "chess", lambda n: '[FEN "x"]\n*\n' * (n // 8)),
    "values": ("x.sgf", "go:size=5", lambda n: "(;" + "A[" * n),
    "names": ("x.sgf", "go:size=5", lambda n: "(;" + "A" * n),
    "escapes": ("x.sgf", "go:size=5", lambda n: "(;A[" + "\\" * n),
    "blanks": ("x.sgf", "go:size=5", lambda n: "(;A" + " " * n),
    "moves' numbers": ("x.txt", "connect_four", lambda n: "1" * n),
}


@pytest.mark.parametrize("name", BULKY)
def test_a_long_book_takes_no_longer_than_its_length(tmp_path: Path, name: str) -> None:
    file, game, text = BULKY[name]
    path = tmp_path / file
    path.write_text({".pgn": "1. e4 *", ".sgf": "(;SZ[5];B[aa])", ".txt": "1"}[path.suffix])
    read_book(game, path)  # what is compiled once is compiled now
    path.write_text(text(150_000))
    taken_or_refused(lambda: read_book(game, path), tmp_path, seconds=8)


def test_a_book_without_end_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "book.txt").symlink_to("/dev/zero")
    with harmless(tmp_path), pytest.raises(UsageError, match="no file that can be read"):
        read_book("connect_four", tmp_path / "book.txt")
    with (tmp_path / "large.pgn").open("wb") as file:
        file.truncate(2**27)
    with harmless(tmp_path), pytest.raises(UsageError, match="has 128 MB"):
        read_book("chess", tmp_path / "large.pgn")


def test_what_is_not_closed_is_said() -> None:
    for text, says in (("1. e4 (1. d4", "does not close"), ("1. e4 1. d4)", "does not open")):
        with pytest.raises(UsageError, match=says):
            read(text, "chess")
    with pytest.raises(UsageError, match="is not closed"):
        read("(;SZ[5];B[aa", "go:size=5")
