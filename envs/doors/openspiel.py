"""OpenSpiel's games: `openspiel:hex(board_size=5)`, `openspiel:kuhn_poker`, `openspiel:goofspiel(num_cards=4)`.

Games are written as OpenSpiel writes them. Chance is drawn from the copy's own stream; a player sees its information
state where something is hidden, else the observation. Needs `pip install "lanista[openspiel]"`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from math import inf
from random import Random
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Game, GameSpec, Kind, Role
from lanista.envs.doors._making import made
from lanista.envs.doors._spaces import Seen
from lanista.envs.doors._tables import Moved, TableGame
from lanista.errors import UsageError, unknown
from lanista.plugs import required

PASS = 0  # played for a player who has nothing to choose while others act
LONGEST_CHANCE = 100_000  # chance events in a row after which a game is taken to hang


def open(rest: str, copies: int, restart: bool) -> Game:
    """Make `copies` of an OpenSpiel game.

    Args:
        rest: the game as OpenSpiel writes it, `name(parameter=value,...)`.
        copies: how many are played together.
        restart: a finished copy begins anew by itself; else it shows no rows until `reset`.

    Raises:
        UsageError: no such game or parameter, OpenSpiel is not installed, or the game shows no tensors.
    """
    required("pyspiel", "openspiel", f"openspiel:{rest}")
    source = f"openspiel:{rest}"
    game = _load(rest, source)
    see = _view(game, source)
    spec = made(partial(_spec, source, game, see), source, None)
    made(game.new_initial_state, source, None)  # some sizes are refused only now, or make a state that cannot be
    return TableGame(spec, lambda: _Table(game, see), copies, restart)


def ids() -> list[str]:
    """What can follow `openspiel:`, by OpenSpiel's own registry: the games that need no parameters."""
    required("pyspiel", "openspiel", "openspiel:")
    import pyspiel

    return [game.short_name for game in pyspiel.registered_games() if game.default_loadable]


def _load(rest: str, source: str) -> Any:
    """OpenSpiel's game; the names are looked at first, since it prints its errors besides raising them."""
    import pyspiel

    name, _, parameters = rest.partition("(")
    name = name.strip()
    known = {game.short_name: game for game in pyspiel.registered_games()}
    if name not in known:
        raise unknown("OpenSpiel game", name, known)
    inner = re.sub(r"\([^()]*\)", "", parameters.removesuffix(")"))  # a game may be a parameter of a game
    for parameter in filter(None, inner.split(",")):
        key = parameter.partition("=")[0].strip()
        if key not in known[name].parameter_specification:
            raise unknown(f"parameter of 'openspiel:{name}'", key, known[name].parameter_specification)
    return made(partial(pyspiel.load_game, rest), source, None)


class _View:
    """What a player sees of a state, as OpenSpiel tells it."""

    def __init__(self, shape: Sequence[int], tensor: str, text: str | None) -> None:
        self.shape = tuple(shape)
        self._tensor = tensor
        self._text = text

    def observe(self, state: Any, player: int) -> Array:
        """(*shape,) float32."""
        return np.asarray(getattr(state, self._tensor)(player), np.float32).reshape(self.shape)

    def text(self, state: Any, player: int) -> str:
        """The same as text."""
        return "" if self._text is None else str(getattr(state, self._text)(player))


def _view(game: Any, source: str) -> _View:
    """The tensors a game has: the information state where something is hidden, else the observation."""
    import pyspiel

    kind = game.get_type()
    if kind.dynamics not in (pyspiel.GameType.Dynamics.SEQUENTIAL, pyspiel.GameType.Dynamics.SIMULTANEOUS):
        raise UsageError(f"'{source}' cannot be played: it is a mean-field game, whose players are a crowd")
    information = kind.provides_information_state_tensor
    observation = kind.provides_observation_tensor
    if not (information or observation):
        raise UsageError(f"'{source}' cannot be played: it shows no tensor of what a player sees")
    if information and (not observation or kind.information != pyspiel.GameType.Information.PERFECT_INFORMATION):
        shape, tensor = game.information_state_tensor_shape(), "information_state_tensor"
    else:
        shape, tensor = game.observation_tensor_shape(), "observation_tensor"
    text = tensor.replace("tensor", "string")
    if not getattr(kind, f"provides_{text}"):
        other = "observation_string" if kind.provides_observation_string else "information_state_string"
        text = other if getattr(kind, f"provides_{other}") else ""
    return _View(shape, tensor, text or None)


