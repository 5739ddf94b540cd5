"""Licence plates drawn with fonts, then seen as a camera sees them: askew, in uneven light, dirty, blurred, noisy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

from lanista.perception.data._plate_layouts import LAYOUTS, Layout, draw_text, to_be_read

HEIGHT, WIDTH = 32, 128  # of what is seen, in pixels
DRAWN_HEIGHT, DRAWN_WIDTH = 64, 256  # of the plate before
GLYPH = 72  # pixels, the fonts' size
LUMINANCE = np.array((0.299, 0.587, 0.114))  # of ITU-R BT.601
BESIDE, ABOVE, BELOW = 20, 6, 26  # pixels around a capital for what hangs over
KERNEL = 9  # pixels of the blur
MARKS = ("D", "F", "E", "I", "NL", "GB", "PL", "P", "S", "N", "FIN", "CZ", "H")  # of countries, on the band


class Letters:
    """The glyphs of a font file as masks, each drawn once."""

    def __init__(self, path: Path) -> None:
        from PIL import ImageFont

        self.font = ImageFont.truetype(str(path), GLYPH)
        self.glyphs: dict[str, tuple[np.ndarray, float]] = {}
        box = self.font.getbbox("H")
        self.top, self.height = int(box[1]), int(box[3] - box[1])

    def glyph(self, character: str) -> tuple[np.ndarray, float]:
        """A mask in [0, 1], some rows higher and columns wider than a capital, and how far on the next one begins."""
        if character not in self.glyphs:
            from PIL import Image, ImageDraw

            wide = max(1, int(np.ceil(self.font.getlength(character))))
            picture = Image.new("L", (wide + 2 * BESIDE, self.height + ABOVE + BELOW))
            ImageDraw.Draw(picture).text((BESIDE, ABOVE - self.top), character, 255, self.font)
            self.glyphs[character] = (np.asarray(picture, np.float32) / 255, self.font.getlength(character))
        return self.glyphs[character]

    def line(self, text: str, space: float, gap: float) -> np.ndarray:
        """A mask of a line of text; `space` is added after each character, "_" is a gap, in heights of capitals."""
        space, gap, x, places = space * self.height, gap * self.height, 0.0, []
        for character in text:
            if character == "_":
                x += gap
                continue
            mask, step = self.glyph(character)
            places.append((round(x), mask))
            x += step + space
        whole = np.zeros((self.height + ABOVE + BELOW, round(x) + 2 * BESIDE), np.float32)
        for left, mask in places:
            part = whole[:, left : left + mask.shape[1]]
            np.maximum(part, mask[:, : part.shape[1]], out=part)
        columns, rows = np.flatnonzero(whole.max(0) > 0.2), np.flatnonzero(whole.max(1) > 0.2)
        if not len(columns):
            return whole
        top, bottom = min(rows[0], ABOVE), max(rows[-1] + 1, ABOVE + self.height)  # a J may hang below
        return whole[top:bottom, columns[0] : columns[-1] + 1]


def _grey(colour: tuple[int, int, int]) -> float:
    return float(np.array(colour) @ LUMINANCE)


def _blend(plate: np.ndarray, mask: np.ndarray, top: int, left: int, grey: float) -> None:
    part = plate[max(0, top) : top + mask.shape[0], left : left + mask.shape[1]]
    mask = mask[max(0, -top) :, :][: part.shape[0], : part.shape[1]]
    part += mask * (grey - part)


def _scaled(mask: np.ndarray, width: int, height: int) -> np.ndarray:
    from PIL import Image

    picture = Image.fromarray((mask * 255).astype(np.uint8)).resize((max(2, width), max(2, height)))
    return np.asarray(picture, np.float32) / 255


def draw_plate(
    layout: Layout, text: str, letters: Letters, random: np.random.Generator, varied: bool = False
) -> np.ndarray:
    """A plate from the front: (DRAWN_HEIGHT, DRAWN_WIDTH) greys, float32; plates of any aspect fill it.

    Args:
        layout: the country's.
        text: from `draw_text`.
        letters: of its font.
        random: all chance comes from it.
        varied: the letters are made bolder or thinner, narrower or wider and slanted, as other fonts would be.
    """
    height, width = DRAWN_HEIGHT, round(DRAWN_HEIGHT * layout.aspect)
    likely = 0 if random.random() < 0.7 else random.integers(len(layout.colours))
    ground, ink = (_grey(colour) + random.normal(0, 6) for colour in layout.colours[likely])
    plate = np.full((height, width), ground, np.float32)
    box = _decorate(plate, layout, letters, random, ink)
    if random.random() < 0.7:  # a rim
        plate[2:4, 2:-2] = plate[-4:-2, 2:-2] = plate[2:-2, 2:4] = plate[2:-2, -4:-2] = ink
    _set_text(plate, text, letters, random, box, (ink, ground), varied)
    for _ in range(random.integers(0, 4)):  # bolts
        radius = int(random.integers(2, 4))
        y, x = int(random.integers(4, height - 8)), int(random.integers(8, width - 12))
        rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
        _blend(plate, (rows**2 + columns**2 <= radius**2).astype(np.float32), y, x, random.uniform(40, 220))
    return _scaled(plate.clip(0, 255) / 255, DRAWN_WIDTH, DRAWN_HEIGHT) * 255


def _decorate(
    plate: np.ndarray, layout: Layout, letters: Letters, random: np.random.Generator, ink: float
) -> tuple[int, int, int, int]:
    """Draw the band and the small words; what they leave for the line: left, right, top, bottom."""
    height, width = plate.shape
    left, right, top, bottom = 6, width - 6, 5, height - 5
    if layout.band in ("left", "both") and random.random() < 0.85:
        band = round(height * 0.38)
        for start in [0] if layout.band == "left" else [0, width - band]:
            plate[:, start : start + band] = 52
            mark = _scaled(letters.line(MARKS[random.integers(len(MARKS))], 0.05, 0), band // 2, 13)
            _blend(plate, mark, height - 20, start + band // 4, 235)
            _blend(plate, _ring(band - 8), 8, start + 4, 190)
        left, right = band + 5, width - (band + 5 if layout.band == "both" else 6)
    elif layout.band == "top":
        plate[: height // 5] = 52
        top = height // 5 + 3
    for place, words in enumerate(layout.caption):
        mask = letters.line(words.replace(" ", "_"), 0.02, 0.4)
        tall = 9 if layout.band == "top" else 11
        wide = min(round(mask.shape[1] * tall / mask.shape[0]), width - 20)
        above = 2 if place == 0 else height - tall - 2
        _blend(plate, _scaled(mask, wide, tall), above, (width - wide) // 2, 235.0 if layout.band == "top" else ink)
        if place == 0:
            top = max(top, tall + 4)
        else:
            bottom = height - tall - 3
    return left, right, top, bottom


def _ring(size: int) -> np.ndarray:
    """A ring of dots, as Europe's stars look from afar."""
    rows, columns = np.mgrid[0:size, 0:size] - (size - 1) / 2
    distance, angle = np.hypot(rows, columns), np.arctan2(rows, columns)
    ring: np.ndarray = ((abs(distance - size * 0.4) < 1.2) & (np.cos(angle * 12) > 0)).astype(np.float32)
    return ring


