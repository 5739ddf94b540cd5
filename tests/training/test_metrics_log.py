"""Where curves go: files that forget what is played again, and Weights & Biases only if it is asked for."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from lanista.errors import UsageError
from lanista.training.metrics_log import MetricsLog, check_wandb
from lanista.training.settings import TrainSettings, settings_from


class Recorder(types.ModuleType):
    """Stands where the package `wandb` would be, and writes down what is asked of it."""

    def __init__(self, failing: str = "") -> None:
        super().__init__("wandb")
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.failing = failing

    def note(self, name: str, /, **words: Any) -> None:
        self.calls.append((name, words))
        if name == self.failing:
            raise ConnectionError("no route\nto host")

    def init(self, **words: Any) -> Recorder:
        self.note("init", **words)
        return self

    def log(self, row: dict[str, float], *, step: int) -> None:
        self.note("log", row=row, step=step)

    def finish(self) -> None:
        self.note("finish")

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


def settings(project: str = "games") -> TrainSettings:
    return settings_from({"game": "tictactoe", "wandb_project": project, "steps": 100})


def rows(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def write(log: MetricsLog, *steps: int) -> None:
    for number in steps:
        log.write({"steps": number, "updates": number, "seconds": 0.5, "entropy": 1.0 / number})
    log.close()


def test_rows_after_a_checkpoint_are_forgotten(tmp_path: Path) -> None:
    write(MetricsLog(tmp_path, settings("")), 1, 2, 3)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"steps": 4, "ent')
    write(MetricsLog(tmp_path, settings(""), resumed_at=2), 3, 4)
    assert [row["steps"] for row in rows(tmp_path)] == [1, 2, 3, 4]
    assert rows(tmp_path)[-1]["entropy"] == 0.25


def test_nothing_reaches_wandb_unless_a_project_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Recorder()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    write(MetricsLog(tmp_path, settings("")), 1)
    assert not fake.calls and not (tmp_path / "wandb.json").exists()


def test_wandb_has_settings_and_rows_and_a_resumed_run_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Recorder()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    write(MetricsLog(tmp_path, settings()), 1, 2)
    write(MetricsLog(tmp_path, settings(), resumed_at=2), 3)
    assert fake.names() == ["init", "log", "log", "finish", "init", "log", "finish"]
    first, again = (words for name, words in fake.calls if name == "init")
    assert first == again and first["project"] == "games" and first["resume"] == "allow"
    assert first["config"]["game"] == "tictactoe" and first["dir"] == str(tmp_path) and len(first["id"]) == 12
    assert fake.calls[1][1] == {"row": rows(tmp_path)[0], "step": 1}


@pytest.mark.parametrize("failing", ["init", "log", "finish"])
def test_a_failure_of_wandb_is_said_once_and_the_run_goes_on(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = Recorder(failing)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    write(MetricsLog(tmp_path, settings()), 1, 2, 3)
    assert len(rows(tmp_path)) == 3
    said = capsys.readouterr().err
    assert said == "Weights & Biases failed (no route to host); the run goes on without it\n"
    assert fake.names().count(failing) == 1 and fake.names()[-1] == failing


def test_a_missing_wandb_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UsageError, match=r"lanista\[wandb\]"):
        check_wandb(settings())
    check_wandb(settings(""))


def test_wandb_itself_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    write(MetricsLog(tmp_path, settings()), 1, 2)
    assert list((tmp_path / "wandb").glob("offline-run-*"))
