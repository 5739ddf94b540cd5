"""The loop of pretraining: what a run writes, how it goes on, how it stops; on scikit-learn's digits."""

from __future__ import annotations

import json
import math
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import lanista
from lanista.errors import UsageError
from lanista.perception.dataset import load_data
from lanista.perception.encoder import load_encoder
from lanista.perception.pretrain import pretrain, resume
from lanista.perception.pretrain_settings import Progress, Settings
from lanista.perception.pretrained import load_recogniser
from lanista.perception.recogniser import Recogniser

pytestmark = pytest.mark.long

TASK = "pictures:data=digits"
SMALL: dict[str, Any] = {
    "encoder": "small_resnet:channels=8",
    "epochs": 3,
    "batch_size": 32,
    "threads": 1,
    "bfloat16": False,
}


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "digits"
    pretrain(Settings(TASK, **SMALL), folder)
    return folder


def weights(folder: Path) -> dict[str, Tensor]:
    return load_recogniser(folder).state_dict()


def test_a_run_leaves_an_encoder_its_head_card_and_picture(done: Path) -> None:
    assert sorted(path.name for path in done.iterdir()) == [
        "README.md",
        "encoder.json",
        "head.json",
        "head.safetensors",
        "model.safetensors",
        "picture.png",
        "pretrain.json",
    ]
    about = json.loads((done / "encoder.json").read_text())["training"]
    assert 0.5 < about["tests"]["test"]["accuracy"] <= 1
    assert 0.5 < about["baseline"]["scores"]["test"]["accuracy"] <= 1
    card = (done / "README.md").read_text()
    assert f"{about['tests']['test']['accuracy']:.4f}" in card
    assert about["baseline"]["name"] in card
    with Image.open(done / "picture.png") as picture:
        assert picture.width > 800


def test_the_scores_are_those_of_the_saved_weights(done: Path) -> None:
    from lanista.perception.task import make_task

    task = make_task(TASK)
    splits = task.load(0)
    model = load_recogniser(done)
    assert model.encoder.input is not None
    answers = model.answers(model.encoder.input.fit(splits.tests["test"].inputs))
    about = json.loads((done / "encoder.json").read_text())["training"]
    assert task.score(answers, splits.tests["test"], splits) == about["tests"]["test"]


@pytest.mark.slow  # tests/test_determinism.py has it across processes
def test_the_same_seed_gives_the_same_weights(done: Path, tmp_path: Path) -> None:
    pretrain(Settings(TASK, **SMALL), tmp_path / "again")
    for name, value in weights(done).items():
        assert torch.equal(value, weights(tmp_path / "again")[name]), name


@pytest.mark.parametrize(
    ("stage", "epoch", "left"), [pytest.param("validating", 2, [2, 3], marks=pytest.mark.thorough), ("testing", 3, [])]
)
def test_a_killed_run_goes_on_as_if_unbroken(
    stage: str, epoch: int, left: list[int], done: Path, tmp_path: Path
) -> None:
    def kill(progress: Progress) -> None:
        if (progress.stage, progress.epoch) == (stage, epoch):
            raise Killed

    with pytest.raises(Killed):
        pretrain(Settings(TASK, **SMALL), tmp_path / "run", kill)
    assert not (tmp_path / "run" / "encoder.json").exists()
    told: list[Progress] = []
    resume(tmp_path / "run", told.append)
    assert [each.epoch for each in told if each.stage == "validating"] == left, "epochs that were not finished"
    for name, value in weights(done).items():
        assert torch.equal(value, weights(tmp_path / "run")[name]), name


def test_a_killed_run_needs_the_encoder_that_it_began_from_no_more(done: Path, tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        if (progress.stage, progress.epoch) == ("validating", 2):
            raise Killed

    shutil.copytree(done, tmp_path / "first")
    settings = Settings(TASK, **SMALL | {"encoder": str(tmp_path / "first")})
    for folder in ("whole", "broken"):
        with pytest.raises(Killed) if folder == "broken" else nullcontext():
            pretrain(settings, tmp_path / folder, kill if folder == "broken" else lambda progress: None)
    (tmp_path / "first").rename(tmp_path / "elsewhere")
    resume(tmp_path / "broken")
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(value, weights(tmp_path / "broken")[name]), name
    about = json.loads((tmp_path / "broken" / "encoder.json").read_text())["training"]
    assert about["begun_from"] == str(tmp_path / "first")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": -1}, "'seed' must be 0 or more, not -1"),
        ({"threads": -1}, "'threads' must be 0 or more"),
        ({"max_grad_norm": -1.0}, "'max_grad_norm' must be more than 0"),
        ({"max_grad_norm": math.nan}, "'max_grad_norm' must be more than 0"),
        ({"weight_decay": -1.0}, "'weight_decay' must be 0 or more"),
        ({"average": 5.0}, "'average' must be from 0 to less than 1, not 5.0"),
        ({"task": "intents:most=-5"}, "option 'most' of the task 'intents' must be 0 or more, not -5"),
        ({"task": "pictures:data=digits,most=-5"}, "option 'most' of the task 'pictures' must be 0 or more, not -5"),
        ({"task": "face_verification:people=4"}, "'people' of the task 'face_verification' must be 0 or at least 20"),
    ],
)
def test_wrong_numbers_are_told_in_a_sentence(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        pretrain(Settings(**{"task": TASK, **SMALL} | changes), tmp_path / "a")
    assert words in str(told.value) and not (tmp_path / "a").exists()


@pytest.mark.slow  # five kills by default in tests/cli/test_kills_of_runs.py
def test_a_kill_of_the_process_loses_no_finished_epoch(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lanista.perception.pretrain import pretrain\n"
        "from lanista.perception.pretrain_settings import Settings\n"
        f"pretrain(Settings({TASK!r}, **{ {**SMALL, 'epochs': 60, 'patience': 60}!r}), Path(sys.argv[1]))"
    )
    folder = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)])
    checkpoint = folder / "checkpoint.safetensors"
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    told: list[Progress] = []

    def enough(progress: Progress) -> None:
        told.append(progress)
        if progress.stage == "validating":
            raise Killed

    with pytest.raises(Killed):
        resume(folder, enough)
    assert told[-1].epoch >= 2, "it began anew"


