"""Find faces: is a patch a face? Learnt from few photographs, tried by sliding over whole ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

from lanista.errors import UsageError
from lanista.perception.classification import Classification, accuracy_and_f1, told_labels
from lanista.perception.data._photo_windows import (
    LEAST_OVERLAP,
    UNCLEAR,
    Window,
    cut,
    photograph,
    scattered,
    sliding,
    strongest,
)
from lanista.perception.data.faces import SIDE
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.task import Baseline, Recipe, Splits
from lanista.perception.tasks.pictures import World, augmented

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lanista.perception.head import Answer

FACE, OTHER = 0, 1
TEST_SEED = 20_000
TEST_FACES, VALID_FACES = 35, 15  # and as many patches beside faces; 50 are learnt from
REPEATED = 20  # times that a patch is seen, each time changed, in an epoch
LEARN_PHOTOS = (
    "camera",
    "chessboard_GRAY",
    "clock_motion",
    "color",
    "grass",
    "gravel",
    "horse",
    "hubble_deep_field",
    "ihc",
    "logo",
    "microaneurysms",
    "moon",
    "page",
    "rocket",
    "text",
)
VALID_PHOTOS = ("coins", "motorcycle_left", "retina")
TEST_PHOTOS = ("astronaut", "coffee", "chelsea", "brick", "cell")
TRUE_FACES = (Window("astronaut", 66, 173, 99),)  # where scikit-image's LBP cascade finds it, and people see it
NO_LEARNING = (Window("camera", 60, 190, 110),)  # a head in profile: neither face nor none
SIDES = (48, 64, 80, 100, 125, 156, 195)
SURE, NEIGHBOURS = 0.9, 4  # a place is said to be a face if so many windows around it are so likely
MINED = 5  # times as many windows are looked at as are learnt from
WORLD = World(shift=0.08, turn=12.0, zoom=0.12, mirror=True, colour=0.3)


class Faces(Classification):
    """Face or not, on patches of 25 x 25 pixels; the photographs slid over were never learnt from."""

    modality = "picture"
    measure = "average_precision"

    smoothing = 0.0

    def __init__(self, windows: int = 6000, step: float = 0.15) -> None:
        """Choose how much else is learnt from.

        Args:
            windows: so many of photographs without faces are learnt from too, half at random, half misleading ones.
            step: from window to window over the photographs of the test, as a share of their side.
        """
        if windows < len(LEARN_PHOTOS) or not 0.02 <= step <= 10:
            raise UsageError(
                f"the task 'faces' takes {len(LEARN_PHOTOS)} 'windows' or more, and a 'step' of 0.02 to 10"
            )
        self.windows, self.step = windows, step
        self.recipe = Recipe("small_resnet:channels=16", minutes=6.0, epochs=60, batch_size=64, patience=30)

    def load(self, seed: int) -> Splits:
        """The test patches are the same for every seed; which of the others are for validation is not."""
        loaded = load_data("faces")
        whole, random = loaded.parts["all"], np.random.default_rng(seed)
        learn, valid, test = [], [], []
        for label in (FACE, OTHER):
            rows = np.random.default_rng(TEST_SEED + label).permutation(np.flatnonzero(whole.targets == label))
            test += rows[:TEST_FACES].tolist()
            rest = random.permutation(rows[TEST_FACES:])
            valid += rest[:VALID_FACES].tolist()
            learn += rest[VALID_FACES:].tolist() * REPEATED
        many = MINED * self.windows // len(LEARN_PHOTOS)
        others = [w for name in LEARN_PHOTOS for w in scattered(name, many, 25, random)]
        others = [window for window in others if all(window.overlap(head) == 0 for head in NO_LEARNING)]
        others = _hard(whole.take(learn), others, self.windows, random)
        checks = [w for name in VALID_PHOTOS for w in scattered(name, max(20, self.windows // 4), 25, random)]
        line = (
            f"faces ({data_source('faces').licence}): {len(set(learn))} patches to learn from, {len(valid)} for "
            f"validation, {len(test)} to test; and scikit-image's photographs without faces: {len(others):,} windows "
            f"of {len(LEARN_PHOTOS)} to learn from, {len(checks):,} of {len(VALID_PHOTOS)} for validation; "
            f'"photographs" slides over {", ".join(TEST_PHOTOS)}, in which there is one face'
        )
        tests = {"test": whole.take(test), "photographs": slid_examples(self.step)}
        train, valid_part = (
            _without(_with(whole.take(rows), windows, random), tests.values())
            for rows, windows in ((learn, others), (valid, checks))
        )
        return Splits(train, valid_part, tests, loaded.labels, 0, (line,))

    def input(self, splits: Splits) -> PictureInput:
        """Grey, 25 x 25."""
        return PictureInput(SIDE, SIDE)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Moved, turned, mirrored, in other light, blurred, noisy."""
        moved = augmented(batch, generator, WORLD)
        draws = torch.rand(len(batch), 2, 1, 1, 1, generator=generator)
        soft = F.avg_pool2d(F.pad(moved, (1, 1, 1, 1), mode="replicate"), 3, 1)
        moved = moved + (soft - moved) * draws[:, 0]
        noise = torch.randn(moved.shape, generator=generator) * (12 * draws[:, 1] ** 2)
        return (moved + noise).clamp(0, 255)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """Average precision of faces, accuracy; of photographs slid over also faces found and false alarms."""
        chances = face_chances(answers, splits.labels)
        return detection_scores(chances, told_labels(answers, splits.labels), examples)

    def baseline(self, splits: Splits) -> Baseline:
        """Histograms of oriented gradients and a linear support-vector machine (Dalal and Triggs 2005)."""
        machine = gradient_machine(splits.train)
        scores = {}
        for part, examples in splits.tests.items():
            margins = -machine.decision_function(gradients(examples.inputs))  # class 0 is the face
            told = np.where(margins > 0, FACE, OTHER)
            scores[part] = detection_scores(1 / (1 + np.exp(-margins)), told, examples)
        return Baseline("HOG + linear SVM", scores)

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """The patches by how like a face they are; or what was found in each photograph slid over."""
        chances = face_chances(answers, splits.labels)
        if not examples.groups:
            order = np.argsort(-chances, kind="stable")
            cells = figure.subplots(5, 14).ravel()
            for axes in cells:
                axes.axis("off")
            for axes, row in zip(cells, order, strict=False):
                axes.imshow(examples.inputs[row], cmap="gray", vmin=0, vmax=255)
                right = (chances[row] > 0.5) == (examples.targets[row] == FACE)
                axes.set_title(f"{chances[row]:.0%}", fontsize=7, pad=1, color="k" if right else "tab:red")
            return
        windows = [Window.of(group) for group in examples.groups]
        for axes, name in zip(figure.subplots(1, len(TEST_PHOTOS)), TEST_PHOTOS, strict=True):
            rows = [row for row, window in enumerate(windows) if window.photo == name]
            _draw_found(axes, name, [windows[row] for row in rows], chances[rows])


