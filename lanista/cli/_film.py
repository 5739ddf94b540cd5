"""An episode as a film: a game that draws itself as it is played, captions, and the files that hold the frames."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from lanista.envs import make
from lanista.envs.core import Agent, Array, Outcome, agent_name
from lanista.envs.loop import play
from lanista.errors import UsageError

LONG_SIDE = 480  # pixels of a frame's picture
CAPTION = 52  # pixels of the strip below it
OWN_PIXELS = re.compile(r'href="data:image/png;base64,([^"]+)"')


class FilmedGame:
    """One copy of a game that notes each move, as the field writes it, before it is played; for the rest the game."""

    def __init__(self, name: str, seed: int) -> None:
        self._game: Any = make(name, 1, restart=False)
        self._game.reset([seed])
        self.moves = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._game, name)

    def step(self, actions: Array, rows: Array | None = None) -> Outcome:
        """As the game's, noting the moves."""
        if np.ndim(actions) == 1:
            self.moves = " ".join(self._game.print_move(0, int(action)) for action in actions)
        outcome: Outcome = self._game.step(actions, rows)
        return outcome


def episode(game: str, agents: Sequence[Agent], seed: int, most: int) -> Iterator[tuple[Any, bool]]:
    """Play one episode and give its frames, as Pillow's pictures, each with whether it is the last.

    Args:
        game: the game's string.
        agents: who sits where, in the players' order, repeated where there are more seats.
        seed: of the game and the agents' chance.
        most: plies after which the film is cut.
    """
    filmed: Any = FilmedGame(game, seed)
    many = filmed.spec.players > 1
    names = " vs ".join(agent_name(agents[seat % len(agents)]) for seat in range(filmed.spec.players))
    sums = np.zeros(filmed.spec.players)
    yield captioned(rasterised(filmed.picture(0)), names, "start"), False
    for number, ply in enumerate(play(filmed, agents, seed=seed), 1):
        sums += ply.outcome.rewards[0]
        over = bool(ply.outcome.finished[0] or ply.outcome.broken[0] or ply.failures)
        who = f"player {ply.turn.players[0] + 1}: " if many and len(ply.turn) == 1 else ""
        said = f"{number}. {who}{filmed.moves}"
        if ply.failures:
            said += f"  {agent_name(agents[ply.failures[0].agent])} failed: {ply.failures[0].reason}"
        elif ply.outcome.broken[0]:
            said += "  the environment failed"
        elif over:
            said += f"  end, {' : '.join(f'{value:g}' for value in sums)}"
        elif not many:
            said += f"  return {sums[0]:g}"
        yield captioned(rasterised(filmed.picture(0)), names, said), over or number == most
        if over or number == most:
            return


def rasterised(svg: str) -> Any:
    """A game's picture as pixels: its long side is 480 of them.

    Raises:
        UsageError: it is a drawing, and resvg, which rasterises it, is not installed.
    """
    from PIL import Image

    own = OWN_PIXELS.search(svg)
    if own is not None:  # an environment's frame: pixels already
        image = Image.open(io.BytesIO(base64.b64decode(own.group(1)))).convert("RGB")
        scale = LONG_SIDE / max(image.size)
        return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.NEAREST)
    return drawn(svg)


def drawn(svg: str) -> Any:
    """A drawing as pixels: its long side is 480 of them.

    Raises:
        UsageError: resvg is not installed.
    """
    from PIL import Image

    try:
        import resvg_py  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise UsageError("pixels of drawings need resvg: pip install 'lanista[video]'") from None
    from matplotlib import get_data_path

    box = re.search(r'viewBox="\s*\S+\s+\S+\s+(\S+)\s+([^"\s]+)', svg)
    wide = box is None or float(box.group(1)) >= float(box.group(2))
    fonts = Path(get_data_path()) / "fonts" / "ttf"  # the same on every machine
    drawn = resvg_py.svg_to_bytes(
        svg_string=svg, background="#ffffff", width=LONG_SIDE if wide else None, height=None if wide else LONG_SIDE,
        skip_system_fonts=True, font_dirs=[str(fonts)], font_family="DejaVu Sans",
        sans_serif_family="DejaVu Sans", serif_family="DejaVu Serif", monospace_family="DejaVu Sans Mono",
    )  # fmt: skip
    return Image.open(io.BytesIO(bytes(drawn))).convert("RGB")


def captioned(picture: Any, names: str, said: str) -> Any:
    """The picture above two lines: who plays, and the last move. Sides are even, as video coders want them."""
    from PIL import Image, ImageDraw, ImageFont

    width = max(picture.width, 360)
    frame = Image.new("RGB", (width + width % 2, picture.height + CAPTION + picture.height % 2), "#16202a")
    frame.paste(picture, ((frame.width - picture.width) // 2, 0))
    pen, font = ImageDraw.Draw(frame), ImageFont.load_default(15)
    for line, (text, colour) in enumerate([(names, "#ffffff"), (said, "#b8c7d6")]):
        while len(text) > 4 and pen.textlength(text, font) > frame.width - 16:
            text = text[:-2].rstrip("…") + "…"
        pen.text((8, picture.height + 5 + 22 * line), text, colour, font)
    return frame


def write_film(path: Path, frames: Iterator[tuple[Any, bool]], frames_a_second: float) -> int:
    """Write the frames as GIF or MP4, those that end an episode shown for two seconds; give their number.

    Raises:
        UsageError: MP4 without imageio-ffmpeg.
    """
    if path.suffix == ".gif":
        durations: list[int] = []
        pictures = []
        for picture, end in frames:
            pictures.append(picture.quantize(128))
            durations.append(2000 if end else max(round(1000 / frames_a_second), 20))
        pictures[0].save(
            path, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, disposal=1
        )
        return len(pictures)
    try:
        import imageio_ffmpeg  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise UsageError("MP4 needs imageio-ffmpeg: pip install 'lanista[video]'; or choose a file .gif") from None
    first, last = next(frames)
    count = 0
    writer = imageio_ffmpeg.write_frames(
        str(path), first.size, fps=frames_a_second, macro_block_size=2, codec="libx264", quality=8,
        output_params=["-f", "mp4"],
    )  # fmt: skip
    writer.send(None)
    try:
        for picture, end in chain([(first, last)], frames):
            if picture.size != first.size:  # a text's picture may change its size; a film's must not
                picture = picture.resize(first.size)
            for _ in range(round(2 * frames_a_second) if end else 1):
                writer.send(np.ascontiguousarray(picture))
            count += 1
    finally:
        writer.close()
    return count
