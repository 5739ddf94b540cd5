"""Classify pictures: digits (mnist), clothes (fashion_mnist), drawings by category (drawings), or a folder of yours."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

from lanista.errors import UsageError
from lanista.perception.classification import Classification, accuracy_and_f1, mistakes
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.task import Baseline, Recipe, Splits, split_groups, split_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from lanista.perception.head import Answer

VALID = 0.08  # share of what the set gives for training
TEST = 0.15  # share kept back of a set that has no test part
TEST_SEED = 20_000
BASELINE_SIDE = 32  # pixels: pictures with more numbers than this are scaled down for the baseline
MOST_NUMBERS = 3 * BASELINE_SIDE**2


@dataclass(frozen=True)
class World:
    """How pictures of a kind differ without being another thing.

    Attributes:
        shift: at most, as a share of the side.
        turn: at most, in degrees.
        zoom: at most, as a share.
        mirror: left and right may be exchanged.
        colour: brightness, contrast and each colour may be this share off.
    """

    shift: float = 0.1
    turn: float = 8.0
    zoom: float = 0.1
    mirror: bool = False
    colour: float = 0.0


@dataclass(frozen=True)
class Way:
    """How the pictures of a data set are trained on."""

    world: World
    recipe: Recipe


def _recipe(epochs: int, minutes: float, weight_decay: float = 1e-2, patience: int = 8) -> Recipe:
    return Recipe("small_resnet", minutes, epochs, 128, 3e-3, weight_decay, patience)


WAYS = {
    "mnist": Way(World(turn=12.0), _recipe(14, 10.0)),
    "digits": Way(World(), _recipe(60, 3.0)),
    "fashion_mnist": Way(World(shift=0.07, turn=4.0, zoom=0.08, mirror=True), _recipe(30, 13.0)),
}
# Of coloured pictures. Of few, a network that keeps where things are (impala_cnn) learns more than one that averages.
WAY = Way(
    World(shift=0.12, zoom=0.2, mirror=True, colour=0.2),
    Recipe("impala_cnn", minutes=12.0, epochs=40, batch_size=64, learning_rate=1.5e-3, weight_decay=5e-2, patience=30),
)


class Pictures(Classification):
    """Labels of pictures."""

    modality = "picture"

    def __init__(self, data: str = "fashion_mnist", side: int = 0, most: int = 0) -> None:
        """Choose the pictures.

        Args:
            data: a data set of pictures, as `lanista data` lists them.
            side: they are scaled to squares of so many pixels; 0 makes it 28 for small ones and 64 for others.
            most: learn from so many pictures of the set at most, and test on as many; 0 takes all.
        """
        self.data = data
        self.side = side
        self.most = most
        self.way = WAYS.get(data.partition(":")[0].replace("-", "_"), WAY)
        self.recipe = self.way.recipe

    def load(self, seed: int) -> Splits:
        """The set's own test part where it has one; else 15 % of its groups, or of its pictures, are kept back.

        The test part is the same for every seed; what is kept back of the rest for validation is not.
        """
        name = self.data.partition(":")[0]
        if data_source(name).modality != self.modality:
            raise UsageError(f"the data set '{name}' holds {data_source(name).modality}s, and the task is of pictures")
        loaded = load_data(self.data)
        if "test" in loaded.parts:
            learn, test = loaded.parts["train"], loaded.parts["test"]
        else:
            learn, test = _apart(loaded.parts["all"], TEST, TEST_SEED)
        learn, test = _some(learn, self.most), _some(test, self.most)
        learn, valid = _apart(learn, VALID, seed)
        line = f"{name} ({data_source(name).licence}): {len(learn):,} pictures to learn from, {len(test):,} to test"
        return Splits(learn, valid, {"test": test}, loaded.labels, data=(line,))

    def input(self, splits: Splits) -> PictureInput:
        """Squares; grey unless the pictures have colours."""
        first = np.asarray(splits.train.inputs[0])
        side = self.side or (28 if max(first.shape[:2]) <= 32 else 64)
        edges = [np.median(np.asarray(picture)[[0, -1]]) for picture in splits.train.inputs[:200]]
        dark = float(np.mean(np.array(edges) < 64))
        background = "dark" if dark > 0.9 else "light" if np.mean(np.array(edges) > 192) > 0.9 else ""
        return PictureInput(side, side, 3 if first.ndim == 3 else 1, background)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Shifted, turned, scaled a little, perhaps mirrored and tinted, a square blanked."""
        return augmented(batch, generator, self.way.world)

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
            cell.set_in_layout(False)  # it lies within: to measure it only takes time
            said = answers[row][0]
            cell.set_title(f"{splits.labels[targets[row]]}\nsaid {said.text} {said.probability:.0%}", fontsize=5, pad=1)


