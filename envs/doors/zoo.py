"""Any PettingZoo environment as a game: `zoo:classic/connect_four_v3`, `zoo:butterfly/pistonball_v6`.

An environment that has a Parallel form is a simultaneous game, any other is turn-based. Packages of their own are
found by their modules: `zoo:mpe2/simple_spread_v3` is what `mpe2.simple_spread_v3` makes. Options go to the
environment, apart from three that tell what an environment cannot: `zero_sum`, `perfect_information` and `longest`
(plies). Without them nothing is taken for granted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from math import inf
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Literal

import pettingzoo
from pettingzoo.env_registry.spec import EnvSpec

from lanista.envs.core import Array, Game, GameSpec, Role
from lanista.envs.doors._making import DRAWN_COPIES, made, split
from lanista.envs.doors._parallel import Together
from lanista.envs.doors._spaces import Seen, Translator
from lanista.envs.doors._tables import Moved, Table, TableGame
from lanista.envs.doors._zoo_words import move_names
from lanista.errors import UsageError, unknown
from lanista.plugs import Value, call, one_line

Form = Literal["aec", "parallel"]


@dataclass(frozen=True)
class _Facts:
    """What the user's string says of the game besides the environment's own options."""

    zero_sum: bool = False
    perfect_information: bool = False
    longest: int = 0


def open(rest: str, copies: int, restart: bool) -> Game:
    """Make `copies` of a PettingZoo environment.

    Args:
        rest: `family/name_vN`, with options after a `?`.
        copies: how many are played together.
        restart: a finished copy begins anew by itself; else it shows no rows until `reset`.

    Raises:
        UsageError: no such environment or option, software that it needs is missing, or its spaces cannot be played.
    """
    name, options = split(rest, "zoo")
    source = f"zoo:{rest}"
    form, registered = _registered(name, source)
    given = {key: options.pop(key) for key in list(options) if key in _Facts.__dataclass_fields__}
    facts: _Facts = call(_facts, f"'{source}'", given)
    maker = _maker(registered, source)
    make = partial(_make, form, registered, options)
    env = made(make, source, maker)
    if copies <= DRAWN_COPIES and "rgb_array" in env.metadata.get("render_modes", ()):
        env.close()
        make = partial(_make, form, registered, {"render_mode": "rgb_array", **options})
        env = made(make, source, maker)
    agents = list(getattr(env, "possible_agents", None) or ())
    if not agents:
        raise UsageError(f"'{source}' cannot be played: it does not tell its possible agents")
    translators = [Translator(env.observation_space(agent), env.action_space(agent), source) for agent in agents]
    spec = _spec(source, form, facts, agents, translators)
    env.close()
    table = Together if form == "parallel" else _Aec
    return TableGame(spec, lambda: table(make(), agents, translators), copies, restart)


def ids() -> list[str]:
    """What can follow `zoo:`, by PettingZoo's own registries, and mpe2's environments where it is installed."""
    known = sorted(name.replace("-v", "_v") for name in {**pettingzoo.aec_registry, **pettingzoo.parallel_registry})
    mpe = find_spec("mpe2")
    if mpe is not None and mpe.submodule_search_locations is not None:
        modules = (module.name for module in iter_modules(mpe.submodule_search_locations))
        known += [f"mpe2/{name}" for name in modules if re.search(r"_v\d+$", name)]
    return known


def _facts(zero_sum: bool = False, perfect_information: bool = False, longest: int = 0) -> _Facts:
    if longest < 0:
        raise UsageError(f"'longest' must be 0 (not known) or the moves of the longest game, not {longest}")
    return _Facts(zero_sum, perfect_information, longest)


def _registered(name: str, source: str) -> tuple[Form, EnvSpec]:
    """PettingZoo's own entry of an environment, Parallel where it has both forms; `_v3` and `-v3` are the same."""
    family, _, version = name.rpartition("_v")
    wanted = f"{family}-v{version}" if version.isdecimal() else name
    registries: tuple[tuple[Form, Any], ...] = (
        ("parallel", pettingzoo.parallel_registry),
        ("aec", pettingzoo.aec_registry),
    )
    for form, known in registries:
        if wanted in known:
            return form, known[wanted]
    found = _in_package(wanted.replace("-v", "_v"), source)
    if found is None:
        raise unknown("PettingZoo environment", name, ids())
    return found


