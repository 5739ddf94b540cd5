"""EnvPool's environments in C++: `envpool:Pong-v5`, `envpool:BabyAI-GoToLocal-v0`, `envpool:ConnectFour-v1`.

Options go to `envpool.make`. Games of several players are those with a player to move, each shown its own rows.
Needs `pip install "lanista[envpool]"`; its Procgen games need the system's Qt 5 besides.

EnvPool cannot begin a chosen level in an environment that is there: seeds are fixed when it is made, and `reset` heeds
none. So a level is played in an environment made for it: of Procgen's games the one level of that number, which
`start_level=L&num_levels=1` asks for, and of all others the first episode of the seed L.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.cores import usable_cores
from lanista.envs.core import Array, Game, Ints
from lanista.envs.doors._levels import Levels
from lanista.envs.doors._making import made, split
from lanista.envs.doors._modalities import MASK
from lanista.envs.doors._pools import Stepped, vector_spec
from lanista.envs.doors._spaces import Shown, Translator
from lanista.envs.doors._vectors import VectorGame
from lanista.errors import UsageError, unknown
from lanista.plugs import Value, required

ENDLESS = 10**7  # steps; EnvPool says 0 or 2**31 - 1 where it has no limit
LEGAL = "legal_action_mask"  # where its board games show the legal actions
PROCGEN_LEVELS = ("start_level", "num_levels", "use_sequential_levels")
EXPLORATION = 20  # Procgen's `distribution_mode`
RESERVED = ("num_envs", "batch_size", "seed", "env_seed", "env_type")


def open(rest: str, copies: int, restart: bool) -> Game:
    """Make `copies` of an EnvPool environment.

    Args:
        rest: the environment's id, with options after a `?`.
        copies: how many are played together.
        restart: a finished copy begins anew by itself; else it shows no rows until `reset`.

    Raises:
        UsageError: no such environment or option, EnvPool is not installed, or its spaces cannot be played.
    """
    required("envpool", "envpool", f"envpool:{rest}")
    name, options = split(rest, "envpool")
    source = f"envpool:{rest}"
    if name not in ids():
        raise unknown("EnvPool environment", name, ids())
    for option in options:
        if option in RESERVED:
            raise UsageError(f"'{source}': '{option}' is for Lanista to set")
    threads = usable_cores()
    make = partial(make_env, name, {"num_threads": threads, **options})
    env = made(lambda: make([1]), source, None)
    config = env.config
    players = int(config.get("max_num_players") or 1)
    translator = Translator(_repaired(env.observation_space), env.action_space, source)
    _, info = env.reset()
    if players > 1 and "current_player" not in info:
        raise UsageError(f"'{source}' cannot be played: it has {players} players, and does not tell whose turn it is")
    limit = int(config.get("max_episode_steps") or 0)
    longest = limit if 0 < limit < ENDLESS and players == 1 else None  # its board games heed no limit
    spec = vector_spec(
        source, translator.role, longest, "an EnvPool environment", players, _has_levels(config, options)
    )
    make_levels = partial(Levels, partial(_make_levels, make, config), seen, translator) if spec.levels else None
    return VectorGame(
        spec,
        lambda size: _EnvPool(make, translator, players, size),
        copies,
        restart,
        translator.filler,
        make_levels=make_levels,
    )


def ids() -> list[str]:
    """What can follow `envpool:`, by EnvPool's own registry."""
    required("envpool", "envpool", "envpool:")
    import envpool

    return list(envpool.list_all_envs())


def make_env(name: str, options: Mapping[str, Value], seeds: list[int], **more: Value) -> Any:
    """EnvPool's environments of these seeds, one a copy; `options` has `num_threads`, the most that are used."""
    import envpool

    threads = min(int(options["num_threads"]), len(seeds))
    return envpool.make(
        name, env_type="gymnasium", num_envs=len(seeds), seed=seeds, **{**options, **more, "num_threads": threads}
    )


def _has_levels(config: Mapping[str, Any], options: Mapping[str, Value]) -> bool:
    """Whether a level can be chosen: for one player, and not where the user has said which levels there are."""
    chosen = any(name in options for name in PROCGEN_LEVELS)
    explored = config.get("distribution_mode") == EXPLORATION  # Procgen has one level of its own for each such game
    return int(config.get("max_num_players") or 1) == 1 and not chosen and not explored


def _make_levels(make: Callable[..., Any], config: Mapping[str, Any], levels: list[int]) -> list[Any]:
    """Environments whose first episodes are these levels, in their order; as few as can be."""
    if "num_levels" in config:
        return [make([level], start_level=level, num_levels=1) for level in levels]
    return [make(levels)]


