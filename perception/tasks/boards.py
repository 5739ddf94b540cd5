"""Read the position from a picture of a Connect Four or tic-tac-toe board; tested on what PettingZoo draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

from lanista.errors import UsageError
from lanista.perception.data._board_camera import SIDE
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.head import Answer, Head
from lanista.perception.heads.cells import Cells
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.task import Baseline, Recipe, Splits, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BOARDS = ("6x7", "3x3")
TESTS = 400
SHOWN = (4, 8)  # rows and columns of boards in the picture


class Boards(Task):
    """Which of two boards it is, and what lies on each of its cells."""

    modality = "picture"
    measure = "board_accuracy"

    def __init__(self, most: int = 0) -> None:
        """Choose how many pictures.

        Args:
            most: learn from so many pictures at most, and test on a tenth of them; 0 takes all 16,000.
        """
        if most < 0 or 0 < most < 24:
            raise UsageError(f"option 'most' of the task 'boards' must be 0 or 24 or more, not {most}")
        self.most = most
        self.recipe = Recipe("picture_grid", minutes=18.0, epochs=20, batch_size=64, learning_rate=3e-3, patience=8)

    def load(self, seed: int) -> Splits:
        """The pictures drawn here to learn from and to validate; those of another program to test."""
        words = f"boards:count={self.most},tests={max(2, self.most // 10)}" if self.most else f"boards:tests={TESTS}"
        parts = load_data(words).parts
        line = (
            f"boards ({data_source('boards').licence}): {len(parts['train']):,} pictures drawn here to learn from; "
            f"tested on {len(parts['straight'])} positions drawn by PettingZoo, as they are and turned, blurred and "
            "lit unevenly by SciPy"
        )
        tests = {name: parts[name] for name in ("straight", "photographed")}
        return Splits(parts["train"], parts["valid"], tests, data=(line,))

    def input(self, splits: Splits) -> PictureInput:
        """Coloured squares, whatever the picture's aspect."""
        return PictureInput(SIDE, SIDE, 3)

    def head(self, dim: int, splits: Splits) -> Head:
        """A content for each cell."""
        return Cells(dim, BOARDS, dropout=0.05)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Moved, stretched and turned a little, each colour stronger or weaker, noise."""
        count = len(batch)
        draws = torch.rand(count, 10, generator=generator) * 2 - 1
        angle = 0.06 * draws[:, 0]
        rows = [
            torch.stack([(1 + 0.06 * draws[:, 1]) * angle.cos(), -angle.sin(), 0.05 * draws[:, 2]], 1),
            torch.stack([angle.sin(), (1 + 0.06 * draws[:, 3]) * angle.cos(), 0.05 * draws[:, 4]], 1),
        ]
        grid = F.affine_grid(torch.stack(rows, 1), list(batch.shape), align_corners=False)
        moved = F.grid_sample(batch.float(), grid, padding_mode="border", align_corners=False)
        moved = moved * (1 + 0.12 * draws[:, 5:8, None, None]) + 15 * draws[:, 8, None, None, None]
        noise = torch.randn(moved.shape, generator=generator) * (3 * (draws[:, 9, None, None, None] + 1))
        return (moved + noise).clamp(0, 255)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """The share of boards that are right in every cell, and of cells, of a wrong kind of board none."""
        return reading_scores([answer[0].text for answer in answers], list(examples.targets))

    def baseline(self, splits: Splits) -> Baseline:
        """Cells cut out as if the board filled the picture, clustered by colour."""
        from lanista.perception.tasks._board_clusters import read_board

        scores = {
            part: reading_scores([read_board(picture) for picture in examples.inputs], list(examples.targets))
            for part, examples in splits.tests.items()
        }
        return Baseline("equal cells, clustered by colour", scores)

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """Boards with what was read, those that were mistaken first; a wrong one is red and says how many cells."""
        cells = figure.subplots(*SHOWN)
        told, true = [answer[0].text for answer in answers], list(examples.targets)
        wrong = [row for row in range(len(told)) if told[row] != true[row]]
        right = [row for row in np.linspace(0, len(told) - 1, 40).astype(int).tolist() if row not in wrong]
        for axes in cells.flat:
            axes.axis("off")
        for axes, row in zip(cells.flat, [*wrong[: cells.size // 2], *right], strict=False):
            axes.imshow(examples.inputs[row])
            missed = sum(a != b for a, b in zip(told[row], true[row], strict=False))
            bad = told[row] != true[row]
            title = f"{missed} cells wrong, " if bad else ""
            title += f"{answers[row][0].probability:.0%}"
            axes.set_title(title, fontsize=8, color="tab:red" if bad else "k")


def reading_scores(told: Sequence[str], true: Sequence[str]) -> dict[str, float]:
    """The share of positions that are right, and of cells."""
    right = [one == other for one, other in zip(told, true, strict=True)]
    cells = [
        (sum(a == b for a, b in zip(one, other, strict=True)) - other.count("/") if len(one) == len(other) else 0)
        for one, other in zip(told, true, strict=True)
    ]
    total = sum(len(text) - text.count("/") for text in true)
    return {"board_accuracy": float(np.mean(right)), "cell_accuracy": sum(cells) / total}
