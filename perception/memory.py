"""An agent's memory: a GRU or an LSTM over the steps of a game, its state handed in and out.

The state is one tensor, so that whoever keeps it (a loop, a batch of sequences, a file) need not know which of the two
it belongs to.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn

from lanista.cores import fast_bfloat16
from lanista.errors import UsageError, unknown
from lanista.plugs import call, parse_options

KINDS = ("gru", "lstm")


class Memory(nn.Module):
    """Features of steps -> features that know the steps before.

    Attributes:
        dim: the size of what comes out, and of the state of one layer.
        state_size: the numbers of a state: `dim` for a GRU, twice that for an LSTM (hidden and cell).
    """

    def __init__(self, features: int, kind: str = "gru", dim: int = 64) -> None:
        """Make the memory.

        Args:
            features: the size of what goes in.
            kind: "gru" (Cho et al. 2014) or "lstm" (Hochreiter and Schmidhuber 1997).
            dim: the size of what comes out.

        Raises:
            UsageError: there is no such kind, or the size cannot be.
        """
        super().__init__()
        if kind not in KINDS:
            raise UsageError(f"a memory is {' or '.join(KINDS)}, not '{kind}'")
        if type(dim) is not int or dim < 1:
            raise UsageError(f"'dim' of a memory must be a whole number of at least 1, not {dim}")
        self.kind, self.features, self.dim = kind, features, dim
        self.state_size = dim if kind == "gru" else 2 * dim
        self.cell = (nn.GRU if kind == "gru" else nn.LSTM)(features, dim)
        for name, value in self.cell.named_parameters():
            if "weight" in name:
                nn.init.orthogonal_(value)
            else:
                nn.init.zeros_(value)

    def start(self, rows: int) -> Tensor:
        """The state of `rows` games of which nothing is known yet: (rows, state_size) zeros."""
        return torch.zeros(rows, self.state_size, device=next(self.parameters()).device)

    def step(self, features: Tensor, state: Tensor, begins: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """One step of each row.

        Args:
            features: (rows, features).
            state: (rows, state_size), as from `start` or the step before.
            begins: (rows,) bool, true where a new game begins with this step: what was remembered is dropped.

        Returns:
            (rows, dim) and the new state (rows, state_size).
        """
        out, state = self(features[None], state, None if begins is None else begins[None])
        return out[0], state

    def forward(self, features: Tensor, state: Tensor, begins: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Sequences, each from its own state.

        Args:
            features: (time, rows, features).
            state: (rows, state_size) before the first step.
            begins: (time, rows) bool, true where a new game begins with that step.

        Returns:
            (time, rows, dim) and the state after the last step (rows, state_size).
        """
        if begins is None:
            out, inner = self._run(features, self._inner(state))
            return out, self._outer(inner)
        # Between two beginnings of any row the steps are one call; there are few, since games are long.
        cuts = [0, *(begins[1:].any(1).nonzero().flatten() + 1).tolist(), len(features)]
        parts = []
        for start, end in itertools.pairwise(cuts):
            state = state * (~begins[start]).to(state.dtype).unsqueeze(-1)
            out, inner = self._run(features[start:end], self._inner(state))
            state = self._outer(inner)
            parts.append(out)
        return torch.cat(parts), state

    def _run(self, features: Tensor, inner: Any) -> tuple[Tensor, Any]:
        """Torch's cell; oneDNN has no LSTM in bfloat16 for chips without it, so that it stays in float32 there."""
        if self.kind == "gru" or fast_bfloat16() or features.device.type != "cpu":
            out, after = self.cell(features, inner)
            return out, after
        with torch.autocast("cpu", enabled=False):
            out, after = self.cell(features.to(inner[0].dtype), inner)
        return out, after

    def _inner(self, state: Tensor) -> Any:
        """(rows, state_size) -> what torch's cells take: (1, rows, dim), or two of those."""
        state = state.to(next(self.parameters()).dtype)
        if self.kind == "gru":
            return state[None].contiguous()
        return tuple(half[None].contiguous() for half in state.chunk(2, dim=-1))

    def _outer(self, inner: Any) -> Tensor:
        return inner[0] if self.kind == "gru" else torch.cat([half[0] for half in inner], dim=-1)

    def describe(self) -> dict[str, Any]:
        """What `memory_from` needs to make the same again, as plain data."""
        return {"kind": self.kind, "features": self.features, "dim": self.dim}


def build_memory(words: str, features: int) -> Memory:
    """A fresh memory from what a user wrote, such as "gru" or "lstm:dim=128".

    Args:
        words: its kind, and `dim` if it should not be 64.
        features: the size of what goes in.

    Raises:
        UsageError: there is no such kind or option, or the size cannot be.
    """
    kind, _, options = words.partition(":")
    if kind not in KINDS:
        raise unknown("memory", kind, KINDS)

    def make(dim: int = 64) -> Memory:
        return Memory(features, kind, dim)

    memory: Memory = call(make, f"the memory '{kind}'", parse_options(options, words))
    return memory


def memory_from(description: dict[str, Any]) -> Memory:
    """Make a memory from what `Memory.describe` gave; every field is checked."""
    kind, features, dim = (description.get(name) for name in ("kind", "features", "dim"))
    sizes = all(type(size) is int and 1 <= size <= 2**16 for size in (features, dim))
    if not isinstance(kind, str) or not sizes or not isinstance(features, int) or not isinstance(dim, int):
        raise UsageError("a memory's description needs 'kind', 'features' and 'dim'")
    return Memory(features, kind, dim)
