"""What an agent sees in MiniGrid's and BabyAI's levels, by their own renderer, with what lies on each cell of it.

A view is the seven cells by seven before the agent, 8 pixels a cell, as the door `babyai` shows it with `map=pixels`.
Views are taken from walks that are random, but often pick up and open what they come upon. Chevalier-Boisvert et al.
2023, arXiv:2306.13831.
"""

from __future__ import annotations

import contextlib
import io
from functools import partial
from typing import Any

import numpy as np

from lanista.errors import UsageError
from lanista.perception.data._instructions import COLOURS
from lanista.perception.data._made import Arrays, made_once
from lanista.perception.dataset import DataSet, Examples, Source
from lanista.plugs import required

SOURCE = Source(modality="picture", licence="drawn by MiniGrid (Apache-2.0)", extra="minigrid")
VERSION = 1  # of the walks: another one makes the kept views anew
VIEW, TILE = 7, 8  # cells of a side; pixels of a cell's side
STATES = ("open", "closed", "locked")  # of doors, as MiniGrid numbers them
BARE, CARRIED = ("unseen", "empty"), ("key", "ball", "box")
CONTENTS = (
    *BARE,
    *("grey-wall", "green-goal", "red-lava"),  # there are no others
    *(f"{colour}-{thing}" for thing in CARRIED for colour in COLOURS),
    *(f"{state}-{colour}-door" for state in STATES for colour in COLOURS),
)
# Levels with all colours, things and states. Those in which agents are to learn to go somewhere are not among them.
LEARNT = (
    "BabyAI-Synth-v0", "BabyAI-PickupDist-v0", "BabyAI-OneRoomS8-v0", "BabyAI-OneRoomS12-v0", "BabyAI-UnlockLocal-v0",
    "BabyAI-UnlockPickup-v0", "BabyAI-KeyCorridorS4R3-v0", "BabyAI-FindObjS5-v0", "BabyAI-MoveTwoAcrossS5N2-v0",
    "BabyAI-OpenDoorsOrderN4-v0", "MiniGrid-Playground-v0", "MiniGrid-Fetch-8x8-N3-v0", "MiniGrid-LockedRoom-v0",
    "MiniGrid-LavaCrossingS9N2-v0", "MiniGrid-DoorKey-8x8-v0", "MiniGrid-MultiRoom-N4-S5-v1",
)  # fmt: skip
KEPT_BACK = (
    "BabyAI-GoToLocal-v0", "BabyAI-GoToLocalS5N2-v0", "BabyAI-GoToObjMaze-v0", "BabyAI-PutNextLocal-v0",
    "BabyAI-BossLevel-v0", "MiniGrid-GoToDoor-5x5-v0", "MiniGrid-ObstructedMaze-2Dlh-v0", "MiniGrid-FourRooms-v0",
)  # fmt: skip
STEPS, EVERY = 48, 4  # of a walk; a view is kept of so many
CURIOUS = 0.6  # the share of things before it that a walk picks up, opens or drops something at
ACTIONS = (0.2, 0.2, 0.42, 0.05, 0.06, 0.07)  # else: left, right, forward, pick up, drop, toggle
LIGHT, NOISE = (0.6, 1.0), 10.0  # of a dimmed view's colours, each by itself; deviation of its noise


