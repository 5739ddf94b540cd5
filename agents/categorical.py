"""Categorical draws in one compiled pass, by the inverse of the cumulative distribution."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

# Sums may be reordered to be vectorised; infinities and NaN stay what they are.
FAST = {"reassoc", "contract", "nsz", "arcp"}


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def log_sum_exp(row: Any) -> Any:
    """The logarithm of the sum of exponentials of a row, (num_actions,)."""
    top = row[0]
    for k in range(1, len(row)):
        top = max(top, row[k])
    total = np.float32(0)
    for k in range(len(row)):
        total += math.exp(row[k] - top)
    return np.float32(top + math.log(total))


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def draw_from_logits(logits: Any, draws: Any) -> Any:
    """Draw one action a row.

    Args:
        logits: (k, num_actions) float32, contiguous; hugely negative for actions that are not legal.
        draws: (k,) uint64, the randomness to use.

    Returns:
        (k,) int64 and the logarithms of their probabilities, (k,) float32.
    """
    rows, width = logits.shape
    actions, log_probability = np.empty(rows, np.int64), np.empty(rows, np.float32)
    weights = np.empty(width, np.float64)
    for row in range(rows):
        top = logits[row, 0]
        for k in range(1, width):
            top = max(top, logits[row, k])
        total = 0.0
        for k in range(width):
            weights[k] = math.exp(logits[row, k] - top)
            total += weights[k]
        wanted = (draws[row] >> np.uint64(11)) * 2.0**-53 * total
        # The first action whose sum exceeds the draw: never one of probability zero, but where rounding leaves none.
        chosen, summed = -1, 0.0
        for k in range(width):
            summed += weights[k]
            if weights[k] > 0 and (chosen < 0 or summed - weights[k] <= wanted):
                chosen = k
        actions[row] = chosen
        log_probability[row] = logits[row, chosen] - top - math.log(total)
    return actions, log_probability
