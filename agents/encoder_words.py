"""A network's encoders as a user writes them: one word for all modalities, or one for each.

A word is `auto`, an encoder's id with its options, or a pretrained encoder: a folder, a trained agent's folder or run,
the name of an encoder or of an agent that comes with Lanista, `hf:org/name`. `board=impala_cnn
mission=encoders/words` gives each modality its own. Where a game has several roles, the words are for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from gymnasium import spaces

from lanista.agents.artifact import load_networks
from lanista.agents.contestant import SHIPPED as SHIPPED_AGENTS
from lanista.agents.contestant import agent_folder
from lanista.agents.contestant import shipped as shipped_agents
from lanista.agents.role_networks import RoleNetworks, role_names, the_only
from lanista.envs.core import GameSpec
from lanista.errors import UsageError, unknown
from lanista.hub import HUB
from lanista.perception.adapt import adapted
from lanista.perception.encoder import Encoder, encoders
from lanista.perception.fusion import AUTO, Fusion, build_fusion
from lanista.perception.pretrained import encoder_folder, shipped
from lanista.perception.pretrained import load_encoder as load_pretrained


def load_encoder(path: str | Path, role: str = "") -> Encoder | Fusion:
    """Load the encoder of a pretrained encoder's folder or name, of an agent's folder or of a run.

    Args:
        path: the folder, or the name.
        role: of an agent that has a network for each role: of which.

    Raises:
        UsageError: it is none of them, is damaged, or is of a newer format.
    """
    folder = agent_folder(SHIPPED_AGENTS / path if _is_shipped_agent(str(path)) else Path(path))
    if folder is None:
        if not str(path).startswith(HUB) and encoder_folder(path) is None and not Path(path).exists():
            raise unknown("pretrained encoder", str(path), [*shipped(), *shipped_agents()])
        return load_pretrained(path)
    networks = load_networks(folder)[0]
    if role and isinstance(networks, RoleNetworks):
        fusion = networks.of(role).fusion
    else:
        fusion = the_only(networks, f"{path} holds no one encoder").fusion
    members = list(fusion.encoders.values())
    return cast(Encoder, members[0]) if len(members) == 1 else fusion


def _is_shipped_agent(word: str) -> bool:
    """Is it the name of an agent that comes with Lanista, and of nothing that lies here or is an encoder's?"""
    return word in shipped_agents() and agent_folder(Path(word)) is None and encoder_folder(word) is None


def is_pretrained(word: str) -> bool:
    """Does a word name something with weights, rather than an encoder's kind?"""
    if word == AUTO or word.partition(":")[0].replace("-", "_") in encoders():
        return False
    return word.startswith(HUB) or word in [*shipped(), *shipped_agents()] or Path(word).exists() or "/" in word


def words_by_modality(observation: spaces.Dict, words: str) -> dict[str, str]:
    """Modality -> its word; `auto` where none was given.

    Raises:
        UsageError: a modality is not in the observation.
    """
    names, parts = list(observation.spaces), words.split()
    given: dict[str, str] = {}
    for part in parts:
        name, equals, word = part.partition("=")
        if not equals or ":" in name or "/" in name:
            if len(parts) > 1:
                raise UsageError(f"'{part}' should say for which modality, as in '{names[0]}={part}'")
            return dict.fromkeys(names, part)
        if name not in names:
            raise unknown("modality", name, names)
        given[name] = word
    return {name: given.get(name, AUTO) for name in names}


def all_modalities(spec: GameSpec) -> spaces.Dict:
    """The modalities of all roles of a game, for their names: where roles see different things by one name, the first.

    Of a game with one role what its players see.
    """
    if len(spec.roles) == 1:
        return spec.roles[0].observation
    return spaces.Dict({name: space for role in reversed(spec.roles) for name, space in role.observation.items()})