def _repaired(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """The space as it is meant: EnvPool writes the smallest positive number where it means no lower bound."""
    if isinstance(space, spaces.Dict):
        return spaces.Dict({name: _repaired(inner) for name, inner in space.spaces.items()})
    if isinstance(space, spaces.Box) and space.dtype is not None and space.dtype.kind == "f":
        tiny = np.finfo(space.dtype).tiny
        low = np.where(space.low == tiny, -np.inf, space.low).astype(space.dtype)
        return spaces.Box(low, space.high, space.shape, space.dtype)  # type: ignore[arg-type]
    return space


class Direct:
    """The compiled interface under EnvPool's own `step`, for games of one player.

    `step` reads its whole configuration and builds a tree of what it shows, for every batch: a quarter of the time of
    its small environments.
    """

    def __init__(self, env: Any) -> None:
        """Raises LookupError where an environment's arrays are not laid out as known here.

        Args:
            env: from `envpool.make`.
        """
        keys = [key.replace(":", ".") for key in env._state_keys]
        if [*env._spec._action_keys][:2] != ["env_id", "players.env_id"] or len(env._spec._action_keys) != 3:
            raise LookupError("more than one array of actions")
        self._env = env
        self._everyone: Array = env.all_env_ids
        self._action_type = np.dtype(env._spec._action_spec[-1][0])
        self._reward, self._done, self._cut = (keys.index(name) for name in ("reward", "done", "trunc"))
        masks = [keys.index(f"info.{name}") for name in (LEGAL, MASK) if f"info.{name}" in keys]
        self._mask = masks[0] if masks else None
        self._seen: int | dict[str, int]
        if isinstance(env.observation_space, spaces.Dict):
            self._seen = {name: keys.index(f"obs.{name}") for name in env.observation_space.spaces}
        else:
            (self._seen,) = (place for place, key in enumerate(keys) if key.split(".")[0] == "obs")

    def step(self, slots: Ints | None, actions: Array) -> tuple[Any, Array, Array, Array, Array | None]:
        """Step these slots (None: all): what they show, rewards, who terminated, who was cut off, and legal masks."""
        who = self._everyone if slots is None else slots.astype(np.int32)
        self._env._send([who, who, actions.astype(self._action_type, order="C")])
        state = self._env._recv()
        done, cut, seen = state[self._done], state[self._cut], self._seen
        observation = state[seen] if isinstance(seen, int) else {name: state[at] for name, at in seen.items()}
        mask = None if self._mask is None else state[self._mask]
        return observation, state[self._reward], done > cut, cut, mask


class _EnvPool:
    """A pool of EnvPool's: made anew for new seeds, since they are fixed when it is made."""

    next_step = True

    def __init__(self, make: Any, translator: Translator, players: int, size: int) -> None:
        self._make = make
        self._translator = translator
        self._players = players
        self._size = size
        self._env: Any = None
        self._direct: Direct | None = None
        # With several players a pool waits for the rows of all its games, however few are stepped.
        self.singly = players == 1

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown | None:
        if slots is None:
            self.close()
            self._env = self._make(seeds.tolist())
            self._direct = direct(self._env) if self._players == 1 else None
            observation, info = self._env.reset()
        elif exact or not self.singly:
            return None
        else:
            observation, info = self._env.reset(slots.astype(np.int32))
        return self._see(observation, info)

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        if self._direct is not None:
            seen, rewards, terminated, truncated, mask = self._direct.step(slots, self._translator.act_rows(actions))
            return Stepped(self._translator.see_rows(seen, mask), rewards, terminated, truncated)
        env_id = None if slots is None else slots.astype(np.int32)
        answer = self._env.step(self._translator.act_rows(actions), env_id)
        observation, rewards, terminated, truncated, info = answer
        if self._players == 1:
            return Stepped(self._see(observation, info), rewards, terminated, truncated)
        order = _order(info)
        shown = self._see(observation, info)
        everyone = partial(self._everyone, observation, order)
        rewards = rewards.reshape(-1, self._players)[order]
        return Stepped(shown, rewards, terminated[order], truncated[order], everyone=everyone)

    def frame(self, slot: int) -> Array | None:
        return None

    def close(self) -> None:
        if self._env is not None:
            self._env.close()
            self._env = None

    def _see(self, observation: Any, info: Mapping[str, Any]) -> Shown:
        if self._players == 1:
            return seen(self._translator, observation, info)
        mask = info.get(LEGAL, info.get(MASK))
        order = _order(info)
        who = info["current_player"][order].astype(np.int64)
        rows = order * self._players + who
        shown = self._translator.see_rows(_rows(observation, rows), None if mask is None else mask[order])
        shown.players = who
        return shown

    def _everyone(self, observation: Any, order: Ints, games: Ints) -> Shown:
        """What all players of these games see."""
        rows = (order[games][:, None] * self._players + np.arange(self._players)).ravel()
        return self._translator.see_rows(_rows(observation, rows))


def direct(env: Any) -> Direct | None:
    """None where an environment can only be stepped as everybody steps it."""
    try:
        return Direct(env)
    except (AttributeError, LookupError, ValueError):
        return None


def seen(translator: Translator, observation: Any, info: Mapping[str, Any]) -> Shown:
    """What EnvPool's environments of one player show."""
    return translator.see_rows(observation, info.get(LEGAL, info.get(MASK)))


def _order(info: Mapping[str, Any]) -> Ints:
    """Where each game's rows are: games of several players come in the order in which its threads were done."""
    return np.argsort(info["env_id"], kind="stable")


def _rows(observation: Any, rows: Ints) -> Any:
    if isinstance(observation, Mapping):
        return {name: _rows(value, rows) for name, value in observation.items()}
    return observation[rows]
