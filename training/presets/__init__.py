"""Tuned settings by game: `GAME.toml` changes the defaults of `TrainSettings` for that game."""
