"""The layers of another library's network, and the network of ours that computes the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lanista.agents.action_heads import BoxHead
from lanista.agents.policy_network import PolicyNetwork, build_network
from lanista.envs.core import GameSpec
from lanista.errors import UsageError
from lanista.perception.fusion import build_fusion

Layer = tuple[Tensor, Tensor]  # weight (outputs, inputs, ...), bias (outputs,)


@dataclass(frozen=True)
class Parts:
    """What was found in a model.

    Attributes:
        source: the file, for errors.
        cnn: the convolutions of the Nature CNN, first to last; empty for a perceptron.
        trunk: the linear layers that lead to the policy; of a CNN its one, whose inputs are (channels, rows, columns).
        value_trunk: those that lead to the value; None if they are the policy's.
        policy: the last layer.
        value: the value's; None if there is none.
        log_std: of Box actions; None otherwise.
        activation: after each layer of a perceptron.
    """

    source: str
    cnn: Sequence[Layer]
    trunk: Sequence[Layer]
    value_trunk: Sequence[Layer] | None
    policy: Layer
    value: Layer | None
    log_std: Tensor | None
    activation: str

    @property
    def encoder(self) -> str:
        """The encoder of ours that the trunk is.

        Raises:
            UsageError: there is none.
        """
        trunks = [self.trunk, *([] if self.value_trunk is None else [self.value_trunk])]
        sizes = {tuple(len(bias) for _, bias in trunk) for trunk in trunks}
        widths = {width for found in sizes for width in found}
        if len(sizes) != 1 or len(widths) != 1 or (self.cnn and len(self.trunk) != 1):
            told = " and ".join("-".join(map(str, found)) or "none" for found in sorted(sizes))
            raise UsageError(
                f"{self.source} has layers that no encoder has: of {told} units; they must be equally wide"
            )
        width, depth = widths.pop(), len(self.trunk)
        if self.cnn:
            return f"nature_cnn:dim={width}"
        return f"mlp:dim={width},depth={depth},activation={self.activation}"


@torch.no_grad()
def network_of_parts(parts: Parts, spec: GameSpec) -> PolicyNetwork:
    """A network for a game that answers as the model did.

    Raises:
        UsageError: it is for other observations or actions than the game's.
    """
    observation = spec.roles[0].observation
    if len(observation.spaces) != 1 or len(spec.roles) != 1:
        raise UsageError(f"{parts.source} sees one array, and {spec.name} shows {', '.join(observation.spaces)}")
    own = None if parts.value_trunk is None else build_fusion(observation, parts.encoder)
    network = build_network(spec, parts.encoder, value_encoder=own)
    network.value_range = None  # their values are not squashed into the game's returns
    modality = next(iter(observation.spaces))
    _fill(network.fusion.encoders[modality], parts, parts.trunk, spec)
    if own is not None and parts.value_trunk is not None:
        _fill(own.encoders[modality], parts, parts.value_trunk, spec)
    weight, bias = parts.policy
    head = network.head
    if isinstance(head, BoxHead):
        # Ours scales a bounded dimension, so that -1 and 1 of the network are its bounds; theirs puts out the action.
        _, _, middle, half = (torch.from_numpy(bound) for bound in head._scale)
        weight, bias = weight / half[:, None], (bias - middle) / half
        assert network.log_std is not None
        if parts.log_std is not None:
            _copy(network.log_std, parts.log_std - half.log(), parts, spec)
    elif len(bias) * 2 == network.policy.out_features:  # MultiBinary: one logit a switch, against 0
        weight = torch.stack([torch.zeros_like(weight), weight], 1).flatten(0, 1)
        bias = torch.stack([torch.zeros_like(bias), bias], 1).flatten()
    _copy_layer(network.policy, (weight, bias), parts, spec)
    if parts.value is not None:
        _copy_layer(network.value, parts.value, parts, spec)
    else:
        nn.init.zeros_(network.value.weight)
        nn.init.zeros_(network.value.bias)
    return network.eval()


def _fill(encoder: nn.Module, parts: Parts, trunk: Sequence[Layer], spec: GameSpec) -> None:
    """Copy a trunk into an encoder of the kind that `Parts.encoder` names."""
    layers: list[nn.Linear] = list(encoder.layers)  # type: ignore[arg-type]
    if not parts.cnn:
        for layer, found in zip(layers, trunk, strict=True):
            _copy_layer(layer, found, parts, spec)
        return
    for layer, found in zip(layers, parts.cnn, strict=True):
        _copy_layer(layer, found, parts, spec)
    weight, bias = trunk[0]
    channels = layers[-1].weight.shape[0]
    places = weight.shape[1] // channels
    # Theirs flattens (channels, rows, columns), ours (rows, columns, channels).
    turned = weight.reshape(-1, channels, places).transpose(1, 2).flatten(1)
    _copy_layer(encoder.whole, (turned, bias), parts, spec)  # type: ignore[arg-type]


def _copy_layer(layer: nn.Linear, found: Layer, parts: Parts, spec: GameSpec) -> None:
    _copy(layer.weight, found[0], parts, spec)
    _copy(layer.bias, found[1], parts, spec)


def _copy(to: Tensor, value: Tensor, parts: Parts, spec: GameSpec) -> None:
    if to.shape != value.shape:
        raise UsageError(
            f"{parts.source} does not fit {spec.name}: a layer is of {tuple(value.shape)} and should be of "
            f"{tuple(to.shape)}; its observations or actions are others"
        )
    to.copy_(value)
