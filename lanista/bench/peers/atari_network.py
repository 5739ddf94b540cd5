"""The CNN of Mnih et al. 2015 with PPO's heads, in plain torch, channels last: what the bound learns with."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AtariNetwork(nn.Module):
    """Four grey frames of 84 by 84 -> logits and a value."""

    def __init__(self, actions: int, dim: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(), nn.Conv2d(64, 64, 3, 1), nn.ReLU()
        )
        self.whole = nn.Linear(64 * 7 * 7, dim)
        self.policy, self.value = nn.Linear(dim, actions), nn.Linear(dim, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.orthogonal_(module.weight, 2**0.5)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        nn.init.orthogonal_(self.policy.weight, 0.01)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """(rows, 4, 84, 84) bytes, to (rows, actions) and (rows,)."""
        scaled = (frames.float() / 255).contiguous(memory_format=torch.channels_last)
        features = torch.relu(self.whole(self.convolutions(scaled).permute(0, 2, 3, 1).flatten(1)))
        return self.policy(features), self.value(features).squeeze(-1)
