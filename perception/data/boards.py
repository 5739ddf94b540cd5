"""Boards of Connect Four and tic-tac-toe in many styles, as cameras see them, drawn here; PettingZoo's to test.

The tests' pictures are made by another program: PettingZoo draws the positions of random games, and SciPy turns, blurs
and lights them. Targets are positions: rows from the top, `/` between them; "x" is the cross, the red side, or, where
none is red, the darker one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.perception.data._made import Arrays, made_once
from lanista.perception.dataset import DataSet, Examples, Source
from lanista.plugs import required

SOURCE = Source(
    modality="picture",
    licence="drawn here; the tests' by PettingZoo (MIT)",
    extra="perception",
)
VERSION = 1  # of the drawing: another one makes the kept pictures anew
SEEDS = {"train": 1, "valid": 2}
TESTED_SIDE = 128  # pixels of a test's picture
TURN, SIGMA, DEPTH = 12.0, (0.3, 1.4), (0.3, 0.9)  # degrees; pixels of blur; how uneven the light is
# PettingZoo is run as a program of its own, as the voices' synthesisers are: no library of RL is imported here.
ZOO = """
import sys
import numpy as np
from pettingzoo.classic import connect_four_v3, tictactoe_v3

def played(environment, chance):
    environment.reset(seed=0)
    for _ in range(int(chance.integers(43))):
        agent = environment.agent_selection
        legal = np.flatnonzero(environment.observe(agent)["action_mask"])
        if not len(legal) or environment.terminations[agent]:
            break
        environment.step(int(chance.choice(legal)))
    return environment.render()

chance = np.random.default_rng(int(sys.argv[1]))
racks, grids, texts = [], [], []
rack = connect_four_v3.raw_env(render_mode="rgb_array", screen_scaling=3)
for _ in range(int(sys.argv[2])):
    racks.append(played(rack, chance).copy())
    texts.append("/".join("".join(".xo"[stone] for stone in rack.board[7 * row : 7 * row + 7]) for row in range(6)))
grid = tictactoe_v3.raw_env(render_mode="rgb_array", screen_height=240)
for _ in range(int(sys.argv[2])):
    grids.append(played(grid, chance).copy())
    squares = grid.board.squares
    texts.append("/".join("".join(".xo"[squares[3 * column + row]] for column in range(3)) for row in range(3)))
np.savez(sys.argv[3], racks=np.array(racks), grids=np.array(grids), texts=np.array(texts))
"""


def load(count: int = 16_000, tests: int = 400) -> DataSet:
    """Parts "train" and "valid" drawn here, half of each game; "straight" and "photographed", drawn by PettingZoo.

    Args:
        count: in the part "train"; a twelfth of it in "valid".
        tests: in each of the tests' parts.

    Raises:
        UsageError: PettingZoo's classic games do not run here.
    """
    required("PIL", "perception", "the data set 'boards'")
    if not 12 <= count <= 1_000_000 or not 2 <= tests <= 20_000:
        raise UsageError("the data set 'boards' takes 'count' from 12 to 1,000,000 and 'tests' from 2 to 20,000")
    parts = {}
    for part, many in (("train", count), ("valid", count // 12)):
        about: dict[str, object] = {"version": VERSION, "seed": SEEDS[part], "count": many}
        arrays = made_once("boards", about, partial(_draw, many, SEEDS[part]))
        parts[part] = Examples(arrays["pictures"], arrays["texts"].tolist())
    about = {"version": VERSION, "zoo": ZOO, "count": tests}
    zoo = made_once("boards", about, partial(_zoo, tests // 2))
    for part in ("straight", "photographed"):
        parts[part] = Examples(zoo[part], zoo["texts"].tolist())
    return DataSet(parts)


def _draw(count: int, seed: int) -> Arrays:
    from lanista.perception.data._board_camera import seen
    from lanista.perception.data._board_drawing import draw_grid, draw_rack, play

    pictures, texts = [], []
    for row in range(count):
        chance = np.random.default_rng((seed, row))
        flat = (
            draw_rack(chance, play(chance, 6, 7, 4, True))
            if row % 2
            else draw_grid(chance, play(chance, 3, 3, 3, False))
        )
        pictures.append(seen(chance, flat))
        texts.append(flat.text)
    return {"pictures": np.stack(pictures), "texts": np.array(texts)}


def _zoo(count: int) -> Arrays:
    """PettingZoo's pictures of `count` positions of each game, as they are and as a camera might see them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "boards.npz"
        command = [sys.executable, "-c", ZOO, "7", str(count), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise UsageError(f"PettingZoo cannot draw its boards ({said[:200]}): pip install pettingzoo pygame-ce")
        with np.load(path, allow_pickle=False) as file:
            flat = [*file["racks"], *file["grids"]]
            texts = file["texts"]
    chance = np.random.default_rng(50_000)
    return {
        "straight": np.stack([_resized(picture) for picture in flat]),
        "photographed": np.stack([photographed(picture, chance) for picture in flat]),
        "texts": texts,
    }


def _resized(picture: np.ndarray) -> np.ndarray:
    from PIL import Image

    small = Image.fromarray(picture).resize((TESTED_SIDE, TESTED_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(small)


def photographed(picture: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """A picture (h, w, 3) of bytes, turned on a table, blurred and lit unevenly: (TESTED_SIDE, TESTED_SIDE, 3)."""
    from scipy import ndimage

    room = round(0.12 * max(picture.shape[:2]))
    table = chance.uniform(40, 230, 3)
    angle = chance.uniform(-TURN, TURN)
    turned = np.stack(
        [
            ndimage.rotate(
                np.pad(picture[..., colour].astype(np.float32), room, constant_values=table[colour]),
                angle, reshape=False, order=1, mode="constant", cval=table[colour],
            )
            for colour in range(3)
        ],
        -1,
    )  # fmt: skip
    small = _resized(turned.clip(0, 255).astype(np.uint8)).astype(np.float32)
    sigma = chance.uniform(*SIGMA)
    blurred = ndimage.gaussian_filter(small, (sigma, sigma, 0))
    y, x = np.mgrid[0:TESTED_SIDE, 0:TESTED_SIDE] / (TESTED_SIDE - 1) - 0.5
    way = chance.uniform(0, 2 * np.pi)
    light = 1 + chance.uniform(*DEPTH) * (np.cos(way) * x + np.sin(way) * y)
    lit = blurred * (chance.uniform(0.75, 1.1) * light)[..., None] + chance.normal(0, 2, blurred.shape)
    result: np.ndarray = lit.round().clip(0, 255).astype(np.uint8)
    return result
