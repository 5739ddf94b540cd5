"""A network for each role of a game whose players see or may do different things.

Roles are those of `GameSpec.roles`: players with equal spaces share one, and its network. A game with one role is
played by one `PolicyNetwork`, without any of this around it; `Networks` is either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from torch import nn

from lanista.agents.policy_network import PolicyNetwork, network_from, network_of_role
from lanista.envs.core import GameSpec
from lanista.errors import UsageError, unknown
from lanista.perception.fusion import Fusion

MOST_ROLES = 256
TAKEN = frozenset(dir(nn.ModuleDict()))  # names that torch would not take for a role's


class RoleNetworks(nn.Module):
    """Networks by the names of roles; its weights are called `roles.NAME.` and as in the role's own network."""

    def __init__(self, networks: Mapping[str, PolicyNetwork]) -> None:
        """Put networks together.

        Args:
            networks: name of a role (see `role_names`) -> its network, in the order of the roles.
        """
        super().__init__()
        self.roles = nn.ModuleDict(networks)

    def of(self, name: str) -> PolicyNetwork:
        """The network of a role.

        Raises:
            UsageError: there is no such role.
        """
        if name not in self.roles:
            raise unknown("role", name, list(self.roles))
        return cast(PolicyNetwork, self.roles[name])

    def networks(self) -> dict[str, PolicyNetwork]:
        """Name of a role -> its network, in the order of the roles."""
        return {name: self.of(name) for name in self.roles}

    @property
    def state_size(self) -> int:
        """The numbers of what the role with the greatest memory remembers; 0 if none has one."""
        return max(network.state_size for network in self.networks().values())

    @property
    def frozen(self) -> list[str]:
        """The encoders that stay as they are, each as ROLE.MODALITY."""
        return [f"{name}.{modality}" for name, network in self.networks().items() for modality in network.frozen]

    def freeze(self, names: Iterable[str]) -> None:
        """Keep these encoders as they are, each named as ROLE.MODALITY."""
        for written in names:
            name, _, modality = written.partition(".")
            self.of(name).freeze([modality])

    def describe(self) -> dict[str, Any]:
        """What `networks_from` needs to make the same networks, as plain data."""
        return {"roles": {name: network.describe() for name, network in self.networks().items()}}


Networks = PolicyNetwork | RoleNetworks


def role_names(spec: GameSpec) -> tuple[str, ...]:
    """A name for each of a game's roles, all different: letters, digits and `_`; `role_2` where the game has none."""
    names: list[str] = []
    for number, role in enumerate(spec.roles):
        name = re.sub(r"\W+", "_", role.name, flags=re.ASCII) or "role"
        names.append(name if _can_be_a_name(name) and role.name and name not in names else f"{name}_{number}")
    return tuple(names)


def _can_be_a_name(name: str) -> bool:
    return re.fullmatch(r"\w+", name, flags=re.ASCII) is not None and name not in TAKEN


def by_role(network: Networks, spec: GameSpec) -> tuple[PolicyNetwork, ...]:
    """The network of each of a game's roles, in the order of `spec.roles`.

    Raises:
        UsageError: they are for other roles.
    """
    if isinstance(network, PolicyNetwork):
        if len(spec.roles) > 1:
            raise UsageError(f"{spec.name} has the roles {_list(role_names(spec))}, and there is one network for all")
        return (network,)
    names, found = role_names(spec), list(network.roles)
    if set(names) != set(found):
        theirs = f"the roles {_list(names)}" if len(names) > 1 else "one role for all"
        raise UsageError(f"{spec.name} has {theirs}, and the networks are for {_list(found)}")
    return tuple(network.of(name) for name in names)


def named_by_role(network: Networks, spec: GameSpec) -> dict[str, PolicyNetwork]:
    """As `by_role`, by the roles' names."""
    return dict(zip(role_names(spec), by_role(network, spec), strict=True))


def build_networks(
    spec: GameSpec,
    encoders: Sequence[str | Fusion],
    *,
    normalize_observation: bool = False,
    normalize_value: bool = False,
    memory: str = "",
    value_encoders: Sequence[Fusion | None] = (),
) -> Networks:
    """Fresh networks for a game: one, or one for each of its roles.

    Args:
        spec: of the game.
        encoders: of each role, as for `perception.fusion.build_fusion`, or what that gave.
        normalize_observation, normalize_value, memory: as for `policy_network.build_network`, for every role.
        value_encoders: of each role, the value's own; empty: of none.

    Raises:
        UsageError: no network plays this game.
    """
    made = [
        network_of_role(
            spec, number, encoder, normalize_observation=normalize_observation, normalize_value=normalize_value,
            memory=memory, value_encoder=own,
        )
        for number, (encoder, own) in enumerate(zip(encoders, value_encoders or [None] * len(encoders), strict=True))
    ]  # fmt: skip
    return made[0] if len(made) == 1 else RoleNetworks(dict(zip(role_names(spec), made, strict=True)))


def networks_from(description: Mapping[str, Any]) -> Networks:
    """Make the network or networks from what `describe` gave; every field is checked.

    Raises:
        UsageError: a field is missing or wrong.
    """
    if "roles" not in description:
        return network_from(description)
    roles = description["roles"]
    if set(description) != {"roles"} or not isinstance(roles, dict) or not 1 < len(roles) <= MOST_ROLES:
        raise UsageError(f"'roles' of networks must be an object of 2 to {MOST_ROLES} networks, and stand alone")
    for name, about in roles.items():
        if not _can_be_a_name(name) or not isinstance(about, dict):
            raise UsageError(f"'roles' of networks must name each by letters, digits and _, and not '{name[:60]}'")
    return RoleNetworks({name: network_from(about) for name, about in roles.items()})


def the_only(network: Networks, what: str) -> PolicyNetwork:
    """The network of all roles.

    Raises:
        UsageError: there is one for each role, so that `what` cannot be.
    """
    if isinstance(network, RoleNetworks):
        raise UsageError(f"{what}: it has a network for each of the roles {_list(list(network.roles))}")
    return network


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"
