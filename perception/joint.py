"""What several modalities say together: layers on their features, in which each can act on what the others show.

Features that merely stand side by side are only added up by the layer above: it could learn that doors are good and
that red is good, and not that the door is good where the text says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError, unknown
from lanista.plugs import call, parse_options

KINDS = ("film", "film_maps", "mlp")
DIM = 128
Filmed = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Part:
    """A modality to be joined.

    Attributes:
        size: of its features.
        seen: it is a picture, board or map, which the others scale and shift; else it says something.
        film: channels of its encoder's maps that can be scaled and shifted.
    """

    size: int
    seen: bool
    film: int = 0


class Joint(nn.Module):
    """Features of modalities side by side -> features of all together.

    "film": what is seen is scaled and shifted by what the rest says, feature by feature (Perez et al. 2018,
    arXiv:1709.07871, equation 1), then a layer reads it. "film_maps": besides, what the rest says scales and shifts
    the channels of the encoders' maps, place by place, before they are summed up. "mlp": two layers.

    Attributes:
        dim: the size of what comes out.
    """

    def __init__(self, kind: str, parts: Sequence[Part], dim: int = DIM) -> None:
        """Make the layers.

        Args:
            kind: "film", "film_maps" or "mlp".
            parts: the modalities, in the order in which their features stand side by side; for the two of film some
                are seen, and not all.
            dim: of what comes out, and of the layer before.

        Raises:
            UsageError: there is no such kind, or it has nothing to join.
        """
        super().__init__()
        if kind not in KINDS:
            raise unknown("joint", kind, KINDS)
        if type(dim) is not int or not 1 <= dim <= 4096:
            raise UsageError(f"'dim' of a joint must be a whole number of 1 to 4,096, not {dim}")
        if len(parts) < 2:
            raise UsageError(f"the joint '{kind}' is of several modalities, and there is one")
        apart = any(part.seen for part in parts) and not all(part.seen for part in parts)
        if kind != "mlp" and not apart:
            raise UsageError(f"the joint '{kind}' needs a picture, board or map, and something else that it depends on")
        if kind == "film_maps" and not any(part.film for part in parts if part.seen):
            raise UsageError("the joint 'film_maps' needs an encoder whose maps can be scaled and shifted: symbol_cnn")
        self.kind, self.dim = kind, dim
        self.seen = tuple(part.seen or kind == "mlp" for part in parts)
        self.film = tuple(part.film if part.seen and kind == "film_maps" else 0 for part in parts)
        content = sum(part.size for part, seen in zip(parts, self.seen, strict=True) if seen)
        said = sum(part.size for part in parts) - content
        self.first = nn.Linear(content, dim)
        self.last = nn.Linear(dim, dim)
        for layer in (self.first, self.last):
            nn.init.orthogonal_(layer.weight, math.sqrt(2))
            nn.init.zeros_(layer.bias)
        # torch's usual start for what is said: every text says something else
        self.says = nn.Linear(said, 2 * dim) if said else None
        self.says_of_maps = nn.Linear(said, 2 * sum(self.film)) if any(self.film) else None
        for says in (self.says, self.says_of_maps):
            if says is not None:
                nn.init.zeros_(says.bias)

    def read(self, encoders: Sequence[Callable[[], Tensor]], filmed: Sequence[Filmed]) -> Tensor:
        """Read all modalities, first what is said and then what is seen: (batch, dim).

        Args:
            encoders: each modality's features, (batch, size).
            filmed: the same where scale and shift, each (batch, film), are given; called where `film` is not 0.
        """
        said = {at: encoders[at]() for at, seen in enumerate(self.seen) if not seen}
        words = torch.cat(list(said.values()), -1) if said else None
        content, told = [], None
        if self.says_of_maps is not None:
            told = iter(self.says_of_maps(words).split([size for size in self.film for _ in range(2)], -1))
        for at, seen in enumerate(self.seen):
            if seen and self.film[at] and told is not None:
                content.append(filmed[at](next(told), next(told)))
            elif seen:
                content.append(encoders[at]())
        values = self.first(torch.cat(content, -1))
        if self.says is not None:
            scale, shift = self.says(words).chunk(2, -1)
            values = values * (1 + scale) + shift
        return F.relu_(self.last(F.relu_(values)))

    def describe(self) -> dict[str, Any]:
        """What `joint_from` needs besides the encoders to make the same again, as plain data."""
        return {"kind": self.kind, "dim": self.dim}


def build_joint(words: str, parts: Sequence[Part]) -> Joint | None:
    """A fresh joint from what a user wrote: "film", "mlp:dim=256", "none", or "auto".

    Auto is film where something is seen and something else said, of the maps too where an encoder offers them.

    Args:
        words: its kind, and `dim` if it should not be 128.
        parts: as for `Joint`.

    Raises:
        UsageError: there is no such kind or option, or it has nothing to join.
    """
    kind, _, options = words.partition(":")
    if kind not in (*KINDS, "auto", "none"):
        raise unknown("joint", kind, (*KINDS, "auto", "none"))
    if kind == "auto":
        seen = [part for part in parts if part.seen]
        kind = "none" if len(seen) in (0, len(parts)) else "film_maps" if any(part.film for part in seen) else "film"
    if kind == "none":
        return None

    def make(dim: int = DIM) -> Joint:
        return Joint(kind, parts, dim)

    joint: Joint = call(make, f"the joint '{kind}'", parse_options(options, words))
    return joint


def joint_from(description: Any, parts: Sequence[Part]) -> Joint:
    """Make a joint from what `Joint.describe` gave; every field is checked."""
    if not isinstance(description, dict) or description.keys() != {"kind", "dim"}:
        raise UsageError("a joint's description needs 'kind' and 'dim', and nothing else")
    if not isinstance(description["kind"], str):
        raise UsageError(f"a joint is {' or '.join(KINDS)}, not {description['kind']!r}")
    return Joint(description["kind"], parts, description["dim"])
