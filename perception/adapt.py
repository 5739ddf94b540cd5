"""Fitting a pretrained encoder to observations of another shape, where its weights still have a meaning there."""

from __future__ import annotations

import torch
from gymnasium import spaces
from torch import Tensor

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder, encoder_from, scale_of


def adapted(encoder: Encoder, space: spaces.Box) -> Encoder:
    """The encoder for observations of a space: itself if it reads them, else one with its weights.

    Pictures may have another number of channels (a stack of frames, colours): the first layer's weights are averaged
    over the channels they were trained with and shared among the new ones, so that what they sum up to is the same, as
    is usual with pretrained CNNs (Carreira and Zisserman 2017, "inflation"). They may have another size if no layer
    depends on it. Texts must come as the same numbers: another tokeniser's mean other words.

    Args:
        encoder: is not changed.
        space: of one observation.

    Raises:
        UsageError: its weights do not fit; the sentence says which shape it reads.
    """
    read = encoder.input.space if encoder.input is not None and encoder.input.modality == "text" else space
    if (read.dtype, read.high.max()) != (space.dtype, space.high.max()):
        raise UsageError(
            f"the encoder '{encoder.name}' was pretrained on tokens of a tokeniser of its own, and texts of games are "
            "numbers of words: pretrain it on those, as in lanista pretrain missions, or lanista pretrain "
            "intents:tokens=words"
        )
    if space.shape == encoder.shape and scale_of(space) == encoder.scale:
        return encoder
    about = {**encoder.describe(), "shape": list(space.shape), "scale": scale_of(space)}
    about.pop("input", None)
    refusal = f"the encoder '{encoder.name}' was pretrained on arrays {encoder.shape} and cannot read {space.shape}"
    if len(space.shape) != len(encoder.shape):
        raise UsageError(refusal)
    try:
        made = encoder_from(about)
    except UsageError as error:
        raise UsageError(f"{refusal}: {error}") from None
    weights = made.state_dict()
    for name, value in encoder.state_dict().items():
        fitted = _fitted(value, weights[name], encoder.shape[0], space.shape[0])
        if fitted is None:
            wanted, have = tuple(weights[name].shape), tuple(value.shape)
            raise UsageError(f"{refusal}: its weights '{name}' would be {wanted} and are {have}")
        weights[name] = fitted
    made.load_state_dict(weights)
    return made.train(encoder.training)


def _fitted(value: Tensor, wanted: Tensor, channels: int, new_channels: int) -> Tensor | None:
    """Weights for another number of input channels; None if they differ in anything else."""
    if value.shape == wanted.shape:
        return value
    first = value.ndim == 4 and value.shape[1] == channels and wanted.shape[1] == new_channels
    if not first or value.shape[0] != wanted.shape[0] or value.shape[2:] != wanted.shape[2:]:
        return None
    shared = value.mean(1, keepdim=True) * (channels / new_channels)
    return shared.expand_as(wanted).clone(memory_format=torch.preserve_format)
