"""What several modalities say together: layers on their features, in which each can act on what the others show.

Features that merely stand side by side are only added up by the layer above: it could learn that doors are good and
that red is good, and not that the door is good where the text says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError, unknown
from lanista.plugs import call, parse_options

KINDS = ("film", "mlp")
DIM = 128


class Joint(nn.Module):
    """Features of modalities side by side -> features of all together.

    "film": what is seen is scaled and shifted by what the rest says, feature by feature (Perez et al. 2018,
    arXiv:1709.07871, equation 1), then a layer reads it. "mlp": two layers.

    Attributes:
        dim: the size of what comes out.
    """

    def __init__(self, kind: str, sizes: Sequence[int], seen: Sequence[bool], dim: int = DIM) -> None:
        """Make the layers.

        Args:
            kind: "film" or "mlp".
            sizes: of each modality's features, as they stand side by side.
            seen: for "film": which of them are scaled and shifted by the others; some, and not all.
            dim: of what comes out, and of the layer before.

        Raises:
            UsageError: there is no such kind, or it has nothing to join.
        """
        super().__init__()
        if kind not in KINDS:
            raise unknown("joint", kind, KINDS)
        if type(dim) is not int or not 1 <= dim <= 4096:
            raise UsageError(f"'dim' of a joint must be a whole number of 1 to 4,096, not {dim}")
        if len(sizes) < 2:
            raise UsageError(f"the joint '{kind}' is of several modalities, and there is one")
        if kind == "film" and (all(seen) or not any(seen)):
            raise UsageError("the joint 'film' needs a picture, board or map, and something else that it depends on")
        self.kind, self.sizes, self.seen, self.dim = kind, tuple(sizes), tuple(seen), dim
        content = sum(size for size, own in zip(sizes, seen, strict=True) if own) if kind == "film" else sum(sizes)
        self.first = nn.Linear(content, dim)
        self.last = nn.Linear(dim, dim)
        for layer in (self.first, self.last):
            nn.init.orthogonal_(layer.weight, math.sqrt(2))
            nn.init.zeros_(layer.bias)
        self.says: nn.Linear | None = None
        if kind == "film":
            self.says = nn.Linear(sum(sizes) - content, 2 * dim)  # torch's usual start: every text says something else
            nn.init.zeros_(self.says.bias)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Each modality's (batch, size) -> (batch, dim)."""
        if self.says is None:
            return F.relu_(self.last(F.relu_(self.first(torch.cat(list(features), -1)))))
        content = torch.cat([each for each, own in zip(features, self.seen, strict=True) if own], -1)
        scale, shift = self.says(torch.cat([e for e, o in zip(features, self.seen, strict=True) if not o], -1)).chunk(
            2, -1
        )
        return F.relu_(self.last(F.relu_(self.first(content) * (1 + scale) + shift)))

    def describe(self) -> dict[str, Any]:
        """What `joint_from` needs besides the encoders to make the same again, as plain data."""
        return {"kind": self.kind, "dim": self.dim}


def build_joint(words: str, sizes: Sequence[int], seen: Sequence[bool]) -> Joint | None:
    """A fresh joint from what a user wrote: "film", "mlp:dim=256", "none", or "auto", which is film where that can be.

    Args:
        words: its kind, and `dim` if it should not be 128.
        sizes, seen: as for `Joint`.

    Raises:
        UsageError: there is no such kind or option, or it has nothing to join.
    """
    kind, _, options = words.partition(":")
    if kind not in (*KINDS, "auto", "none"):
        raise unknown("joint", kind, (*KINDS, "auto", "none"))
    if kind == "none" or (kind == "auto" and (all(seen) or not any(seen))):
        return None

    def make(dim: int = DIM) -> Joint:
        return Joint("film" if kind == "auto" else kind, sizes, seen, dim)

    joint: Joint = call(make, f"the joint '{kind}'", parse_options(options, words))
    return joint


def joint_from(description: Any, sizes: Sequence[int], seen: Sequence[bool]) -> Joint:
    """Make a joint from what `Joint.describe` gave; every field is checked."""
    if not isinstance(description, dict) or description.keys() != {"kind", "dim"}:
        raise UsageError("a joint's description needs 'kind' and 'dim', and nothing else")
    if not isinstance(description["kind"], str):
        raise UsageError(f"a joint is {' or '.join(KINDS)}, not {description['kind']!r}")
    return Joint(description["kind"], sizes, seen, description["dim"])