def fusion_of_words(observation: spaces.Dict, words: str, freeze: bool = False, joint: str = "none") -> Fusion:
    """The encoders that the words ask for; pretrained ones with their weights.

    Args:
        observation: modality name -> space.
        words: as a user writes them. A single pretrained one reads every modality that it fits.
        freeze: the weights of pretrained ones stay as they are.
        joint: as of `perception.joint.build_joint`.

    Raises:
        UsageError: an encoder is unknown, does not read its modality, or nothing is pretrained and should be frozen.
    """
    return _fusions({"": observation}, words_by_modality(observation, words), words, freeze, joint)[0]


def fusions_of_words(spec: GameSpec, words: str, freeze: bool = False, joint: str = "none") -> list[Fusion]:
    """The encoders of each of a game's roles, as `fusion_of_words`; not every role need have every modality.

    An agent with a network for each role, in the place of a pretrained encoder, gives each the encoder of that name.
    """
    if len(spec.roles) == 1:
        return [fusion_of_words(spec.roles[0].observation, words, freeze, joint)]
    roles = dict(zip(role_names(spec), (role.observation for role in spec.roles), strict=True))
    return _fusions(roles, words_by_modality(all_modalities(spec), words), words, freeze, joint)


def _fusions(
    roles: Mapping[str, spaces.Dict], wanted: Mapping[str, str], words: str, freeze: bool, joint: str
) -> list[Fusion]:
    """The encoders of each role, by the words of the modalities."""
    alone = len(set(wanted.values())) == 1 and "=" not in words.partition(":")[0]
    refusals: list[UsageError] = []
    chosen: list[dict[str, str | Encoder]] = []
    for role, observation in roles.items():
        chosen.append({name: wanted[name] for name in observation.spaces})
        for name in observation.spaces:
            if not is_pretrained(wanted[name]):
                continue
            try:
                chosen[-1][name] = _read(wanted[name], name, observation[name], role).freeze(freeze)
            except UsageError as refusal:
                if not alone:
                    raise
                chosen[-1][name] = AUTO
                refusals.append(refusal)
    fresh = all(isinstance(one, str) for words_of_role in chosen for one in words_of_role.values())
    if refusals and fresh:
        raise refusals[0]
    if freeze and fresh:
        raise UsageError(f"'freeze' is for pretrained encoders, and '{words}' is none: give a folder or a name of one")
    return [build_fusion(observation, some, joint) for observation, some in zip(roles.values(), chosen, strict=True)]


def _read(word: str, name: str, space: spaces.Space[Any], role: str) -> Encoder:
    """The pretrained encoder of that word, for one modality."""
    if not isinstance(space, spaces.Box):
        raise UsageError(f"no pretrained encoder reads the modality '{name}', a {type(space).__name__}")
    with torch.device("cpu"):  # a network may be sketched on the meta device around it
        loaded = load_encoder(word, role)
        if isinstance(loaded, Fusion):
            if name not in loaded.encoders:
                raise unknown(f"modality of {word}", name, loaded.encoders.keys())
            loaded = cast(Encoder, loaded.encoders[name])
        return adapted(loaded, space)


def lasting(observation: spaces.Dict, words: str, home: Mapping[str, str] | None = None) -> str:
    """The same words with whole paths, a word a modality, so that they hold from any folder.

    Args:
        observation: modality name -> space.
        words: as a user writes them.
        home: modality -> a folder to take instead of a pretrained one that is gone.

    Returns:
        The words as they are if nothing in them is a path.
    """
    wanted = words_by_modality(observation, words)
    if not any(is_pretrained(word) for word in wanted.values()):
        return words
    kept = {}
    for name, word in wanted.items():
        named = word in shipped() or _is_shipped_agent(word)
        if is_pretrained(word) and not word.startswith(HUB) and not named:
            gone = agent_folder(Path(word)) is None and encoder_folder(word) is None
            word = (home or {}).get(name, word) if gone else str(Path(word).resolve())
        kept[name] = word
    if len(set(kept.values())) == 1:
        return next(iter(kept.values()))
    return " ".join(f"{name}={word}" for name, word in kept.items())
