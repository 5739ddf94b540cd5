"""Batches as RLlib's learners are handed them: flat columns by name, each role's by itself, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lanista.training.ppo import Batch

OBSERVATION = "observation."
COLUMNS = (
    "legal",
    "actions",
    "log_probability",
    "advantages",
    "returns",
    "stream",
    "memory",
)  # the fields of a `Batch`, in its order


def flat_columns(batches: Sequence[Batch], learners: int = 0) -> dict[str, Any]:
    """The batches of all runners as one set of columns, as RLlib shards them over learners.

    Args:
        batches: of one role.
        learners: so many are to have as many rows each: they average gradients, and so must make as many steps. The
            last rows, fewer than there are learners, are left out for it.
    """
    rows = sum(len(batch.actions) for batch in batches)
    rows -= rows % max(learners, 1)

    def join(parts: list[Any]) -> Any:
        return (parts[0] if len(parts) == 1 else np.concatenate(parts))[:rows]

    columns = {
        name: join([getattr(batch, name) for batch in batches])
        for name in COLUMNS
        if getattr(batches[0], name) is not None
    }
    for modality in batches[0].observation:
        columns[OBSERVATION + modality] = join([batch.observation[modality] for batch in batches])
    return columns


def columns_by_role(samples: Sequence[Mapping[str, Batch]], learners: int = 0) -> dict[str, dict[str, Any]]:
    """The `flat_columns` of each role of which there are rows for every learner, of all runners' batches by role."""
    roles = sorted({role for sample in samples for role in sample})
    found = {role: flat_columns([sample[role] for sample in samples if role in sample], learners) for role in roles}
    return {role: columns for role, columns in found.items() if len(columns["actions"])}


def batch_from(columns: Any) -> Batch:
    """The batch from `flat_columns`."""
    seen = {name.removeprefix(OBSERVATION): columns[name] for name in columns if name.startswith(OBSERVATION)}
    return Batch(seen, *(columns.get(name) for name in COLUMNS))
