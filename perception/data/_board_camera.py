"""Flat boards as a camera or a screenshot shows them: turned, in perspective, cropped, lit unevenly, blurred, noisy."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from lanista.perception.data._board_drawing import Colour, Flat, any_colour

SIDE = 80  # pixels of a picture
LARGE = 2 * SIDE  # in which it is put together
TURN = 15.0  # degrees, at most
LEAN = 0.09  # of the board's side, by which a corner moves in perspective, at most
PLAIN = 0.3  # share of screenshots: straight, sharp and evenly lit


def seen(chance: np.random.Generator, flat: Flat) -> np.ndarray:
    """(SIDE, SIDE, 3) bytes."""
    from PIL import Image

    plain = chance.random() < PLAIN
    corners = _corners(chance, plain)
    width, height = flat.picture.size
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    board = flat.picture.transform(
        (LARGE, LARGE), Image.Transform.PERSPECTIVE, _homography(corners * LARGE, source), Image.Resampling.BICUBIC
    )
    ground = _ground(chance, flat.ground)
    ground.alpha_composite(board)
    values = np.asarray(ground.convert("RGB"), np.float32)
    if not plain:
        values = _lit(chance, values)
    small = Image.fromarray(values.clip(0, 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BOX)
    return _worn(chance, small, plain)


def _corners(chance: np.random.Generator, plain: bool) -> np.ndarray:
    """Where the board's corners are, in shares of the picture: (4, 2), clockwise from the top left."""
    wide, high = chance.uniform(0.62, 1.0, 2)
    if chance.random() < 0.5:
        wide, high = chance.uniform(0.88, 1.0, 2)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64) / 2
    angle = 0.0
    if not plain:
        angle = np.radians(chance.uniform(-TURN, TURN) * (1 if chance.random() < 0.8 else 0))
        square = square + chance.uniform(-LEAN, LEAN, (4, 2)) * (chance.random() < 0.6)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # Turned as the board lies, then scaled as the picture's aspect has it.
    placed = square @ turn.T
    extent = placed.max(0) - placed.min(0)
    placed = placed / np.maximum(extent, 1.0) * np.array([wide, high])
    room = 1 - (placed.max(0) - placed.min(0))
    middle = 0.5 + chance.uniform(-0.5, 0.5, 2) * room - (placed.max(0) + placed.min(0)) / 2
    corners: np.ndarray = placed + middle
    if chance.random() < 0.15:  # cut a little at the edges
        corners = (corners - 0.5) * chance.uniform(1.0, 1.05) + 0.5
    return corners


def _homography(seen: np.ndarray, source: np.ndarray) -> tuple[float, ...]:
    """The eight numbers by which PIL finds for a place of the picture its source."""
    rows, right = [], []
    for (u, v), (x, y) in zip(seen, source, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        right += [x, y]
    return tuple(np.linalg.solve(np.array(rows), np.array(right)).tolist())


def _ground(chance: np.random.Generator, colour: Colour | None) -> Any:
    """What lies behind: a given colour; or any, or two, or something like wood or cloth."""
    from PIL import Image

    base = colour or any_colour(chance, (0.0, 1.0) if chance.random() < 0.5 else (0.85, 1.0), 0.7)
    values = np.broadcast_to(np.array(base, np.float32), (LARGE, LARGE, 3)).copy()
    kind = chance.random()
    if kind < 0.3:
        strength = chance.uniform(4, 30 if colour is None else 10)
        coarse = chance.normal(0, strength, (int(chance.integers(2, 12)), int(chance.integers(2, 40))))
        texture = Image.fromarray((coarse + 128).clip(0, 255).astype(np.uint8)).resize((LARGE, LARGE))
        values += np.asarray(texture, np.float32)[..., None] - 128
    elif kind < 0.45 and colour is None:
        values[: int(chance.integers(10, LARGE - 10))] = any_colour(chance)
    return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGBA")


def _lit(chance: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Light that falls from a side, a spot or a shadow, and has a colour."""
    y, x = np.mgrid[0:LARGE, 0:LARGE] / (LARGE - 1) - 0.5
    angle, depth = chance.uniform(0, 2 * np.pi), chance.uniform(0, 0.9)
    light = 1 + depth * (np.cos(angle) * x + np.sin(angle) * y)
    if chance.random() < 0.35:
        cx, cy, size = chance.uniform(-0.5, 0.5), chance.uniform(-0.5, 0.5), chance.uniform(0.15, 0.5)
        light = light + chance.uniform(-0.35, 0.5) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * size**2))
    if chance.random() < 0.2:
        angle = chance.uniform(0, 2 * np.pi)
        shadow = np.cos(angle) * x + np.sin(angle) * y > chance.uniform(-0.3, 0.4)
        light = np.where(shadow, light * chance.uniform(0.55, 0.9), light)
    tint = 1 + chance.normal(0, 0.05, 3)
    contrast, brightness = chance.uniform(0.65, 1.15), chance.normal(0, 14)
    lit: np.ndarray = ((values - 128) * contrast + 128 + brightness) * light[..., None] * tint
    return lit


def _worn(chance: np.random.Generator, picture: Any, plain: bool) -> np.ndarray:
    """Blurred, noisy, compressed."""
    from PIL import Image, ImageFilter

    if not plain and chance.random() < 0.6:
        picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.2, 1.1)))
    if chance.random() < (0.2 if plain else 0.6):
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=int(chance.integers(35, 96)))
        picture = Image.open(packed).convert("RGB")
    values = np.asarray(picture, np.float64)
    if not plain and chance.random() < 0.6:
        values = values + chance.normal(0, chance.uniform(1, 12), values.shape)
    worn: np.ndarray = values.round().clip(0, 255).astype(np.uint8)
    return worn
