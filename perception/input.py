"""The contract of inputs: raw things of one modality -> the arrays that an encoder reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

import numpy as np
from gymnasium import spaces

from lanista.errors import UsageError
from lanista.plugs import call, plug

INPUTS = "lanista.perception.inputs"


class Input(Protocol):
    """A dataclass, alone in its file of `perception/inputs`; its fields are plain data, saved with the encoder.

    Attributes:
        name: its file's, the kind.
        modality: what it reads: "picture", "sound" or "text".
    """

    name: ClassVar[str]
    modality: ClassVar[str]

    @property
    def space(self) -> spaces.Box:
        """Of one array."""
        ...

    def fit(self, raw: Any, rate: int = 0) -> np.ndarray:
        """Raw things, as in `Examples.inputs`, to one array (n, *shape).

        Args:
            raw: what a data set holds, or what `read` gave, in a list.
            rate: samples a second, of sounds.
        """
        ...

    def read(self, source: str | Path) -> np.ndarray:
        """A file (or a text itself) to one array (*shape).

        Raises:
            UsageError: it is missing, damaged or of another kind.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """The fields as plain data, with "kind", the file's name."""
        ...


def input_from(description: Mapping[str, Any]) -> Input:
    """Make an input from what `Input.describe` gave; every field is checked.

    Raises:
        UsageError: the kind is unknown, or a field is unknown or of the wrong kind.
    """
    kind = description.get("kind")
    if not isinstance(kind, str):
        raise UsageError("an encoder's 'input' needs 'kind', such as \"picture\"")
    made = plug(INPUTS, "kind of input", kind).INPUT
    return cast(Input, call(made, f"the input '{kind}'", {k: v for k, v in description.items() if k != "kind"}))