def slid_examples(step: float) -> Examples:
    """All windows over the photographs kept for the test; those that half show a face are left out."""
    windows = []
    for name in TEST_PHOTOS:
        for window in sliding(name, SIDES, step):
            most = max(window.overlap(face) for face in TRUE_FACES)
            if not UNCLEAR <= most < LEAST_OVERLAP:
                windows.append(window)
    faces = [max(window.overlap(face) for face in TRUE_FACES) >= LEAST_OVERLAP for window in windows]
    return Examples(cut(windows, SIDE), np.where(faces, FACE, OTHER), [str(window) for window in windows])


def _hard(patches: Examples, windows: list[Window], count: int, random: np.random.Generator) -> list[Window]:
    """Half of them those that a simple machine takes most for faces (Dalal and Triggs 2005), half at random."""
    order = np.argsort(gradient_machine(patches).decision_function(gradients(cut(windows, SIDE))), kind="stable")
    hard, rest = order[: count // 2], random.permutation(order[count // 2 :])[: count - count // 2]
    return [windows[place] for place in (*hard, *rest)]


def gradient_machine(examples: Examples) -> Any:
    """A linear support-vector machine on histograms of oriented gradients; its margin is below 0 for faces."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    pictures, targets = examples.inputs, np.asarray(examples.targets)
    pictures = np.concatenate([pictures, pictures[:, :, ::-1]])  # mirrored ones too
    machine = make_pipeline(StandardScaler(), LinearSVC(C=0.001, class_weight="balanced", random_state=0))
    return machine.fit(gradients(pictures), np.concatenate([targets, targets]))


def _with(patches: Examples, windows: list[Window], random: np.random.Generator) -> Examples:
    """Patches, and windows that show no face: each turned by a multiple of a right angle, half of them as negatives."""
    others = cut(windows, SIDE)
    turns, negative = random.integers(4, size=len(others)), random.random(len(others)) < 0.5
    for row, turn in enumerate(turns):
        others[row] = np.rot90(others[row], turn)
    others[negative] = 255 - others[negative]
    pictures = np.concatenate([patches.inputs, others])
    return Examples(pictures, np.concatenate([patches.targets, np.full(len(windows), OTHER)]))


def _without(examples: Examples, tests: Iterable[Examples]) -> Examples:
    """The examples without those whose pixels are tested on, as a window of plain black may be."""
    tested = {picture.tobytes() for part in tests for picture in part.inputs}
    return examples.take([row for row, picture in enumerate(examples.inputs) if picture.tobytes() not in tested])


def face_chances(answers: Sequence[Sequence[Answer]], labels: Sequence[str]) -> np.ndarray:
    """How likely each is a face: (n,), from the likeliest of two labels."""
    return np.array([a[0].probability if a[0].text == labels[FACE] else 1 - a[0].probability for a in answers])


def detection_scores(chances: np.ndarray, told: np.ndarray, examples: Examples) -> dict[str, float]:
    """Average precision and accuracy; where windows slide over photographs, what is left after suppression."""
    from sklearn.metrics import average_precision_score

    targets = np.asarray(examples.targets)
    scores = {
        "average_precision": float(average_precision_score(targets == FACE, chances)),
        "accuracy": accuracy_and_f1(told, targets)["accuracy"],
    }
    if examples.groups:
        windows = [Window.of(group) for group in examples.groups]
        found = [windows[place] for place in strongest(windows, chances, SURE, NEIGHBOURS)]
        true = [face for face in TRUE_FACES if any(one.overlap(face) >= LEAST_OVERLAP for one in found)]
        scores["faces_found"] = len(true) / len(TRUE_FACES)
        scores["false_alarms"] = float(sum(all(one.overlap(f) < LEAST_OVERLAP for f in TRUE_FACES) for one in found))
    return scores


def gradients(pictures: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients of (n, 25, 25) bytes: (n, m)."""
    from skimage.feature import hog

    # What is learnt from holds its few faces many times over.
    distinct, which = np.unique(pictures, axis=0, return_inverse=True)
    found = np.stack([hog(one, pixels_per_cell=(5, 5), cells_per_block=(2, 2)) for one in distinct])
    return found[which.ravel()]


def _draw_found(axes: Axes, name: str, windows: list[Window], chances: np.ndarray) -> None:
    from matplotlib.patches import Rectangle

    axes.imshow(photograph(name), cmap="gray", vmin=0, vmax=255)
    axes.axis("off")
    found = strongest(windows, chances, SURE, NEIGHBOURS)
    for place in found:
        one = windows[place]
        right = any(one.overlap(face) >= LEAST_OVERLAP for face in TRUE_FACES)
        colour = "lime" if right else "tab:red"
        axes.add_patch(Rectangle((one.left, one.top), one.side, one.side, fill=False, color=colour))
        axes.text(one.left, one.top, f"{chances[place]:.0%}", color=colour, fontsize=6, va="bottom")
    axes.set_title(f"{name}: {len(found)} of {len(windows):,} windows", fontsize=8)
