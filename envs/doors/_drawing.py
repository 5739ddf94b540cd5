"""Pictures of games whose environments draw pixels or nothing: SVG all the same."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping
from html import escape

import numpy as np

from lanista.envs.core import Array

LINE = 18  # pixels from one line of text to the next


def framed(pixels: Array) -> str:
    """An SVG that holds an environment's own picture.

    Args:
        pixels: (height, width, 3) uint8.
    """
    height, width, _ = pixels.shape
    picture = base64.b64encode(_png(pixels)).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{picture}"/></svg>'
    )


def text_picture(text: str) -> str:
    """An SVG that shows lines of text."""
    lines = text.splitlines() or [""]
    width = 20 + 9 * max(map(len, lines))
    height = LINE * (len(lines) + 1)
    shown = "".join(
        f'<text x="10" y="{LINE * (number + 1)}" xml:space="preserve">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f'<rect width="100%" height="100%" fill="#f4f6f8"/>'
        f'<g font-family="monospace" font-size="14" fill="#111">{shown}</g></svg>'
    )


def seats_text(name: str, ply: int, seats: Mapping[int, Mapping[str, Array]]) -> str:
    """What the seats that must act see, as text.

    Args:
        name: the game's.
        ply: how many plies its game has seen.
        seats: player -> modality name -> array.
    """
    lines = [f"{name}, ply {ply}"]
    for seat in sorted(seats):
        lines.append(f"player {seat} to move")
        for modality, value in seats[seat].items():
            lines.append(f"{modality}: {np.array2string(value, precision=3, threshold=200, separator=' ')}")
    return "\n".join(lines)


def pixels_in(observation: Mapping[str, Array]) -> Array | None:
    """The picture that an observation is, (height, width, 3) uint8: of stacked grey planes the last; None: it is none.

    Args:
        observation: modality name -> one row's array.
    """
    for value in observation.values():
        if value.dtype != np.uint8 or value.ndim not in (3, 4) or min(value.shape[:2]) < 1:
            continue
        pixels: Array
        if value.ndim == 4 and value.shape[-1] == 3:
            pixels = value[-1]  # stacked colour frames
            return pixels
        if value.ndim == 3 and value.shape[-1] == 3 and min(value.shape[:2]) >= 16:
            return value
        if value.ndim == 3 and value.shape[0] <= 16 <= min(value.shape[1:]):
            pixels = value.transpose(1, 2, 0) if value.shape[0] == 3 else np.repeat(value[-1][:, :, None], 3, 2)
            return pixels
    return None


def _png(pixels: Array) -> bytes:
    """The PNG file of an (height, width, 3) uint8 picture, eight bits a channel, no row filters."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + pixels[row].tobytes() for row in range(height))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
