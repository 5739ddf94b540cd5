"""The modalities of another library's observation: where each lies in it, and how it becomes an array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array
from lanista.errors import UsageError
from lanista.perception.inputs import words

MASK = "action_mask"  # the key under which PettingZoo and Gymnasium show the legal actions


@dataclass(frozen=True)
class Leaf:
    """One modality: where it lies in the foreign observation, and how one, or a batch of them, becomes an array."""

    name: str
    path: tuple[str, ...]
    space: spaces.Box
    convert: Callable[[Any], Any]
    convert_rows: Callable[[Any], Array]


def leaves(space: spaces.Space[Any], path: tuple[str, ...], source: str) -> Iterator[Leaf]:
    """The modalities of an observation, depth first.

    Args:
        space: of the observation, or of the part of it that lies at `path`.
        path: keys, from without; () is the whole.
        source: the game's string, for the error.

    Raises:
        UsageError: one has no fixed size.
    """
    if isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            if path or key != MASK:
                yield from leaves(inner, (*path, key), source)
        return
    # PettingZoo wraps what a player sees as {"observation": ..., "action_mask": ...}: the wrapping is no name.
    named = path[1:] if len(path) > 1 and path[0] == "observation" else path
    name = ".".join(named) or "observation"
    if isinstance(space, spaces.Box | spaces.MultiBinary):
        box = space if isinstance(space, spaces.Box) else spaces.Box(0, 1, space.shape, space.dtype)  # type: ignore[arg-type]
        if _has_channels_last(box):
            turned = spaces.Box(0, 255, (box.shape[2], *box.shape[:2]), np.uint8)
            yield Leaf(
                name, path, turned,
                lambda value: np.asarray(value).transpose(2, 0, 1), lambda rows: np.asarray(rows).transpose(0, 3, 1, 2),
            )  # fmt: skip
            return
        convert = partial(_as_dtype, box.dtype)
        yield Leaf(name, path, box, convert, convert)
        return
    if space.dtype is not None and space.dtype.kind == "U":  # Gymnasium's Text, MiniGrid's missions
        yield Leaf(
            name, path, words.SPACE, words.tokens, lambda rows: np.array([words.tokens(str(text)) for text in rows])
        )
        return
    if not _is_sized(space):
        raise UsageError(f"'{source}' cannot be played: its observation '{name}' has no fixed size, {space}")
    flat = spaces.flatten_space(space)
    assert isinstance(flat, spaces.Box)
    dtype = flat.dtype
    yield Leaf(
        name, path, flat, partial(spaces.flatten, space), lambda rows: _flattened(space, rows).astype(dtype, copy=False)
    )


def _has_channels_last(box: spaces.Box) -> bool:
    """Whether a space is of pictures of bytes as (height, width, channels)."""
    bytes_of = box.dtype == np.uint8 and len(box.shape) == 3 and float(box.high.max()) == 255.0
    return bytes_of and box.shape[2] in (1, 3, 4) and min(box.shape[:2]) > box.shape[2]


def _is_sized(space: spaces.Space[Any]) -> bool:
    """Whether a space flattens into an array of fixed size."""
    if isinstance(space, spaces.Tuple):
        return all(map(_is_sized, space.spaces))
    if isinstance(space, spaces.Dict):
        return all(map(_is_sized, space.spaces.values()))
    return isinstance(space, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary)


def _as_dtype(dtype: Any, value: Any) -> Array:
    array: Array = np.asarray(value)
    if array.dtype == bool and dtype == np.int8:
        return array.view(np.int8)
    return array if array.dtype == dtype else array.astype(dtype)


def _flattened(space: spaces.Space[Any], rows: Any) -> Array:
    """A batch flattened, row by row as `gymnasium.spaces.flatten` does it."""
    if isinstance(space, spaces.Tuple):
        return np.concatenate([_flattened(*pair) for pair in zip(space.spaces, rows, strict=True)], axis=1)
    if isinstance(space, spaces.Dict):
        return np.concatenate([_flattened(inner, rows[key]) for key, inner in space.spaces.items()], axis=1)
    rows = np.asarray(rows)
    if isinstance(space, spaces.Discrete):
        one_hot: Array = np.zeros((len(rows), int(space.n)), space.dtype)
        _mark(rows.ravel(), int(space.start), one_hot)
        return one_hot
    flat: Array = rows.reshape(len(rows), -1)
    if isinstance(space, spaces.MultiDiscrete):
        starts = np.ravel(space.start)
        sizes = [int(size) for size in np.ravel(space.nvec)]
        parts = [flat[:, i : i + 1] - starts[i] == np.arange(size) for i, size in enumerate(sizes)]
        return np.concatenate(parts, axis=1)
    return flat


@numba.njit(cache=True)
def _mark(values: Any, start: Any, out: Any) -> None:
    """Write a one to the column of `out` (k, m), zeros, that each of `values` (k,) counts to from `start`."""
    for row in range(len(values)):
        column = values[row] - start
        if 0 <= column < out.shape[1]:
            out[row, column] = 1
