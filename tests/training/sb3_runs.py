"""Small runs of Stable-Baselines3."""

from __future__ import annotations

from typing import Any

from lanista.training.settings import TrainSettings, read_settings

CARTPOLE = "gym:CartPole-v1"
TINY: dict[str, Any] = {
    "trainer": "sb3", "copies": 4, "plies": 16, "epochs": 1, "minibatch_size": 32, "encoder": "mlp:dim=16",
    "threads": 1, "measurements": 0, "checkpoints": 1, "learning_rate_end": 1e-5,
}  # fmt: skip
ROWS = 4 * 16


def settings(game: str = CARTPOLE, **changes: Any) -> TrainSettings:
    """Of a run of a few updates."""
    return read_settings(game, changes=TINY | {"steps": 4 * ROWS} | changes)
