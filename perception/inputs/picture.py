"""Pictures: any size and colours -> (channels, height, width) bytes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from gymnasium import spaces

from lanista.errors import UsageError
from lanista.files import check_file
from lanista.plugs import one_line

if TYPE_CHECKING:
    from PIL import Image

LUMINANCE = (0.299, 0.587, 0.114)  # of ITU-R BT.601
AT_ONCE = 2048
MOST_PIXELS, MOST_DEEP = 2**26, 2**24  # the latter of those of 16 or 32 bits a pixel
DEEP = "IF"  # with which Pillow's names of these begin
MOST_BYTES = 2**28  # of a file
MANY_PIXELS, FINER = 2**22, 8  # those that have more are reduced first, to so many times what is wanted
# Pillow knows more, among them EPS, for which it starts the program Ghostscript on what the file says.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "ICO", "TGA", "JPEG2000")
GREATEST_SIDE = 1024


@dataclasses.dataclass(frozen=True)
class PictureInput:
    """Pictures are scaled to one size, their edges antialiased, and made grey or coloured.

    Attributes:
        height: in pixels.
        width: in pixels.
        channels: 1 for grey, 3 for red, green, blue.
        background: "dark" or "light" if all pictures that it learned from have such a background: a file with the
            other is inverted. Empty if either is right as it is.
    """

    height: int
    width: int
    channels: int = 1
    background: str = ""

    name: ClassVar[str] = "picture"
    modality: ClassVar[str] = "picture"

    def __post_init__(self) -> None:
        good = 1 <= self.height <= GREATEST_SIDE and 1 <= self.width <= GREATEST_SIDE and self.channels in (1, 3)
        if not good or self.background not in ("", "dark", "light"):
            raise UsageError(f"no pictures are like this: {self}")

    @property
    def space(self) -> spaces.Box:
        """(channels, height, width) bytes."""
        return spaces.Box(0, 255, (self.channels, self.height, self.width), np.uint8)

    def fit(self, raw: Any, rate: int = 0) -> np.ndarray:
        """(n, h, w) or (n, h, w, 3) bytes, or a list of such pictures of any sizes -> (n, channels, height, width)."""
        if not isinstance(raw, np.ndarray):
            return np.concatenate([self.fit(picture[None]) for picture in raw]) if len(raw) else self._empty()
        colours = raw if raw.ndim == 4 else raw[..., None]
        if colours.ndim != 4 or colours.shape[3] not in (1, 3) or raw.dtype != np.uint8:
            raise UsageError(f"pictures are (n, height, width) or (n, height, width, 3) bytes, not {raw.shape}")
        parts = [self._fit(colours[start : start + AT_ONCE]) for start in range(0, len(colours), AT_ONCE)]
        return np.concatenate(parts) if parts else self._empty()

    def _empty(self) -> np.ndarray:
        return np.zeros((0, self.channels, self.height, self.width), np.uint8)

    def _fit(self, colours: np.ndarray) -> np.ndarray:
        """(n, h, w, c) -> (n, channels, height, width)."""
        values = torch.tensor(colours.transpose(0, 3, 1, 2))  # a copy: the set's own array may be read-only
        have, size = values.shape[1], (self.height, self.width)
        if have == self.channels and values.shape[2:] == size:
            return values.numpy()
        real = values.float()
        if have == 3 and self.channels == 1:
            real = (real * torch.tensor(LUMINANCE).view(3, 1, 1)).sum(1, keepdim=True)
        elif have == 1 and self.channels == 3:
            real = real.expand(-1, 3, -1, -1)
        if real.shape[2:] != size:
            real = F.interpolate(real, size, mode="bilinear", align_corners=False, antialias=True)
        return real.round().clamp(0, 255).byte().numpy()

    def read(self, source: str | Path) -> np.ndarray:
        """A picture file -> (channels, height, width) bytes; what is transparent is white.

        Raises:
            UsageError: it is missing, damaged, of over 64 million pixels (16 million of 16 bits), or no picture.
        """
        from PIL import Image

        try:
            check_file(Path(source), MOST_BYTES)
            with Image.open(source, formats=FORMATS) as opened:
                if opened.width * opened.height > (MOST_DEEP if opened.mode[0] in DEEP else MOST_PIXELS):
                    raise UsageError(f"{source} has {opened.width} x {opened.height} pixels, too many to read")
                layers = self._reduced(_in_bytes(opened)).convert("RGBA")
        except FileNotFoundError:
            raise UsageError(f"there is no picture {source}") from None
        except UsageError:
            raise
        except Exception as error:  # Pillow raises many kinds for what is no picture
            raise UsageError(f"{source} is damaged or no picture ({one_line(error)})") from None
        white = Image.new("RGBA", layers.size, "white")
        picture = np.asarray(Image.alpha_composite(white, layers).convert("RGB"))
        fitted: np.ndarray = self.fit(picture[None])[0]
        return 255 - fitted if self._inverted(fitted) else fitted

    def _reduced(self, picture: Image.Image) -> Image.Image:
        """One of many pixels nearer to what is wanted: else 64 million of them take gigabytes on the way there.

        What stays is several times finer than what it is scaled to, so that the scaling hardly tells.
        """
        factor = min(picture.width // (FINER * self.width), picture.height // (FINER * self.height))
        if picture.width * picture.height <= MANY_PIXELS or factor < 2:
            return picture
        plain = picture if picture.mode in ("L", "LA", "RGB", "RGBA", "CMYK") else picture.convert("RGBA")
        return plain.reduce(factor)

    def _inverted(self, picture: np.ndarray) -> bool:
        """Is the picture's edge dark where it should be light, or light where it should be dark?"""
        if not self.background:
            return False
        sides = (picture[:, 0], picture[:, -1], picture[:, :, 0], picture[:, :, -1])
        edge = np.concatenate([side.ravel() for side in sides])
        return bool((np.median(edge) > 127) == (self.background == "dark"))

    def describe(self) -> dict[str, Any]:
        """The fields, and "kind"."""
        return {"kind": self.name, **dataclasses.asdict(self)}


def _in_bytes(picture: Image.Image) -> Image.Image:
    """A picture of 16 or 32 bits a pixel in 8, which pillow would cut off at 255 instead; others as they are."""
    from PIL import Image

    if picture.mode[0] not in DEEP:
        return picture
    deep = np.array(picture, np.float32)
    low, high = float(np.nanmin(deep)), float(np.nanmax(deep))
    if picture.mode[0] == "I" and low >= 0 and high <= 2**16 - 1:
        low, high = 0.0, 255.0 if high <= 255 else 2**16 - 1.0
    deep -= low  # in place: a large one takes its memory once
    deep *= 255 / max(high - low, 1e-12)
    np.nan_to_num(deep, copy=False)
    return Image.fromarray(deep.round(out=deep).clip(0, 255, out=deep).astype(np.uint8))


INPUT = PictureInput
