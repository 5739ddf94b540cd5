"""Compare an agent's moves with perfect play, where that is known.

Connect Four and tic-tac-toe: the share of best moves on random positions where the choice matters, by an exact solver.
Kuhn and Leduc poker and liar's dice: exactly what best responses would gain.

Example:
    lanista certify runs/first --game connect_four
    lanista certify runs/first --plot certificate.svg
    lanista certify random --game leduc_poker
    lanista certify minimax:depth=6 --game connect_four --positions 200 --json
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from lanista import plots
from lanista.agents.certificate import SOLVERS, Certificate, certify, draw_positions, no_solver, random_share
from lanista.agents.contestant import load_agent
from lanista.agents.exploitability import exploitability, policy_of, small_tree
from lanista.cli._printing import console, print_json
from lanista.envs.core import Agent
from lanista.errors import UsageError
from lanista.files import claim_file, write_bytes
from lanista.plugs import plugs


@dataclass(frozen=True)
class Options:
    """Whom to compare, and on how many positions."""

    agent: Annotated[Positional[str], arg(metavar="AGENT")]
    """An agent: `lanista agents` lists who can play."""
    game: Annotated[str, arg(metavar="GAME", help_behavior_hint="(default: the agent's)")] = ""
    """The game."""
    positions: Annotated[int, arg(metavar="N")] = 1000
    """How many random positions."""
    plies: Annotated[tuple[int, int] | None, arg(metavar="LEAST MOST", help_behavior_hint="(default: the game's)")] = (
        None
    )
    """They come after so many random legal plies; 11 to 26 in Connect Four."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """The same seed gives the same positions."""
    plot: Path | None = None
    """Draw the share of best moves by ply (.svg, .png)."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Ask, compare, print."""
    if options.plot is not None and options.plot.suffix not in (".svg", ".png"):
        raise UsageError(f"the plot is drawn as .svg or .png, not as '{options.plot.name}'")
    if options.plot is not None:
        claim_file(options.plot)
    agent = load_agent(options.agent)
    game = options.game or str(getattr(agent, "game", ""))
    if not game:
        raise UsageError(f"say which game {options.agent} should play, as in --game connect_four")
    if game not in plugs(SOLVERS):
        return _exploit(options, agent, game)
    with console(errors=True).status(f"solving positions of {game}") as status:
        positions = draw_positions(
            game, options.positions, options.plies, options.seed,
            lambda found: status.update(f"solved {found:,} of {options.positions:,} positions of {game}"),
        )  # fmt: skip
    done = certify(agent, positions, options.seed)
    if options.plot is not None:
        write_bytes(options.plot, draw(options.agent, done, options.plot.suffix[1:]))
    if options.json:
        print_json(as_json(options, done))
    else:
        print(told(options, done))
    return 0


def told(options: Options, done: Certificate) -> str:
    """The certificate for people."""
    positions = done.positions
    lines = [
        f"{options.agent} on {len(done.played):,} random positions of {positions.game} where the choice matters, after "
        f"{positions.plies.min()} to {positions.plies.max()} plies, seed {options.seed}",
        f"  best moves  {_percent(done.share)}; random play {random_share(positions):.1%}",
        f"  soonest     {_percent(done.soonest)}: none wins sooner or loses later",
        "  by ply      " + ", ".join(f"{ply}: {share:.0%}" for ply, (share, *_) in done.by_ply().items()),
    ]
    return "\n".join(lines)


def _percent(share: tuple[float, float, float]) -> str:
    return f"{share[0]:.1%}, between {share[1]:.1%} and {share[2]:.1%} with 95% confidence"


def as_json(options: Options, done: Certificate) -> dict[str, Any]:
    """The certificate for scripts."""
    named = ("share", "low", "high")
    return {
        "agent": options.agent,
        "game": done.positions.game,
        "positions": len(done.played),
        "seed": options.seed,
        "best": dict(zip(named, done.share, strict=True)),
        "soonest": dict(zip(named, done.soonest, strict=True)),
        "random": random_share(done.positions),
        "by_ply": {
            str(ply): dict(zip((*named, "positions"), found, strict=True)) for ply, found in done.by_ply().items()
        },
    }


@plots.drawing()
def draw(agent: str, done: Certificate, kind: str) -> bytes:
    """The share of best moves by ply, with its intervals, beside random play."""
    import io

    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    found = done.by_ply()
    plies, shares = list(found), [100 * share for share, *_ in found.values()]
    below = [100 * (share - low) for share, low, *_ in found.values()]
    above = [100 * (high - share) for share, _, high, _ in found.values()]
    axes.errorbar(plies, shares, [below, above], fmt="o-", capsize=3, label=agent)
    chance = [100 * done.positions.by_chance[done.positions.plies == ply].mean() for ply in plies]
    axes.plot(plies, chance, color="tab:gray", label="random play")
    axes.set(xlabel="plies played", ylabel="best moves, %", ylim=(0, 101))
    axes.set_title(f"{done.positions.game}: {done.share[0]:.1%} best moves on {len(done.played):,} random positions")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    kept = io.BytesIO()
    figure.savefig(kept, format=kind, dpi=120)
    return kept.getvalue()


def _exploit(options: Options, agent: Agent, game: str) -> int:
    """Where hands are hidden: what best responses would gain."""
    for name in ("plot", "plies"):
        if getattr(options, name) is not None:
            raise UsageError(f"--{name} is of positions that a solver values; {game} has none such")
    tree = small_tree(game)
    if tree is None:
        raise no_solver(game)
    found = exploitability(tree, policy_of(agent, tree, options.seed))
    if options.json:
        print_json(
            {"agent": options.agent, "game": game, "gains": found.gains, "values": found.values,
             "nash_conv": found.nash_conv}
        )  # fmt: skip
        return 0
    print(f"{options.agent} in {game}, exactly, over {tree.information_sets:,} information sets")
    for player, (gain, value) in enumerate(zip(found.gains, found.values, strict=True)):
        print(f"  player {player}  a best response gains {gain:.4f} more than the agent's own {value:+.4f}")
    print(f"  both      {found.nash_conv:.4f}; 0 is an equilibrium")
    return 0
