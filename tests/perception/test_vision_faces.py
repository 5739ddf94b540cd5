"""Finding faces and telling people apart: windows, suppression, pairs and folds, against outside readers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lanista.errors import UsageError
from lanista.perception.data._face_rendering import Faces
from lanista.perception.data._photo_windows import Window, cut, photograph, sliding, strongest
from lanista.perception.dataset import Examples, load_data
from lanista.perception.head import Answer, head_from
from lanista.perception.heads.identity import NOTHING_BEFORE, SAME, Identity
from lanista.perception.tasks.face_verification import (
    FaceVerification,
    best_threshold,
    pair_people,
    paired,
    verification_scores,
)
from lanista.perception.tasks.faces import TRUE_FACES, detection_scores, face_chances


def test_the_astronauts_face_is_where_opencvs_cascade_finds_it() -> None:
    import skimage
    from skimage.feature import Cascade

    trained = Path(skimage.__file__).parent / "data" / "lbpcascade_frontalface_opencv.xml"
    found = Cascade(str(trained)).detect_multi_scale(photograph("astronaut"), 1.2, 1, (60, 60), (160, 160))
    boxes = [Window("astronaut", box["r"], box["c"], box["width"]) for box in found]
    assert any(TRUE_FACES[0].overlap(box) > 0.7 for box in boxes), found


def test_windows_are_cut_where_they_say() -> None:
    windows = sliding("coffee", (50,), 1.0)
    assert len(windows) == (400 // 50) * (600 // 50)
    whole = photograph("coffee")
    one = windows[13]
    np.testing.assert_array_equal(cut([one], 50)[0], whole[one.top : one.top + 50, one.left : one.left + 50])
    assert Window.of(str(one)) == one


def test_overlap_is_intersection_over_union() -> None:
    one = Window("a", 0, 0, 10)
    assert one.overlap(one) == 1 and one.overlap(Window("b", 0, 0, 10)) == 0 and one.overlap(Window("a", 10, 0, 9)) == 0
    assert math.isclose(one.overlap(Window("a", 0, 5, 10)), 50 / 150)


def test_the_strongest_windows_suppress_their_neighbours() -> None:
    windows = [Window("a", 0, 0, 10), Window("a", 1, 1, 10), Window("a", 30, 30, 10), Window("a", 60, 60, 10)]
    assert strongest(windows, np.array([0.8, 0.9, 0.95, 0.3]), least=0.5) == [2, 1]


def test_detection_is_scored_as_scikit_learn_does() -> None:
    answers = [[Answer("face", 0.9)], [Answer("no face", 0.8)], [Answer("face", 0.6)]]
    chances = face_chances(answers, ("face", "no face"))
    np.testing.assert_allclose(chances, [0.9, 0.2, 0.6])
    examples = Examples(np.zeros((3, 25, 25), np.uint8), np.array([0, 0, 1]))
    scores = detection_scores(chances, np.array([0, 1, 0]), examples)
    assert scores["accuracy"] == pytest.approx(1 / 3)
    assert scores["average_precision"] == pytest.approx((1 / 1 + 2 / 3) / 2)  # by hand


def test_nobody_is_learnt_from_and_tested_on() -> None:
    splits = FaceVerification("face_identities:people=20,pictures=4").load(0)
    parts = [set(splits.train.groups), set(splits.valid.groups), set(splits.tests["test"].groups)]
    assert all(parts) and all(not one & other for place, one in enumerate(parts) for other in parts[:place])
    assert set(splits.train.targets) == set(range(len(parts[0])))


def test_people_are_rendered_alike_for_a_seed_and_unlike_each_other() -> None:
    people = Faces(3, 0)
    who = np.array([0, 0, 1, 2])
    one = people.picture(who, 1)
    assert one.shape == (4, 48, 48, 3) and one.dtype == np.uint8
    np.testing.assert_array_equal(one, Faces(3, 0).picture(who, 1))
    assert all((one[row] != one[other]).mean() > 0.5 for row in range(4) for other in range(row))


def test_half_of_the_pairs_are_of_one_person() -> None:
    targets = np.repeat(np.arange(12), 5)
    names = [f"p{target}" for target in targets]
    pairs = paired(Examples(np.arange(60), targets, names), 200, 0)
    same = pairs.targets[::2] == pairs.targets[1::2]
    assert same.sum() == 100
    assert (pairs.inputs[::2][same] != pairs.inputs[1::2][same]).all(), "a picture is never compared with itself"


def test_thresholds_never_see_the_people_that_they_are_tried_on() -> None:
    random = np.random.default_rng(0)
    targets = np.repeat(np.arange(40), 6)
    examples = paired(Examples(np.arange(240), targets, [f"p{t}" for t in targets]), 400, 1)
    same = examples.targets[::2] == examples.targets[1::2]
    assert verification_scores(same.astype(float), same, pair_people(examples)) == {"accuracy": 1.0, "roc_auc": 1.0}
    blind = verification_scores(random.random(400), same, pair_people(examples))
    assert 0.4 < blind["accuracy"] < 0.6 and 0.4 < blind["roc_auc"] < 0.6


def test_the_best_threshold_is_the_best_of_all() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        alike, same = random.normal(size=30), random.random(30) < 0.5
        mine = ((alike >= best_threshold(alike, same)) == same).mean()
        assert mine == max(((alike >= value) == same).mean() for value in [*alike, alike.max() + 1])


def test_the_head_learns_who_is_who_and_compares_neighbours() -> None:
    torch.manual_seed(0)
    head = head_from({"head": "identity", "people": 5, "size": 8}, 6)
    assert isinstance(head, Identity)
    centres, targets = torch.randn(5, 6), torch.arange(5).repeat(8)
    optimizer = torch.optim.Adam(head.parameters(), 0.05)
    for _ in range(60):
        optimizer.zero_grad()
        head.loss(centres[targets] + 0.1 * torch.randn(40, 6), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    answers = head.eval().answers(centres[torch.tensor([0, 0, 1, 1, 2])], most=2)
    assert answers[0][0].text == NOTHING_BEFORE
    assert [row[0].text == SAME for row in answers[1:]] == [True, False, True, False]
    assert all(math.isclose(row[0].probability + row[1].probability, 1) for row in answers[1:])


@pytest.mark.parametrize(
    "options", [{"people": 0}, {"people": "x"}, {"people": 3, "margin": 2}, {"people": 3, "size": 0}]
)
def test_bad_descriptions_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        head_from({"head": "identity", **options}, 4)


def test_faces_in_the_wild_are_read_where_they_lie(tmp_path: Path) -> None:
    from skimage.data import lfw_subset

    home = tmp_path / "lfw_home"
    people = {"Ann_Lee": 3, "Bob_Ray": 2, "Cy_Fox": 2, "Di_Oak": 2}
    patches, taken = lfw_subset(), 0  # type: ignore[no-untyped-call]
    for name, count in people.items():
        (home / "lfw_funneled" / name).mkdir(parents=True)
        for number in range(1, count + 1):
            picture = Image.fromarray((patches[taken] * 255).astype(np.uint8)).convert("RGB").resize((250, 250))
            picture.save(home / "lfw_funneled" / name / f"{name}_{number:04d}.jpg")
            taken += 1
    (home / "pairsDevTest.txt").write_text("1\nCy_Fox\t1\t2\nCy_Fox\t1\tDi_Oak\t2\n")
    for other in ("pairsDevTrain.txt", "pairs.txt"):
        (home / other).write_text("0\n")
    loaded = load_data(f"lfw:home={tmp_path},download=false")
    assert set(loaded.parts["train"].groups) == {"Ann Lee", "Bob Ray"}, "nobody of the pairs is learnt from"
    pairs = loaded.parts["pairs"]
    assert (pairs.targets[::2] == pairs.targets[1::2]).tolist() == [True, False]
    assert pairs.inputs.dtype == np.uint8 and pairs.inputs.shape[0] == 4 and pairs.inputs.max() > 100


def test_without_the_photographs_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scikit-learn cannot fetch it"):
        load_data(f"lfw:home={tmp_path},download=false")
