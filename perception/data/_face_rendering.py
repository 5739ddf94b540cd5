"""Faces rendered from numbers: what makes a person, and what differs from picture to picture of one."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

SIDE = 48  # of the pictures, in pixels
DRAWN = 96  # of what is drawn and then halved
AT_ONCE = 256
SKIN = ((0.99, 0.86, 0.76), (0.94, 0.76, 0.62), (0.82, 0.62, 0.46), (0.62, 0.43, 0.30), (0.40, 0.27, 0.19))
HAIR = (
    (0.10, 0.08, 0.07),
    (0.28, 0.18, 0.11),
    (0.50, 0.33, 0.18),
    (0.82, 0.68, 0.42),
    (0.60, 0.25, 0.12),
    (0.7, 0.7, 0.7),
)
EYES = ((0.25, 0.15, 0.08), (0.35, 0.45, 0.60), (0.35, 0.45, 0.25), (0.15, 0.10, 0.08))
PERSON = {  # name -> lowest, highest
    "wide": (0.50, 0.64),
    "tall": (0.66, 0.80),
    "jaw": (0.05, 0.50),
    "square": (1.8, 2.8),
    "eyes_apart": (0.36, 0.52),
    "eyes_high": (-0.16, 0.04),
    "eye_size": (0.085, 0.135),
    "eye_open": (0.40, 0.75),
    "eye_tilt": (-0.22, 0.22),
    "brow_above": (0.12, 0.22),
    "brow_thick": (0.018, 0.05),
    "brow_tilt": (-0.3, 0.3),
    "brow_wide": (0.13, 0.20),
    "nose_long": (0.24, 0.42),
    "nose_wide": (0.07, 0.16),
    "mouth_below": (0.16, 0.26),
    "mouth_wide": (0.18, 0.34),
    "lips": (0.035, 0.085),
    "lip_red": (0.0, 0.5),
    "ear": (0.08, 0.16),
    "hairline": (-0.72, -0.38),
    "hair_round": (-0.5, 0.7),
    "hair_big": (1.02, 1.22),
    "hair_long": (-1.2, 1.4),
    "bald": (-1.5, 0.5),
    "beard": (-1.4, 0.9),
    "moustache": (-1.2, 0.9),
    "mole_x": (-0.6, 0.6),
    "mole_y": (-0.1, 0.6),
    "mole": (-0.05, 0.035),
}


class Faces:
    """Pictures of people, each person a row of numbers."""

    def __init__(self, people: int, seed: int) -> None:
        """Draw the people's numbers; the same for the same seed."""
        random = np.random.default_rng(seed)
        self.numbers = {name: random.uniform(low, high, people) for name, (low, high) in PERSON.items()}
        self.skin = _mixed(SKIN, random, people)
        self.hair = np.array(HAIR)[random.integers(len(HAIR), size=people)] * random.uniform(0.8, 1.2, (people, 1))
        self.eyes = np.array(EYES)[random.integers(len(EYES), size=people)]

    def picture(self, people: np.ndarray, seed: int) -> np.ndarray:
        """A picture of each of these people (n,), in a pose, light and surrounding of its own: (n, 48, 48, 3) bytes."""
        generator = torch.Generator().manual_seed(seed)
        parts = []
        for start in range(0, len(people), AT_ONCE):
            some = people[start : start + AT_ONCE]
            numbers = {name: _column(values[some]) for name, values in self.numbers.items()}
            skin, hair, eyes = (torch.tensor(c[some], dtype=torch.float32) for c in (self.skin, self.hair, self.eyes))
            parts.append(_Drawing(numbers, skin, hair, eyes, generator).seen())
        return np.concatenate(parts)


def _mixed(colours: tuple[tuple[float, ...], ...], random: np.random.Generator, count: int) -> np.ndarray:
    """Colours between neighbours of a scale: (count, 3)."""
    place = random.uniform(0, len(colours) - 1.001, count)
    low, table = place.astype(int), np.array(colours)
    mixed: np.ndarray = table[low] + (table[low + 1] - table[low]) * (place - low)[:, None]
    return mixed


def _column(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1)


