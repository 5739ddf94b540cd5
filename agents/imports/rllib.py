"""Checkpoints of RLlib's PPO on its new API stack, with its own perceptron for one array of observations.

Nothing is needed of Ray itself. RLlib pickles; the weights are read by a reader that makes arrays and nothing else, so
no code of the checkpoint runs. The activation stands where only pickles say it: it is tanh unless the user says relu.
"""

from __future__ import annotations

import json
import pickle
import pickletools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from lanista.agents.imports._parts import Layer, Parts
from lanista.envs.core import Array
from lanista.errors import UsageError, unknown
from lanista.plugs import one_line

MARK = "rllib_checkpoint.json"
MODULES = Path("learner_group") / "learner" / "rl_module"
STATE = "module_state.pkl"
GREATEST = 2**31  # bytes
MOST_PARTS = 2**20
# What an array of numbers is pickled by, in NumPy 1 and 2; dtypes and containers need no more.
ARRAYS = {
    (f"numpy{core}.{module}", name)
    for core in (".core", "._core")
    for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
} | {("numpy", "ndarray"), ("numpy", "dtype"), ("collections", "OrderedDict")}


class _Arrays(pickle.Unpickler):
    """Makes arrays, numbers, texts and containers of them."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ARRAYS:
            raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no array")
        return super().find_class(module, name)


def _check_size(file: IO[bytes]) -> None:
    """Refuse a pickle that has the reader make room for more parts than there are; nothing of it is done here.

    Python's reader keeps parts in a table as long as the greatest number that the file gives one.
    """
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name.endswith("PUT") and (not isinstance(argument, int) or argument > MOST_PARTS):
            raise pickle.UnpicklingError(f"it numbers a part {argument}")


def knows(path: Path) -> bool:
    """Whether a folder is RLlib's checkpoint of an algorithm, by what it holds."""
    return (path / MARK).is_file() and (path / MODULES).is_dir()


def read(path: Path, module: str = "", activation: str = "tanh") -> tuple[Parts, dict[str, Any]]:
    """The layers of a checkpoint's module, and how it came about.

    Args:
        path: the checkpoint's folder.
        module: which, where there are several; else the only one.
        activation: "tanh" or "relu".

    Raises:
        UsageError: there is no such module, it is damaged, or of a kind that no network of ours computes.
    """
    names = sorted(folder.name for folder in (path / MODULES).iterdir() if (folder / STATE).is_file())
    if module and module not in names:
        raise unknown(f"module of {path}", module, names)
    if not module and len(names) != 1:
        raise UsageError(f"{path} has the modules {', '.join(names) or 'none'}: say --module NAME")
    file = path / MODULES / (module or names[0]) / STATE
    try:
        if file.stat().st_size > GREATEST:
            raise UsageError(f"{file} is of more than {GREATEST >> 20} MB")
        version = str(json.loads((path / MARK).read_bytes()).get("ray_version", ""))
        with file.open("rb") as opened:
            _check_size(opened)
            opened.seek(0)
            weights = _Arrays(opened).load()
    except UsageError:
        raise
    except Exception as error:  # what a damaged pickle raises is not one kind
        raise UsageError(f"{file} cannot be read as a module of RLlib: {one_line(error)}") from None
    if not isinstance(weights, Mapping) or not all(isinstance(value, np.ndarray) for value in weights.values()):
        raise UsageError(f"{file} cannot be read as a module of RLlib: its weights are no arrays by name")
    if sum(value.nbytes for value in weights.values()) > GREATEST:  # an array may be said to be larger than the file
        raise UsageError(f"{file} holds weights of more than {GREATEST >> 20} MB")
    return _parts(str(path), weights, activation), {"imported": "rllib", "version": version}


def _parts(source: str, weights: Mapping[str, Array], activation: str) -> Parts:
    shared = "encoder.encoder.net.mlp.0.weight" in weights
    trunk = _stack(weights, "encoder.encoder.net.mlp" if shared else "encoder.actor_encoder.net.mlp")
    policy, value = _stack(weights, "pi.net.mlp"), _stack(weights, "vf.net.mlp")
    if not trunk or not policy:
        raise UsageError(f"{source} is no PPO of RLlib with its own perceptron for one array of observations")
    (*above, last), (*above_value, value_last) = policy, value or [policy[-1]]
    value_trunk = None
    if not shared:
        value_trunk = [*_stack(weights, "encoder.critic_encoder.net.mlp"), *above_value]
    elif above or above_value:
        raise UsageError(f"{source} has layers above the encoder that policy and value share; no network of ours has")
    if value_trunk is not None and not value:
        value_trunk = None
    return Parts(source, [], [*trunk, *above], value_trunk, last, value_last if value else None, None, activation)


def _stack(weights: Mapping[str, Array], prefix: str) -> list[Layer]:
    """The linear layers of a perceptron, in order."""
    found = [re.fullmatch(rf"{re.escape(prefix)}\.(\d+)\.weight", name) for name in weights]
    numbers = sorted(int(match[1]) for match in found if match)
    return [
        (_tensor(weights[f"{prefix}.{number}.weight"]), _tensor(weights[f"{prefix}.{number}.bias"]))
        for number in numbers
    ]


def _tensor(value: Array) -> Tensor:
    return torch.from_numpy(np.array(value)).float()
