"""From a string to a player, and what is said when the string is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lanista.agents.contestant import agents, load_agent, shipped
from lanista.agents.kinds.minimax import MinimaxAgent
from lanista.errors import UsageError


def named(contestant: str | Path) -> str:
    return str(load_agent(contestant).name)  # type: ignore[attr-defined]


def test_kinds_are_the_files() -> None:
    folder = Path(sys.modules["lanista.agents.contestant"].__file__ or "").parent / "kinds"
    files = {path.stem.replace("_", "-") for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert set(agents()) == files >= {"random", "first-legal", "minimax"}


@pytest.mark.parametrize(
    ("contestant", "name"),
    [
        ("random", "random"),
        ("first-legal", "first-legal"),
        ("first_legal", "first-legal"),
        ("minimax", "minimax:depth=4"),
        ("minimax:depth=2", "minimax:depth=2"),
        (" minimax:depth=2 ", "minimax:depth=2"),
        ("minimax?depth=2", "minimax:depth=2"),
    ],
)
def test_names(contestant: str, name: str) -> None:
    assert named(contestant) == name
    assert named(name) == name


def test_options_arrive() -> None:
    agent = load_agent("minimax:depth=7")
    assert isinstance(agent, MinimaxAgent) and agent.depth == 7


@pytest.mark.parametrize(
    ("contestant", "words"),
    [
        ("", "name who plays: first-legal, gtp, "),
        ("minimx", "unknown agent 'minimx'; did you mean 'minimax'"),
        ("minimx:depth=2", "unknown agent 'minimx'; did you mean 'minimax'"),
        ("first-leagl", "did you mean 'first-legal'"),
        ("zzz", "unknown agent 'zzz'; known: connect_four, first-legal, "),
        ("minimax:deph=3", "unknown option of the agent 'minimax' 'deph'; did you mean 'depth'"),
        ("minimax:depth=deep", "option 'depth' of the agent 'minimax' must be int, not 'deep'"),
        ("minimax:depth=0", "at least one ply"),
        ("minimax:4", "write key=value"),
        ("random:seed=1", "takes no options"),
        ("connect_four", "no agent for 'connect_four' comes with Lanista"),
        ("hfs:someone/something", "unknown agent 'hfs'"),
        (
            "~no-such-user/agent",
            "the folder '~no-such-user' does not exist",
        ),
        ("x" * 300, "unknown agent 'xxx"),
        (f"gtp:no-such-engine {'word ' * 100}", "needs the program 'no-such-engine'"),
    ],
)
def test_wrong_words(contestant: str, words: str) -> None:
    if contestant in shipped():
        pytest.skip("this game has an agent now")
    with pytest.raises(UsageError) as caught:
        load_agent(contestant)
    assert words in str(caught.value)


def agent_at(folder: Path) -> None:
    """A folder that looks like an agent's from outside."""
    folder.mkdir(parents=True)
    (folder / "agent.json").write_text("{}")


def test_wrong_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    agent_at(tmp_path / "runs" / "foo" / "agent")
    agent_at(tmp_path / "champion")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    expected = {
        "runs/fo": "there is no agent at 'runs/fo'; did you mean 'runs/foo'?",
        "runs/zzzzzz": "there is no agent at 'runs/zzzzzz'; folders with agents beside it: foo",
        "nowhere/fo": "there is no agent at 'nowhere/fo': the folder 'nowhere' does not exist",
        "./champio": "there is no agent at './champio'; did you mean 'champion'?",
        "champio": "unknown agent 'champio'; did you mean 'champion'?",
        "empty": "'empty' holds no agent: there is no agent.json in it, nor in its folder 'agent'",
        "runs": "'runs' holds no agent: there is no agent.json in it, nor in its folder 'agent'",
        "./file": "'./file' holds no agent: there is no agent.json in it, nor in its folder 'agent'",
        str(tmp_path / "champoin"): f"did you mean '{tmp_path / 'champion'}'?",
    }
    for contestant, words in expected.items():
        with pytest.raises(UsageError) as caught:
            load_agent(contestant)
        assert words in str(caught.value)


def test_a_kind_is_not_hidden_by_an_ordinary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "random").mkdir()
    assert named("random") == "random"


def test_players_without_a_network_load_without_torch() -> None:
    program = (
        "import sys; from lanista.agents.contestant import load_agent, agents; import lanista.agents.match; agents();"
        "[load_agent(name) for name in ('random', 'first-legal', 'minimax:depth=2')];"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_trained_agents_by_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lanista.agents.artifact import save_agent
    from lanista.agents.kinds.network import NetworkAgent
    from lanista.agents.policy_network import build_network
    from lanista.envs.catalogue import native_rules

    monkeypatch.chdir(tmp_path)
    network = build_network(native_rules("tictactoe").spec, "mlp")
    for folder in ("runs/first/agent", "champion", "random"):
        save_agent(folder, network, "tictactoe", "float32", {})
    names = {
        "runs/first": "runs/first",
        "runs/first/": "runs/first",
        "runs/first/agent": "runs/first/agent",
        "champion": "champion",
        "./champion": "champion",
        "random": "random",  # a folder that holds an agent is preferred to the kind
        str(tmp_path / "champion"): str(tmp_path / "champion"),
        "network:path=champion": "champion",
        "network:path=runs/first": "runs/first",
        "runs/first?temperature=0.5": "runs/first?temperature=0.5",
    }
    for contestant, name in names.items():
        agent = load_agent(contestant)
        assert isinstance(agent, NetworkAgent)
        assert agent.name == name and named(name) == name
        assert agent.temperature == (0.5 if "?" in contestant else None)
    assert named(tmp_path / "champion") == str(tmp_path / "champion")
    for contestant, words in {
        "champion?temprature=1": "unknown option of the agent 'champion' 'temprature'; did you mean 'temperature'?",
        "champion?temperature=hot": "option 'temperature' of the agent 'champion' must be float, not 'hot'",
        "champion?temperature": "write key=value",
        "network:path=nowhere": "nowhere",
    }.items():
        with pytest.raises(UsageError) as caught:
            load_agent(contestant)
        assert words in str(caught.value)
