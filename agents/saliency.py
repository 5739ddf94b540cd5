"""Where a network looks: how much each place of what it sees matters to the move that it thinks of.

SmoothGrad (Smilkov et al. 2017, arXiv:1706.03825): gradients of the move's logarithm of probability by the input,
averaged over copies of it with noise; their size, the greatest over the channels (Simonyan et al. 2014,
arXiv:1312.6034).
"""

from __future__ import annotations

import numpy as np
import torch

from lanista.agents.policy_network import PolicyNetwork
from lanista.envs.core import Array, Turn
from lanista.errors import UsageError

COPIES = 32
NOISE = 0.1  # of the range of the input; the paper's 10 to 20 %


def saliency(
    network: PolicyNetwork, turn: Turn, row: int, action: int, seed: int = 0, copies: int = COPIES
) -> tuple[str, Array]:
    """How much each place matters to a move.

    Args:
        network: of one role, in evaluation mode; what it remembers is left out.
        turn, row: what it sees.
        action: of its Discrete actions.
        seed: of the noise.
        copies: of the input, each with noise of its own.

    Returns:
        The modality, the first one that is a board or a picture, and (height, width) float32 in [0, 1].

    Raises:
        UsageError: it sees neither boards nor pictures.
    """
    found = [name for name, value in turn.observation.items() if value.ndim == 4]  # rows, channels, height, width
    if not found:
        raise UsageError("this network sees no board and no picture, on which could be drawn where it looks")
    name = found[0]
    observation = {key: torch.from_numpy(value[row : row + 1]) for key, value in turn.observation.items()}
    inputs = observation[name].float().expand(copies, -1, -1, -1)
    spread = NOISE * float(inputs.max() - inputs.min())
    noise = torch.randn(inputs.shape, generator=torch.Generator().manual_seed(seed))
    inputs = (inputs + spread * noise).requires_grad_()
    legal = None if turn.legal is None else torch.from_numpy(turn.legal[row : row + 1]).expand(copies, -1)
    others = {key: value.expand(copies, *value.shape[1:]) for key, value in observation.items()}
    with torch.enable_grad():
        logits, _ = network({**others, name: inputs}, legal)
        (gradient,) = torch.autograd.grad(torch.log_softmax(logits, -1)[:, action].sum(), inputs)
    size = gradient.mean(dim=0).abs().amax(dim=0).numpy()
    whole = float(size.max())
    return name, (size / whole if whole > 0 else np.zeros_like(size)).astype(np.float32)