def _set_text(
    plate: np.ndarray,
    text: str,
    letters: Letters,
    random: np.random.Generator,
    box: tuple[int, int, int, int],
    colours: tuple[float, float],
    varied: bool,
) -> None:
    """Set the line into its box, condensed if it is too wide, embossed."""
    (left, right, top, bottom), (ink, ground) = box, colours
    mask = letters.line(text, random.uniform(0.0, 0.16), random.uniform(0.2, 0.5))
    if varied:
        mask = _as_another_font(mask, random)
    tall = round((bottom - top) * random.uniform(0.78, 1.0))
    natural = mask.shape[1] * tall / mask.shape[0]
    room = right - left
    wide = round(min(natural * (random.uniform(0.6, 1.25) if varied else random.uniform(0.85, 1.15)), room))
    mask = _scaled(mask, wide, tall)
    y = top + (bottom - top - tall) // 2
    x = left + round((room - wide) * random.uniform(0.25, 0.75))
    depth = random.uniform(0, 0.25)
    _blend(plate, mask * depth, y + 1, x + 1, 255.0 if ground < 128 else 60.0)
    _blend(plate, mask, y, x, ink)


def _as_another_font(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The same letters bolder or thinner, rounder, slanted."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    if random.random() < 0.6:
        soft = gaussian_filter(mask, random.uniform(0.8, 3.2))
        mask = ((soft - random.uniform(0.3, 0.68)) * 4 + 0.5).clip(0, 1)
    slant = random.uniform(-0.16, 0.16)
    picture = Image.fromarray((mask * 255).astype(np.uint8))
    wider = round(abs(slant) * mask.shape[0])
    shear = (1.0, slant, -max(slant, 0.0) * mask.shape[0], 0.0, 1.0, 0.0)
    picture = picture.transform(
        (mask.shape[1] + wider, mask.shape[0]), Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR
    )
    slanted: np.ndarray = np.asarray(picture, np.float32) / 255
    return slanted


def see(drawn: Tensor, generator: torch.Generator) -> Tensor:
    """Plates as a camera sees them, each in its own way.

    Args:
        drawn: (n, DRAWN_HEIGHT, DRAWN_WIDTH) greys, 0 to 255.
        generator: all chance comes from it.

    Returns:
        (n, HEIGHT, WIDTH) bytes.
    """
    count = len(drawn)

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, 1, 1, generator=generator) * (high - low) + low

    def smooth(rows: int, columns: int) -> Tensor:
        noise = torch.randn(count, 1, rows, columns, generator=generator)
        return F.interpolate(noise, (HEIGHT, WIDTH), mode="bicubic", align_corners=False)[:, 0]

    grid = _homographies(count, generator)
    both = torch.stack([drawn, torch.full_like(drawn, 255.0)], 1)
    seen = F.grid_sample(F.avg_pool2d(both, 2), grid, mode="bilinear", align_corners=False)
    inside = seen[:, 1] / 255
    car = (uniform(10, 230) + smooth(2, 4) * 25).clamp(0, 255)
    values = seen[:, 0] + (1 - inside) * car
    dirt = (smooth(5, 16) - uniform(0.6, 2.4)).clamp(0, 1) * uniform(0.2, 0.75)
    values = values + dirt * (uniform(60, 130) - values)
    rows = torch.linspace(-1, 1, HEIGHT).view(1, HEIGHT, 1)
    columns = torch.linspace(-1, 1, WIDTH).view(1, 1, WIDTH)
    light = 1 + uniform(-0.35, 0.35) * columns + uniform(-0.25, 0.25) * rows
    edge = torch.sigmoid((columns + uniform(-0.6, 0.6) * rows - uniform(-0.9, 0.9)) * uniform(4, 40))
    shaded = (uniform(0, 1) < 0.35).float() * uniform(0.2, 0.6)
    glare = torch.exp(-((columns - uniform(-1, 1)) ** 2 / 0.05 + (rows - uniform(-1, 1)) ** 2 / 0.4))
    values = values * light * (1 - shaded * edge) + (uniform(0, 1) < 0.15).float() * uniform(40, 120) * glare
    values = _blurred(values, generator)
    values = values * uniform(0.45, 1.05) + uniform(-10, 50)
    values = values + torch.randn(values.shape, generator=generator) * uniform(0, 12)
    return values.clamp(0, 255).byte()


