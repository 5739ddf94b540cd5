"""Pictures and sounds that are uploaded or named: damaged, made up, and far larger than they look."""

from __future__ import annotations

import base64
import io
import struct
import wave
import zlib
from pathlib import Path

import numpy as np
import pytest
from attacks import attack, damaged, examples, harmless, taken_or_refused
from hypothesis import strategies as st

import lanista.perception.inputs.picture as picture_input
from lanista.arena.play.eyes import decoded
from lanista.arena.play.hearing import LONGEST, RATE, samples_of
from lanista.errors import UsageError
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.inputs.sound import read_sound

Image = pytest.importorskip("PIL.Image")


def picture(form: str) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


FORMS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")


@pytest.mark.parametrize("form", FORMS)
@examples
def test_picture_files(form: str, examples: int, tmp_path: Path) -> None:
    reader, path = PictureInput(8, 8), tmp_path / f"picture.{form.lower()}"

    def once(data: bytes) -> None:
        path.write_bytes(data)
        taken_or_refused(lambda: reader.read(path), tmp_path)

    path.write_bytes(picture(form))
    assert reader.read(path).shape == (1, 8, 8)
    attack(examples, damaged(picture(form)), once)


@pytest.mark.parametrize(
    "count", [pytest.param(1, id="quick"), pytest.param(100, id="thorough", marks=pytest.mark.faults)]
)
def test_uploaded_pictures(count: int) -> None:
    """They are decoded in a process of their own, so that a few are tried."""
    rng = np.random.default_rng(0)
    for form in ("PNG", "JPEG", "WEBP"):
        for _ in range(count):
            data = bytearray(picture(form))
            for at in rng.integers(0, len(data), 4):
                data[at] ^= 1 << int(rng.integers(8))
            taken_or_refused(lambda data=bytes(data): decoded(data), programs=True, seconds=60)  # type: ignore[misc]


def png(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and holds a megabyte of zeros in a kilobyte."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    found = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(2**20))), (b"IEND", b"")):
        found += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return found


def gif(width: int, height: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return head + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00;"


def webp(width: int, height: int) -> bytes:
    """Lossless; its size is 14 bits each."""
    bits = struct.pack("<BI", 0x2F, (width - 1) & 0x3FFF | ((height - 1) & 0x3FFF) << 14) + bytes(16)
    body = b"WEBPVP8L" + struct.pack("<I", len(bits)) + bits
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp(width: int, height: int) -> bytes:
    return (
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 1, 1, 0, 0)
    )


BOMBS = {
    "png": png(60_000, 60_000),
    "png that is long": png(1, 2**31 - 1),
    "png without sides": png(0, 0),
    "gif": gif(65_535, 65_535),
    "webp": webp(16_383, 16_383),
    "bmp": bmp(2**30, 2**30),
    "bmp upside down": bmp(30_000, -30_000),
    "ppm": b"P6 99999 99999 255\n",
    "ppm of many digits": b"P6 " + b"9" * 5000 + b" 1 255\n",
    "a text in a png": png(1, 1)[:33] + struct.pack(">I", 2**31 - 1) + b"zTXt",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_picture_that_unpacks_to_far_more_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[name])
    with harmless(tmp_path, megabytes=150), pytest.raises(UsageError):
        PictureInput(8, 8).read(path)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "I;16"])
def test_the_largest_picture_that_is_taken_takes_little_memory(mode: str, tmp_path: Path) -> None:
    """A blank one of 48 million pixels is a file of 150 KB; grey of 16 bits may have a third of them."""
    sides = (4000, 4000) if mode == "I;16" else (8000, 6000)
    Image.new(mode, sides).save(tmp_path / "large.png", compress_level=1)
    with harmless(tmp_path, megabytes=500, seconds=60):
        assert PictureInput(8, 8).read(tmp_path / "large.png").shape == (1, 8, 8)


def test_a_reduced_picture_is_hardly_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blurred = Image.fromarray(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)).resize((2400, 1800))
    blurred.save(tmp_path / "large.png", compress_level=1)
    reader = PictureInput(28, 28, channels=3)
    reduced = reader.read(tmp_path / "large.png").astype(int)
    monkeypatch.setattr(picture_input, "MANY_PIXELS", 2**40)
    assert 0 < abs(reduced - reader.read(tmp_path / "large.png")).max() <= 4


@pytest.mark.parametrize("name", ["png", "webp", "gif"])
def test_an_uploaded_bomb_is_refused_in_a_process_of_its_own(name: str) -> None:
    with harmless(programs=True, seconds=60, megabytes=64), pytest.raises(UsageError, match="cannot be read"):
        decoded(BOMBS[name])


def test_a_picture_that_is_a_program_is_not_run(tmp_path: Path) -> None:
    """Pillow gives EPS to Ghostscript, where that is installed: a page description is a program."""
    path = tmp_path / "picture.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) (w) file closefile\n%%EOF\n")
    with harmless(tmp_path), pytest.raises(UsageError, match="no picture"):
        PictureInput(8, 8).read(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with harmless(tmp_path), pytest.raises(UsageError, match="no file that can be read"):
        PictureInput(8, 8).read(path)


def sound() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(8000)
        opened.writeframes(np.random.default_rng(0).integers(-9999, 9999, 400, np.int16).tobytes())
    return file.getvalue()


@examples
def test_sound_files(examples: int, tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    path = tmp_path / "sound.wav"

    def once(data: bytes) -> None:
        path.write_bytes(data)
        taken_or_refused(lambda: read_sound(path), tmp_path)

    once(sound())
    attack(examples, damaged(sound()) | st.binary(max_size=200).map(lambda body: sound()[:44] + body), once)
    huge = bytearray(sound())
    huge[4:8] = huge[40:44] = struct.pack("<I", 2**32 - 1)  # says that four gigabytes follow
    path.write_bytes(huge)
    taken_or_refused(lambda: read_sound(path), tmp_path, megabytes=64)


@examples
def test_utterances_that_a_browser_sends(examples: int) -> None:
    whole = base64.b64encode(bytes(2000)).decode()
    anything = st.none() | st.integers() | st.binary() | st.text() | st.lists(st.text()) | st.just("A" * 10**7)
    texts = damaged(whole.encode()).map(lambda data: data.decode("latin-1"))

    def once(said: object) -> None:
        with harmless():
            samples = samples_of(said)
        assert samples is None or (samples.dtype == np.int16 and len(samples) <= LONGEST * RATE + 2)

    attack(examples, anything | texts, once)
