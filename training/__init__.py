"""Training: networks learn games by policy gradients, alone, in leagues, on many machines.

`ppo.py` is the algorithm, `run.py` the folder that a run lives in, `trainers/` whoever collects experience, `presets/`
settings by game, `league*.py` whom they meet, `tune/` the search for settings.
It may import `agents`, `envs` and `perception`, and never `arena`: both meet in the match function of `agents`.
"""
