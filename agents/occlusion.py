"""What a network heeds: how much each part of what it sees and is told speaks for what it does.

Occlusion (Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2): a part is covered, and the network asked again. Exact,
with one row for each part, all in one batch. Of maps and pictures cells are covered, of texts words left out, of sounds
stretches made silent. What a part weighs is its weight of evidence (Robnik-Sikonja and Kononenko 2008, "Explaining
classifications for individual instances", section 2.2): by how many bits the odds of the action rise with it. Unlike
the probability itself it tells parts from each other where the network is sure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from lanista.agents.action_heads import DiscreteHead
from lanista.agents.policy_network import PolicyNetwork, evaluate_rows
from lanista.envs.core import Array, Turn
from lanista.errors import UsageError

STRETCH = 0.1  # of a sound that is silent at a time
OVERLAP = 2  # stretches begin twice as often as they are long


@dataclass(frozen=True)
class Heeded:
    """What the parts of one row weigh for one action, in bits; negative where they speak against it.

    Attributes:
        probability: of the action, with all there is.
        cells: modality -> (rows, columns) float64, of a map or picture.
        words: modality -> (words,) float64, of a text.
        stretches: modality -> (stretches,) float64, of a sound; `spans` says which.
        spans: modality -> (stretches, 2) int64, first sample of each stretch and the one after its last.
    """

    probability: float
    cells: Mapping[str, Array] = field(default_factory=dict)
    words: Mapping[str, Array] = field(default_factory=dict)
    stretches: Mapping[str, Array] = field(default_factory=dict)
    spans: Mapping[str, Array] = field(default_factory=dict)


def occlusion(
    network: PolicyNetwork, turn: Turn, row: int, action: int, memory: Array | None = None, cells: int = 7
) -> Heeded:
    """What a network heeds in one row.

    Args:
        network: of one role, in evaluation mode, with Discrete actions.
        turn, row: what it sees.
        action: whose probability is looked at.
        memory: (1, state_size) before this row; None: of nothing.
        cells: a map that has more rows or columns is a picture, which is covered in so many rows and columns.

    Raises:
        UsageError: its actions are not Discrete, or there is but one.
    """
    if not isinstance(network.head, DiscreteHead) or network.head.outputs < 2:
        raise UsageError("what a network heeds is shown of actions that are counted, and of which there are several")
    seen = {name: value[row] for name, value in turn.observation.items()}
    covered: list[tuple[str, Array]] = []  # modality, what is shown instead; the first is all there is
    shapes: dict[str, tuple[int, ...]] = {}
    spans: dict[str, Array] = {}
    for name, value in seen.items():
        if value.ndim == 3:
            parts, shapes[name] = _without_cells(value, cells)
        elif value.dtype == np.uint16 and value.ndim == 1:
            parts = _without_words(value)
            shapes[name] = (len(parts),)
        elif value.dtype == np.int16 and value.ndim == 1:
            parts, spans[name] = _without_stretches(value)
            shapes[name] = (len(parts),)
        else:
            continue
        covered += [(name, part) for part in parts]
    count = 1 + len(covered)
    rows = {name: np.repeat(value[None], count, 0) for name, value in seen.items()}
    for place, (name, part) in enumerate(covered, 1):
        rows[name][place] = part
    legal = None if turn.legal is None else np.repeat(turn.legal[row : row + 1], count, 0)
    kept = None if memory is None else np.repeat(memory[:1, : network.state_size], count, 0)
    logits, _, _ = evaluate_rows(network, rows, legal, False, kept)
    logits = logits.double()
    others = torch.cat([logits[:, :action], logits[:, action + 1 :]], 1)
    odds = ((logits[:, action] - torch.logsumexp(others, 1)) / math.log(2)).numpy()
    weights = odds[0] - odds[1:]
    found: dict[str, Array] = {}
    at = 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        found[name] = weights[at : at + size].reshape(shape)
        at += size
    return Heeded(
        float(1 / (1 + 2.0 ** -odds[0])),
        {name: value for name, value in found.items() if value.ndim == 2},
        {name: value for name, value in found.items() if value.ndim == 1 and name not in spans},
        {name: found[name] for name in spans},
        spans,
    )


def _without_cells(value: Array, most: int) -> tuple[list[Array], tuple[int, int]]:
    """A map or picture (planes, rows, columns) without each of its cells, which are zero then: unseen, or black."""
    rows, columns = (min(size, most) for size in value.shape[1:])
    down, across = (
        np.linspace(0, size, n + 1).astype(int) for size, n in zip(value.shape[1:], (rows, columns), strict=True)
    )
    parts = []
    for y in range(rows):
        for x in range(columns):
            part = value.copy()
            part[:, down[y] : down[y + 1], across[x] : across[x + 1]] = 0
            parts.append(part)
    return parts, (rows, columns)


def _without_words(value: Array) -> list[Array]:
    """A text (words,) without each of its words; those after it move up."""
    count = int(np.count_nonzero(value))
    return [np.append(np.delete(value, place), np.zeros(1, value.dtype)) for place in range(count)]


def _without_stretches(value: Array) -> tuple[list[Array], Array]:
    """A sound (samples,) with each stretch of it silent, where there is something to be heard."""
    size = max(1, round(len(value) * STRETCH))
    starts = np.arange(0, max(1, len(value) - size + 1), max(1, size // OVERLAP))
    spans = np.array([(start, start + size) for start in starts if value[start : start + size].any()], np.int64)
    parts = []
    for first, last in spans.reshape(-1, 2):
        part = value.copy()
        part[first:last] = 0
        parts.append(part)
    return parts, spans.reshape(-1, 2)
