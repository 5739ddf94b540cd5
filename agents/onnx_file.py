"""An agent's network as an ONNX file, for programs that have neither Lanista nor torch.

Its inputs are the game's modalities by name, `legal` where the actions are not Box, and `memory` where the network has
one; its outputs:

- `action`: the most likely action of each row, as the game takes it;
- `logits`, of which those of illegal actions are hugely negative, or for Box `mean` and `log_std`;
- `value`: what the row's player may expect;
- `memory`: what to give to the same seat's next step; zeros at a game's beginning.

The file's metadata has the agent's description, without weights, as JSON.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lanista.agents.action_heads import BoxHead, MultiDiscreteHead
from lanista.agents.artifact import load_networks
from lanista.agents.policy_network import PolicyNetwork
from lanista.agents.role_networks import RoleNetworks, role_names
from lanista.envs import make
from lanista.envs.core import Array, Turn
from lanista.envs.draws import random_legal
from lanista.errors import UsageError
from lanista.files import drafted
from lanista.plugs import required

TOLERANCE = 1e-4  # of what the file's answers may differ from torch's, of numbers about 1
POSITIONS = 64  # in which they are compared
LEGAL, MEMORY = "legal", "memory"
METADATA = "lanista"


class Answers(nn.Module):
    """A network whose inputs and outputs are tensors in a row, as ONNX has them."""

    def __init__(self, network: PolicyNetwork) -> None:
        """Wrap a network, in evaluation mode."""
        super().__init__()
        self.network = network
        self.names = list(network.fusion.encoders)
        self.masked = not isinstance(network.head, BoxHead)
        self.inputs = [
            *self.names,
            *([LEGAL] if self.masked else []),
            *([MEMORY] if network.memory is not None else []),
        ]
        parameters = ["logits"] if self.masked else ["mean", "log_std"]
        self.outputs = ["action", *parameters, "value", *([MEMORY] if network.memory is not None else [])]

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The inputs in the order of `inputs`, (rows, ...) each, to the outputs in the order of `outputs`."""
        given = dict(zip(self.inputs, tensors, strict=True))
        features = self.network.features({name: given[name] for name in self.names})
        after: tuple[Tensor, ...] = ()
        if self.network.memory is not None:
            features, state = self.network.memory.step(features, given[MEMORY])
            after = (state,)
        parameters, value = self.network.conclude(features, given.get(LEGAL))
        head = self.network.head
        if isinstance(head, BoxHead):
            mean, log_std = torch.split(parameters, head.outputs, dim=-1)
            low, high, middle, half = (torch.from_numpy(bound) for bound in head._scale)
            action = torch.clamp(middle + half * mean, low, high).reshape(-1, *head.shape)
            return action, mean, log_std, value, *after
        if isinstance(head, MultiDiscreteHead):
            action = torch.stack([part.argmax(-1) for part in torch.split(parameters, list(head.nvec), dim=-1)], 1)
        else:
            action = parameters.argmax(-1)
        return action, parameters, value, *after


def export_onnx(folder: str | Path, file: str | Path, role: str = "") -> float:
    """Write an agent's network as an ONNX file and compare what it answers with torch, in positions of random play.

    Args:
        folder: the agent's.
        file: where to write; it is there only if the answers are the same.
        role: of an agent with a network for each role: whose.

    Returns:
        The greatest difference of an answer, of numbers about 1.

    Raises:
        UsageError: it is no agent, `onnx` or `onnxruntime` is not installed, or the role is missing or unknown.
        ArithmeticError: the file's answers are not torch's.
    """
    for package in ("onnx", "onnxruntime", "onnxscript"):
        required(package, "onnx", "an ONNX file")
    networks, about = load_networks(folder)
    game = make(about["game"], POSITIONS)
    roles = role_names(game.spec)
    if isinstance(networks, RoleNetworks):
        if not role:
            raise UsageError(f"{folder} has a network for each of the roles {', '.join(roles)}: say --role")
        network = networks.of(role)
    elif role:
        raise UsageError(f"{folder} has one network for all, so --role {role} names nothing")
    else:
        network = networks
    answers = Answers(network).eval()
    players = [player for player, number in enumerate(game.spec.role_of) if not role or roles[number] == role]
    rows = _seen(game, players)
    path = Path(file)
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {path.parent}")
    batch = _inputs(answers, rows, np.arange(len(rows)))
    with drafted(path) as draft:
        _write(answers, batch, draft, {**about, "role": role} if role else about)
        return _compared(answers, rows, draft)


