"""Texts and sounds that stand in many rows, each read once: a game shows its instruction at every step.

Reading a sound takes a hundred times as long as looking at a small map, and most rows of a batch are of the same few.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lanista.perception.encoder import Encoder

KINDS = (torch.int16, torch.uint16)  # of sounds and texts: what `fusion.default_encoder` knows them by
MOST_KEPT = 8192  # rows whose features are kept from call to call
KEYS = 2  # sums a row, each with weights of its own: by which rows are told apart
SHORT = 1024  # numbers of a row that are summed in float64; those of sounds differ in so many that float32 tells them


class Repeated:
    """Features of texts or sounds: each different row is read once, and while nobody learns once for all calls."""

    def __init__(self) -> None:
        self._weights: Tensor | None = None  # (numbers of a row, KEYS)
        # The state of the encoder, and what it made of rows in that state: one attribute, for several threads ask.
        self._kept: tuple[tuple[float, ...], dict[tuple[float, ...], Tensor]] = (), {}

    def __reduce__(self) -> tuple[type[Repeated], tuple[()]]:
        """A copy begins anew: what was read is not passed on."""
        return Repeated, ()

    def features(self, encoder: Encoder, rows: Tensor) -> Tensor:
        """As `encoder(rows)`, up to the rounding of other sizes of batches.

        Args:
            encoder: always the same.
            rows: (batch, numbers), sounds or texts.
        """
        if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None or rows.device.type != "cpu":
            return encoder(rows)  # type: ignore[no-any-return]
        different, place = self._told_apart(rows)
        first = torch.full((len(different),), len(rows), dtype=torch.int64)
        first.scatter_reduce_(0, place, torch.arange(len(rows)), "amin")
        if torch.is_grad_enabled() and any(weight.requires_grad for weight in encoder.parameters()):
            read: Tensor = encoder(rows[first])
            return read[place]
        return self._from_before(encoder, rows, [tuple(key) for key in different.tolist()], first)[place]

    def numbers(self, rows: Tensor) -> Tensor:
        """(batch, numbers) -> (batch,) int64 from 0 on: the same number where rows are the same."""
        return self._told_apart(rows)[1]

    def _told_apart(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The keys of different rows, (different, KEYS), and which of them each row has, (batch,)."""
        with torch.autocast("cpu", enabled=False):
            weights = self._weights_for(rows.shape[1])
            keys = rows.to(weights.dtype) @ weights
        different, place = torch.unique(keys, dim=0, return_inverse=True)
        return different, place

    def _from_before(self, encoder: nn.Module, rows: Tensor, keys: list[tuple[float, ...]], first: Tensor) -> Tensor:
        """The features of different rows, of which only those that are new are read."""
        now = (torch.is_autocast_enabled("cpu"), *_state(encoder))
        of, kept = self._kept
        if now != of or len(kept) > MOST_KEPT:
            kept = {}
            self._kept = now, kept
        new = [number for number, key in enumerate(keys) if key not in kept]
        if new:
            with torch.no_grad():
                read = encoder(rows[first[new]])
            kept.update({keys[number]: row for number, row in zip(new, read, strict=True)})
        return torch.stack([kept[key] for key in keys])

    def _weights_for(self, numbers: int) -> Tensor:
        if self._weights is None or len(self._weights) != numbers:
            kind = torch.float64 if numbers <= SHORT else torch.float32
            self._weights = torch.rand((numbers, KEYS), generator=torch.Generator().manual_seed(0), dtype=kind) + 0.5
        return self._weights


def _state(encoder: nn.Module) -> list[float]:
    """Numbers that differ where an encoder's weights do."""
    weights = list(encoder.parameters())
    # Torch counts the changes of a tensor, but not those by a fused optimiser: of what learns the sums are looked at.
    learning = [weight.detach().sum().float() for weight in weights if weight.requires_grad]
    return [*(weight._version for weight in weights), *(torch.stack(learning).tolist() if learning else ())]
