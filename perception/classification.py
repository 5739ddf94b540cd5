"""What all tasks of classification share: the head, accuracy, the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lanista.perception.dataset import Examples
from lanista.perception.head import Answer, Head
from lanista.perception.heads.classes import Classes
from lanista.perception.task import Splits, Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_NAMED = 40  # classes of which a confusion matrix can show the names


class Classification(Task):
    """One of some labels for each input."""

    smoothing: float = 0.05
    dropout: float = 0.1

    def head(self, dim: int, splits: Splits) -> Head:
        """A linear layer over the labels."""
        return Classes(dim, labels=list(splits.labels), smoothing=self.smoothing, dropout=self.dropout)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """Accuracy, and the mean of F1 over the labels that occur (macro F1)."""
        told = told_labels(answers, splits.labels)
        return accuracy_and_f1(told, np.asarray(examples.targets))

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """The confusion matrix, and examples that were mistaken."""
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        told = told_labels(answers, splits.labels)
        draw_confusion(left, np.asarray(examples.targets), told, splits.labels)
        self.draw_mistakes(right, examples, answers, splits)

    def draw_mistakes(
        self, axes: Axes, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits
    ) -> None:
        """A list of examples that were mistaken, the surest first; pictures are shown by a subclass."""
        targets, rows = np.asarray(examples.targets), mistakes(examples, answers, splits)
        lines = []
        for row in rows[:16]:
            what = examples.inputs[row] if isinstance(examples.inputs[row], str) else f"example {row}"
            said = answers[row][0]
            lines.append(f"{what[:46]}\n   {splits.labels[targets[row]]}, said {said.text} ({said.probability:.0%})")
        axes.axis("off")
        axes.set_title(f"{len(rows)} of {len(examples)} mistaken; the surest", loc="left")
        axes.text(0, 1, "\n".join(lines), va="top", family="monospace", fontsize=7, transform=axes.transAxes)


def told_labels(answers: Sequence[Sequence[Answer]], labels: Sequence[str]) -> np.ndarray:
    """The index of each input's likeliest label: (n,)."""
    index = {label: place for place, label in enumerate(labels)}
    return np.array([index[answer[0].text] for answer in answers], np.int64)


def accuracy_and_f1(told: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Accuracy and macro F1 of indices (n,) against the true ones (n,)."""
    scores = []
    for label in np.unique(targets):
        hits = np.sum((told == label) & (targets == label))
        scores.append(2 * hits / (np.sum(told == label) + np.sum(targets == label)))
    return {"accuracy": float(np.mean(told == targets)), "macro_f1": float(np.mean(scores))}


def mistakes(examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> list[int]:
    """The rows answered wrongly, the surest first."""
    told, targets = told_labels(answers, splits.labels), np.asarray(examples.targets)
    wrong = np.flatnonzero(told != targets)
    return sorted((int(row) for row in wrong), key=lambda row: -answers[row][0].probability)


def draw_confusion(axes: Axes, targets: np.ndarray, told: np.ndarray, labels: Sequence[str]) -> None:
    """The confusion matrix: rows are what is true, columns what was said, shades shares of a row."""
    counts = np.zeros((len(labels), len(labels)))
    np.add.at(counts, (targets, told), 1)
    axes.imshow(counts / counts.sum(1, keepdims=True).clip(1), cmap="Blues", vmin=0, vmax=1)
    axes.set_xlabel("said")
    axes.set_ylabel("true")
    if len(labels) <= MOST_NAMED:
        size = 8 if len(labels) <= 20 else 5
        axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=size)
        axes.set_yticks(range(len(labels)), labels, fontsize=size)
    if len(labels) <= 12:
        for row, column in np.argwhere(counts > 0):
            dark = counts[row, column] > counts[row].sum() / 2
            axes.text(
                column,
                row,
                str(int(counts[row, column])),
                ha="center",
                va="center",
                fontsize=6,
                color="w" if dark else "k",
                in_layout=False,  # it lies within: to measure it only takes time
            )
