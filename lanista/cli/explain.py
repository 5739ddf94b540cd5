"""Look at what an agent thinks of a position: its policy, its value, its lines, and where its network looks.

Example:
    lanista explain runs/first --position "4 4 3"
    lanista explain "runs/first?simulations=400" --position "4 4 3" --picture looks.svg
    lanista explain minimax:depth=8 --game connect_four --position "4 4 3" --json
    lanista explain runs/pong --after 200 --picture looks.png
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from tyro.conf import Positional, arg

from lanista.agents.contestant import load_agent
from lanista.agents.explaining import Explanation, Line, explain, line_words
from lanista.cli._printing import print_json
from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import make
from lanista.envs.core import Agent, Array, Choice, Game, Turn, agent_name, start_agent
from lanista.errors import UsageError
from lanista.files import claim_file, write_bytes

MOST_SHOWN = 10  # moves


@dataclass(frozen=True)
class Options:
    """Whom to ask, and about what."""

    agent: Annotated[Positional[str], arg(metavar="AGENT")]
    """An agent: `lanista agents` lists who can play."""
    game: Annotated[str, arg(metavar="GAME", help_behavior_hint="(default: the agent's)")] = ""
    """The game."""
    position: Annotated[str, arg(metavar="MOVES")] = ""
    """The moves that lead to it, with blanks between, as `lanista play` reads them; or FEN, in chess."""
    after: Annotated[int, arg(metavar="N")] = 0
    """Then the agent itself plays so many plies, at all seats."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of the game's and the agent's chance."""
    picture: Annotated[Path | None, arg(metavar="FILE")] = None
    """Draw where the network looks, over the game's picture (.svg, .png): SmoothGrad of its move."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Go to the position, ask, print, draw."""
    if options.picture is not None and options.picture.suffix not in (".svg", ".png"):
        raise UsageError(f"the picture is drawn as .svg or .png, not as '{options.picture.name}'")
    if options.picture is not None:
        claim_file(options.picture)
    if options.after < 0:
        raise UsageError(f"an agent plays 0 plies or more before it is asked, not {options.after}")
    agent = load_agent(options.agent)
    name = options.game or str(getattr(agent, "game", ""))
    if not name:
        raise UsageError(f"say which game {options.agent} should play, as in --game connect_four")
    game = make(name, restart=False)
    game.reset([options.seed])
    go_to(game, options.position)
    start_agent(agent, game.spec, options.seed)
    memory = play_on(game, agent, options.after)
    turn = one_row(game)
    found = explain(agent, turn, memory)
    drawn = None if options.picture is None else looks(agent, game, turn, found.choice)
    if options.json:
        print_json(as_json(agent, game, turn, found))
    else:
        print(told(agent, game, turn, found))
    if options.picture is not None and drawn is not None:
        write_bytes(options.picture, as_file(drawn, options.picture.suffix))
    return 0


def go_to(game: Game, position: str) -> None:
    """Play the moves of a position, or set it up from its notation.

    Raises:
        UsageError: a move is none, is illegal, or comes after the end.
    """
    if "/" in position and isinstance(game, BatchedGame):
        game.parse_position(0, position)
        return
    for number, word in enumerate(position.split(), 1):
        turn = one_row(game)
        action = game.parse_move(0, word)
        if turn.legal is not None and not turn.legal[0, action]:
            legal = " ".join(game.print_move(0, int(each)) for each in np.flatnonzero(turn.legal[0])[:40])
            raise UsageError(f"move {number} of the position, {word}, is not legal there; legal: {legal}")
        if game.step(np.array([action])).finished[0]:
            raise UsageError(f"the game is over after move {number} of the position, {word}")


def one_row(game: Game) -> Turn:
    """The seat that must act, or of several the first."""
    turn = game.turn()
    if not len(turn):
        raise UsageError("the game is over in this position")
    return turn if len(turn) == 1 else turn.take(np.zeros(1, np.int64))


def play_on(game: Game, agent: Agent, plies: int) -> Array | None:
    """Let the agent play at all seats; what it then remembers at the seat that must act.

    Raises:
        UsageError: the game ends before.
    """
    memories: dict[int, Array] = {}
    for ply in range(plies):
        turn = game.turn()
        rows = [turn.take(np.array([row])) for row in range(len(turn))]
        choices = [agent.act(one, memories.get(int(one.players[0]))) for one in rows]
        for one, choice in zip(rows, choices, strict=True):
            if choice.memory is not None:
                memories[int(one.players[0])] = choice.memory
        if game.step(np.concatenate([choice.actions for choice in choices])).finished[0]:
            raise UsageError(f"the game is over after {ply + 1} plies; ask for fewer with --after")
    return memories.get(int(one_row(game).players[0]))


