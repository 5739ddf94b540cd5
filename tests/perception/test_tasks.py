"""The conformance suite of tasks, over every file of `perception/tasks`; adding one adds no test."""

from __future__ import annotations

import inspect
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from lanista.errors import UsageError
from lanista.perception.dataset import Examples, Source, data_sets, data_source, load_data, present
from lanista.perception.encoder import build_encoder
from lanista.perception.fetching import unpack
from lanista.perception.pretrained import load_recogniser
from lanista.perception.recogniser import Recogniser
from lanista.perception.task import Splits, Task, make_task, task_class, tasks

pytestmark = pytest.mark.long

FEW = 48
# Option -> what makes a task quick, where it has the option.
SMALL = {"most": 400, "voices": 2, "people": 60, "windows": 150, "step": 0.6, "data": "digits"}
SLOW_METHODS = {"plates", "spoken_instructions"}  # tasks whose simple method takes many seconds
GIVEN_ELSEWHERE = {"hub", "picture_folder"}  # data that a user names; their own tests make some


@cache
def loaded(name: str) -> tuple[Task, Splits, Recogniser]:
    """A task with few examples and a fresh encoder and head."""
    known = inspect.signature(task_class(name)).parameters
    options = [
        f"{key}={value}" for key, value in SMALL.items() if key in known and (key != "data" or name == "pictures")
    ]
    task = make_task(f"{name}:{','.join(options)}" if options else name)
    try:
        splits = task.load(0)
    except UsageError as error:
        if "lanista data get" in str(error) or "apt" in str(error):
            pytest.skip(str(error))
        raise
    torch.manual_seed(0)
    reader = task.input(splits)
    encoder = build_encoder(task.recipe.encoder, reader.space)
    encoder.input = reader
    return task, splits, Recogniser(encoder, task.head(encoder.dim, splits))


@pytest.fixture(params=tasks())
def case(request: pytest.FixtureRequest) -> tuple[Task, Splits, Recogniser]:
    return loaded(request.param)


