"""One choice of many, where an agent was asked row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lanista.envs.core import Choice


def joined(answers: Sequence[Choice]) -> Choice:
    """One choice from those of single rows, in their order; what not all that did not fail have is left out."""
    failed = {row: answer.failed[0] for row, answer in enumerate(answers) if answer.failed}
    whole = [answer for answer in answers if not answer.failed]
    if not whole:
        return Choice(np.zeros(len(answers), np.int64), failed=failed)

    def stacked(name: str) -> Any:
        parts = [getattr(whole[0] if answer.failed else answer, name) for answer in answers]
        alike = all(part is not None and np.shape(part) == np.shape(parts[0]) for part in parts)
        return np.concatenate(parts) if alike else None

    actions = stacked("actions")
    if actions is None:
        return Choice(np.zeros(len(answers), np.int64), failed=dict.fromkeys(range(len(answers)), "malformed answer"))
    return Choice(actions, stacked("policy"), stacked("value"), stacked("memory"), failed, stacked("waiting"))