def load(count: int = 12_000, tests: int = 1500) -> DataSet:
    """Parts "train", "valid" and "unseen seeds" of the same levels, "unseen levels", and those "dimmed" with noise.

    "valid" has each of its views a second time, dimmed too.

    Inputs are (n, 56, 56, 3) bytes, targets (n, 49, 1) uint8, indices of the labels, row by row from the top. A view
    that occurs in an earlier part is left out of a later one.

    Args:
        count: views to learn from, at most.
        tests: in each other part, at most.

    Raises:
        UsageError: MiniGrid is not installed.
    """
    required("minigrid", "minigrid", "the data set 'minigrid_views'")
    if not 16 <= count <= 1_000_000 or not 16 <= tests <= 100_000:
        raise UsageError("the data set 'minigrid_views' takes 'count' and 'tests' of 16 to 1,000,000 and 100,000")
    parts: dict[str, Examples] = {}
    seen: set[bytes] = set()
    wanted = (("train", LEARNT, count), ("valid", LEARNT, tests), ("unseen seeds", LEARNT, tests))
    for seed, (part, levels, many) in enumerate((*wanted, ("unseen levels", KEPT_BACK, tests)), 1):
        about: dict[str, object] = {"version": VERSION, "levels": levels, "count": many, "seed": seed}
        arrays = made_once("minigrid_views", about, partial(_walked, levels, many, seed))
        keys = [view.tobytes() for view in arrays["views"]]
        fresh = [row for row, key in enumerate(keys) if part == "train" or key not in seen]
        seen.update(keys)
        parts[part] = Examples(arrays["views"][fresh], arrays["contents"][fresh])
    valid, clean = parts["valid"], parts["unseen levels"]
    both = np.concatenate([valid.inputs, dimmed(valid.inputs, np.random.default_rng(60_000))])
    parts["valid"] = Examples(both, np.concatenate([valid.targets, valid.targets]))
    parts["dimmed"] = Examples(dimmed(clean.inputs, np.random.default_rng(70_000)), clean.targets)
    return DataSet(parts, CONTENTS)


def dimmed(views: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Views (n, h, w, 3) of bytes with each colour weaker, differently in each view, and noise."""
    light = chance.uniform(*LIGHT, (len(views), 1, 1, 3)).astype(np.float32)
    noise = chance.standard_normal(views.shape, np.float32) * np.float32(NOISE)
    return (views * light + noise).round().clip(0, 255).astype(np.uint8)


def contents(symbols: np.ndarray) -> np.ndarray:
    """MiniGrid's own symbols of a view (columns, rows, 3), object, colour, state -> (cells, 1), indices of CONTENTS."""
    from minigrid.core.constants import IDX_TO_OBJECT

    found = np.zeros((symbols.shape[0] * symbols.shape[1], 1), np.uint8)
    for cell, (thing, colour, state) in enumerate(symbols.transpose(1, 0, 2).reshape(-1, 3).tolist()):
        name = IDX_TO_OBJECT[thing]
        if name not in BARE:
            name = f"{COLOURS[colour]}-{name}"
        if name.endswith("door"):
            name = f"{STATES[state]}-{name}"
        found[cell] = CONTENTS.index(name)
    return found


def _walked(levels: tuple[str, ...], count: int, seed: int) -> Arrays:
    """`count` different views of walks through levels in turn, each walk in a layout of its own."""
    import gymnasium
    import minigrid

    if levels[0] not in gymnasium.registry:
        gymnasium.register_envs(minigrid)
    chance = np.random.default_rng(seed)
    environments = [gymnasium.make(level, disable_env_checker=True).unwrapped for level in levels]
    found: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}
    for walk in range(count):  # each gives several
        for view, symbols in _walk(environments[walk % len(levels)], chance):
            found.setdefault(view.tobytes(), (view, contents(symbols)))
        if len(found) >= count:
            break
    some = list(found.values())[:count]
    return {"views": np.stack([view for view, _ in some]), "contents": np.stack([cells for _, cells in some])}


def _walk(environment: Any, chance: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Views (56, 56, 3) of a walk, each with MiniGrid's symbols of it."""
    with contextlib.redirect_stdout(io.StringIO()):  # BabyAI prints what it tried in vain to place
        observation, _ = environment.reset(seed=int(chance.integers(2**31)))
    found = []
    for step in range(STEPS):
        if step % EVERY == 0:
            found.append((environment.get_frame(tile_size=TILE, agent_pov=True), observation["image"]))
        observation, _, terminated, truncated, _ = environment.step(_action(environment, chance))
        if terminated or truncated:
            break
    return found


def _action(environment: Any, chance: np.random.Generator) -> int:
    ahead = environment.grid.get(*environment.front_pos)
    do = environment.actions
    if ahead is not None and chance.random() < CURIOUS:
        if ahead.type == "door" or (ahead.type == "box" and chance.random() < 0.2):
            return int(do.toggle)
        if ahead.can_pickup() and environment.carrying is None:
            return int(do.pickup)
    return int(chance.choice(len(ACTIONS), p=ACTIONS))
