"""A checkpoint with a turned bit or cut short: what is gone on from is whole and equal, or is refused in a sentence."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lanista.agents.artifact import load_network
from lanista.errors import UsageError
from lanista.perception.encoder import load_encoder
from lanista.perception.pretrain import Run as Pretraining
from lanista.perception.pretrain_settings import Settings
from lanista.perception.recogniser import load_recogniser
from lanista.perception.task import make_task
from lanista.training.clockwork import Clockwork
from lanista.training.run import create_run, open_run, train
from lanista.training.settings import read_settings
from lanista.training.trainers.rllib import open as open_trainer

SMALL: dict[str, Any] = {
    "copies": 8, "plies": 8, "epochs": 1, "minibatch_size": 32, "threads": 1, "measurements": 0, "anchor_pairs": 0,
    "encoder": "mlp:dim=4", "precision": "float32", "checkpoints": 3, "league_size": 2,
}  # fmt: skip
damages = pytest.mark.parametrize("count", [60, pytest.param(3000, marks=pytest.mark.faults)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(create_run(folder, read_settings("tictactoe", changes=SMALL | {"steps": 6 * 64})))
    return folder


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is not over."""
    folder = tmp_path_factory.mktemp("run") / "digits"
    folder.mkdir()
    run = pretraining(folder)
    run._epoch()
    run._save_checkpoint()
    return folder


def pretraining(folder: Path) -> Pretraining:
    small: dict[str, Any] = {"encoder": "small_resnet:channels=1", "epochs": 3, "batch_size": 512, "threads": 1}
    task = make_task("pictures:data=digits")
    return Pretraining(task, Settings("pictures:data=digits", **small).filled(task), folder, lambda progress: None)


def damaged(chance: random.Random, data: bytes) -> bytes:
    """A file with a turned bit; of six one is cut short."""
    at = chance.randrange(len(data))
    if not chance.randrange(6):
        return data[:at]
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def is_a_sentence(error: UsageError) -> None:
    assert str(error).strip() and "\n" not in str(error)


def restored(folder: Path) -> tuple[Clockwork, Any]:
    run = open_run(folder)
    trainer = open_trainer(run.settings)
    clockwork = Clockwork(run, trainer, True, None)
    clockwork.log.close()
    return clockwork, trainer


@damages
def test_of_training(trained: Path, tmp_path: Path, count: int) -> None:
    clockwork, trainer = restored(trained)
    state, chance = trainer.state(), random.Random(count)
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    newest = open_run(run).checkpoints()[-1]
    files = sorted(path for path in newest.rglob("*") if path.is_file())
    assert len(files) >= 6
    refused = 0
    for number in range(count):
        path = files[number % len(files)]
        whole = path.read_bytes()
        path.write_bytes(damaged(chance, whole))
        try:
            other, again = restored(run)
        except UsageError as error:
            is_a_sentence(error)
            assert "remove it, and --resume goes on from" in str(error)
            refused += 1
        else:
            assert (other.steps, other.updates) == (clockwork.steps, clockwork.updates)
            same = again.state()
            assert same.runners == state.runners
            assert all(torch.equal(value, same.optimizer[name]) for name, value in state.optimizer.items())
            mine, its = trainer.network().state_dict(), again.network().state_dict()
            assert all(torch.equal(value, its[name]) for name, value in mine.items())
        path.write_bytes(whole)
    assert refused > 0.8 * count


def test_without_its_newest_checkpoint_a_run_goes_on_from_the_one_before(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    run = open_run(tmp_path / "run")
    older, newest = run.checkpoints()[-2:]
    (newest / "resume" / "state.json").write_bytes(b"")
    with pytest.raises(UsageError, match=f"remove it, and --resume goes on from {older}"):
        train(run, resume=True)
    shutil.rmtree(newest)
    again = train(run, resume=True)
    assert again.checkpoints()[-1] == newest
    ours, theirs = load_network(newest)[0].state_dict(), load_network(trained / "agent")[0].state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


@damages
def test_of_pretraining(pretrained: Path, count: int) -> None:
    path, chance = pretrained / "checkpoint.safetensors", random.Random(count)
    whole, run = path.read_bytes(), pretraining(pretrained)
    run.restore()
    best, average, refused = dict(run.best), dict(run.average), 0
    for _ in range(count):
        path.write_bytes(damaged(chance, whole))
        try:
            run.restore()
        except UsageError as error:
            is_a_sentence(error)
            assert "remove it, and --resume begins the run again" in str(error)
            refused += 1
        else:
            assert (run.epoch, run.step) == (1, run.steps_an_epoch)
            assert all(torch.equal(value, run.best[name]) for name, value in best.items())
            assert all(torch.equal(value, run.average[name]) for name, value in average.items())
    path.write_bytes(whole)
    assert refused > 0.8 * count


@damages
def test_of_an_agents_and_an_encoders_weights(trained: Path, pretrained: Path, tmp_path: Path, count: int) -> None:
    run = pretraining(pretrained)
    run.model.save(tmp_path / "encoder")
    shutil.copytree(trained / "agent", tmp_path / "agent")
    cases: list[tuple[Path, Callable[[], torch.nn.Module]]] = [
        (tmp_path / "agent" / "model.safetensors", lambda: load_network(tmp_path / "agent")[0]),
        (tmp_path / "encoder" / "model.safetensors", lambda: load_encoder(tmp_path / "encoder")),
        (tmp_path / "encoder" / "head.safetensors", lambda: load_recogniser(tmp_path / "encoder").head),
    ]
    chance, refused = random.Random(count), 0
    for number in range(count):
        path, load = cases[number % 3]
        whole = path.read_bytes()
        before = load().state_dict()
        path.write_bytes(damaged(chance, whole))
        try:
            after = load().state_dict()
        except UsageError as error:
            is_a_sentence(error)
            refused += 1
        else:
            assert all(torch.equal(value, after[name]) for name, value in before.items()), path
        path.write_bytes(whole)
    assert refused > 0.8 * count


def test_weights_of_another_program_have_no_checksum_and_are_taken(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "agent", tmp_path / "agent")
    network = load_network(tmp_path / "agent")[0]
    save_file(network.state_dict(), tmp_path / "agent" / "model.safetensors")
    again = load_network(tmp_path / "agent")[0].state_dict()
    assert all(np.array_equal(value, again[name]) for name, value in network.state_dict().items())
