"""Heat over a game's own picture: where a network looks."""

from __future__ import annotations

import base64
import io
import re

import numpy as np

from lanista.envs.core import Array
from lanista.envs.rules import Rules
from lanista.errors import UsageError

COLOURS = "inferno"  # over frames
ON_BOARDS = "#ff1fd6"  # like no stone, piece or board
FAINT = 0.05  # less is not drawn
STRONGEST = 0.75  # opacity of the hottest place


def heated_board(svg: str, heat: Array, rules: Rules, player: int) -> str:
    """A board's picture with a shade over each cell.

    Args:
        svg: the picture.
        heat: (rows, columns) in [0, 1], of the observation's cells.
        rules: of the game.
        player: who sees so.

    Raises:
        UsageError: the picture shows no cells.
    """
    if rules.place is None:
        raise UsageError(f"the picture of {rules.spec.name} shows no cells, over which heat could be drawn")
    parts = []
    for cell, value in enumerate(heat.ravel().tolist()):
        if value >= FAINT:
            x, y, wide = rules.place(cell, player)
            side = 0.94 * wide
            parts.append(
                f'<rect x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side:.1f}" height="{side:.1f}" rx="5" '
                f'fill="{ON_BOARDS}" opacity="{STRONGEST * value:.2f}"/>'
            )
    return _over(svg, "".join(parts))


def heated_pixels(svg: str, heat: Array) -> str:
    """An environment's frame with heat over all of it; hot places show through as they are."""
    from matplotlib import colormaps
    from matplotlib.image import imsave

    found = re.search(r'viewBox="0 0 (\S+) ([^"\s]+)"', svg)
    if found is None:
        raise UsageError("this game's picture has no size, so that no heat can be drawn over it")
    colours = colormaps[COLOURS](heat)  # (height, width, 4)
    colours[..., 3] = np.where(heat < FAINT, 0.0, STRONGEST * heat)
    file = io.BytesIO()
    imsave(file, colours, format="png")
    data = base64.b64encode(file.getvalue()).decode()
    return _over(
        svg,
        f'<image width="{found.group(1)}" height="{found.group(2)}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>',
    )


def _over(svg: str, parts: str) -> str:
    """A picture with more drawn on top."""
    return f"{svg.removesuffix('</svg>')}<g>{parts}</g></svg>"