def _spec(source: str, game: Any, view: _View) -> GameSpec:
    import pyspiel

    kinds = game.get_type()
    players = int(game.num_players())
    together = kinds.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS
    kind: Kind = "single-player" if players == 1 else "simultaneous" if together else "turn-based"
    least, most = float(game.min_utility()), float(game.max_utility())
    role = Role(
        spaces.Dict({"observation": spaces.Box(-inf, inf, view.shape, np.float32)}),
        spaces.Discrete(int(game.num_distinct_actions())),
    )
    return GameSpec(
        name=source,
        players=players,
        roles=(role,),
        role_of=(0,) * players,
        kind=kind,
        zero_sum=kinds.utility == pyspiel.GameType.Utility.ZERO_SUM,
        perfect_information=(
            kinds.information == pyspiel.GameType.Information.PERFECT_INFORMATION
            and kinds.chance_mode == pyspiel.GameType.ChanceMode.DETERMINISTIC
            and not together
        ),
        longest=int(game.max_game_length()) or None,
        returns=(least, most) if least < most else (-inf, inf),
        description=f"OpenSpiel's {kinds.long_name}",
    )


class _Table:
    """One OpenSpiel game. Rewards are what the players' returns grow by."""

    def __init__(self, game: Any, view: _View) -> None:
        self._game = game
        self._view = view
        self._hidden = not _is_open(game)
        self._players = range(game.num_players())
        self._random = Random(0)
        self._state: Any = None
        self._returns: list[float] = []

    def begin(self, seed: int) -> None:
        self._random = Random(seed)
        self._state = self._game.new_initial_state()
        self._returns = [0.0 for _ in self._players]
        self._pass_chance()

    def seats(self) -> Sequence[int]:
        state = self._state
        if state.is_terminal():
            return ()
        if state.is_simultaneous_node():
            return [player for player in self._players if state.legal_actions(player)]
        return (state.current_player(),)

    def see(self, player: int) -> Seen:
        legal = np.array(self._state.legal_actions_mask(player), bool)
        if not legal.any():
            raise ValueError("no legal action is shown to a seat that must act")
        return Seen({"observation": self._view.observe(self._state, player)}, legal)

    def act(self, answers: Mapping[int, Any]) -> Moved:
        state = self._state
        if state.is_simultaneous_node():
            state.apply_actions([answers.get(player, PASS) for player in self._players])
        else:
            ((_, action),) = answers.items()
            state.apply_action(action)
        self._pass_chance()
        before, self._returns = self._returns, list(state.returns())
        rewards = [now - then for now, then in zip(self._returns, before, strict=True)]
        return Moved(rewards, terminated=tuple(self._players) if state.is_terminal() else ())

    def frame(self) -> Array | None:
        return None

    def text(self, player: int | None) -> str:
        if player is None or not self._hidden:
            return str(self._state)
        return self._view.text(self._state, player)

    def move_names(self, player: int) -> Mapping[int, str]:
        state = self._state
        names = {action: str(state.action_to_string(player, action)) for action in state.legal_actions(player)}
        doubled = {name for name in names.values() if list(names.values()).count(name) > 1}
        return {action: f"{name} [{action}]" if name in doubled else name for action, name in names.items()}

    def close(self) -> None:
        self._state = None

    def _pass_chance(self) -> None:
        """Draw what chance decides until a player must act or the game is over."""
        for _ in range(LONGEST_CHANCE):
            state = self._state
            if not state.is_chance_node():
                if state.is_terminal() or not state.is_simultaneous_node() or self.seats():
                    return
                state.apply_actions([PASS for _ in self._players])  # nobody has anything to choose
                continue
            outcomes = state.chance_outcomes()
            (drawn,) = self._random.choices(range(len(outcomes)), [share for _, share in outcomes])
            state.apply_action(outcomes[drawn][0])
        raise RuntimeError(f"chance has acted {LONGEST_CHANCE} times in a row")


def _is_open(game: Any) -> bool:
    """Whether everybody may see everything."""
    import pyspiel

    return bool(game.get_type().information == pyspiel.GameType.Information.PERFECT_INFORMATION)