class _Drawing:
    """One batch of pictures while it is drawn, layer upon layer: (n, 3, DRAWN, DRAWN) in [0, 1]."""

    def __init__(
        self, person: dict[str, Tensor], skin: Tensor, hair: Tensor, eyes: Tensor, generator: torch.Generator
    ) -> None:
        self.person, self.count, self.generator = person, len(skin), generator
        self.skin, self.hair, self.eyes = (colour.view(-1, 3, 1, 1) for colour in (skin, hair, eyes))
        self.yaw, self.pitch = self.uniform(-0.55, 0.55), self.uniform(-0.25, 0.25)
        roll, zoom = self.uniform(-0.2, 0.2), self.uniform(0.82, 1.1)
        rows = torch.linspace(-1, 1, DRAWN)
        y, x = torch.meshgrid(rows, rows, indexing="ij")
        x, y = x - self.uniform(-0.08, 0.08), y - self.uniform(-0.08, 0.08)
        self.x = (x * roll.cos() + y * roll.sin()) * zoom
        self.y = (-x * roll.sin() + y * roll.cos()) * zoom
        self.canvas = torch.zeros(self.count, 3, DRAWN, DRAWN)

    def uniform(self, low: float, high: float) -> Tensor:
        """A number for each picture: (n, 1, 1)."""
        return torch.rand(self.count, 1, 1, generator=self.generator) * (high - low) + low

    def colour(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """A colour for each picture: (n, 3, 1, 1)."""
        return torch.rand(self.count, 3, 1, 1, generator=self.generator) * (high - low) + low

    def sometimes(self, share: float) -> Tensor:
        """1 for a share of the pictures, else 0: (n, 1, 1)."""
        return (self.uniform(0, 1) < share).float()

    def lay(self, mask: Tensor, colour: Tensor) -> None:
        """Colour (n, 3, 1 or DRAWN, ...) where the mask (n, DRAWN, DRAWN) is 1."""
        self.canvas += mask[:, None] * (colour - self.canvas)

    def on_head(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Where a point of the face from the front is seen when the head is turned: points on an ellipsoid."""
        wide, tall = self.person["wide"], self.person["tall"]
        depth = (1 - (x / wide).square() - (y / tall).square()).clamp(min=0.02).sqrt() * wide
        seen_x = x * self.yaw.cos() + depth * self.yaw.sin()
        back = depth * self.yaw.cos() - x * self.yaw.sin()
        return seen_x, y * self.pitch.cos() + back * self.pitch.sin()

    def oval(
        self, x: Tensor, y: Tensor, wide: Tensor, tall: Tensor, tilt: Tensor | float = 0.0, soft: float = 0.03
    ) -> Tensor:
        """A mask (n, DRAWN, DRAWN) of an ellipse, `soft` wide at its rim."""
        turn = torch.as_tensor(tilt)
        dx, dy = self.x - x, self.y - y
        u = (dx * turn.cos() + dy * turn.sin()) / wide
        v = (-dx * turn.sin() + dy * turn.cos()) / tall
        inside = (1 - (u.square() + v.square() + 1e-6).sqrt()) * torch.minimum(
            torch.as_tensor(wide), torch.as_tensor(tall)
        )
        return (inside / soft + 0.5).clamp(0, 1)

    def seen(self) -> np.ndarray:
        """All layers, then the camera: (n, SIDE, SIDE, 3) bytes."""
        self._behind()
        face = self._head()
        self._features()
        self._hair_and_beard(face)
        self._in_front()
        return self._camera()

    def _behind(self) -> None:
        ground = self.colour() + (self.colour(-0.3, 0.3) * self.x[:, None])
        self.canvas = ground.clamp(0, 1).expand(-1, 3, DRAWN, DRAWN).clone()
        p = self.person
        behind = self.oval(
            -0.1 * self.yaw, torch.full_like(self.yaw, 0.1), p["wide"] * 1.25, 0.55 + 0.4 * p["hair_long"]
        )
        self.lay(behind * (p["hair_long"] > 0.3), self.hair * 0.8)
        zero = torch.zeros_like(self.yaw)
        self.lay(self.oval(zero, zero + 0.75, p["wide"] * 0.55, zero + 0.5), self.skin * 0.8)
        self.lay(self.oval(zero, zero + 1.35, zero + 1.0, zero + 0.5), self.colour())

    def _head(self) -> Tensor:
        p = self.person
        for side in (-1.0, 1.0):
            shown = (0.5 + side * -self.yaw * 1.5).clamp(0, 1)
            x = side * p["wide"] * 0.98 - self.yaw * 0.12
            self.lay(self.oval(x, p["eyes_high"] + 0.12, p["ear"] * 0.55, p["ear"]) * shown, self.skin * 0.92)
        narrow = p["wide"] * (1 - p["jaw"] * (self.y / p["tall"]).clamp(min=0).square())
        u, v = (self.x / narrow).abs(), (self.y / p["tall"]).abs()
        reach = (u.clamp(min=1e-4) ** p["square"] + v.clamp(min=1e-4) ** 2).clamp(max=4)
        face = ((1 - reach) / 0.12 + 0.5).clamp(0, 1)
        up = (1 - reach).clamp(min=0.02).sqrt()
        light = (
            0.9 * self.uniform(-1, 1) * self.x / narrow + 0.6 * self.uniform(-1, 1) * self.y / p["tall"] + up
        ).clamp(-0.4, 1.6)
        shade = 0.62 + 0.38 * light
        self.lay(face, (self.skin * shade[:, None]).clamp(0, 1))
        self.shade = shade
        return face

    def _features(self) -> None:
        p = self.person
        opened, gaze, frown = self.uniform(0.65, 1.1), self.uniform(-0.03, 0.03), self.uniform(-0.12, 0.12)
        raised = self.uniform(-0.02, 0.04)
        for side in (-1.0, 1.0):
            x, y = self.on_head(side * p["eyes_apart"] / 2, p["eyes_high"])
            size, tilt = p["eye_size"], side * -p["eye_tilt"]
            open_eye = size * p["eye_open"] * opened
            self.lay(self.oval(x, y - 0.02, size * 1.25, open_eye * 1.5, tilt, 0.06) * 0.35, self.skin * 0.6)
            self.lay(self.oval(x, y, size, open_eye, tilt), torch.full_like(self.skin, 0.92) * self.shade[:, None])
            iris = self.oval(x + gaze, y, size * 0.52, torch.minimum(size * 0.52, open_eye))
            self.lay(iris, self.eyes)
            self.lay(self.oval(x + gaze, y, size * 0.22, size * 0.22), self.eyes * 0.1)
            x, y = self.on_head(side * p["eyes_apart"] / 2, p["eyes_high"] - p["brow_above"] - raised)
            brow = self.oval(x, y, p["brow_wide"], p["brow_thick"], side * (p["brow_tilt"] + frown))
            self.lay(brow, self.hair * 0.7)
        x, y = self.on_head(torch.zeros_like(self.yaw), p["eyes_high"] + p["nose_long"])
        x = x + self.yaw.sin() * 0.12
        self.lay(self.oval(x, y + 0.03, p["nose_wide"] * 1.1, p["nose_wide"] * 0.6, 0.0, 0.08) * 0.45, self.skin * 0.55)
        bridge = self.oval(
            x * 0.8 + self.yaw * 0.05, y - p["nose_long"] * 0.45, p["nose_wide"] * 0.3, p["nose_long"] * 0.5, 0.0, 0.08
        )
        self.lay(bridge * 0.35, (self.skin * 1.15).clamp(0, 1))
        for side in (-1.0, 1.0):
            self.lay(
                self.oval(x + side * p["nose_wide"] * 0.5, y + 0.02, p["nose_wide"] * 0.28, p["nose_wide"] * 0.2),
                self.skin * 0.25,
            )
        self._mouth()
        x, y = self.on_head(p["mole_x"] * p["wide"], p["mole_y"])
        self.lay(
            self.oval(x, y, p["mole"].clamp(min=1e-3), p["mole"].clamp(min=1e-3), 0.0, 0.02) * (p["mole"] > 0),
            self.skin * 0.3,
        )

    def _mouth(self) -> None:
        p = self.person
        x, y = self.on_head(torch.zeros_like(self.yaw), p["eyes_high"] + p["nose_long"] + p["mouth_below"])
        smile, opened, wider = self.uniform(-0.35, 0.9), self.uniform(-0.06, 0.1).clamp(min=0), self.uniform(0.9, 1.15)
        wide = p["mouth_wide"] * wider
        bend = smile * ((self.x - x) / wide).square() * 0.09
        across = 1 - ((self.x - x) / wide).square()
        rise = (self.y - y + bend).abs()
        lips = ((p["lips"] + opened) * across.clamp(min=0).sqrt() - rise) / 0.03 + 0.5
        red = torch.tensor([0.75, 0.28, 0.28]).view(1, 3, 1, 1)
        lip = self.skin * 0.72 * (1 - p["lip_red"][:, None]) + red * p["lip_red"][:, None]
        self.lay(lips.clamp(0, 1) * (across > 0), lip * self.shade[:, None].clamp(0.5, 1.1))
        line = ((opened + 0.012) * across.clamp(min=0).sqrt() - rise) / 0.02 + 0.5
        self.lay(line.clamp(0, 1) * (across > 0), torch.full_like(self.skin, 0.12))
        self.mouth = x, y

    def _hair_and_beard(self, face: Tensor) -> None:
        p = self.person
        x, y = self.mouth
        lower = ((self.y - y + 0.22 * ((self.x - x) / p["wide"]).square() * 2 - 0.02) / 0.08).clamp(0, 1) * face
        around = 1 - self.oval(x, y, p["mouth_wide"] * 1.05, p["lips"] * 1.4 + 0.03, 0.0, 0.05)
        self.lay(lower * around * p["beard"].clamp(0, 0.9), self.hair * 0.85)
        above = self.oval(x, y - p["lips"] - 0.055, p["mouth_wide"] * 0.85, torch.full_like(x, 0.05), 0.0, 0.04)
        self.lay(above * p["moustache"].clamp(0, 0.9), self.hair * 0.85)
        skull = self.oval(
            torch.zeros_like(x), -0.06 + 0 * x, p["wide"] * p["hair_big"], p["tall"] * 1.02 * p["hair_big"], 0.0, 0.05
        )
        edge = p["hairline"] - p["hair_round"] * (self.x - self.yaw * 0.2).square() + self.pitch * 0.3
        front = torch.sigmoid((edge - self.y) / 0.03)
        self.lay(skull * front * (p["bald"] < 0.3), self.hair * (0.75 + 0.35 * self.shade[:, None]).clamp(0.5, 1.3))

    def _in_front(self) -> None:
        p = self.person
        glasses, dark = self.sometimes(0.18), self.colour(0.0, 0.5)
        for side in (-1.0, 1.0):
            x, y = self.on_head(side * p["eyes_apart"] / 2, p["eyes_high"])
            size = p["eyes_apart"] * 0.42
            rim = self.oval(x, y, size, size * 0.85) - self.oval(x, y, size - 0.035, size * 0.85 - 0.035)
            self.lay(rim.clamp(0, 1) * glasses, dark)
        self.lay(
            torch.sigmoid((self.uniform(-0.62, -0.42) - self.y) / 0.02) * self.sometimes(0.1), self.colour()
        )  # a hat
        far = self.oval(
            self.uniform(-0.9, 0.9), self.uniform(0.3, 1.0), self.uniform(0.15, 0.4), self.uniform(0.15, 0.4)
        )
        self.lay(far * self.sometimes(0.15), self.colour())  # a thing held before the face

    def _camera(self) -> np.ndarray:
        picture = F.avg_pool2d(self.canvas, DRAWN // SIDE)
        cast = (1 + self.colour(-0.12, 0.12)) * self.uniform(0.55, 1.25)[:, None]
        edge = torch.sigmoid(
            (F.avg_pool2d(self.x[:, None], 2) * self.uniform(-1, 1)[:, None] - self.uniform(-0.4, 0.6)[:, None]) * 8
        )
        picture = picture * cast * (1 - 0.45 * self.sometimes(0.3)[:, None] * edge)
        soft = F.avg_pool2d(F.pad(picture, (1, 1, 1, 1), mode="replicate"), 3, 1)
        picture = picture + (soft - picture) * self.uniform(0, 1)[:, None]
        picture = picture + torch.randn(picture.shape, generator=self.generator) * self.uniform(0.005, 0.06)[:, None]
        bytes_: np.ndarray = (picture.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).numpy()
        return bytes_