def _apart(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """In two, the second with about `share` of the groups where they are known, or of the examples."""
    if len(examples) < 2:
        raise UsageError(f"{len(examples)} pictures are too few to learn from and test on")
    if examples.groups:
        rows, kept = split_groups(examples.groups, share, seed)
    else:
        rows, kept = split_rows(len(examples), share, seed)
    return examples.take(rows), examples.take(kept)


def _some(examples: Examples, most: int) -> Examples:
    """At most so many, chosen alike for every seed."""
    if not 0 < most < len(examples):
        return examples
    return examples.take(np.sort(np.random.default_rng(TEST_SEED).permutation(len(examples))[:most]))


def augmented(batch: Tensor, generator: torch.Generator, world: World) -> Tensor:
    """Each picture changed at random as the world would change it; a square of a quarter of its side blanked.

    Args:
        batch: (batch, channels, height, width) bytes.
        generator: all chance comes from it.
        world: how much.

    Returns:
        The same shape, float32, in [0, 255].
    """
    count, channels, height, width = batch.shape
    draws = torch.rand(count, 9, generator=generator)
    angle = (draws[:, 0] * 2 - 1) * (world.turn * torch.pi / 180)
    scale = 1 + (draws[:, 1] * 2 - 1) * world.zoom
    flip = torch.where(draws[:, 2] < 0.5, -1.0, 1.0) if world.mirror else torch.ones(count)
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    shift = (draws[:, 3:5] * 2 - 1) * 2 * world.shift
    theta = torch.stack(
        [torch.stack([cosine * flip, -sine, shift[:, 0]], 1), torch.stack([sine * flip, cosine, shift[:, 1]], 1)], 1
    )
    grid = F.affine_grid(theta, list(batch.shape), align_corners=False)
    moved = F.grid_sample(batch.float(), grid, padding_mode="border", align_corners=False)
    mean = moved.mean((2, 3), keepdim=True)
    if world.colour:
        tint = 1 + (torch.rand(count, channels, 1, 1, generator=generator) * 2 - 1) * (world.colour / 2)
        contrast, light = (1 + (draws[:, 7:] * 2 - 1) * world.colour).T.reshape(2, count, 1, 1, 1)
        moved = ((moved - mean) * contrast + mean) * (light * tint)
    side = max(1, min(height, width) // 4)
    top, left = (draws[:, 5] * height).long(), (draws[:, 6] * width).long()  # a quarter of them lies partly outside
    rows, columns = torch.arange(height), torch.arange(width)
    in_rows = (rows >= top[:, None]) & (rows < top[:, None] + side)
    in_columns = (columns >= left[:, None]) & (columns < left[:, None] + side)
    blank = (in_rows[:, :, None] & in_columns[:, None, :])[:, None]
    return torch.where(blank, mean, moved).clamp(0, 255)


def pixel_baseline(task: Pictures, splits: Splits, most: int = 10_000) -> Baseline:
    """The best, by validation, of logistic regression, nearest neighbours and an RBF support-vector machine.

    Args:
        task: gives the pictures' size.
        splits: the examples.
        most: the slower methods learn from this many examples at most.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    reader = task.input(splits)
    if reader.height * reader.width * reader.channels > MOST_NUMBERS:
        reader = PictureInput(BASELINE_SIDE, BASELINE_SIDE, reader.channels)
    flat = {
        part: reader.fit(examples.inputs).reshape(len(examples), -1).astype(np.float32) / 255
        for part, examples in {"train": splits.train, "valid": splits.valid, **splits.tests}.items()
    }
    targets, few = np.asarray(splits.train.targets), slice(0, most)
    neighbours = min(5, len(targets))
    methods = {
        "logistic regression": (make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=60)), few),
        f"{neighbours} nearest neighbours": (KNeighborsClassifier(neighbours), slice(None)),
        f"RBF SVM on {min(most, len(targets)):,}": (SVC(C=10.0), few),
    }
    best, name, chosen = -1.0, "", None
    for method, (model, rows) in methods.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is a yardstick, near its end is enough
            model.fit(flat["train"][rows], targets[rows])
        score = float(np.mean(model.predict(flat["valid"]) == np.asarray(splits.valid.targets)))
        if score > best:
            best, name, chosen = score, method, model
    assert chosen is not None
    return Baseline(
        f"scikit-learn: {name}",
        {part: accuracy_and_f1(chosen.predict(flat[part]), np.asarray(e.targets)) for part, e in splits.tests.items()},
    )
