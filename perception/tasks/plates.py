"""Read licence plates: a CNN, a GRU along the width, CTC; tested on fonts that were never seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

from lanista.perception.data._plate_layouts import ALPHABET
from lanista.perception.dataset import data_source, load_data
from lanista.perception.heads.transcript import Transcript
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.task import Baseline, Recipe, Splits, Task, split_groups
from lanista.plugs import required

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from lanista.perception.dataset import Examples
    from lanista.perception.head import Answer, Head

HEIGHT, WIDTH = 32, 128
VALID = 0.12  # of the families of fonts
MOST_VALID = 2000
TESTS = 1500
SHOWN = (8, 5)  # rows and columns of plates in the picture


class Plates(Task):
    """Letters and digits of plates, without the gaps and dashes between them."""

    modality = "picture"
    measure = "plate_accuracy"

    def __init__(self, most: int = 0) -> None:
        """Choose how many plates.

        Args:
            most: learn from so many plates at most, and test on a tenth of them; 0 takes all 30,000.
        """
        self.most = most
        self.recipe = Recipe(
            "picture_crnn:channels=24", minutes=11.0, epochs=14, batch_size=64, learning_rate=3e-3, patience=6
        )

    def load(self, seed: int) -> Splits:
        """The rendered plates; validation has families of fonts of its own, and so has the part "unseen fonts"."""
        words = f"plates:count={self.most},tests={max(1, self.most // 10)}" if self.most else f"plates:tests={TESTS}"
        parts = load_data(words).parts
        rows, kept = split_groups(parts["train"].groups, VALID, seed)
        learn, valid = parts["train"].take(rows), parts["train"].take(kept[:MOST_VALID])
        families = len(set(learn.groups)), len(set(valid.groups)), len(set(parts["unseen fonts"].groups))
        line = (
            f"plates ({data_source('plates').licence}): drawn by Lanista, not photographed; {len(learn):,} to learn "
            f'from in {families[0]} families of fonts, validation in {families[1]} others, "unseen fonts" in '
            f"{families[2]} others"
        )
        return Splits(learn, valid, {"test": parts["test"], "unseen fonts": parts["unseen fonts"]}, data=(line,))

    def input(self, splits: Splits) -> PictureInput:
        """Grey, 32 x 128, whatever the plate's aspect."""
        return PictureInput(HEIGHT, WIDTH)

    def head(self, dim: int, splits: Splits) -> Head:
        """Digits and capitals, written along the width."""
        return Transcript(dim, alphabet=ALPHABET, dropout=0.1)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Moved, stretched and slanted a little, another contrast, noise, sometimes dark for light."""
        count = len(batch)
        draws = torch.rand(count, 9, generator=generator) * 2 - 1
        zero = torch.zeros(count)
        rows = [
            torch.stack([1 + 0.07 * draws[:, 0], 0.05 * draws[:, 1], 0.05 * draws[:, 2]], 1),
            torch.stack([zero + 0.1 * draws[:, 3], 1 + 0.12 * draws[:, 4], 0.12 * draws[:, 5]], 1),
        ]
        grid = F.affine_grid(torch.stack(rows, 1), list(batch.shape), align_corners=False)
        moved = F.grid_sample(batch.float(), grid, padding_mode="border", align_corners=False)
        one = (count, 1, 1, 1)
        middle = moved.mean((1, 2, 3), keepdim=True)
        turned = torch.where(draws[:, 8].view(one) > 0.8, -1.0, 1.0)
        moved = (moved - middle) * (1 + 0.3 * draws[:, 6].view(one)) * turned + middle + 25 * draws[:, 7].view(one)
        noise = torch.randn(moved.shape, generator=generator) * (4 * (draws[:, 2].view(one) + 1))
        return (moved + noise).clamp(0, 255)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """Plates that are right from end to end; wrong, missing and superfluous characters, as a share of the true."""
        return reading_scores([answer[0].text if answer else "" for answer in answers], list(examples.targets))

    def baseline(self, splits: Splits) -> Baseline:
        """Characters cut out by threshold, each read as the most alike of the training fonts' glyphs."""
        from lanista.perception.tasks._plate_templates import TemplateReader

        reader = TemplateReader()
        scores = {
            part: reading_scores([reader.read(picture) for picture in examples.inputs], list(examples.targets))
            for part, examples in splits.tests.items()
        }
        return Baseline("segmentation and template matching", scores)

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """Plates with what was read; what is wrong is red, with the truth in brackets. The right half was mistaken."""
        cells = figure.subplots(*SHOWN).T
        texts = [answer[0].text for answer in answers]
        wrong = [row for row, text in enumerate(texts) if text != examples.targets[row]]
        half = SHOWN[0] * (SHOWN[1] // 2)
        rows = [*range(SHOWN[0] * SHOWN[1] - min(half, len(wrong))), *wrong[:half]]
        for axes in cells.flat:
            axes.axis("off")
        for axes, row in zip(cells.flat, rows, strict=False):
            axes.imshow(examples.inputs[row], cmap="gray", vmin=0, vmax=255)
            right = texts[row] == examples.targets[row]
            said = f"{texts[row]}  {answers[row][0].probability:.0%}"
            title = said if right else f"{said}  [{examples.targets[row]}]"
            axes.set_title(title, fontsize=8, color="k" if right else "tab:red", pad=2)


def reading_scores(told: Sequence[str], true: Sequence[str]) -> dict[str, float]:
    """The share of texts that are right, and the character error rate."""
    required("jiwer", "perception", "the task 'plates'")
    import jiwer

    right = float(np.mean([one == other for one, other in zip(told, true, strict=True)]))
    return {"plate_accuracy": right, "character_error_rate": float(jiwer.cer(list(true), list(told)))}
