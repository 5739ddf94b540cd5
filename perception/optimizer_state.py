"""An optimiser's state as named tensors, to be saved as plain data and put back."""

from __future__ import annotations

import torch
from torch import Tensor

from lanista.errors import UsageError


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's state as named tensors: `NUMBER.step`, `NUMBER.exp_avg`, `NUMBER.exp_avg_sq`."""
    state = optimizer.state_dict()["state"]
    return {f"{n}.{name}": value.clone() for n, entry in state.items() for name, value in entry.items()}


def set_optimizer_tensors(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put `optimizer_tensors` back.

    Raises:
        UsageError: they are not of this network's optimizer.
    """
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    try:
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    except (ValueError, KeyError) as error:
        raise UsageError(f"the checkpoint's optimizer does not fit this network: {error}") from None
    for parameter, entry in optimizer.state.items():
        for name, value in entry.items():
            if value.shape == parameter.shape:
                # Fused Adam goes through memory in the weights' order, and weights of convolutions are channels last.
                entry[name] = torch.empty_like(parameter).copy_(value)
