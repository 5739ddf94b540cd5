"""Measure a trained agent and write its card: how it came about, what it reaches, how to use it.

Example:
    lanista card runs/first
    lanista card runs/first --against random minimax:depth=2 minimax:depth=4 --pairs 200
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from lanista.errors import UsageError

CARD = "README.md"
POSITIONS = 1000  # that a solver compares


@dataclass(frozen=True)
class Options:
    """Which agent, and whom it is measured against."""

    agent: Annotated[Positional[str], arg(metavar="AGENT", help_behavior_hint="")]
    """An agent's folder or a run; the card is written into the agent's folder, as `README.md`."""
    against: Annotated[tuple[str, ...], arg(metavar="AGENT ...")] = (
        "random", "minimax:depth=1", "minimax:depth=2", "minimax:depth=3", "minimax:depth=4",
    )  # fmt: skip
    """Named anchors, by contestant strings; of hidden hands only `random` can play, and best responses are exact."""
    pairs: Annotated[int, arg(metavar="N")] = 200
    """Pairs of games against each, from 0 to 8 random plies, or from the deal where hands are hidden."""


def run(options: Options) -> int:
    """Measure, write, and show what was written."""
    if options.pairs < 1:
        raise UsageError(f"--pairs must be at least 1, not {options.pairs}")
    from lanista.agents.artifact import read_description
    from lanista.agents.contestant import trained_folder
    from lanista.files import write_text

    folder = trained_folder(options.agent)
    about = read_description(folder)
    text = card(folder, about, options)
    write_text(folder / CARD, text)
    print(text)
    print(f"written to {folder / CARD}")
    return 0


def card(folder: Path, about: Mapping[str, Any], options: Options) -> str:
    """The card's text, in Markdown."""
    training = about["training"]
    size = (folder / "model.safetensors").stat().st_size
    measures = [*_strength(folder, about["game"], options), *_exact(folder, about["game"])]
    lines = [
        f"# An agent for {about['game']}",
        "",
        f"{_network(about['network'])}, {size / 2**20:.1f} MB, plays in {about['precision']}. Plain data: loading it "
        "runs no code of its own.",
        "",
        "## What it reaches",
        "",
        *measures,
        "",
        "## How it came about",
        "",
        *_history(training),
        "",
        "## Use",
        "",
        "```",
        f"lanista play --terminal --game {shlex.quote(about['game'])} --against FOLDER",
        f"lanista train {shlex.quote(about['game'])} --encoder FOLDER --minutes 10",
        "```",
        "",
    ]
    return "\n".join(lines)


def _network(network: Mapping[str, Any]) -> str:
    """The encoders in words."""
    if "roles" in network:
        return f"Networks for the roles {', '.join(network['roles'])}"
    words = [
        f"{one['encoder']}:{','.join(f'{key}={value}' for key, value in one['options'].items())}"
        for one in network["encoders"].values()
    ]
    return f"A network on `{' '.join(words)}`"


def _strength(folder: Path, game: str, options: Options) -> list[str]:
    """Points against each anchor, and the rating they make; nothing of games of one player."""
    from lanista.agents.contestant import load_agent
    from lanista.agents.pairs import pair_scores, share_interval
    from lanista.envs import make
    from lanista.training.anchor_rating import anchor_scale, rate

    spec = make(game).spec
    if spec.players < 2:
        return []
    anchors = [name for name in options.against if _can_play(name, spec)]
    agent = load_agent(folder)
    if not spec.perfect_information and spec.players == 2:
        return _gains(agent, game, anchors, options.pairs)
    scores = {name: pair_scores(game, agent, load_agent(name), options.pairs, seed=0) for name in anchors}
    lines = ["| against | share of the points | 95 % |", "|---|---|---|"]
    for name, shares in scores.items():
        mean, low, high = share_interval(shares)
        lines.append(f"| {name} | {mean:.1%} | {low:.1%} to {high:.1%} |")
    lines += ["", f"{options.pairs} pairs of games against each, from 0 to 8 random plies, each from both sides."]
    if spec.players == 2:
        import tempfile

        with tempfile.TemporaryDirectory() as scratch:
            scale = anchor_scale(Path(scratch), game, anchors)
        rating = rate(scores, scale)
        if rating is not None:
            told = ", ".join(f"{name} {elo:+.0f}" for name, elo in scale.items())
            lines.append(f"Rating {rating.elo:+.0f} ({rating.low:+.0f} to {rating.high:+.0f}) on the scale of: {told}.")
    return lines


