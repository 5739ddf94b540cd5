"""Tell what lies on each cell of an agent's view in MiniGrid; tested on levels that are never seen in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lanista.errors import UsageError
from lanista.perception.data.minigrid_views import BARE, CONTENTS, KEPT_BACK, LEARNT, TILE, VIEW
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.head import Answer, Head
from lanista.perception.heads.attributes import Attributes, values_of
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.task import Baseline, Recipe, Splits, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = (3, 6)  # rows and columns of views in the picture
PLAIN = (*BARE, "grey-wall")  # what nobody looks for
AT_ONCE = 20_000  # tiles that are compared


class MinigridViews(Task):
    """What lies on each of the 49 cells, with its colour, and of a door whether it is open, closed or locked."""

    modality = "picture"
    measure = "view_accuracy"

    def __init__(self, most: int = 0) -> None:
        """Choose how many views.

        Args:
            most: learn from so many views at most, and test on a tenth of them; 0 takes all 12,000.
        """
        if most < 0 or 0 < most < 160:
            raise UsageError(f"option 'most' of the task 'minigrid_views' must be 0 or 160 or more, not {most}")
        self.most = most
        self.recipe = Recipe("tile_cnn", minutes=8.0, epochs=20, batch_size=64, learning_rate=2e-3)

    def load(self, seed: int) -> Splits:
        """Views of some levels to learn from; of other layouts of them, and of other levels, to test."""
        loaded = load_data(
            f"minigrid_views:count={self.most},tests={self.most // 10}" if self.most else "minigrid_views"
        )
        parts = dict(loaded.parts)
        train, valid = parts.pop("train"), parts.pop("valid")
        line = (
            f"minigrid_views ({data_source('minigrid_views').licence}): {len(train):,} views of random walks through "
            f"{len(LEARNT)} levels to learn from; tested on {len(parts['unseen seeds']):,} of other layouts of them, "
            f"on {len(parts['unseen levels']):,} of {len(KEPT_BACK)} other levels, and on these dimmed, with noise"
        )
        return Splits(train, valid, parts, loaded.labels, data=(line,))

    def input(self, splits: Splits) -> PictureInput:
        """As they are: 8 pixels a cell."""
        return PictureInput(VIEW * TILE, VIEW * TILE, 3)

    def head(self, dim: int, splits: Splits) -> Head:
        """A content for each cell."""
        return Attributes(dim, [list(CONTENTS)], VIEW * VIEW)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Half of the views have each colour stronger or weaker, and noise."""
        count = len(batch)
        draws = torch.rand(count, 5, 1, 1, generator=generator)
        changed = (draws[:, :1] < 0.5).float()
        light = 1 + changed * (0.6 * draws[:, 1:4] - 0.45)
        noise = torch.randn(batch.shape, generator=generator) * (changed * 14 * draws[:, 4:])
        return (batch.float() * light + noise).clamp(0, 255)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """The share of views that are right in every cell, of cells, and of cells with a thing on them."""
        told = np.stack([values_of(answer[0].text, [CONTENTS]) for answer in answers])
        return view_scores(told, np.asarray(examples.targets))

    def baseline(self, splits: Splits) -> Baseline:
        """Each tile is what the nearest tile of the training views is, by the squares of their pixels' differences."""
        every = np.ascontiguousarray(tiles(splits.train.inputs))
        _, first = np.unique(every.view(f"V{every.shape[1]}")[:, 0], return_index=True)  # there are a hundred or less
        known = every[first].astype(np.float32)
        meant = np.asarray(splits.train.targets).reshape(-1)[first]
        scores = {
            part: view_scores(
                meant[nearest(tiles(examples.inputs), known)].reshape(np.shape(examples.targets)),
                np.asarray(examples.targets),
            )
            for part, examples in splits.tests.items()
        }
        return Baseline("the nearest training tile", scores)

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """Views with what was read that is no wall, those that were mistaken first, in red."""
        axes_of = figure.subplots(*SHOWN)
        true = np.asarray(examples.targets)[:, :, 0]
        told = np.stack([values_of(answer[0].text, [CONTENTS])[:, 0] for answer in answers])
        wrong = np.flatnonzero((told != true).any(1)).tolist()
        right = [row for row in np.linspace(0, len(told) - 1, 60).astype(int).tolist() if row not in wrong]
        for axes, row in zip(axes_of.flat, [*wrong[: axes_of.size // 2], *right], strict=False):
            axes.imshow(examples.inputs[row])
            for cell, content in enumerate(told[row].tolist()):
                bad = content != true[row, cell]
                if bad or CONTENTS[content] not in PLAIN:
                    x, y = (cell % VIEW + 0.5) * TILE, (cell // VIEW + 0.5) * TILE
                    name = CONTENTS[content].replace("-", "\n")
                    axes.text(x, y, name, ha="center", va="center", fontsize=4, color="tab:red" if bad else "w")
            missed = int((told[row] != true[row]).sum())
            axes.set_title(f"{missed} cells wrong" if missed else "", fontsize=7, color="tab:red")
        for axes in axes_of.flat:
            axes.axis("off")


def view_scores(told: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Of contents (n, cells, 1): the share of views that are right, of cells, of cells with a thing on them."""
    right = (told == true)[:, :, 0]
    things = ~np.isin(true[:, :, 0], [CONTENTS.index(name) for name in PLAIN])
    return {
        "view_accuracy": float(right.all(1).mean()),
        "cell_accuracy": float(right.mean()),
        "thing_accuracy": float(right[things].mean()) if things.any() else 1.0,
    }


def tiles(views: np.ndarray) -> np.ndarray:
    """Views (n, 56, 56, 3) -> their tiles (n * 49, 192), row by row."""
    cut = np.asarray(views).reshape(-1, VIEW, TILE, VIEW, TILE, 3).transpose(0, 1, 3, 2, 4, 5)
    return cut.reshape(-1, TILE * TILE * 3)


def nearest(some: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For each of some tiles (m, pixels) which of the known ones (k, pixels) is nearest: (m,)."""
    lengths = np.square(known).sum(1)
    found = [
        (lengths - 2 * some[start : start + AT_ONCE].astype(np.float32) @ known.T).argmin(1)
        for start in range(0, len(some), AT_ONCE)
    ]
    return np.concatenate(found)
