"""Stable-Baselines3's files: PPO, A2C, TRPO, MaskablePPO, DQN and QR-DQN with `MlpPolicy` or `CnnPolicy`.

Nothing is needed of Stable-Baselines3 itself: the settings are read as JSON, the weights by torch's reader that admits
tensors alone.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lanista.agents.imports._parts import Layer, Parts
from lanista.agents.sb3_archive import GREATEST, MOST, SETTINGS, VERSION, WEIGHTS, unpacked
from lanista.errors import UsageError
from lanista.plugs import one_line


def knows(path: Path) -> bool:
    """Whether a file was saved by Stable-Baselines3, by what it holds."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {WEIGHTS, SETTINGS} <= set(archive.namelist())


def read(path: Path) -> tuple[Parts, dict[str, Any]]:
    """The layers of a model, and how it came about.

    Raises:
        UsageError: the file is damaged, or the model is of a kind that no network of ours computes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            read = {name: unpacked(archive, name) for name in MOST}
            settings = json.loads(read[SETTINGS])
            inner = io.BytesIO(read[WEIGHTS])
            if zipfile.is_zipfile(inner):  # PyTorch's files are archives themselves
                with zipfile.ZipFile(inner) as tensors:
                    if sum(each.file_size for each in tensors.infolist()) > GREATEST:
                        raise UsageError(f"{path} holds weights of more than {GREATEST >> 20} MB")
            inner.seek(0)
            weights = torch.load(inner, map_location="cpu", weights_only=True)
            version = read[VERSION].decode()
    except UsageError:
        raise
    except Exception as error:  # what a damaged archive, JSON or tensor file raises is not one kind
        raise UsageError(f"{path} cannot be read as a model of Stable-Baselines3: {one_line(error)}") from None
    known = isinstance(weights, Mapping) and all(isinstance(value, Tensor) for value in weights.values())
    if not known or not isinstance(settings, dict):
        raise UsageError(f"{path} cannot be read as a model of Stable-Baselines3: its weights are no tensors by name")
    history = {"imported": "stable_baselines3", "version": version, "steps": _number(settings.get("num_timesteps"))}
    return _parts(str(path), weights, settings), history


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _parts(source: str, weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Parts:
    """Read the names of an actor-critic's weights, or of a Q-network's."""
    recurrent = any(name.startswith("lstm") for name in weights)
    if "action_net.weight" in weights and not recurrent:
        cnn, whole = _cnn(weights, "features_extractor")
        trunk, value_trunk = _stack(weights, "mlp_extractor.policy_net"), _stack(weights, "mlp_extractor.value_net")
        apart = [name for name in weights if name.startswith("vf_features_extractor.")]
        if apart and any(not weights[name].equal(weights[name[3:]]) for name in apart if name[3:] in weights):
            raise UsageError(f"{source} has a CNN of the value's own, which no network of ours has")
        if cnn and (trunk or value_trunk):
            raise UsageError(f"{source} has layers between its CNN and its actions, which no network of ours has")
        return Parts(
            source, cnn, whole or trunk, None if whole else value_trunk, _layer(weights, "action_net"),
            _layer(weights, "value_net"), weights.get("log_std"), _activation(settings, "tanh"),
        )  # fmt: skip
    for net in ("q_net", "quantile_net"):
        if f"{net}.{net}.0.weight" in weights:
            return _parts_of_values(source, weights, settings, net)
    raise UsageError(
        f"{source} is no model that can be imported: PPO, A2C, TRPO, MaskablePPO, DQN and QR-DQN with MlpPolicy or "
        "CnnPolicy can; seat any other as it is, with 'sb3:FILE' and --trust"
    )


def _parts_of_values(source: str, weights: Mapping[str, Tensor], settings: Mapping[str, Any], net: str) -> Parts:
    """A Q-network's: the action values are the logits, their mean the value, as `training` has it of its own."""
    cnn, whole = _cnn(weights, f"{net}.features_extractor")
    layers = _stack(weights, f"{net}.{net}")
    trunk, (weight, bias) = layers[:-1], layers[-1]
    if cnn and trunk:
        raise UsageError(f"{source} has layers between its CNN and its actions, which no network of ours has")
    quantiles = settings.get("policy_kwargs", {}).get("n_quantiles", 200) if net == "quantile_net" else 1
    quantiles = int(quantiles) if str(quantiles).isdigit() else 200
    if len(bias) % quantiles:
        raise UsageError(f"{source} has {len(bias)} outputs, which are not {quantiles} quantiles of each action")
    weight = weight.reshape(quantiles, -1, weight.shape[1]).mean(0)
    bias = bias.reshape(quantiles, -1).mean(0)
    value = weight.mean(0, keepdim=True), bias.mean(0, keepdim=True)
    return Parts(source, cnn, whole or trunk, None, (weight, bias), value, None, _activation(settings, "relu"))


def _stack(weights: Mapping[str, Tensor], prefix: str) -> list[Layer]:
    """The linear layers of a `Sequential`, in order."""
    found = [re.fullmatch(rf"{re.escape(prefix)}\.(\d+)\.weight", name) for name in weights]
    numbers = sorted(int(match[1]) for match in found if match)
    return [_layer(weights, f"{prefix}.{number}") for number in numbers]


def _cnn(weights: Mapping[str, Tensor], prefix: str) -> tuple[list[Layer], list[Layer]]:
    """The Nature CNN's convolutions and its linear layer; nothing of a perceptron."""
    convolutions = _stack(weights, f"{prefix}.cnn")
    return (convolutions, [_layer(weights, f"{prefix}.linear.0")]) if convolutions else ([], [])


def _layer(weights: Mapping[str, Tensor], name: str) -> Layer:
    return weights[f"{name}.weight"].float(), weights[f"{name}.bias"].float()


def _activation(settings: Mapping[str, Any], usual: str) -> str:
    """The activation: Stable-Baselines3 writes it, where it is not the usual one, as text beside what it pickles."""
    options = settings.get("policy_kwargs")
    written = str(options.get("activation_fn", "")) if isinstance(options, Mapping) else ""
    if not written:
        return usual
    for name in ("tanh", "relu"):
        if f".{name}'" in written.lower():
            return name
    raise UsageError(f"the activation {written} is one that no network of ours has: tanh and relu are")
