"""Agents with a network for each role: their folder is checked as any other, and every seat has its own network."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from safetensors.torch import load_file, save_file

from lanista.agents.artifact import load_network, load_networks, save_agent
from lanista.agents.contestant import load_agent
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.policy_network import PolicyNetwork, build_network, network_of_role, remember
from lanista.agents.role_networks import RoleNetworks, build_networks, by_role, networks_from, role_names
from lanista.envs import make
from lanista.envs.core import GameSpec, Role
from lanista.envs.loop import play
from lanista.errors import UsageError

GAME = "zoo:mpe/simple_speaker_listener_v4"
TAG = "zoo:mpe/simple_tag_v3?max_cycles=5"


@pytest.fixture(scope="module")
def spec() -> GameSpec:
    return make(GAME, 1).spec


def fresh(spec: GameSpec, **options: Any) -> RoleNetworks:
    torch.manual_seed(0)
    networks = build_networks(spec, ["mlp:dim=8"] * len(spec.roles), **options)
    assert isinstance(networks, RoleNetworks)
    return networks.eval()


@pytest.fixture
def folder(tmp_path: Path, spec: GameSpec) -> Path:
    save_agent(tmp_path / "agent", fresh(spec), GAME, "float32", {"steps": 3})
    return tmp_path / "agent"


def change(folder: Path, network: dict[str, Any]) -> None:
    path = folder / "agent.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"network": network}))


def test_a_folder_of_several_networks_is_read_as_it_was_written(folder: Path, spec: GameSpec) -> None:
    about = json.loads((folder / "agent.json").read_text())
    assert about["format"] == 3 and list(about["network"]["roles"]) == ["speaker", "listener"]
    assert about["network"]["roles"]["listener"]["num_actions"] == 5
    weights, wanted = load_file(folder / "model.safetensors"), fresh(spec).state_dict()
    assert {name.split(".")[:2][1] for name in weights} == {"speaker", "listener"}
    assert all(name.startswith("roles.") and torch.equal(value, weights[name]) for name, value in wanted.items())
    loaded, _ = load_networks(folder)
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in wanted.items())


def test_one_role_is_one_network_as_ever(tmp_path: Path) -> None:
    spec = make("tictactoe").spec
    torch.manual_seed(0)
    network = build_networks(spec, ["mlp:dim=8"])
    torch.manual_seed(0)
    same = build_network(spec, "mlp:dim=8")
    assert isinstance(network, PolicyNetwork) and network.describe() == same.describe()
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in same.state_dict().items())
    save_agent(tmp_path, network, "tictactoe", "float32", {})
    assert json.loads((tmp_path / "agent.json").read_text())["format"] == 1
    with pytest.raises(UsageError, match="players with different spaces"):
        build_network(make(GAME, 1).spec)


def test_a_truncated_model_and_other_weights_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for length in (0, 8, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UsageError, match="truncated or no safetensors"):
            load_networks(folder)
    path.write_bytes(whole)
    weights = load_file(path)
    for names, says in (
        ([name for name in weights if "speaker" in name], "lacks the weights 'roles.listener"),
        ([*weights, "roles.cook.policy.bias"], "has weights 'roles.cook.policy.bias'"),
    ):
        save_file({name: weights.get(name, torch.zeros(3)) for name in names}, path)
        with pytest.raises(UsageError, match=says):
            load_networks(folder)


def test_a_wrong_description_is_refused_in_one_sentence(folder: Path) -> None:
    roles = json.loads((folder / "agent.json").read_text())["network"]["roles"]
    speaker, listener = roles["speaker"], roles["listener"]
    wide = listener | {"encoders": {"observation": listener["encoders"]["observation"] | {"options": {"dim": 10**9}}}}
    for network, says in (
        ({"roles": {}}, "an object of 2 to"),
        ({"roles": [speaker, listener]}, "an object of 2 to"),
        ({"roles": {"speaker": speaker}}, "an object of 2 to"),
        ({"roles": roles, "num_actions": 3}, "stand alone"),
        ({"roles": {str(n): speaker for n in range(300)}}, "an object of 2 to"),
        ({"roles": {"a.b": speaker, "listener": listener}}, r"and not 'a\.b'"),
        ({"roles": {"items": speaker, "listener": listener}}, "and not 'items'"),
        ({"roles": {"speaker": speaker, "listener": 3}}, "and not 'listener'"),
        ({"roles": {"speaker": {}, "listener": listener}}, "needs 'encoders'"),
        ({"roles": {"speaker": speaker | {"num_actions": 4}, "listener": listener}}, r"'roles\.speaker\.policy\.weig"),
        ({"roles": {"speaker": listener, "listener": speaker}}, "should be F32"),
        ({"roles": {"speaker": speaker, "listener": wide}}, "parameters"),
        ({"roles": {"speaker": speaker, "listener": {"roles": roles}}}, "needs 'encoders'"),
    ):
        change(folder, network)
        with pytest.raises(UsageError, match=says) as caught:
            load_networks(folder)
        assert "\n" not in str(caught.value)


def test_who_wants_one_network_and_games_with_other_roles_are_refused(folder: Path, spec: GameSpec) -> None:
    with pytest.raises(UsageError, match="for each of the roles speaker and listener"):
        load_network(folder)
    agent = load_agent(str(folder))
    for game, says in ((TAG, "has the roles adversary and agent"), ("tictactoe", "has one role for all")):
        with pytest.raises(UsageError, match=f"does not fit {game.partition('?')[0]}.*{says}"):
            agent.start(make(game, 1).spec, 0)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="not started"):
        agent.act(make(GAME, 1).turn())
    torch.manual_seed(0)
    one = NetworkAgent(build_network(make("tictactoe").spec, "mlp:dim=8"), "one", "tictactoe")
    with pytest.raises(UsageError, match="there is one network for all"):
        one.start(spec, 0)
    networks = fresh(spec)
    swapped = RoleNetworks({"speaker": networks.of("listener"), "listener": networks.of("speaker")})
    with pytest.raises(UsageError, match="does not fit"):
        NetworkAgent(swapped, "swapped", GAME).start(spec, 0)


@pytest.mark.parametrize("memories", [("", ""), ("gru:dim=3", "lstm:dim=4"), ("", "gru:dim=4")])
def test_every_seat_is_played_by_its_roles_network_which_remembers_for_itself(memories: tuple[str, str]) -> None:
    """Each policy in play is that of the role's network, stepped by hand through this seat's turns of this game."""
    game = make(TAG, 3)
    torch.manual_seed(0)
    names = role_names(game.spec)
    made = {
        name: network_of_role(game.spec, number, "mlp:dim=8", memory=memories[number])
        for number, name in enumerate(names)
    }
    with torch.no_grad():
        for network in made.values():
            network.policy.weight.mul_(100)
    agent = NetworkAgent(RoleNetworks(made).eval(), "all", TAG, temperature=1.0)
    game.reset(3)
    seen: dict[tuple[int, int], list[Any]] = defaultdict(list)
    compared = 0
    for number, ply in enumerate(play(game, [agent], seed=5)):
        assert not ply.failures and len(ply.answers) == 2
        for answer in ply.answers:
            turn = ply.turn.take(answer.rows)
            for row in range(len(turn)):
                seat = (int(turn.games[row]), int(turn.players[row]))
                seen[seat].append(turn.take(np.array([row])))
                network, state = made[names[game.spec.role_of[seat[1]]]], None
                for earlier in seen[seat] if network.memory is not None else seen[seat][-1:]:
                    parameters, _, after = remember(network, earlier, False, state)
                    state = None if after is None else after.numpy()
                policy = np.asarray(network.head.distribution(parameters).policy())
                np.testing.assert_allclose(np.asarray(answer.choice.policy)[row], policy[0], atol=1e-5)
                compared += len(seen[seat]) > 1
        if number == 7:
            break
    assert compared > 50 and len(seen) == 3 * 4 * 2, "games ended, and the next began"


def test_frozen_encoders_are_named_by_their_roles(spec: GameSpec) -> None:
    networks = fresh(spec)
    assert networks.frozen == []
    networks.of("listener").freeze(["observation"])
    assert networks.frozen == ["listener.observation"]
    copy = networks_from(networks.describe())
    copy.freeze(networks.frozen)
    assert copy.frozen == networks.frozen
    assert not any(one.requires_grad for one in by_role(copy, spec)[1].fusion.parameters())


def test_roles_have_names_that_torch_takes() -> None:
    box = [spaces.Dict({"seen": spaces.Box(0, 1, (size,), np.float32)}) for size in range(1, 6)]
    roles = tuple(
        Role(seen, spaces.Discrete(2), name)
        for seen, name in zip(box, ("", "first mate", "keys", "cook", "cook"), strict=True)
    )
    spec = GameSpec("ship", 5, roles, (0, 1, 2, 3, 4), "simultaneous", False, False, None, (-1.0, 1.0))
    names = role_names(spec)
    assert names == ("role_0", "first_mate", "keys_2", "cook", "cook_4")
    networks = build_networks(spec, ["mlp:dim=4"] * 5)
    again = networks_from(json.loads(json.dumps(networks.describe())))
    assert isinstance(again, RoleNetworks) and tuple(again.roles) == names
    assert Role(box[0], spaces.Discrete(2), "one") == Role(box[0], spaces.Discrete(2), "other")