def few(examples: Examples, count: int = FEW) -> Examples:
    """Half of them as they follow each other, since some tasks compare neighbours, half from anywhere."""
    begin = min(count // 2, len(examples))
    others = begin + np.random.default_rng(0).permutation(len(examples) - begin)[: count - begin]
    return examples.take([*range(begin), *others.tolist()])


def test_the_parts_share_nothing(case: tuple[Task, Splits, Recogniser]) -> None:
    _, splits, _ = case
    learnt = [splits.train, splits.valid]
    for name, part in {"valid": splits.valid, **splits.tests}.items():
        assert len(part) > 0, name
        others = [splits.train] if name == "valid" else learnt
        if isinstance(part.inputs[0], str):
            assert not set(part.inputs) & {text for other in others for text in other.inputs}, name
        elif name != "valid":
            seen = {np.asarray(each).tobytes() for other in others for each in other.inputs}
            again = sum(np.asarray(each).tobytes() in seen for each in part.inputs)
            assert again <= len(part) // 100, f"{again} of {name} are among what is learnt from"


def test_it_says_what_it_read(case: tuple[Task, Splits, Recogniser]) -> None:
    _, splits, _ = case
    assert splits.data and all(len(line) > 20 for line in splits.data)


def test_the_same_seed_gives_the_same_splits(case: tuple[Task, Splits, Recogniser]) -> None:
    task, splits, _ = case
    again = task.load(0)
    for one, other in ((splits.train, again.train), (splits.valid, again.valid)):
        assert len(one) == len(other)
        for row in (0, len(one) // 2, len(one) - 1):
            assert np.array_equal(np.asarray(one.inputs[row]), np.asarray(other.inputs[row]))


def test_it_can_be_learnt(case: tuple[Task, Splits, Recogniser]) -> None:
    """A few steps on a few examples bring the loss down, and every parameter of the head has a gradient."""
    task, splits, model = case
    some = few(splits.train, 16)
    assert model.encoder.input is not None
    inputs = torch.from_numpy(model.encoder.input.fit(some.inputs, splits.rate))
    targets = torch.from_numpy(model.head.numbers(some.targets))
    assert inputs.shape[1:] == model.encoder.input.space.shape
    changed = task.augment(inputs, torch.Generator().manual_seed(0))
    assert changed.shape == inputs.shape
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model.train()
    losses = []
    for _ in range(8):
        loss = model.loss(inputs, targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.head.parameters())


def test_answers_are_scored_and_drawn(case: tuple[Task, Splits, Recogniser]) -> None:
    task, splits, model = case
    for part, examples in splits.tests.items():
        some = few(examples)
        assert model.encoder.input is not None
        answers = model.answers(model.encoder.input.fit(some.inputs, splits.rate))
        assert len(answers) == len(some)
        assert all(0 <= answer.probability <= 1.0001 for found in answers for answer in found)
        scores = task.score(answers, some, splits)
        assert task.measure in scores and all(np.isfinite(value) for value in scores.values()), part
        figure = Figure(figsize=(8, 4))
        task.draw(figure, some, answers, splits)
        assert figure.get_axes()


def test_saved_and_loaded_it_answers_the_same(case: tuple[Task, Splits, Recogniser], tmp_path: Path) -> None:
    _, splits, model = case
    some = few(next(iter(splits.tests.values())), 8)
    model.save(tmp_path / "model")
    again = load_recogniser(tmp_path / "model")
    assert again.encoder.input is not None and model.encoder.input is not None
    wanted = model.answers(model.encoder.input.fit(some.inputs, splits.rate), 3)
    assert again.answers(again.encoder.input.fit(some.inputs, splits.rate), 3) == wanted


@pytest.mark.parametrize(
    "case",
    [pytest.param(name, marks=[pytest.mark.thorough] * (name in SLOW_METHODS)) for name in tasks()],
    indirect=True,
)
def test_a_simple_method_stands_beside_it(case: tuple[Task, Splits, Recogniser]) -> None:
    task, splits, _ = case
    count = 120
    quick = Splits(
        few(splits.train, count),
        few(splits.valid, count),
        {name: few(part, count) for name, part in splits.tests.items()},
        splits.labels,
        splits.rate,
        splits.data,
    )
    baseline = task.baseline(quick)
    assert baseline.name
    assert baseline.scores.keys() == splits.tests.keys()
    for scores in baseline.scores.values():
        assert np.isfinite(scores[task.measure])


@pytest.mark.parametrize("name", sorted(set(data_sets()) - GIVEN_ELSEWHERE))
def test_every_data_set_says_what_it_is(name: str) -> None:
    source = data_source(name)
    assert source.licence and source.modality in ("picture", "sound", "text")
    assert all(package.partition(":")[0] in ("deb", "npm", "pypi", "pypi-source") for package in source.packages)
    assert not source.packages or source.megabytes > 0


@pytest.mark.parametrize("name", sorted(set(data_sets()) - GIVEN_ELSEWHERE))
def test_a_set_that_is_not_here_says_how_to_get_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = data_source(name)
    if not source.packages or any(Path(place).exists() for place in source.places):
        return
    monkeypatch.setenv("LANISTA_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=f"lanista data get {name}"):
        load_data(name)


@pytest.mark.parametrize("old", [False, True], ids=["", "python before 3.11.4"])
def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool) -> None:
    import io
    import tarfile
    import zipfile

    if old:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    good = tmp_path / "good.tar"
    with tarfile.open(good, "w") as tar:
        for name, kind in (("a", tarfile.DIRTYPE), ("a/b.txt", tarfile.REGTYPE), ("a/c.txt", tarfile.REGTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = kind, 0o777
            tar.addfile(entry, io.BytesIO())
    unpack(good, tmp_path / "good")
    assert sorted(path.name for path in (tmp_path / "good" / "a").iterdir()) == ["b.txt", "c.txt"]
    evil = tmp_path / "evil.tar"
    with tarfile.open(evil, "w") as tar:
        entry = tarfile.TarInfo("../outside.txt")
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"evil"))
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(UsageError, match="cannot be unpacked"):
        unpack(evil, inside)
    with zipfile.ZipFile(tmp_path / "evil.whl", "w") as archive:
        archive.writestr("../outside.txt", "evil")
    unpack(tmp_path / "evil.whl", inside)
    assert not (tmp_path / "outside.txt").exists()
    (tmp_path / "no.tar").write_bytes(b"no archive")
    with pytest.raises(UsageError, match=r"no\.tar cannot be unpacked"):
        unpack(tmp_path / "no.tar", inside)
    shutil.rmtree(inside)


def test_a_set_of_which_only_a_part_is_here_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of fonts has some of them on any desktop."""
    monkeypatch.setenv("LANISTA_DATA", str(tmp_path / "data"))
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    source = Source("picture", "", places=(str(fonts),), patterns=("a-*.ttf", "b.otf"))
    assert present("some", source) == []
    (fonts / "a-Bold.ttf").touch()
    assert present("some", source) == []
    (fonts / "b.otf").touch()
    assert present("some", source) == [fonts]
