"""What an agent's server and its guests say to each other: JSON, arrays in base64, every size and type checked.

`GET /agent` tells who plays what (`About`), `POST /act` asks for a turn (`Question`) and is answered with a choice
(`Answer`), `POST /finish` tells which games are over.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lanista.agents.wire import MOST_DIMENSIONS, OBSERVATION, TYPES, choice_arrays, choice_from
from lanista.envs.catalogue import make
from lanista.envs.core import Array, Choice, GameSpec, Turn
from lanista.errors import UsageError

FORMAT = 1
MOST_ROWS = 4096
MOST_BYTES = 1 << 26  # of a request or an answer
MOST_ARRAYS = 64

Rows = Annotated[int, Field(ge=0, le=2**32 - 1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JsonArray(_Strict):
    """An array: its type's letter as in NumPy's `dtype.char`, its shape, its bytes, little-endian in C order."""

    type: Annotated[str, Field(min_length=1, max_length=1)]
    shape: Annotated[list[Rows], Field(max_length=MOST_DIMENSIONS)]
    base64: Annotated[str, Field(max_length=MOST_BYTES)]

    @classmethod
    def of(cls, value: Any) -> JsonArray:
        """An array of numbers; ValueError if it is none."""
        array = np.asarray(value)
        if array.dtype.char not in TYPES:
            raise ValueError(f"no plain array of numbers, but {array.dtype}")
        content = array.astype(TYPES[array.dtype.char], copy=False).tobytes()
        return cls(type=array.dtype.char, shape=list(array.shape), base64=base64.b64encode(content).decode())

    def array(self) -> Array:
        """The array; ValueError if type, shape and bytes do not agree."""
        if self.type not in TYPES:
            raise ValueError(f"arrays of the type {self.type!r} are not known")
        try:
            content = base64.b64decode(self.base64, validate=True)
        except binascii.Error as error:
            raise ValueError(f"no base64: {error}") from None
        if len(content) != math.prod(self.shape) * TYPES[self.type].itemsize:
            raise ValueError(f"{len(content)} bytes are no array of the shape {self.shape}")
        return np.frombuffer(content, TYPES[self.type]).reshape(self.shape)


class About(_Strict):
    """Who plays what at an address."""

    format: int
    name: Annotated[str, Field(max_length=1000)]
    game: Annotated[str, Field(max_length=1000)]


class Question(_Strict):
    """A turn: the arrays of `envs.core.Turn`, with `memory`, and, where nothing is hidden, each game's moves so far."""

    arrays: Annotated[dict[str, JsonArray], Field(max_length=MOST_ARRAYS)]
    moves: Annotated[list[list[int]] | None, Field(max_length=MOST_ROWS)] = None


class Answer(_Strict):
    """A choice: the arrays of `envs.core.Choice`, and why rows failed, in their order."""

    arrays: Annotated[dict[str, JsonArray], Field(max_length=MOST_ARRAYS)]
    reasons: Annotated[list[str], Field(max_length=MOST_ROWS)] = []


class Finished(_Strict):
    """Serial numbers of games that are over."""

    games: Annotated[list[Annotated[int, Field(ge=-(2**63), lt=2**63)]], Field(max_length=1 << 16)]


def arrays_json(arrays: Mapping[str, Array]) -> dict[str, JsonArray]:
    """Arrays for JSON."""
    return {name: JsonArray.of(value) for name, value in arrays.items()}


def answer_of(choice: Choice) -> Answer:
    """A choice for JSON."""
    reasons = [choice.failed[row] for row in sorted(choice.failed)]
    return Answer(arrays=arrays_json(choice_arrays(choice)), reasons=reasons)


def choice_of(answer: Answer, turn: Turn) -> Choice:
    """The choice that an answer tells; ValueError if it does not fit the turn."""
    return choice_from({name: value.array() for name, value in answer.arrays.items()}, answer.reasons, turn)


def turn_of(question: Question, spec: GameSpec) -> tuple[Turn, Array | None]:
    """The turn that a stranger asks about, checked against the game.

    Returns:
        The turn, with `public` if the moves are told, and what the agent remembers.

    Raises:
        ValueError: it is no turn of this game.
    """
    arrays = {name: value.array() for name, value in question.arrays.items()}
    rows = len(arrays["players"]) if "players" in arrays and arrays["players"].ndim == 1 else 0
    if not 0 < rows <= MOST_ROWS:
        raise ValueError(f"a turn has 1 to {MOST_ROWS} rows, not {rows}")
    memory = arrays.pop("memory", None)
    if memory is not None and (memory.ndim == 0 or len(memory) != rows):
        raise ValueError(f"'memory' has not {rows} rows")
    whole = {"copies": np.int64, "players": np.int64, "games": np.int64, "plies": np.int64, "draws": np.uint64}
    parts: dict[str, Any] = {}
    for name, kind in whole.items():
        parts[name] = _checked(arrays, name, (rows,), np.dtype(kind))
    if parts["players"].min() < 0 or parts["players"].max() >= spec.players:
        raise ValueError(f"{spec.name} has the players 0 to {spec.players - 1}")
    role = spec.role(int(parts["players"][0]))
    if any(spec.role_of[player] != spec.role_of[parts["players"][0]] for player in parts["players"].tolist()):
        raise ValueError("a turn has rows of one role")
    seen = {
        name: _checked(arrays, OBSERVATION + name, (rows, *(space.shape or ())), np.dtype(space.dtype))
        for name, space in role.observation.spaces.items()
    }
    legal = None
    if "legal" in arrays:
        width = {"Discrete": getattr(role.action, "n", 0), "MultiDiscrete": sum(getattr(role.action, "nvec", [0]))}
        legal = _checked(arrays, "legal", (rows, int(width.get(type(role.action).__name__, 0))), np.dtype(bool))
    turn = Turn(**parts, observation=seen, legal=legal)
    if question.moves is None or not spec.perfect_information:
        return turn, memory
    return _with_public(turn, question.moves, spec), memory


def _with_public(turn: Turn, moves: list[list[int]], spec: GameSpec) -> Turn:
    """The turn with positions that are made from the moves, and so are legal ones."""
    if len(moves) != len(turn):
        raise ValueError(f"moves of {len(moves)} games for {len(turn)} rows")
    if any(len(line) > (spec.longest or 0) or any(not 0 <= move < 2**31 for move in line) for line in moves):
        raise ValueError("moves are the actions of one game each")
    game = make(spec.name, len(turn), restart=False)
    try:
        game.reset(0, openings=moves)
    except UsageError as error:
        raise ValueError(str(error)) from None
    shown = game.turn()
    if shown.legal is None or turn.legal is None or (shown.legal != turn.legal).any():
        raise ValueError("the moves do not lead to the turn that is shown")
    return Turn(**{**vars(turn), "public": shown.public})


def _checked(arrays: Mapping[str, Array], name: str, shape: tuple[int, ...], kind: np.dtype[Any]) -> Array:
    """An array by name, of a shape and type."""
    value = arrays.get(name)
    if value is None or value.shape != shape or value.dtype != kind.newbyteorder("<"):
        found = "nothing" if value is None else f"{value.dtype} of the shape {value.shape}"
        raise ValueError(f"'{name}' must be {kind} of the shape {shape}, not {found}")
    return value.astype(kind, copy=False)
