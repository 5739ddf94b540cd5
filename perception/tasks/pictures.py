"""Classify pictures: digits (mnist), clothes (fashion_mnist), drawings by category (drawings), or a folder of yours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

from lanista.perception.classification import Classification, accuracy_and_f1, mistakes
from lanista.perception.dataset import data_source, load_data
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.task import Baseline, Recipe, Splits, split_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from lanista.perception.dataset import Examples
    from lanista.perception.head import Answer

VALID = 0.08  # share of what the set gives for training


class Pictures(Classification):
    """Labels of pictures."""

    modality = "picture"

    def __init__(self, data: str = "fashion_mnist", side: int = 0, mirror: bool = False) -> None:
        """Choose the pictures.

        Args:
            data: a data set of pictures, as `lanista data` lists them.
            side: they are scaled to squares of so many pixels; 0 keeps 28 for small sets and 64 for others.
            mirror: left and right may be exchanged in training, as for clothes and not for digits.
        """
        self.data = data
        self.mirror = mirror or data == "fashion_mnist"
        self.side = side
        self.recipe = Recipe(encoder="small_resnet", epochs=24, minutes=12.0, batch_size=128, learning_rate=3e-3)

    def load(self, seed: int) -> Splits:
        """The set's own test part where it has one; else 15 % of its groups, or of its pictures, are kept back."""
        name = self.data.partition(":")[0]
        loaded = load_data(self.data)
        if "test" in loaded.parts:
            learn, test = loaded.parts["train"], loaded.parts["test"]
        else:
            whole = loaded.parts["all"]
            rows, kept = split_rows(len(whole), 0.15, 20_000)  # the test part is the same for every seed
            learn, test = whole.take(rows), whole.take(kept)
        rows, kept = split_rows(len(learn), VALID, seed)
        line = f"{name} ({data_source(name).licence}): {len(learn):,} pictures to learn from, {len(test):,} to test"
        return Splits(learn.take(rows), learn.take(kept), {"test": test}, loaded.labels, data=(line,))

    def input(self, splits: Splits) -> PictureInput:
        """Squares; grey unless the pictures have colours."""
        first = np.asarray(splits.train.inputs[0])
        side = self.side or (28 if max(first.shape[:2]) <= 32 else 64)
        edges = [np.median(np.asarray(picture)[[0, -1]]) for picture in splits.train.inputs[:200]]
        dark = float(np.mean(np.array(edges) < 64))
        background = "dark" if dark > 0.9 else "light" if np.mean(np.array(edges) > 192) > 0.9 else ""
        return PictureInput(side, side, 3 if first.ndim == 3 else 1, background)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Shifted, turned, scaled a little, sometimes mirrored, a small square blanked."""
        return augmented(batch, generator, self.mirror)

    def baseline(self, splits: Splits) -> Baseline:
        """The best of three methods of scikit-learn on the pixels."""
        return pixel_baseline(self, splits)

    def draw_mistakes(
        self, axes: Axes, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits
    ) -> None:
        """The pictures that were mistaken, the surest first."""
        rows, targets = mistakes(examples, answers, splits), np.asarray(examples.targets)
        axes.axis("off")
        axes.set_title(f"{len(rows)} of {len(examples):,} mistaken; the surest", loc="left", fontsize=9)
        for place, row in enumerate(rows[:20]):
            cell = axes.inset_axes((place % 4 / 4, 0.8 - place // 4 / 5, 0.23, 0.15))
            cell.imshow(examples.inputs[row], cmap="gray", vmin=0, vmax=255)
            cell.axis("off")
            said = answers[row][0]
            cell.set_title(f"{splits.labels[targets[row]]}\nsaid {said.text} {said.probability:.0%}", fontsize=5, pad=1)


def augmented(batch: Tensor, generator: torch.Generator, mirror: bool, most: float = 0.1) -> Tensor:
    """Pictures moved by up to `most` of their size, turned by up to 8 degrees, scaled by up to 10 %; a square blanked.

    Args:
        batch: (batch, channels, height, width) bytes.
        generator: all chance comes from it.
        mirror: half of them are mirrored.
        most: the greatest shift.
    """
    count, _, height, width = batch.shape
    draws = torch.rand(count, 7, generator=generator)
    angle = (draws[:, 0] * 2 - 1) * (8 * torch.pi / 180)
    scale = 1 + (draws[:, 1] * 2 - 1) * 0.1
    flip = torch.where(draws[:, 2] < 0.5, -1.0, 1.0) if mirror else torch.ones(count)
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    shift = (draws[:, 3:5] * 2 - 1) * 2 * most
    theta = torch.stack(
        [torch.stack([cosine * flip, -sine, shift[:, 0]], 1), torch.stack([sine * flip, cosine, shift[:, 1]], 1)], 1
    )
    grid = F.affine_grid(theta, list(batch.shape), align_corners=False)
    moved = F.grid_sample(batch.float(), grid, padding_mode="border", align_corners=False)
    side = max(1, min(height, width) // 4)
    top, left = (draws[:, 5] * height).long(), (draws[:, 6] * width).long()  # a quarter of them lies partly outside
    rows, columns = torch.arange(height), torch.arange(width)
    in_rows = (rows >= top[:, None]) & (rows < top[:, None] + side)
    in_columns = (columns >= left[:, None]) & (columns < left[:, None] + side)
    return moved.masked_fill((in_rows[:, :, None] & in_columns[:, None, :])[:, None], 0.0)


def pixel_baseline(task: Pictures, splits: Splits, most: int = 10_000) -> Baseline:
    """The best, by validation, of logistic regression, nearest neighbours and an RBF support-vector machine.

    Args:
        task: gives the pictures' size.
        splits: the examples.
        most: the slower methods learn from this many examples at most.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    reader = task.input(splits)
    flat = {
        part: reader.fit(examples.inputs).reshape(len(examples), -1).astype(np.float32) / 255
        for part, examples in {"train": splits.train, "valid": splits.valid, **splits.tests}.items()
    }
    targets, few = np.asarray(splits.train.targets), slice(0, most)
    methods = {
        "logistic regression": (make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=100)), few),
        "5 nearest neighbours": (KNeighborsClassifier(5), slice(None)),
        f"RBF SVM on {min(most, len(targets)):,}": (SVC(C=10.0), few),
    }
    best, name, chosen = -1.0, "", None
    for method, (model, rows) in methods.items():
        model.fit(flat["train"][rows], targets[rows])
        score = float(np.mean(model.predict(flat["valid"]) == np.asarray(splits.valid.targets)))
        if score > best:
            best, name, chosen = score, method, model
    assert chosen is not None
    return Baseline(
        f"scikit-learn: {name}",
        {part: accuracy_and_f1(chosen.predict(flat[part]), np.asarray(e.targets)) for part, e in splits.tests.items()},
    )
