"""Pictures of games whose environments draw pixels or nothing: SVG all the same."""

from __future__ import annotations

import base64
import struct
import zlib
from html import escape

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


def _png(pixels: Array) -> bytes:
    """The PNG file of an (height, width, 3) uint8 picture, eight bits a channel, no row filters."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + pixels[row].tobytes() for row in range(height))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
