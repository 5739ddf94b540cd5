"""An agent's folder, played: single moves, whole batches, and thinking ahead, beside its own bare network."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import numpy as np
import torch

from lanista.agents.artifact import save_agent
from lanista.agents.contestant import load_agent
from lanista.agents.kinds.network import CALLS_BEFORE_QUICK, NetworkAgent
from lanista.agents.policy_network import build_network, evaluate_rows
from lanista.agents.searching_network import SearchingAgent
from lanista.bench.ours.searching import table_of
from lanista.bench.worker import Work, repeat
from lanista.cores import fast_bfloat16
from lanista.envs import make
from lanista.envs.core import Agent, Array, Floats


def begin(game: str, encoder: str, rows: int, doing: str, simulations: int = 0) -> Work:
    """Save and load an agent with a fresh network.

    Args:
        game, encoder: of the network.
        rows: positions in a batch.
        doing: "moves" answers a batch of positions; "search" thinks ahead, and counts the rows that the network is
            asked; "evaluate" asks the network as the search does, and no more.
        simulations: of each move in "search".
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    words = f"?simulations={simulations}" if doing == "search" else "?symmetry=false"
    agent = _saved(game, encoder, words)
    return lambda seconds: {"steps": repeat(_doing(doing, game, agent, rows), seconds)}


def _saved(game: str, encoder: str, words: str) -> Agent:
    with tempfile.TemporaryDirectory() as folder:
        precision = "bfloat16" if fast_bfloat16() else "float32"
        save_agent(folder, build_network(make(game).spec, encoder).eval(), game, precision, {})
        return load_agent(f"{folder}{words}")


def _doing(doing: str, game: str, agent: Agent, rows: int) -> Callable[[], float]:
    turn, spec = table_of(game, rows).turn(), make(game).spec
    agent.start(spec, 0)  # type: ignore[attr-defined]
    if isinstance(agent, SearchingAgent):
        asked = np.zeros(1, np.int64)
        evaluate = agent._evaluate

        def counted(modality: str, seen: Array) -> tuple[Floats, Floats]:
            asked[0] += len(seen)
            return evaluate(modality, seen)

        agent._evaluate = counted  # type: ignore[method-assign]

        def think() -> float:
            before = int(asked[0])
            agent.act(turn)
            return int(asked[0]) - before

        return think
    assert isinstance(agent, NetworkAgent)
    for _ in range(2 * CALLS_BEFORE_QUICK):
        agent.act(turn)
    if doing == "moves":
        return lambda: len(agent.act(turn).actions)
    network, seen = agent.network, dict(turn.observation)

    def ask() -> float:
        if agent.asked(network, seen, None) is None:  # type: ignore[arg-type]
            evaluate_rows(network, seen, None, agent.autocast)  # type: ignore[arg-type]
        return rows

    return ask
