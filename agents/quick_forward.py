"""A finished network handed to onnxruntime, which answers single rows about three times as fast as torch.

Only where onnxruntime is installed (`pip install "lanista[onnx]"`), the network is one that ONNX can say, and its
answers were compared with torch's; else torch is asked as ever.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lanista.agents.policy_network import PolicyNetwork
from lanista.envs.core import Array
from lanista.perception.repeated import KINDS as REPEATED

OPSET = 17
TOLERANCE = 1e-3  # of logits and values: other orders of summation, no other network
CHECKED_ROWS = (1, 3)

# Observations, modality name -> (k, *shape) -> logits of all actions (k, num_actions), values (k,).
Forward = Callable[[Mapping[str, Array]], tuple[Array, Array]]


class _Named(nn.Module):
    """The network with its modalities one after the other."""

    def __init__(self, network: PolicyNetwork, names: list[str]) -> None:
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *values: Tensor) -> tuple[Tensor, Tensor]:
        logits, value = self.network(dict(zip(self.names, values, strict=True)))
        return logits, value


def quick_forward(network: PolicyNetwork, observation: Mapping[str, Array]) -> Forward | None:
    """The network in onnxruntime; None where that cannot be.

    Args:
        network: in evaluation mode; later changes of its weights are not seen.
        observation: some rows as it reads them, modality name -> (k, *shape).
    """
    if network.memory is not None or importlib.util.find_spec("onnxruntime") is None:
        return None
    if any(torch.from_numpy(value).dtype in REPEATED for value in observation.values()):
        return None  # torch reads a text or sound once a game, and this would at every step
    rows = {name: np.resize(value, (max(CHECKED_ROWS), *value.shape[1:])) for name, value in observation.items()}
    try:
        forward = _in_onnxruntime(network, rows)
        for count in CHECKED_ROWS:
            some = {name: value[:count] for name, value in rows.items()}
            with torch.inference_mode():
                known = network({name: torch.from_numpy(value) for name, value in some.items()})
            for mine, other in zip(known, forward(some), strict=True):
                if not np.allclose(mine.numpy(), other, rtol=TOLERANCE, atol=TOLERANCE):
                    return None
    except Exception:  # whatever a converter raises for a layer that it does not know: torch plays it
        return None
    return forward


def _in_onnxruntime(network: PolicyNetwork, rows: Mapping[str, Array]) -> Forward:
    import onnxruntime

    names = list(rows)
    file: Any = io.BytesIO()  # which torch takes, though its annotation does not say so
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns of every shape that it takes for constant; it is checked
            torch.onnx.export(
                _Named(network, names).eval(),
                tuple(torch.from_numpy(value) for value in rows.values()),
                file,
                input_names=names,
                output_names=["logits", "value"],
                dynamic_axes={name: {0: "rows"} for name in (*names, "logits", "value")},
                opset_version=OPSET,
                dynamo=False,  # the tracer takes a tenth of a second, the newer exporter several
            )
    finally:
        logging.disable(level)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
    session: Any = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    wanted = [output.name for output in session.get_outputs()]

    def forward(observation: Mapping[str, Array]) -> tuple[Array, Array]:
        logits, value = session.run(wanted, dict(observation))
        return logits, value

    return forward