def _gains(agent: Any, game: str, anchors: list[str], pairs: int) -> list[str]:
    """What it gains of each anchor: how often it is ahead tells little where luck deals the hands."""
    from lanista.agents.contestant import load_agent
    from lanista.agents.levels import mean_return
    from lanista.agents.pairs import pair_gains, pair_games

    lines = ["| against | gain of a game | 95 % |", "|---|---|---|"]
    for name in anchors:
        gain = mean_return(pair_gains(pair_games(game, agent, load_agent(name), pairs, 0, (0, 0)), pairs) / 2)
        lines.append(f"| {name} | {gain.mean:+.2f} | {gain.low:+.2f} to {gain.high:+.2f} |")
    return [*lines, "", f"{pairs} pairs of games against each, the same deal from both sides."]


def _can_play(name: str, spec: Any) -> bool:
    from lanista.agents.contestant import load_agent
    from lanista.envs.core import start_agent

    agent = load_agent(name)
    try:
        start_agent(agent, spec, 0)
    except UsageError:
        return False
    return True


def _exact(folder: Path, game: str) -> list[str]:
    """What is known exactly: the share of best moves, or what best responses gain."""
    from lanista.agents.certificate import SOLVERS, certify, draw_positions, random_share
    from lanista.agents.contestant import load_agent
    from lanista.agents.exploitability import exploitability, policy_of, small_tree
    from lanista.plugs import plugs

    agent: Any = load_agent(folder)
    if game in plugs(SOLVERS):
        try:
            positions = draw_positions(game, POSITIONS, None, 0, lambda found: None)
        except UsageError:  # the solver is an extra
            return []
        done = certify(agent, positions, 0)
        share, low, high = done.share
        return [
            "",
            f"Best moves on {POSITIONS:,} random positions where the choice matters, by an exact solver: {share:.1%} "
            f"({low:.1%} to {high:.1%}); random play {random_share(positions):.1%}.",
        ]
    tree = small_tree(game)
    if tree is None:
        return []
    found = exploitability(tree, policy_of(agent, tree))
    return ["", f"What best responses gain on it, both seats together, exactly: {found.nash_conv:.3f}."]


def _history(training: Mapping[str, Any]) -> list[str]:
    """The command, and how long it took."""
    if "imported" in training:
        return [
            f"Imported from {training['imported']} {training.get('version', '')}, {training.get('steps', 0):,} steps."
        ]
    settings = training.get("settings")
    lines = []
    if isinstance(settings, dict):
        lines = ["```", command(settings), "```", ""]
    versions = ", ".join(f"{name} {version}" for name, version in training.get("versions", {}).items())
    seconds = float(training.get("seconds", 0))
    lines.append(
        f"{training.get('steps', 0):,} steps in {seconds / 60:.1f} minutes, seed {training.get('seed', 0)}; {versions}."
    )
    return lines


def command(settings: Mapping[str, Any]) -> str:
    """The command line that trains with these settings: what differs from the game's preset is said."""
    from lanista.training.settings import read_settings

    plain = asdict(read_settings(str(settings["game"])))
    changed = {name: value for name, value in settings.items() if name in plain and plain[name] != value}
    words = ["lanista", "train", shlex.quote(str(settings["game"]))]
    for name in ("steps", "minutes", "seed", "encoder", "memory"):
        if name in changed:
            words += [f"--{name}", shlex.quote(_written(changed.pop(name)))]
    for name, value in changed.items():
        if name != "game":
            words += ["--set", shlex.quote(f"{name}={_written(value)}")]
    return " ".join(words)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:_}" if isinstance(value, int) else str(value)
