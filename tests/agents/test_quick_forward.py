"""The quicker form of a finished network says what the network says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lanista.agents.artifact import save_agent
from lanista.agents.contestant import load_agent
from lanista.agents.kinds.network import CALLS_BEFORE_QUICK, NetworkAgent
from lanista.agents.policy_network import PolicyNetwork, build_network
from lanista.agents.quick_forward import quick_forward
from lanista.envs.catalogue import make
from lanista.envs.core import Array

pytest.importorskip("onnxruntime")


def rows(game: str, count: int) -> dict[str, Array]:
    table = make(game, count, random_share=1.0, random_plies=8)
    table.reset(0)
    return dict(table.turn().observation)


def rows_of_start(game: str) -> dict[str, Array]:
    table = make(game, 2)
    table.reset(0)
    return dict(table.turn().observation)


@pytest.mark.parametrize(
    ("game", "encoder"), [("connect_four", "auto"), ("chess", "auto"), ("kuhn_poker", "mlp"), ("tictactoe", "mlp")]
)
def test_it_answers_as_torch_does(game: str, encoder: str) -> None:
    torch.manual_seed(0)
    network = build_network(make(game).spec, encoder).eval()
    quick = quick_forward(network, rows(game, 2))
    assert quick is not None
    for count in (1, 2, 33):
        observation = rows(game, count)
        with torch.inference_mode():
            logits, value = network({name: torch.from_numpy(each) for name, each in observation.items()})
        mine, worth = quick(observation)
        assert np.allclose(mine, logits.numpy(), atol=1e-4) and np.allclose(worth, value.numpy(), atol=1e-4)


def test_texts_are_left_to_torch_which_reads_each_once() -> None:
    pytest.importorskip("minigrid")
    game = "babyai:GoToLocalS5N2"
    assert quick_forward(build_network(make(game).spec).eval(), rows_of_start(game)) is None
    untold = f"{game}?mission=none"
    assert quick_forward(build_network(make(untold).spec).eval(), rows_of_start(untold)) is not None


def test_what_cannot_be_said_in_it_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make("connect_four").spec
    assert quick_forward(build_network(spec, memory="gru:dim=8").eval(), rows("connect_four", 1)) is None
    network = build_network(spec).eval()
    monkeypatch.setattr(PolicyNetwork, "forward", lambda *_: 1 / 0)
    assert quick_forward(network, rows("connect_four", 1)) is None
    monkeypatch.undo()
    # A network whose answers change from call to call cannot be checked.
    forward = PolicyNetwork.forward
    monkeypatch.setattr(
        PolicyNetwork,
        "forward",
        lambda *words: tuple(each + torch.rand(()).item() for each in forward(*words)),
    )
    assert quick_forward(network, rows("connect_four", 1)) is None


def test_an_agent_plays_on_as_before(tmp_path: Path) -> None:
    torch.manual_seed(0)
    spec = make("connect_four").spec
    save_agent(tmp_path, build_network(spec).eval(), "connect_four", "float32", {})
    agent = load_agent(tmp_path)
    assert isinstance(agent, NetworkAgent)
    agent.start(spec, 0)
    table = make("connect_four", 9, random_share=1.0, random_plies=8)
    table.reset(0)
    turn = table.turn()
    answers = [agent.act(turn) for _ in range(2 * CALLS_BEFORE_QUICK)]
    assert agent._quick is not None
    first, last = answers[0], answers[-1]
    assert first.policy is not None and last.policy is not None and first.value is not None and last.value is not None
    assert np.allclose(first.policy, last.policy, atol=1e-4) and np.allclose(first.value, last.value, atol=1e-4)
    assert turn.legal is not None and (last.policy[~turn.legal] < 1e-6).all()
    assert (first.actions == last.actions).all()


def test_a_network_that_still_learns_is_never_copied() -> None:
    spec = make("tictactoe").spec
    agent = NetworkAgent(build_network(spec).eval(), "learner", "tictactoe")
    agent.start(spec, 0)
    table = make("tictactoe")
    for _ in range(2 * CALLS_BEFORE_QUICK):
        agent.act(table.turn())
    assert agent._quick is None
