"""`kill -9` of training and pretraining: what was finished is there, the run goes on, and ends as if unbroken."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import Command, Launcher, drafts, instants
from safetensors.torch import load_file

from lanista.agents.artifact import load_network
from lanista.perception.pretrained import load_recogniser

pytestmark = pytest.mark.long

MANY = pytest.param(100, marks=pytest.mark.faults)
UPDATE = 8 * 8  # steps
SMALL = ["copies=8", "plies=8", "epochs=1", "minibatch_size=32", "threads=1", "measurements=0", "anchor_pairs=0"]
SMALL += ["encoder=mlp:dim=8", "precision=float32"]
PICTURES = ["pictures:data=digits,most=500", "--encoder", "small_resnet:channels=4", "--set", "batch_size=128"]
# With time enough the schedule does not follow the clock, which differs from run to run.
PICTURES += ["threads=1", "bfloat16=false", "patience=1000", "--minutes", "600"]
# What the stove imports: the command line, what any optimiser imports as it is made, and what one of the two needs.
BOTH = ["tyro.constructors", "rich.progress", "torch._dynamo"]
TRAINING = [*BOTH, "lanista.cli.train", "lanista.cli._training", "lanista.training.trainers.rllib"]
TRAINING += ["torch.utils.tensorboard", "lanista.agents.kinds.minimax", "loaded_kernels"]
PRETRAINING = [*BOTH, "lanista.cli.pretrain", "lanista.perception.pretrain", "lanista.perception.tasks.pictures"]
PRETRAINING += ["sklearn.datasets", "sklearn.linear_model", "sklearn.neighbors", "sklearn.svm", "sklearn.pipeline"]
PRETRAINING += ["matplotlib.backends.backend_agg", "matplotlib.figure"]


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with Launcher(tmp_path_factory.mktemp("said"), *TRAINING, *PRETRAINING) as found:
        yield found


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def finished(run: Path) -> list[int]:
    """The steps of a run's checkpoints."""
    return sorted(int(path.name) for path in (run / "checkpoints").glob("*") if path.name.isdecimal())


@pytest.mark.parametrize("kills", [5, MANY])
def test_killed_training_goes_on_to_the_same_weights(kills: int, launcher: Launcher, tmp_path: Path) -> None:
    updates, chance = 20 + 2 * kills, random.Random(kills)
    new = ["train", "tictactoe", "--steps", str(updates * UPDATE), "--seed", "3", "--set", *SMALL]
    new += [f"checkpoints={updates // 2}", "--out"]
    unbroken, runs = tmp_path / "unbroken", [tmp_path / "run"]
    assert launcher.run(*new, unbroken).code == 0
    seconds = [json.loads(line)["seconds"] for line in (unbroken / "metrics.jsonl").read_text().splitlines()]

    def begin(number: int) -> Command:
        run = runs[-1]
        words: list[str | Path] = ["train", "--resume", run] if (run / "config.toml").exists() else [*new, run]
        # Of many kills some are of a whole program, which is also killed while it is being imported.
        return launcher.cold(*words) if kills > 5 and number % 10 == 9 else launcher.warm(*words)

    longest = 1.0 + 6 * seconds[-1] / updates
    under_way, kept, advanced = 0, list[int](), 0
    for _, command, code in instants(chance, begin, lambda: finished(runs[-1]), kills, longest):
        assert "Traceback" not in command.said
        run = runs[-1]
        now = finished(run)
        assert set(kept) <= set(now), "a finished checkpoint was lost"
        for steps in set(now) - set(kept):
            load_network(run / "checkpoints" / str(steps))
        if (run / "agent" / "agent.json").exists():
            load_network(run / "agent")
        under_way, advanced = under_way + (code != 0), advanced + (now != kept)
        kept = now
        assert len(drafts(run)) <= 3, "what kills leave half written is cleared away by whoever goes on"
        if code == 0:  # a quick machine comes to the end between two kills: once more
            assert weights(run / "agent") == weights(unbroken / "agent")
            runs.append(tmp_path / f"run{command.process}")
            kept = []
    assert under_way >= kills // 2 and advanced, "it was hardly ever killed under way"
    last, run = begin(0), runs[-1]
    assert last.wait() == 0, last.said
    assert weights(run / "agent") == weights(unbroken / "agent")
    assert finished(run) == finished(unbroken)
    rows = [json.loads(line)["steps"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert rows == [UPDATE * update for update in range(1, updates + 1)], "nothing is lost, nothing is told twice"
    assert not drafts(run)


@pytest.mark.parametrize("kills", [5, MANY])
def test_killed_pretraining_goes_on_to_the_same_encoder(kills: int, launcher: Launcher, tmp_path: Path) -> None:
    epochs, chance = 10 + kills, random.Random(kills)
    new = ["pretrain", *PICTURES, "--epochs", str(epochs), "--seed", "3", "--out"]
    unbroken, runs = tmp_path / "unbroken", [tmp_path / "run"]
    assert launcher.run(*new, unbroken).code == 0
    seconds = json.loads((unbroken / "encoder.json").read_text())["training"]["seconds"]

    def stands() -> tuple[float, bool]:
        checkpoint = runs[-1] / "checkpoint.safetensors"
        return (checkpoint.stat().st_mtime if checkpoint.exists() else 0.0), (runs[-1] / "encoder.json").exists()

    def begin(number: int) -> Command:
        run = runs[-1]
        words: list[str | Path] = ["pretrain", "--resume", run] if (run / "pretrain.json").exists() else [*new, run]
        return launcher.cold(*words) if kills > 5 and number % 10 == 9 else launcher.warm(*words)

    under_way, epoch = 0, 0
    for _, command, code in instants(chance, begin, stands, kills, 0.5 + 0.6 * seconds):
        assert "Traceback" not in command.said
        run, under_way = runs[-1], under_way + (code != 0)
        done = (run / "encoder.json").exists()
        if (run / "checkpoint.safetensors").exists():
            now = int(load_file(run / "checkpoint.safetensors")["optimizer.0.step"].item())
            assert now >= epoch, "a finished epoch was lost"
            epoch = now
        else:
            assert done or not epoch, "a checkpoint was lost"
        assert len(drafts(run)) <= 2
        if done:  # it came to its end, or was killed when all was written
            load_recogniser(run)
            assert weights(run) == weights(unbroken)
            runs.append(tmp_path / f"run{command.process}")
            epoch = 0
    assert under_way >= kills // 2, "it was hardly ever killed under way"
    last, run = begin(0), runs[-1]
    assert last.wait() == 0, last.said
    for name in ("model.safetensors", "head.safetensors"):
        assert (run / name).read_bytes() == (unbroken / name).read_bytes()
    assert sorted(path.name for path in run.iterdir()) == sorted(path.name for path in unbroken.iterdir())
