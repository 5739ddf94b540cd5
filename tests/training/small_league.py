"""Settings of small runs with a league, for the tests of both."""

from __future__ import annotations

SMALL = {
    "copies": 64, "plies": 8, "minibatch_size": 128, "encoder": "mlp:dim=32", "precision": "float32", "threads": 1,
    "measurements": 0, "checkpoints": 1,
}  # fmt: skip
LEAGUE = {
    "league_size": 3, "league_share": 0.5, "league_redraw": 2, "promotion_updates": 2, "promotion_pairs": 8,
    "opponents": "random", "exploiters": 1, "exploiter_share": 0.5, "exploiter_updates": 4,
}  # fmt: skip