def likely(turn: Turn, choice: Choice) -> list[tuple[int, float]]:
    """Actions and their probabilities, the greatest first; none where the agent tells no policy."""
    if choice.policy is None or turn.legal is None or turn.legal.shape[1] != choice.policy.shape[1]:
        return []
    order = np.argsort(-choice.policy[0], kind="stable")
    return [(int(action), float(choice.policy[0, action])) for action in order if turn.legal[0, action]]


def told(agent: Agent, game: Game, turn: Turn, found: Explanation) -> str:
    """The explanation for people."""
    choice = found.choice
    lines = [game.text(0, int(turn.players[0])), "", f"{agent_name(agent)} plays {_move(game, choice.actions[0])}"]
    if choice.value is not None:
        lines[-1] += f", expects {float(choice.value[0]) + 0.0:+.3f}"
    if found.simulations is not None:
        lines[-1] += f" after {found.simulations:,} simulations"
    shown = likely(turn, choice)[:MOST_SHOWN]
    if shown:
        lines.append("policy  " + ", ".join(f"{game.print_move(0, action)} {share:.1%}" for action, share in shown))
    for line in found.lines[:MOST_SHOWN]:
        much = f"{line.visits:,} visits" if line.visits is not None else f"depth {line.depth}"
        lines.append(f"  {line.value + 0.0:+.3f}  {much:>14}  {' '.join(_words(game, turn, line))}")
    return "\n".join(lines)


def as_json(agent: Agent, game: Game, turn: Turn, found: Explanation) -> dict[str, Any]:
    """The explanation for scripts."""
    choice = found.choice
    return {
        "agent": agent_name(agent),
        "game": game.spec.name,
        "player": int(turn.players[0]),
        "move": _move(game, choice.actions[0]),
        "value": None if choice.value is None else float(choice.value[0]),
        "policy": {game.print_move(0, action): share for action, share in likely(turn, choice)} or None,
        "simulations": found.simulations,
        "lines": [
            {"moves": _words(game, turn, line), "value": line.value, "visits": line.visits, "depth": line.depth}
            for line in found.lines
        ],
    }


def _move(game: Game, action: Any) -> str:
    return game.print_move(0, int(action)) if np.ndim(action) == 0 else str(np.asarray(action).tolist())


def _words(game: Game, turn: Turn, line: Line) -> Sequence[str]:
    if turn.public is None:
        return [game.print_move(0, line.actions[0])]
    return line_words(turn.public.rules, turn.public.positions()[0], line)


def looks(agent: Agent, game: Game, turn: Turn, choice: Choice) -> str:
    """The game's picture, with heat where the agent's network looks.

    Raises:
        UsageError: it has no network that looks at a board or a picture.
    """
    network = getattr(agent, "network", None)
    if network is None or np.ndim(choice.actions[0]) != 0:
        raise UsageError(f"{agent_name(agent)} has no network that chooses among moves, whose look could be drawn")
    from lanista.agents.policy_network import PolicyNetwork
    from lanista.agents.saliency import saliency
    from lanista.cli._heat import heated_board, heated_pixels

    if not isinstance(network, PolicyNetwork):
        raise UsageError(f"{agent_name(agent)} has a network for each role; only one for all is drawn")
    modality, heat = saliency(network, turn, 0, int(choice.actions[0]))
    player = int(turn.players[0])
    picture = game.picture(0, player)
    if isinstance(game, BatchedGame):
        return heated_board(picture, heat, game.rules, player)
    if turn.observation[modality].dtype != np.uint8:
        raise UsageError(f"the picture of {game.spec.name} does not show what its network sees: nothing to draw over")
    return heated_pixels(picture, heat)


def as_file(svg: str, suffix: str) -> bytes:
    """A drawing as the bytes of an .svg or a .png."""
    if suffix == ".svg":
        return svg.encode()
    import io

    from lanista.cli._film import drawn

    file = io.BytesIO()
    drawn(svg).save(file, format="PNG")
    return file.getvalue()
