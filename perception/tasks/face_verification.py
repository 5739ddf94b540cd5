"""Are two pictures of one person? Learnt from some people, tested on others, who were never seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lanista.errors import UsageError
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.heads.identity import NOTHING_BEFORE, SAME, Identity
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.task import Baseline, Recipe, Splits, Task, split_groups
from lanista.perception.tasks.pictures import World, augmented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from lanista.perception.head import Answer, Head

SIDE = 48
TEST_SEED = 20_000
FEWEST = 20  # people: else a fold of the test, or what is validated on, has no two
TEST, VALID = 0.25, 0.1  # shares of the people
PAIRS, VALID_PAIRS = 3000, 1000  # half of them of one person
FOLDS = 10
COMPONENTS = 100  # of the eigenfaces
WORLD = World(shift=0.04, turn=4.0, zoom=0.06, mirror=True, colour=0.2)


class FaceVerification(Task):
    """One person or two: rows 2k and 2k + 1 of what is validated and tested are compared."""

    modality = "picture"

    def __init__(self, data: str = "face_identities", people: int = 0) -> None:
        """Choose the faces.

        Args:
            data: "face_identities", rendered; or "lfw", photographs, which scikit-learn fetches for who is online.
            people: so many of the rendered ones are used; 0 takes all 800.
        """
        self.data = data
        self.people = people
        if data.partition(":")[0] not in ("face_identities", "lfw"):
            raise UsageError(f"the task 'face_verification' learns from face_identities or lfw, not from '{data}'")
        if people < 0 or 0 < people < FEWEST:
            raise UsageError(f"option 'people' of the task 'face_verification' must be 0 or at least {FEWEST}")
        self.recipe = Recipe("small_resnet:channels=16", minutes=10.0, epochs=40, batch_size=128, learning_rate=4e-3)

    def load(self, seed: int) -> Splits:
        """Nobody is in two parts; the people of the test are the same for every seed."""
        name, _, options = self.data.partition(":")
        words = f"{name}:people={self.people}" if self.people and not options else self.data
        loaded = load_data(words)
        if name == "lfw":
            learn, test = loaded.parts["train"], loaded.parts["pairs"]
        else:
            whole = loaded.parts["all"]
            rows, kept = split_groups(whole.groups, TEST, TEST_SEED)
            learn, test = whole.take(rows), paired(whole.take(kept), PAIRS, TEST_SEED)
        rows, kept = split_groups(learn.groups, VALID, seed)
        train, valid = _renumbered(learn.take(rows)), paired(learn.take(kept), VALID_PAIRS, seed)
        line = (
            f"{name} ({data_source(name).licence}): {len(train):,} pictures of {len(set(train.groups)):,} people to "
            f"learn from; {len(test) // 2:,} pairs to test, of people who are in no other part"
        )
        return Splits(train, valid, {"test": test}, data=(line,))

    def input(self, splits: Splits) -> PictureInput:
        """Coloured, 48 x 48."""
        return PictureInput(SIDE, SIDE, 3)

    def head(self, dim: int, splits: Splits) -> Head:
        """An embedding, learnt by telling the training people apart."""
        return Identity(dim, people=len(set(splits.train.groups)))

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Moved and tinted a little, mirrored, a square blanked."""
        return augmented(batch, generator, WORLD)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """Accuracy of the pairs as LFW's protocol has it, and the area under the ROC curve."""
        return verification_scores(same_chances(answers)[1::2], same_person(examples), pair_people(examples))

    def baseline(self, splits: Splits) -> Baseline:
        """The cosine of principal components, eigenfaces (Turk and Pentland 1991)."""
        from sklearn.decomposition import PCA

        reader = self.input(splits)

        def flat(examples: Examples) -> np.ndarray:
            return reader.fit(examples.inputs).reshape(len(examples), -1).astype(np.float32) / 255

        pixels = flat(splits.train)
        model = PCA(min(COMPONENTS, *pixels.shape), whiten=True, svd_solver="randomized", random_state=0).fit(pixels)
        scores = {}
        for part, examples in splits.tests.items():
            faces = model.transform(flat(examples))
            faces /= np.linalg.norm(faces, axis=1, keepdims=True).clip(min=1e-9)
            cosines = (faces[::2] * faces[1::2]).sum(1)
            scores[part] = verification_scores(cosines, same_person(examples), pair_people(examples))
        return Baseline("eigenfaces, cosine", scores)

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """The ROC curve, and pairs with how likely they are of one person; what is wrong is red."""
        from sklearn.metrics import roc_curve

        left, right = figure.subplots(1, 2, width_ratios=(2, 3))
        chances, same = same_chances(answers)[1::2], same_person(examples)
        wrong, hits, _ = roc_curve(same, chances)
        left.plot(wrong, hits)
        left.plot([0, 1], [0, 1], color="tab:gray", linestyle=":")
        left.set(xlabel="other people taken for the same", ylabel="same people recognised", aspect="equal")
        left.grid(alpha=0.3)
        right.axis("off")
        right.set_title("the same person?", fontsize=9, loc="left")
        for place, pair in enumerate(np.linspace(0, len(same) - 1, 24).astype(int)):
            cell = right.inset_axes((place % 4 / 4, 0.85 - place // 4 / 6, 0.22, 0.12))
            cell.imshow(np.concatenate([np.asarray(examples.inputs[2 * pair + side]) for side in (0, 1)], 1))
            cell.axis("off")
            good = (chances[pair] > 0.5) == same[pair]
            title = f"{chances[pair]:.0%}, {'the same' if same[pair] else 'two people'}"
            cell.set_title(title, fontsize=6, pad=1, color="k" if good else "tab:red")


def paired(examples: Examples, count: int, seed: int) -> Examples:
    """Pairs, half of one person and half of two, in rows 2k and 2k + 1.

    The people lie in `FOLDS` folds, and no pair is of two folds: a threshold can be chosen on some people and tried on
    others.
    """
    random = np.random.default_rng(seed)
    targets = np.asarray(examples.targets)
    people = random.permutation(np.unique(targets))
    folds = np.array_split(people, max(1, min(FOLDS, len(people) // 2)))
    pictures = {int(person): np.flatnonzero(targets == person) for person in people}
    rows: list[int] = []
    for number in range(count):
        fold = folds[number // 2 % len(folds)]
        if number % 2 == 0:
            rows += random.choice(pictures[int(random.choice(fold))], 2, replace=False).tolist()
        else:
            rows += [int(random.choice(pictures[int(person)])) for person in random.choice(fold, 2, replace=False)]
    return examples.take(rows)


def _renumbered(examples: Examples) -> Examples:
    """The people's numbers without gaps."""
    return Examples(examples.inputs, np.unique(examples.targets, return_inverse=True)[1], examples.groups)


def same_chances(answers: Sequence[Sequence[Answer]]) -> np.ndarray:
    """How likely each row is of the same person as the one before it: (n,)."""
    return np.array(
        [
            0.0
            if row[0].text == NOTHING_BEFORE
            else row[0].probability
            if row[0].text == SAME
            else 1 - row[0].probability
            for row in answers
        ]
    )


def same_person(examples: Examples) -> np.ndarray:
    """Whether each pair is of one person: (n / 2,)."""
    targets = np.asarray(examples.targets)
    same: np.ndarray = targets[::2] == targets[1::2]
    return same


def pair_people(examples: Examples) -> list[set[str]]:
    """Who is in each pair, n / 2 sets."""
    return [set(both) for both in zip(examples.groups[::2], examples.groups[1::2], strict=True)]


def verification_scores(alike: np.ndarray, same: np.ndarray, people: Sequence[set[str]]) -> dict[str, float]:
    """Accuracy over folds of people, each at the threshold that is best on the other folds; area under the ROC curve.

    As in Labeled Faces in the Wild (Huang et al. 2007): so the threshold has never seen the people that it is tried on.

    Args:
        alike: (pairs,), greater for pairs that are more alike.
        same: (pairs,) bool.
        people: who is in each pair.
    """
    from sklearn.metrics import roc_auc_score

    folds = _folds(people)
    right = np.zeros(len(same), bool)
    for fold in np.unique(folds):
        here = folds == fold
        others = ~here if not here.all() else here
        threshold = best_threshold(alike[others], same[others])
        right[here] = (alike[here] >= threshold) == same[here]
    return {"accuracy": float(right.mean()), "roc_auc": float(roc_auc_score(same, alike))}


def best_threshold(alike: np.ndarray, same: np.ndarray) -> float:
    """The value from which on pairs are said to be the same, where most are right."""
    order = np.argsort(-alike, kind="stable")
    values, hits = alike[order], same[order]
    gains = np.concatenate([[0], np.cumsum(np.where(hits, 1, -1))])
    best = int(gains.argmax())
    if best == 0:
        return float(values[0]) + 1e-6
    below = values[best] if best < len(values) else values[-1] - 1e-6
    return float((values[best - 1] + below) / 2)


def _folds(people: Sequence[set[str]]) -> np.ndarray:
    """Numbers of folds, (pairs,), such that people who are in a pair are in one fold, `FOLDS` of them at most."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for both in people:
        first, *rest = sorted(both)
        for name in rest:
            parent[root(name)] = root(first)
    roots = [root(min(both)) for both in people]
    sizes = {name: roots.count(name) for name in set(roots)}
    fullness, chosen = [0] * FOLDS, {}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        chosen[name] = int(np.argmin(fullness))
        fullness[chosen[name]] += sizes[name]
    return np.array([chosen[name] for name in roots])
