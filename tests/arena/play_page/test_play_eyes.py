"""Positions from pictures: what is decoded and refused, what is read, how it is corrected, and what cannot be."""

from __future__ import annotations

import asyncio
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")

from nicegui.testing.user_interaction import UserInteraction
from simulated_user import run
from test_play_pages import until

from lanista.arena.play.eyes import SIDES, Eye, decoded, notation, to_move
from lanista.arena.play.guard import MOST_PICTURE, PICTURES
from lanista.arena.play.pasting import read
from lanista.arena.play.table import Start, Table
from lanista.arena.play.views.controls import Button
from lanista.arena.play.views.picture_desk import PictureDrop
from lanista.errors import UsageError
from lanista.perception.data.boards import _zoo

EMPTY = [0] * 42


def packed(picture: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    return file.getvalue()


def rack(**discs: int) -> list[int]:
    """Cells of Connect Four by their squares as chess would name them: a1=1 is the first side's disc at the left."""
    cells = list(EMPTY)
    for square, side in discs.items():
        cells[(6 - int(square[1])) * 7 + "abcdefg".index(square[0])] = side
    return cells


def test_pictures_are_decoded_in_a_process_of_their_own() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, 30:] = (200, 10, 20)
    assert np.array_equal(decoded(packed(picture)), picture)
    for kind in ("JPEG", "WEBP"):
        assert np.abs(decoded(packed(picture, kind)).astype(int) - picture).mean() < 6
    assert decoded(packed(np.zeros((100, 2000, 3), np.uint8))).shape == (32, 640, 3)
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    file = io.BytesIO()
    clear.save(file, "PNG")
    assert decoded(file.getvalue()).min() == 255, "what is transparent is white"


