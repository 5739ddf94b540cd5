"""The pretrained encoders that come with Lanista: small, with their cards, and as good as their cards say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from lanista.cli.main import main
from lanista.errors import UsageError
from lanista.files import read_json
from lanista.perception.pretrained import SHIPPED, load_recogniser, shipped
from lanista.perception.task import make_task

MOST = 4_000_000  # bytes of a folder
FEW = 400  # examples asked anew
SLOW_TO_LOAD = (
    "spoken_words",
    "spoken_moves",
    "spoken_instructions",
    "spelling",
    "plates",
    "boards",
    "minigrid_views",
)  # which are made for minutes


def test_some_come_with_lanista() -> None:
    tasks = [read_json(SHIPPED / name / "encoder.json", "encoder")["training"]["task"] for name in shipped()]
    assert {make_task(task).modality for task in tasks} == {"picture", "sound", "text"}


@pytest.mark.parametrize("name", shipped())
def test_it_is_small_and_has_its_card(name: str) -> None:
    folder = SHIPPED / name
    assert sum(path.stat().st_size for path in folder.iterdir()) < MOST
    assert {path.name for path in folder.iterdir()} == {
        *("encoder.json", "model.safetensors", "head.json", "head.safetensors", "README.md", "picture.png")
    }
    card, training = (folder / "README.md").read_text(), read_json(folder / "encoder.json", "encoder")["training"]
    assert "## What it learnt from" in card
    for scores in training["tests"].values():
        assert f"{scores[training['measure']]:.4f}" in card


@pytest.mark.parametrize("name", shipped())
def test_it_is_as_good_as_its_card_says(name: str) -> None:
    training = read_json(SHIPPED / name / "encoder.json", "encoder")["training"]
    task = make_task(training["task"])
    if task.name in SLOW_TO_LOAD:
        pytest.skip("its data takes minutes to be made")
    try:
        splits = task.load(training["seed"])
    except UsageError as error:
        pytest.skip(f"its data is not here: {error}")
    model = load_recogniser(name)
    reader = model.encoder.input
    assert reader is not None
    for part, examples in splits.tests.items():
        rows = np.random.default_rng(0).permutation(len(examples))[:FEW]
        some = examples.take(rows)
        answers = model.answers(torch.from_numpy(reader.fit(some.inputs, splits.rate)))
        told = task.score(answers, some, splits)[task.measure]
        written = training["tests"][part][task.measure]
        if 0 <= written <= 1:  # a share: five standard errors of so many examples
            allowed = 5 * math.sqrt(max(written * (1 - written), 0.01) / len(some))
        else:
            allowed = 0.2 * written
        assert abs(told - written) <= allowed, part


def test_its_name_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recognise", "intents", "turn on the light in the kitchen"]) == 0
    assert "TurnOn" in capsys.readouterr().out
    assert main(["recognise", "intent", "turn on the light"]) == 2
    assert "did you mean 'intents'?" in capsys.readouterr().err
