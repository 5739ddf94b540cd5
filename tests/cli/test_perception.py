"""The commands of perception: data, pretrain, recognise, encoders; in one short run on scikit-learn's digits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lanista.cli.main import main
from lanista.perception.dataset import data_sets, load_data
from lanista.perception.task import tasks


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "digits"
    words = "pretrain pictures:data=digits --epochs 3 --encoder small_resnet:channels=8 --set batch_size=32 threads=1"
    assert main([*words.split(), "--out", str(folder)]) == 0
    return folder


def test_a_run_says_what_it_reached(encoder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", "--resume", str(encoder)]) == 2
    assert "is done" in capsys.readouterr().err
    about = json.loads((encoder / "encoder.json").read_text())
    assert about["training"]["tests"]["test"]["accuracy"] > 0.3


def test_files_are_recognised(encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "digit.png"
    Image.fromarray(np.kron(load_data("digits").parts["all"].inputs[0], np.ones((9, 9), np.uint8))).save(picture)
    assert main(["recognise", str(encoder), str(picture), "--top", "2", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["input"] == str(picture)
    assert len(found["answers"]) == 2
    assert 0 < found["answers"][0]["probability"] <= 1
    assert main(["recognise", str(encoder), str(picture)]) == 0
    assert found["answers"][0]["text"] in capsys.readouterr().out


def test_mistakes_are_one_sentence(encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corrupt = tmp_path / "corrupt.png"
    corrupt.write_bytes(b"no picture")
    mistakes = {
        ("recognise", str(encoder), str(corrupt)): "damaged or no picture",
        ("recognise", str(encoder), str(tmp_path / "none.png")): "there is no picture",
        ("recognise", str(tmp_path), "x"): "is no encoder folder",
        ("recognise", str(encoder)): "say what",
        ("recognise", "clothse", "x"): "unknown pretrained encoder 'clothse'",
        ("pretrain", "pictres"): "did you mean 'pictures'",
        ("pretrain", "pictures:dta=digits"): "did you mean 'data'",
        ("pretrain", "pictures", "--set", "learning_rat=1"): "did you mean 'learning_rate'",
        ("pretrain", "pictures", "--resume", "x"): "TASK is for a new run",
        ("data", "get", "fashion_mnits"): "did you mean 'fashion_mnist'",
        ("data", "fashion_mnist"): "lanista data get fashion_mnist",
        ("data", "get"): "say which data sets",
    }
    for words, sentence in mistakes.items():
        assert main(list(words)) == 2, words
        said = capsys.readouterr()
        assert sentence in said.err, words
        assert len(said.err.strip().splitlines()) == 1, words


def test_lists_have_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["data"]
    assert [entry["name"] for entry in listed] == data_sets()
    assert all(entry["licence"] for entry in listed)
    assert main(["data"]) == 0
    assert "licence: MIT" in capsys.readouterr().out
    assert main(["encoders", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in found["tasks"]] == tasks()
    resnet = next(entry for entry in found["encoders"] if entry["name"] == "small_resnet")
    assert "channels" in resnet["options"]
    assert main(["pretrain"]) == 0
    assert "pictures" in capsys.readouterr().out