def _homographies(count: int, generator: torch.Generator) -> Tensor:
    """Where each pixel of what is seen lies on the plate: (n, HEIGHT, WIDTH, 2) in [-1, 1] and beyond."""
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    margin = torch.rand(count, 1, 2, generator=generator) * torch.tensor([0.14, 0.3]) - 0.02
    shift = (torch.rand(count, 1, 2, generator=generator) * 2 - 1) * margin.clamp(min=0) * 0.6
    jitter = (torch.rand(count, 4, 2, generator=generator) * 2 - 1) * torch.tensor([0.04, 0.12])
    angle = (torch.rand(count, 1, generator=generator) * 2 - 1) * (4 * torch.pi / 180)
    slant = (torch.rand(count, 1, generator=generator) * 2 - 1) * 0.06
    x, y = corners[:, 0], corners[:, 1]
    wide = WIDTH / HEIGHT
    turned = torch.stack(
        [x * angle.cos() - y * angle.sin() / wide + slant * y, x * angle.sin() * wide + y * angle.cos()], 2
    )
    seen = turned * (1 - margin) + shift + jitter
    # Eight equations a plate for the homography that takes what is seen to the plate's corners.
    one, zero = torch.ones(count, 4), torch.zeros(count, 4)
    u, v = seen[..., 0], seen[..., 1]
    first = torch.stack([u, v, one, zero, zero, zero, -u * x, -v * x], 2)
    second = torch.stack([zero, zero, zero, u, v, one, -u * y, -v * y], 2)
    known = torch.cat([x.expand(count, 4), y.expand(count, 4)], 1)
    eight = torch.linalg.solve(torch.cat([first, second], 1), known)
    matrices = torch.cat([eight, torch.ones(count, 1)], 1).view(count, 1, 3, 3)
    columns = (torch.arange(WIDTH) + 0.5) / WIDTH * 2 - 1
    rows = (torch.arange(HEIGHT) + 0.5) / HEIGHT * 2 - 1
    points = torch.stack(
        [columns.expand(HEIGHT, WIDTH), rows[:, None].expand(HEIGHT, WIDTH), torch.ones(HEIGHT, WIDTH)], 2
    )
    on_plate = (matrices @ points.view(1, -1, 3, 1))[..., 0]
    return (on_plate[..., :2] / on_plate[..., 2:]).view(count, HEIGHT, WIDTH, 2)