def test_a_loss_that_is_no_number_keeps_the_last_good_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true_loss, calls = Recogniser.loss, [0]

    def spoilt(self: Recogniser, observation: Tensor, targets: Tensor) -> Tensor:
        calls[0] += 1
        loss = true_loss(self, observation, targets)
        return loss * float("nan") if calls[0] > 45 else loss

    monkeypatch.setattr(Recogniser, "loss", spoilt)
    outcome = pretrain(Settings(TASK, **SMALL), tmp_path / "run")
    assert outcome.failed
    assert "no number at step 45" in outcome.stopped
    assert outcome.scores["test"]["accuracy"] > 0.2
    assert all(torch.isfinite(value).all() for value in weights(tmp_path / "run").values())
    assert "no number" in (tmp_path / "run" / "README.md").read_text()


@pytest.mark.thorough
def test_it_stops_when_validation_gets_no_better(tmp_path: Path) -> None:
    settings = Settings(TASK, **{**SMALL, "epochs": 30}, patience=2, learning_rate=1e-9)
    assert pretrain(settings, tmp_path / "run").stopped == "no better for 2 epochs"


def test_it_stops_when_its_minutes_are_over(tmp_path: Path) -> None:
    outcome = pretrain(Settings(TASK, **{**SMALL, "epochs": 1000}, minutes=0.02), tmp_path / "run")
    assert "minutes were over" in outcome.stopped
    assert outcome.epochs < 100


@pytest.mark.thorough
def test_an_encoder_can_be_gone_on_from_frozen_or_not(done: Path, tmp_path: Path) -> None:
    trunk = load_encoder(done).state_dict()
    settings: dict[str, Any] = {**SMALL, "encoder": str(done), "epochs": 1}
    frozen = pretrain(Settings(TASK, **settings, freeze=True), tmp_path / "frozen")
    assert frozen.scores["test"]["accuracy"] > 0.5
    after = load_encoder(tmp_path / "frozen").state_dict()
    assert all(torch.equal(value, after[name]) for name, value in trunk.items())
    assert f"began from the encoder `{done}`" in (tmp_path / "frozen" / "README.md").read_text()
    assert "began from" not in (done / "README.md").read_text()
    pretrain(Settings(TASK, **settings, layer_decay=0.5), tmp_path / "tuned")
    tuned = load_encoder(tmp_path / "tuned").state_dict()
    moved = {name: float((tuned[name] - value).abs().mean()) for name, value in trunk.items()}
    assert 0 < moved["stem.weight"] < moved["blocks.2.second.weight"], "the layers near the input learn slower"


def test_files_are_recognised(tmp_path: Path) -> None:
    pretrain(Settings(TASK, **{**SMALL, "epochs": 6}), tmp_path / "run")
    whole = load_data("digits").parts["all"]
    files = []
    for row in range(100):
        files.append(tmp_path / f"{row}.png")
        Image.fromarray(np.kron(whole.inputs[row], np.ones((9, 9), np.uint8))).convert("RGB").save(files[-1])
    answers = load_recogniser(tmp_path / "run").recognise(files, most=2)
    assert np.mean([a[0].text == str(t) for a, t in zip(answers, whole.targets, strict=False)]) > 0.7
    assert all(a[0].probability >= a[1].probability for a in answers)


def test_mistakes_are_told_in_a_sentence(done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="holds a run already"):
        pretrain(Settings(TASK), done)
    with pytest.raises(UsageError, match="is done"):
        resume(done)
    with pytest.raises(UsageError, match="did you mean 'pictures'"):
        lanista.pretrain("picturs", out=tmp_path / "a")
    with pytest.raises(UsageError, match="did you mean 'learning_rate'"):
        lanista.pretrain(TASK, out=tmp_path / "a", learning_rat=1.0)
    with pytest.raises(UsageError, match="'minutes' must be more than 0"):
        lanista.pretrain(TASK, out=tmp_path / "a", minutes=-1)
    monkeypatch.setenv("LANISTA_DATA", str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match="lanista data get mnist"):
        lanista.pretrain("pictures:data=mnist", out=tmp_path / "a")
