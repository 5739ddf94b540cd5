"""Draw distinct variants of a family of games."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np

from lanista.errors import UsageError
from lanista.plugs import Value, plug, plugs

FAMILIES = "lanista.generate.families"


def families() -> list[str]:
    """The ids of the families."""
    return plugs(FAMILIES)


def propose(family: str, count: int, seed: int) -> list[str]:
    """Distinct variants in random order; a greater count with the same seed begins with the same ones.

    Args:
        family: its id.
        count: how many, at least 1.
        seed: of the order.

    Returns:
        Game strings, such as `mnk:rows=6,columns=7,k=4,gravity=true`.

    Raises:
        UsageError: there is no such family, or it has not that many variants.
    """
    if count < 1:
        raise UsageError(f"--count is at least 1, not {count}")
    module = plug(FAMILIES, "family", family)
    names = list(module.SPACE)
    every = [dict(zip(names, values, strict=True)) for values in itertools.product(*module.SPACE.values())]
    sensible = [options for options in every if module.sensible(**options)]
    if count > len(sensible):
        raise UsageError(f"the family {family} has {len(sensible)} variants, so --count cannot be {count}")
    order = np.random.default_rng(seed % 2**64).permutation(len(sensible))
    game = family.replace("-", "_")
    return [f"{game}:{written(sensible[number])}" for number in order[:count]]


def written(options: Mapping[str, Value]) -> str:
    """Options as a game's string has them: `rows=6,gravity=true`."""
    return ",".join(
        f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in options.items()
    )
