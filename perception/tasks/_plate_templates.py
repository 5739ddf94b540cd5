"""The simple reader of plates: a threshold, connected parts, the most alike template."""

from __future__ import annotations

import numpy as np

from lanista.perception.data._plate_layouts import ALPHABET
from lanista.perception.data.plates import KNOWN_FONTS, font_files

TALL, WIDE = 20, 14  # of templates, in pixels
ENLARGED = 2
LEAST, GREATEST = 0.35, 0.95  # heights of characters, as a share of the picture's
LEAST_ALIKE = 0.6


class TemplateReader:
    """Reads by the glyphs of the fonts that the encoder learns from."""

    def __init__(self) -> None:
        from lanista.perception.data._plate_rendering import Letters

        templates, self.characters = [], []
        for _, path in font_files(KNOWN_FONTS):
            letters = Letters(path)
            for character in ALPHABET:
                mask = letters.line(character, 0, 0)
                used = np.flatnonzero(mask.max(1) > 0.2)
                if len(used):
                    templates.append(_shape(mask[used[0] : used[-1] + 1]))
                    self.characters.append(character)
        self.templates = np.stack(templates)

    def read(self, picture: np.ndarray) -> str:
        """The text of a plate (height, width) of bytes, dark on light or light on dark: the more alike of the two."""
        readings = [self._read(values) for values in (picture, 255 - picture)]
        return max(readings)[1]

    def _read(self, picture: np.ndarray) -> tuple[float, str]:
        """(how alike the characters are in all, text) of dark characters on light."""
        from scipy import ndimage
        from skimage.filters import threshold_sauvola
        from skimage.transform import rescale

        large = rescale(picture.astype(np.float32), ENLARGED, order=1)
        large = ndimage.gaussian_filter(large, 1.0)
        low, high = np.percentile(large, (2, 98))
        large = ((large - low) / max(high - low, 1.0)).clip(0, 1)
        ink = large < threshold_sauvola(large, window_size=41, k=0.25, r=0.5)  # type: ignore[no-untyped-call]
        labels, _ = ndimage.label(ink)
        found = []
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
            tall, wide = rows.stop - rows.start, columns.stop - columns.start
            if LEAST < tall / large.shape[0] < GREATEST and tall * 0.1 < wide < tall * 1.4:
                found.append((columns.start, _shape((labels[rows, columns] == number).astype(np.float32))))
        if not found:
            return 0.0, ""
        alike = np.stack([shape for _, shape in sorted(found, key=lambda item: item[0])]) @ self.templates.T
        best, values = alike.argmax(1), alike.max(1)
        kept = values > LEAST_ALIKE
        return float(values[kept].sum()), "".join(self.characters[place] for place in best[kept])


def _shape(mask: np.ndarray) -> np.ndarray:
    """A mask scaled to one size, its mean 0 and its length 1, with its aspect as one number more: correlations are
    products of such."""
    from PIL import Image

    picture = Image.fromarray((mask * 255).astype(np.uint8)).resize((WIDE, TALL), Image.Resampling.BOX)
    values = np.asarray(picture, np.float32).ravel()
    values -= values.mean()
    values /= max(float(np.linalg.norm(values)), 1e-6)
    shape: np.ndarray = np.append(values, 0.5 * mask.shape[1] / mask.shape[0])
    return shape / float(np.linalg.norm(shape))
