"""Settings, searches and runs' own files: TOML and JSON lines of a stranger's, or cut short by a full disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from attacks import attack, damaged, examples, harmless, odd_text, taken_or_refused
from hypothesis import strategies as st

from lanista.agents.run_records import read_record
from lanista.errors import UsageError
from lanista.files import read_toml
from lanista.training.run_folder import open_run
from lanista.training.settings import read_settings
from lanista.training.tune.space import read_plan

CONFIG = 'game = "tictactoe"\nsteps = 1000\nlearning_rate = 1e-3\nnormalize_value = false\nencoder = "mlp:dim=8"\n'
PLAN = (
    'samples = 4\nminutes = 1\nmetric = "rating"\n[settings]\ngamma = 0.9\n[space]\n'
    'learning_rate = {log_uniform = [1e-4, 1e-2]}\nepochs = {integer = [1, 4]}\nencoder = {choice = ["mlp", "auto"]}\n'
)
WORDS = [
    "game",
    "steps",
    "learning_rate",
    " = ",
    "1",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "9" * 400,
    "9" * 5000,
    "true",
    '"',
    "'",
    '"""',
    "[",
    "]",
    "{",
    "}",
    "[space]",
    "[settings]",
    "\n",
    "\n",
    ",",
    ".",
    "1979-05-27",
    "\\u0000",
    "\\x",
    "log_uniform",
    "choice",
]


def run(folder: Path) -> object:
    (folder / "config.toml").write_bytes((folder / "file").read_bytes())
    return open_run(folder)


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "settings": (
        CONFIG.replace('game = "tictactoe"\n', ""),
        lambda folder: read_settings("tictactoe", folder / "file"),
    ),
    "run": (CONFIG, run),
    "search": (PLAN, lambda folder: read_plan(folder / "file")),
}


@pytest.mark.parametrize("reader", READERS)
@examples
def test_settings(reader: str, examples: int, tmp_path: Path) -> None:
    text, read = READERS[reader]

    def once(data: bytes) -> bool:
        (tmp_path / "file").write_bytes(data)
        return taken_or_refused(lambda: read(tmp_path), tmp_path)

    assert once(text.encode())
    attack(examples, damaged(text.encode()) | odd_text(WORDS).map(lambda made: made.encode("utf-8", "replace")), once)


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000, "a = " + "9" * 5000, "a." * 20_000 + "b = 1", "\ufeffa = 1", "a = '\x00'"]
)
def test_toml_that_is_hard_to_read_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with (
        harmless(tmp_path),
        pytest.raises(UsageError, match=r"cannot be read as TOML|unknown setting|more than 32 parts"),
    ):
        read_settings("tictactoe", tmp_path / "c.toml")


def test_settings_without_end_are_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "c.toml").symlink_to("/dev/zero")
    with harmless(tmp_path), pytest.raises(UsageError, match="no file that can be read"):
        read_toml(tmp_path / "c.toml")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e308", "1" + "0" * 400])
def test_a_number_that_is_none_is_no_setting(tmp_path: Path, value: str) -> None:
    """They were taken: a learning rate of nan makes a network of nan."""
    (tmp_path / "c.toml").write_text(f"learning_rate = {value}\n")
    with pytest.raises(UsageError, match="'learning_rate' must be a number"):
        read_settings("tictactoe", tmp_path / "c.toml")


ROW = json.dumps({"steps": 128, "seconds": 1.5, "rating": 3.0, "score/random": 0.5}).encode() + b"\n"


@examples
def test_a_runs_own_files(examples: int, tmp_path: Path) -> None:
    """What the page and `lanista runs` show of a folder: a damaged one is a row that says so."""

    def once(files: tuple[bytes, bytes]) -> None:
        (tmp_path / "config.toml").write_bytes(files[0])
        (tmp_path / "metrics.jsonl").write_bytes(files[1])
        with harmless(tmp_path):
            record = read_record(tmp_path)
        assert "\n" not in record.about

    odd = odd_text(['{"steps": ', '"seconds": ', "1", ", ", "}", "NaN", "Infinity", "[", "9" * 5000, "1e999", "\n"])
    rows = damaged(ROW * 3) | odd.map(lambda made: made.encode("utf-8", "replace"))
    attack(examples, st.tuples(damaged(CONFIG.encode()), rows), once)
    for row in ('{"steps": 1, "seconds": ' + "9" * 400 + "}", "[" * 100_000, '{"steps": Infinity, "seconds": NaN}'):
        once((CONFIG.encode(), row.encode() + b"\n" + ROW))


def test_a_run_without_a_game_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("steps = 1000\n")
    with pytest.raises(UsageError, match="name no game"):
        open_run(tmp_path)