def _in_package(name: str, source: str) -> tuple[Form, EnvSpec] | None:
    """The environment that a module of another package makes: `mpe2/simple_spread_v3`; `mpe` is the package mpe2."""
    package, slash, module = name.partition("/")
    package = "mpe2" if package == "mpe" else package
    if not slash or not package.isidentifier() or not module.replace("/", "_").isidentifier():
        return None
    if find_spec(package) is None:
        if package == "mpe2":
            raise UsageError(f"'{source}' needs the package 'mpe2', which is not installed: pip install mpe2")
        return None
    path = f"{package}.{module.replace('/', '.')}"
    try:
        found = import_module(path)
    except ImportError as error:
        if error.name == path:
            return None
        raise UsageError(f"'{source}' cannot be made: {one_line(error)}") from error
    forms: tuple[tuple[Form, str], ...] = (("parallel", "parallel_env"), ("aec", "env"))
    for form, maker in forms:
        if hasattr(found, maker):
            return form, EnvSpec(id=name.replace("_v", "-v"), entry_point=f"{path}:{maker}", kwargs={}, max_cycles=None)
    return None


def _maker(registered: EnvSpec, source: str) -> Callable[..., Any] | None:
    """The class or function that takes the options; importing it shows what is not installed."""
    entry = registered.entry_point
    if not isinstance(entry, str):
        creator: Callable[..., Any] | None = entry
        return creator
    try:
        module = import_module(entry.partition(":")[0])
    except ImportError as error:
        what = f"the module '{error.name}'" if error.name else one_line(error)
        extra = f"pip install 'pettingzoo[{registered.namespace}]'"
        raise UsageError(f"'{source}' needs {what}, which is not installed: {extra}") from error
    maker: Callable[..., Any] | None = getattr(module, "raw_env", None)
    return maker


def _make(form: Form, registered: EnvSpec, options: Mapping[str, Value]) -> Any:
    if registered.namespace == "atari" and find_spec("ale_py") is not None:  # its package brings the games
        import ale_py

        roms = f"{Path(ale_py.__file__).parent}/roms"
        options = {"auto_rom_install_path": roms, **options}
    return pettingzoo.make(form, registered, **options)


def _spec(source: str, form: Form, facts: _Facts, agents: Sequence[str], translators: Sequence[Translator]) -> GameSpec:
    roles: list[Role] = []
    for agent, translator in zip(agents, translators, strict=True):
        if translator.role not in roles:
            roles.append(replace(translator.role, name=re.sub(r"_\d+$", "", str(agent))))
    return GameSpec(
        name=source,
        players=len(translators),
        roles=tuple(roles),
        role_of=tuple(roles.index(translator.role) for translator in translators),
        kind="single-player" if len(translators) == 1 else "simultaneous" if form == "parallel" else "turn-based",
        zero_sum=facts.zero_sum,
        perfect_information=facts.perfect_information,
        longest=facts.longest or None,
        returns=(-inf, inf),
        description="a PettingZoo environment",
    )


class _Aec(Table):
    """One AEC environment. Players are numbered as in its `possible_agents`."""

    def __init__(self, env: Any, agents: Sequence[str], translators: Sequence[Translator]) -> None:
        self._env = env
        self._agents = agents
        self._number = {agent: player for player, agent in enumerate(agents)}
        self._translators = translators
        self._gone: set[str] = set()

    def begin(self, seed: int) -> None:
        self._env.reset(seed=seed)
        self._gone = set()
        self._pass_the_dead()

    def seats(self) -> Sequence[int]:
        return [self._number[self._env.agent_selection]] if self._env.agents else []

    def see(self, player: int) -> Seen:
        agent = self._agents[player]
        return self._translators[player].see(self._env.observe(agent), self._env.infos.get(agent, {}))

    def act(self, answers: Mapping[int, Any]) -> Moved:
        env = self._env
        ((player, action),) = answers.items()
        env.step(self._translators[player].act(action))
        # `rewards` are those of this step; `last()` would give what an agent gathered since it acted last.
        rewards = [float(env.rewards.get(agent, 0.0)) for agent in self._agents]
        terminated: list[int] = []
        truncated: dict[int, Seen] = {}
        for agent in [agent for agent in env.agents if agent not in self._gone]:
            number = self._number[agent]
            if env.terminations[agent]:
                terminated.append(number)
            elif env.truncations[agent]:
                seen = env.observe(agent)
                truncated[number] = self._translators[number].see_last(seen, env.infos.get(agent, {}))
            else:
                continue
            self._gone.add(agent)
        self._pass_the_dead()
        return Moved(rewards, terminated, truncated)

    def move_names(self, player: int) -> Mapping[int, str] | None:
        return move_names(self._env.unwrapped, player)

    def frame(self) -> Array | None:
        if getattr(self._env, "render_mode", None) != "rgb_array" or not hasattr(self._env, "agents"):
            return None
        pixels: Array = self._env.render()
        return pixels

    def close(self) -> None:
        self._env.close()

    def _pass_the_dead(self) -> None:
        """An agent that is out must still pass once, as the AEC rules have it, before the others go on."""
        env = self._env
        for _ in range(len(self._agents) + 1):
            if not env.agents or not (env.terminations[env.agent_selection] or env.truncations[env.agent_selection]):
                return
            env.step(None)
        raise RuntimeError("agents that are out remain in the game")