def bomb(side: int) -> bytes:
    """A PNG that says it is very large."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    found = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100_000)), (b"IEND", b"")):
        found += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return found


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (b"", "damaged, or no PNG"),
        (b"GIF89a" + b"\0" * 100, "damaged, or no PNG"),
        (packed(np.zeros((9, 9, 3), np.uint8), "BMP"), "damaged, or no PNG"),
        (packed(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8))[:9000], "damaged, or no PNG"),
        (bomb(8000), "8000 x 8000 pixels, too many"),
        (bomb(60_000), "cannot be read"),
    ],
)
def test_what_is_no_picture_is_said(what: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        decoded(what)


def test_who_moves_follows_from_the_counts() -> None:
    assert to_move(rack(a1=1)) == 2 and to_move(rack(a1=2)) == 1
    assert to_move(EMPTY) == 1 and to_move(EMPTY, 2) == 2 and to_move(rack(a1=1), 1) == 2


def test_a_position_is_written_as_the_game_does() -> None:
    assert notation("connect_four", rack(a1=1, b1=2, b2=1), 2) == ("7/7/7/7/1x5/xo5 o", False)
    assert notation("connect_four", rack(a1=2, b1=1, b2=2), 1) == ("7/7/7/7/1x5/xo5 o", True), "yellow began"
    assert notation("connect_four", rack(a1=1, b1=2), 2)[0] == "7/7/7/7/7/ox5 x"
    assert notation("tictactoe", [1, 0, 2, 0, 0, 0, 0, 0, 0], 1) == ("x1o/3/3 x", False)
    for game, cells, mover in (("connect_four", rack(c1=1, c2=2), 1), ("tictactoe", [0, 1, 0, 2, 0, 0, 0, 1, 0], 2)):
        start, moves = read(notation(game, cells, mover)[0], game)
        table = Table(start)
        assert moves == () and start.position is not None and table.notation() == start.position
        assert table.movers() == (mover - 1,)


@pytest.mark.parametrize(
    ("cells", "mover", "words"),
    [
        (rack(a1=1, b1=1), 2, "2 Red and 0 Yellow cannot be"),
        (rack(a2=1), 2, "column 1, row 2, floats"),
        (rack(a1=1), 1, "it is not Red who moves"),
        (rack(a1=1, b1=1, c1=1, d1=1, e1=2, f1=2, g1=2), 2, "the game is over"),
    ],
)
def test_what_cannot_be_is_one_sentence(cells: list[int], mover: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        notation("connect_four", cells, mover)


def cells_of(text: str) -> tuple[int, ...]:
    return tuple(".xo".index(sign) for sign in text.replace("/", ""))


@pytest.mark.thorough
def test_pictures_of_another_program_are_read() -> None:
    """PettingZoo's, turned, blurred and lit unevenly; the figures for many stand in the encoder's card."""
    try:
        zoo = _zoo(6)
    except UsageError as error:
        pytest.skip(str(error))
    eye, right, cells = Eye(), 0, 0.0
    for picture, text in zip(zoo["photographed"], zoo["texts"].tolist(), strict=True):
        reading = eye.read(packed(picture))
        assert len(reading.chances) == len(reading.cells)
        right += reading.cells == cells_of(text)
        same = reading.game == ("connect_four" if len(reading.cells) == 42 else "tictactoe")
        assert same
        if len(reading.cells) == len(cells_of(text)):
            cells += float(np.mean(np.equal(reading.cells, cells_of(text))))
    assert right >= 9 and cells >= 11.5, (right, cells)


@pytest.mark.parametrize(("game", "moves"), [("connect_four", "4 4 3 5 5 2 4 1"), ("tictactoe", "b2 a1 c3 a3")])
def test_the_pages_own_boards_are_read(game: str, moves: str) -> None:
    resvg = pytest.importorskip("resvg_py", reason="drawing SVG needs: pip install 'lanista[video]'")
    table = Table(Start(game, 0))
    for word in moves.split():
        table.step([table.parse_move(word)])
    drawing = bytes(resvg.svg_to_bytes(svg_string=table.picture(None), width=730))
    with Image.open(io.BytesIO(drawing)) as board:
        page = Image.new("RGB", (1280, 1000), "#f5f3ef")  # as a screenshot shows it, with panels beside it
        page.paste("#ffffff", (880, 80, 1240, 160))
        page.paste("#ffffff", (880, 170, 1240, 300))
        page.paste(board.convert("RGB"), (83, 122))
    for what in (drawing, packed(np.asarray(page))):
        reading = Eye().read(what)
        signs = [sign for sign in table.text(None) if sign in ".XO"][: len(reading.cells)]
        assert reading.game == game and list(reading.cells) == [".XO".index(sign) for sign in signs]


def test_a_position_is_corrected_and_analysed(tmp_path: Path) -> None:
    async def work(user: Any, house: Any) -> None:
        await user.open("/analyse")
        drop = user.find(PictureDrop)
        sure = [1.0] * 42
        wrongs: list[Any] = [
            None, [], ["chess", EMPTY, sure], ["connect_four", EMPTY[1:], sure], ["connect_four", "x", sure],
            [["a"], EMPTY, sure], [{}, EMPTY, sure], ["connect_four", [9] * 42, sure], ["connect_four", EMPTY, sure, 1],
            ["connect_four", [True] * 42, sure], ["connect_four", EMPTY, ["a"] * 42],
        ]  # fmt: skip
        for wrong in wrongs:
            drop.trigger("read", wrong)
        await user.should_not_see("to move")
        drop.trigger("read", ["connect_four", rack(a1=1, b2=2), [0.4, *sure[1:]]])
        await user.should_see("column 2, row 2, floats")
        await user.should_see("1 cell is unsure")

        def cell(place: str) -> Button:
            (found,) = (
                each for each in user.find(Button).elements if str(each._props.get("aria-label", "")).startswith(place)
            )
            assert isinstance(found, Button)
            return found

        assert cell("row 6, column 1")._props["aria-label"].endswith("empty, unsure")
        for place, times in (("row 2, column 2", 1), ("row 1, column 2", 2)):
            for _ in range(times):
                UserInteraction(user, {cell(place)}, None).click()
        await user.should_not_see("floats")
        user.find("Yellow to move").click()
        await user.should_see("Yellow began")
        user.find(kind=Button, content="Analyse").click()
        await until(lambda: len(house.sessions) == 1)
        (session,) = house.sessions.values()
        assert session.start == Start("connect_four", 0, "7/7/7/7/7/ox5 x") and session.rules.analysis

    run(tmp_path, work)


def test_the_server_takes_pictures_and_refuses_other_things(tmp_path: Path) -> None:
    async def work(user: Any, house: Any) -> None:
        async def ask(body: bytes) -> tuple[int, str]:
            answer = await user.http_client.post(PICTURES, content=body, headers={"Content-Type": "image/png"})
            return answer.status_code, answer.text

        status, text = await ask(b"no picture")
        assert status == 422 and "no PNG" in text
        status, text = await ask(b"\0" * (MOST_PICTURE + 1))
        assert status == 413 and "8 MB" in text
        status, text = await ask(packed(np.full((60, 60, 3), 240, np.uint8)))
        found = json.loads(text)
        assert status == 200 and found["game"] in SIDES and len(found["cells"]) == len(found["chances"])
        await asyncio.sleep(0)

    run(tmp_path, work)
