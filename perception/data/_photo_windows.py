"""Square windows of the photographs that come with scikit-image, and finding what they show among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.perception.inputs.picture import PictureInput
from lanista.plugs import required

LEAST_OVERLAP = 0.5  # of a window with a true box, to count as it (as in PASCAL VOC)
UNCLEAR = 0.2  # a window that overlaps it by this or more, and less than that, is neither


@dataclass(frozen=True)
class Window:
    """A square in a photograph.

    Attributes:
        photo: its name.
        top: of the square, in pixels.
        left: in pixels.
        side: in pixels.
    """

    photo: str
    top: int
    left: int
    side: int

    def __str__(self) -> str:
        """As it stands in `Examples.groups`."""
        return f"{self.photo} {self.top} {self.left} {self.side}"

    @staticmethod
    def of(text: str) -> Window:
        """From `str(window)`."""
        photo, top, left, side = text.split()
        return Window(photo, int(top), int(left), int(side))

    def overlap(self, other: Window) -> float:
        """What both cover, as a share of what either covers (intersection over union)."""
        if self.photo != other.photo:
            return 0.0
        tall = min(self.top + self.side, other.top + other.side) - max(self.top, other.top)
        wide = min(self.left + self.side, other.left + other.side) - max(self.left, other.left)
        both = max(0, tall) * max(0, wide)
        return both / (self.side**2 + other.side**2 - both)


@lru_cache(maxsize=32)
def photograph(name: str) -> np.ndarray:
    """A photograph that comes with scikit-image, by its file's name there: (height, width) grey bytes."""
    required("skimage", "perception", "the task 'faces'")
    import skimage
    from PIL import Image

    files = sorted((Path(skimage.__file__).parent / "data").glob(f"{name}.*"))
    if not files:
        raise UsageError(f"this scikit-image comes without its photograph '{name}': pip install scikit-image again")
    with Image.open(files[0]) as opened:
        return np.asarray(opened.convert("L"))


def sliding(name: str, sides: tuple[int, ...], step: float) -> list[Window]:
    """All windows of some sizes over a photograph, a step of `step` of their side apart."""
    height, width = photograph(name).shape
    return [
        Window(name, top, left, side)
        for side in sides
        for top in range(0, height - side + 1, max(1, round(side * step)))
        for left in range(0, width - side + 1, max(1, round(side * step)))
    ]


def scattered(name: str, count: int, least: int, random: np.random.Generator) -> list[Window]:
    """Windows of all places and of sizes from `least` pixels up."""
    height, width = photograph(name).shape
    windows = []
    for _ in range(count):
        side = int(least * (min(height, width) / least) ** random.random())
        windows.append(
            Window(name, int(random.integers(height - side + 1)), int(random.integers(width - side + 1)), side)
        )
    return windows


def cut(windows: list[Window], side: int) -> np.ndarray:
    """The windows scaled to one size: (n, side, side) bytes."""
    photos = {name: photograph(name) for name in {window.photo for window in windows}}
    reader = PictureInput(side, side)
    cuts = [photos[w.photo][w.top : w.top + w.side, w.left : w.left + w.side] for w in windows]
    fitted: np.ndarray = reader.fit(cuts)[:, 0]
    return fitted


def strongest(
    windows: list[Window], chances: np.ndarray, least: float, neighbours: int = 0, most_overlap: float = 0.2
) -> list[int]:
    """Non-maximum suppression: the windows of at least a chance, without those that a likelier one overlaps.

    Args:
        windows: where was looked.
        chances: (n,), of each.
        least: the least chance.
        neighbours: so many others of that chance must half overlap one (Viola and Jones 2001): what is there is seen
            from more than one place.
        most_overlap: windows that overlap a chosen one by more are dropped.

    Returns:
        Their places in `windows`, the likeliest first.
    """
    near = [int(place) for place in np.argsort(-chances, kind="stable") if chances[place] >= least]
    overlaps = np.array([[windows[one].overlap(windows[other]) for other in near] for one in near])
    kept: list[int] = []
    for one in range(len(near)):
        seen = (overlaps[one] >= LEAST_OVERLAP).sum() > neighbours  # itself is one of them
        if seen and all(overlaps[one, other] <= most_overlap for other in kept):
            kept.append(one)
    return [near[one] for one in kept]
