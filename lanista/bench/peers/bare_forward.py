"""The bare forward of one network in torch or onnxruntime, and nothing around it: no legal actions, no choice."""

from __future__ import annotations

from collections.abc import Callable

import torch

from lanista.agents.policy_network import build_network
from lanista.agents.quick_forward import quick_forward
from lanista.bench.ours.searching import table_of
from lanista.bench.worker import Work, repeat
from lanista.envs import make


def begin(game: str, encoder: str, rows: int, library: str) -> Work:
    """Make the network.

    Args:
        game, encoder: of the network.
        rows: in a batch.
        library: torch or onnxruntime.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = build_network(make(game).spec, encoder).eval()
    seen = dict(table_of(game, rows).turn().observation)
    tensors = {name: torch.from_numpy(value) for name, value in seen.items()}
    quick = quick_forward(network, seen) if library == "onnxruntime" else None
    if library == "onnxruntime" and quick is None:
        raise RuntimeError("onnxruntime is not installed, or cannot say this network")

    def in_torch() -> float:
        with torch.inference_mode():
            network(tensors)
        return rows

    def in_onnxruntime() -> float:
        assert quick is not None
        quick(seen)
        return rows

    once: Callable[[], float] = in_torch if quick is None else in_onnxruntime
    return lambda seconds: {"steps": repeat(once, seconds)}
