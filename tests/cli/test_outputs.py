"""Files that commands write: never over a store or an agent, and refused at once where they cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lanista.agents.artifact import save_agent
from lanista.agents.policy_network import build_network
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.cli.main import main
from lanista.envs.catalogue import native_rules


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, an agent, and a folder where a file is to be."""
    path = tmp_path_factory.mktemp("outputs")
    tournament("tictactoe", ["random", "first-legal"], games=2, db=path / "t.sqlite")
    save_agent(path / "mine", build_network(native_rules("tictactoe").spec, "mlp:dim=8"), "tictactoe", "float32", {})
    for ending in ("svg", "gif", "onnx", "html", "csv"):
        (path / f"folder.{ending}").mkdir()
    return path


@pytest.fixture
def here(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(folder, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    return tmp_path / "own"


@pytest.mark.parametrize(
    "words",
    [
        "standings t.sqlite --report t.sqlite",
        "tournament random first-legal --game tictactoe --games 2 --db t.sqlite --report t.sqlite",
        "tournament random first-legal --game tictactoe --games 2 --db new.sqlite --report new.sqlite",
        "tournament random first-legal --game tictactoe --games 2 --report t.sqlite",
        "analyse t.sqlite 1 --by minimax:depth=1 --report t.sqlite",
        "export-games t.sqlite --out t.sqlite --format csv",
        "ladder serve t.sqlite random first-legal --report t.sqlite",
        "export mine --onnx mine/model.safetensors",
        "export mine --onnx mine/agent.json",
    ],
)
def test_a_store_or_an_agent_is_never_written_over(words: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert "would be lost" in said or "agent's own files" in said, said
    assert {path: path.read_bytes() for path in before} == before
    with Store(here / "t.sqlite", write=False) as store:
        assert store.count() == 2


@pytest.mark.parametrize(
    "words",
    [
        "standings t.sqlite --report folder.html",
        "export-games t.sqlite --out folder.csv",
        "record random --game tictactoe --out folder.gif",
        "certify random --game tictactoe --plot folder.svg",
        "explain mine --picture folder.svg",
        "export mine --onnx folder.onnx",
    ],
)
def test_a_folder_where_a_file_is_to_be_is_said_at_once(
    words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert "is a folder; name a file in it" in err and err.count("\n") == 1 and not out


def test_an_empty_name_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["tournament", "random", "first-legal", "--game", "tictactoe", "--games", "2", "--db", ""],
        ["export", "mine", "--onnx", ""],
        ["export-games", "t.sqlite", "--out", "", "--format", "csv"],
        ["import", "", "--game", "tictactoe"],
    ):
        assert main(words) == 2, words
        assert "name" in capsys.readouterr().err


def test_the_folder_of_a_picture_is_made(here: Path) -> None:
    assert main(["certify", "random", "--game", "tictactoe", "--positions", "20", "--plot", "new/share.svg"]) == 0
    assert main(["explain", "mine", "--picture", "newer/looks.svg"]) == 0
    assert (here / "new" / "share.svg").stat().st_size > 1000 and (here / "newer" / "looks.svg").stat().st_size > 1000


def test_a_refused_pretraining_leaves_no_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ("pretrain pictures:data=nosuch", "pretrain pictures:data=digits --encoder nosuch --out q"):
        assert main(words.split()) == 2
        assert "nosuch" in capsys.readouterr().err
    assert not (here / "runs").exists() and not (here / "q").exists()


@pytest.mark.parametrize("name", ["config.toml", "pretrain.json", "encoder.json", "trials.json"])
def test_one_folder_holds_one_run(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else one of the two would be hidden behind the other."""
    (here / "used").mkdir()
    (here / "used" / name).write_text("{}")
    for words in ("train tictactoe --steps 64 --out used", "pretrain pictures:data=digits --out used"):
        assert main(words.split()) == 2
        assert "choose another --out" in capsys.readouterr().err
    assert [path.name for path in (here / "used").iterdir()] == [name]