def _seen(game: Any, players: list[int]) -> Turn:
    """A turn of random play in which at least two of these players must act."""
    game.reset(0)
    for _ in range(1000):
        turn: Turn = game.turn()
        mine = np.flatnonzero(np.isin(turn.players, players))
        if len(mine) > 1 and (turn.plies[mine] > 0).any():
            return turn.take(mine)
        game.step(_random_actions(game, turn))
    raise UsageError(f"{game.spec.name} lets nobody of this role act, so there is nothing to compare the file in")


def _random_actions(game: Any, turn: Turn) -> Array:
    space = game.spec.roles[game.spec.role_of[int(turn.players[0])]].action
    if turn.legal is not None and hasattr(space, "n"):
        drawn: Array = random_legal(turn.legal, turn.draws)
        return drawn
    return np.stack([space.sample() for _ in range(len(turn))])


def _inputs(answers: Answers, turn: Turn, rows: Array) -> tuple[Tensor, ...]:
    """What the network is asked in some rows of a turn, in the order of its inputs."""
    given: dict[str, Tensor] = {
        name: torch.from_numpy(np.array(turn.observation[name][rows])) for name in answers.names
    }
    if answers.masked:
        given[LEGAL] = torch.from_numpy(np.array(np.asarray(turn.legal)[rows]))
    if answers.network.memory is not None:
        noise = np.random.default_rng(0).normal(size=(len(rows), answers.network.state_size))
        given[MEMORY] = torch.from_numpy(np.tanh(noise).astype(np.float32))
    return tuple(given[name] for name in answers.inputs)


def _write(answers: Answers, batch: tuple[Tensor, ...], path: Path, about: Mapping[str, Any]) -> None:
    import onnx

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is not here
    rows = torch.export.Dim("rows", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own making, about its own future
        torch.onnx.export(
            answers, batch, path, input_names=answers.inputs, output_names=_told(answers), dynamo=True,
            dynamic_shapes=(tuple({0: rows} for _ in batch),), external_data=False, verbose=False,
        )  # fmt: skip
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {METADATA: json.dumps(about)})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _told(answers: Answers) -> list[str]:
    """The outputs' names; an input has the name `memory` already."""
    return [f"{name}_after" if name == MEMORY else name for name in answers.outputs]


def _compared(answers: Answers, turn: Turn, path: Path) -> float:
    """The greatest difference of the file's answers from torch's, in all rows at once and in one alone."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    greatest = 0.0
    for rows in (np.arange(len(turn)), np.array([len(turn) - 1])):
        batch = _inputs(answers, turn, rows)
        with torch.inference_mode():
            wanted = answers(*batch)
        given = {name: tensor.numpy() for name, tensor in zip(answers.inputs, batch, strict=True)}
        found = session.run(None, given)
        for name, theirs, ours in zip(answers.outputs, found, wanted, strict=True):
            if name == "action" and answers.masked:
                continue  # a tie may be broken either way
            scale = np.maximum(1, np.abs(ours.numpy()))
            greatest = max(greatest, float((np.abs(theirs - ours.numpy()) / scale).max()))
    if not greatest <= TOLERANCE:
        raise ArithmeticError(f"the ONNX file answers otherwise than torch, by {greatest:.2g}: it was not kept")
    return greatest
