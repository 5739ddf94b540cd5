"""Pictures in any light and contrast, brought to one."""

from __future__ import annotations

from torch import Tensor

LEAST_DEVIATION = 0.02  # of pixels in [0, 1]; a picture with less is blank


def even_light(values: Tensor) -> Tensor:
    """Each picture of (batch, channels, height, width) with mean 0 and deviation 1."""
    values = values - values.mean((1, 2, 3), keepdim=True)
    evened: Tensor = values / (values.square().mean((1, 2, 3), keepdim=True) + LEAST_DEVIATION**2).sqrt()
    return evened
