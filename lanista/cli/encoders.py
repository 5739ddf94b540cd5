"""List the encoders, the tasks to pretrain them on, and the pretrained ones that come with Lanista.

Example:
    lanista encoders
    lanista pretrain pictures:data=fashion_mnist --encoder small_resnet:channels=16
    lanista train connect_four --minutes 10 --encoder board_resnet:channels=64
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.cli._printing import print_json, print_listing, summary_json, with_options
from lanista.plugs import Summary, first_lines, summaries

ENCODERS = "lanista.perception.encoders"  # named here, since `perception.encoder` would import torch
TASKS = "lanista.perception.tasks"
SHIPPED = Path(__file__).parents[1] / "perception" / "shipped"
GIVEN = ("shape", "scale")  # what an encoder gets from its space and not from a user


@dataclass(frozen=True)
class Options:
    """What to list."""

    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Print the encoders with their options, the tasks with theirs, and the pretrained encoders."""
    encoders = {
        name: Summary(found.about, {key: value for key, value in found.options.items() if key not in GIVEN})
        for name, found in summaries(ENCODERS, "__init__").items()
    }
    tasks, about = summaries(TASKS, "__init__"), first_lines(TASKS)
    shipped = _shipped()
    if options.json:
        print_json({"encoders": summary_json(encoders), "tasks": summary_json(tasks), "pretrained": shipped})
        return 0
    print_listing(
        "encoders (options at their defaults)",
        ((with_options(name, encoder), encoder.about) for name, encoder in encoders.items()),
    )
    print_listing(
        "\ntasks to pretrain on (lanista pretrain TASK)",
        ((with_options(name, task), about[name]) for name, task in tasks.items()),
    )
    print_listing(
        "\npretrained, come with Lanista (lanista recognise NAME ..., lanista train GAME --encoder NAME)",
        ((entry["name"], f"{entry['encoder']}, {entry['task']}: {entry['reached']}") for entry in shipped),
    )
    return 0


def _shipped() -> list[dict[str, Any]]:
    """The pretrained encoders, from their own words."""
    found = []
    for path in sorted(SHIPPED.glob("*/encoder.json")):
        about = json.loads(path.read_bytes())
        training = about["training"]
        reached = ", ".join(
            f"{training['measure'].replace('_', ' ')} {scores[training['measure']]:.3f} on {part}"
            for part, scores in training["tests"].items()
        )
        found.append(
            {
                "name": path.parent.name,
                "encoder": about["encoder"],
                "task": training["task"],
                "shape": about["shape"],
                "tests": training["tests"],
                "reached": reached,
                "card": str(path.with_name("README.md")),
            }
        )
    return found
