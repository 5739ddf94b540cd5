"""The agent artifact: a folder with `agent.json` and `model.safetensors`, plain data.

Loading a stranger's agent runs none of the stranger's code, checks every field and shape before anything is allocated,
and needs neither Ray nor SB3.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lanista.agents.policy_network import PolicyNetwork
from lanista.agents.role_networks import Networks, networks_from, the_only
from lanista.errors import UsageError
from lanista.files import claim_folder, read_json, write_json
from lanista.perception.encoder import check_format
from lanista.perception.weights_file import load_weights, write_weights

# 1 knew only `num_actions`, and nothing normalised; 2 one network for all roles; 3 no joint of modalities. The least
# that says all is written.
FORMAT = 4
DESCRIPTION = "agent.json"
WEIGHTS = "model.safetensors"


def save_agent(folder: str | Path, network: Networks, game: str, precision: str, training: dict[str, Any]) -> None:
    """Write an agent's folder; a kill leaves the old agent or the new one.

    Args:
        folder: made if it is not there.
        network: what plays, one or one for each role.
        game: the string of the game it plays.
        precision: "float32" or "bfloat16", in which it was trained and plays.
        training: how it came about: steps, seed, seconds, versions, parent.
    """
    target = claim_folder(Path(folder))
    about = network.describe()
    description = {
        "format": _format(about),
        "kind": "network",
        "game": game,
        "precision": precision,
        "network": about,
        "training": training,
    }
    # The description stays the same over a run but for `training`, so either file may be the older one after a kill.
    write_weights(target / WEIGHTS, network.state_dict())
    write_json(target / DESCRIPTION, description)


def _format(network: dict[str, Any]) -> int:
    """The least format in which a network's description says all there is."""
    if any("joint" in one for one in network.get("roles", {"": network}).values()):
        return 4
    if "roles" in network:
        return 3
    return 1 if network.keys() <= {"encoders", "num_actions", "value_range"} else 2


def read_description(folder: str | Path) -> dict[str, Any]:
    """Read and check `agent.json` without its weights.

    Raises:
        UsageError: it is missing, damaged, of a newer format, or a field is wrong.
    """
    path = Path(folder) / DESCRIPTION
    about = read_json(path, "agent folder")
    check_format(about, FORMAT, path)
    for field, kind in (("game", str), ("precision", str), ("network", dict), ("training", dict)):
        if not isinstance(about.get(field), kind):
            raise UsageError(f"{path} needs '{field}', {'an object' if kind is dict else 'a text'}")
    if about.get("kind") != "network":
        raise UsageError(f"{path} is of the kind '{about.get('kind')}'; this Lanista knows 'network'")
    if about["precision"] not in ("float32", "bfloat16"):
        raise UsageError(f"{path} has the precision '{about['precision']}'; it must be float32 or bfloat16")
    return about


def load_networks(folder: str | Path) -> tuple[Networks, dict[str, Any]]:
    """The network of an agent's folder, or its networks by role, and its description.

    Raises:
        UsageError: the folder is no agent, is damaged, or is of a newer format.
    """
    about = read_description(folder)
    try:
        network = load_weights(lambda: networks_from(about["network"]), Path(folder) / WEIGHTS)
    except UsageError as error:
        raise UsageError(f"{folder} is no agent that can be loaded: {error}") from None
    return network.eval(), about


def load_network(folder: str | Path) -> tuple[PolicyNetwork, dict[str, Any]]:
    """As `load_networks`, of an agent with one network for all roles.

    Raises:
        UsageError: it has several.
    """
    network, about = load_networks(folder)
    return the_only(network, f"{folder} is no agent with one network"), about
