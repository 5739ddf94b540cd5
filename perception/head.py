"""The contract of heads: features -> answers, trained with an encoder on a task, found by their file's name.

A head knows how its targets look as numbers, its loss, and what its outputs mean to a person. It is saved beside its
encoder, as data, and left behind when the encoder is reused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.plugs import plug_class, plugs

HEADS = "lanista.perception.heads"


@dataclass(frozen=True)
class Answer:
    """What a head says of one input.

    Attributes:
        text: a label, or a text that was read, heard or translated.
        probability: how sure it is, in [0, 1].
    """

    text: str
    probability: float


class Head(nn.Module):
    """Features -> outputs, a loss and answers.

    A subclass lies alone in its file of `perception/heads`; its `__init__` takes `dim`, the size of the features, and
    options that are plain data, calls `super().__init__(options)`.

    Attributes:
        sequence: it reads (batch, time, dim) and lengths, from `Encoder.sequence`, and not `Encoder.features`.
        sums_up: it reads along time, and trains what `Encoder.attended` makes of the whole besides, by `whole_loss`:
            those features are what agents and other tasks reuse.
    """

    name: ClassVar[str] = ""  # its file's
    sequence: ClassVar[bool] = False
    sums_up: bool = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = cls.__module__.rpartition(".")[2]

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Begin a head with the options it was made with, to be saved."""
        super().__init__()
        self.options = dict(options)

    def numbers(self, targets: Any) -> np.ndarray:
        """Targets as in `Examples.targets` -> what `loss` reads: (n, ...)."""
        raise NotImplementedError

    def loss(self, encoded: Any, targets: Tensor) -> Tensor:
        """Mean loss of a batch.

        Args:
            encoded: (batch, dim); or, with `sequence`, the pair (batch, time, dim), lengths (batch,).
            targets: (batch, ...), as from `numbers`.
        """
        raise NotImplementedError

    def whole_loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a batch's features of the whole (batch, dim), of a head that `sums_up`."""
        raise NotImplementedError

    def answers(self, encoded: Any, most: int = 1) -> list[list[Answer]]:
        """What it says of each input of a batch: at most `most` answers, the likeliest first."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """What `head_from` needs to make the same head, as plain data."""
        return {"head": self.name, **self.options}


def heads() -> list[str]:
    """The ids of the heads."""
    return plugs(HEADS)


def head_class(name: str) -> type[Head]:
    """The head in the file of that name."""
    return plug_class(HEADS, "head", name, Head)


def head_from(description: Mapping[str, Any], dim: int) -> Head:
    """Make a head from what `Head.describe` gave.

    Raises:
        UsageError: a field is missing, unknown or of the wrong kind.
    """
    name = description.get("head")
    if not isinstance(name, str):
        raise UsageError("a head's description needs 'head', its id")
    options = {key: value for key, value in description.items() if key != "head"}
    try:
        return head_class(name)(dim, **options)  # type: ignore[arg-type]
    except TypeError as error:
        raise UsageError(f"the head '{name}' cannot be made from {sorted(options)}: {error}") from None


def check_texts(what: str, values: object, most: int = 100_000) -> Sequence[str]:
    """A list of texts from a stranger's file, or an error that says what it should be."""
    if not isinstance(values, list | tuple) or not values or len(values) > most:
        raise UsageError(f"{what} must be a list of 1 to {most} texts")
    if not all(isinstance(value, str) for value in values):
        raise UsageError(f"{what} must be texts")
    return list(values)