def _blurred(values: Tensor, generator: torch.Generator) -> Tensor:
    """Each plate under its own oblong Gaussian: out of focus, or moved."""
    count = len(values)
    draws = torch.rand(count, 3, 1, 1, generator=generator)
    across = 0.25 + 0.95 * draws[:, 0] ** 2
    along = across + 0.9 * draws[:, 1] ** 3
    angle = draws[:, 2] * torch.pi
    y, x = torch.meshgrid(*[torch.arange(KERNEL) - KERNEL // 2] * 2, indexing="ij")
    far = x * angle.cos() + y * angle.sin()
    near = -x * angle.sin() + y * angle.cos()
    kernels = torch.exp(-((far / along) ** 2 + (near / across) ** 2) / 2)
    kernels = kernels / kernels.sum((1, 2), keepdim=True)
    padded = F.pad(values[None], [KERNEL // 2] * 4, mode="replicate")
    return F.conv2d(padded, kernels[:, None], groups=count)[0]


def render(
    fonts: list[tuple[str, Path]], count: int, seed: int, varied: bool = False
) -> tuple[np.ndarray, list[str], list[str]]:
    """Plates of all countries in some fonts.

    Args:
        fonts: (family, file); each family is as likely.
        count: how many.
        seed: the same plates for the same seed and fonts.
        varied: as for `draw_plate`.

    Returns:
        Pictures (count, HEIGHT, WIDTH) bytes; what is to be read; the families.
    """
    random = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    families: dict[str, list[Letters]] = {}
    for family, path in fonts:
        families.setdefault(family, []).append(Letters(path))
    names, layouts = sorted(families), list(LAYOUTS.values())
    parts, texts, used = [], [], []
    for start in range(0, count, 512):
        drawn = np.empty((min(512, count - start), DRAWN_HEIGHT, DRAWN_WIDTH), np.float32)
        for row in range(len(drawn)):
            layout, family = layouts[random.integers(len(layouts))], names[random.integers(len(names))]
            text = draw_text(layout, random)
            faces = families[family]
            drawn[row] = draw_plate(layout, text, faces[random.integers(len(faces))], random, varied)
            texts.append(to_be_read(text))
            used.append(family)
        parts.append(see(torch.from_numpy(drawn), generator).numpy())
    return np.concatenate(parts), texts, used
