"""A stored game, judged by an agent: each side's chances move by move, the blunders, and what was better.

All positions of the game are one batch of the agent, and the alternatives of all blunders are a second one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lanista import plots
from lanista.arena.shown_names import shown_name
from lanista.arena.stored_games import StoredGame
from lanista.arena.verification import replay_all
from lanista.envs import make
from lanista.envs.batched import begin_games
from lanista.envs.core import Agent, Array, Choice, GameSpec, Turn, agent_name, start_agent
from lanista.errors import UsageError

MOST_ALTERNATIVES = 3
MOST_LABELS = 8  # of a side's blunders in a picture, the worst
LETTER, LEVELS = 0.008, 3  # width of a letter, of a picture's; so many labels stand above each other
COLOURS = ("#2f74c0", "#c05a2f")  # of the two seats' blunders


@dataclass(frozen=True)
class Alternative:
    """A move that could have been played.

    Attributes:
        move: as the field writes it.
        chance: the mover's expected share of the points after it, in [0, 1].
    """

    move: str
    chance: float


@dataclass(frozen=True)
class Judgement:
    """What the analyst says of one move.

    Attributes:
        ply: from 1.
        player: who moved, 0 or 1.
        move: as the field writes it.
        preferred: the move that the analyst would have played.
        opening: it was given, not chosen.
        before, after: the mover's expected share of the points before and after the move, in [0, 1].
        blunder: it was chosen, and cost at least the bound.
        alternatives: of a blunder, the best of the moves that are better, the best first.
    """

    ply: int
    player: int
    move: str
    preferred: str
    opening: bool
    before: float
    after: float
    blunder: bool
    alternatives: tuple[Alternative, ...] = ()

    @property
    def loss(self) -> float:
        """What the move cost its player; below 0 if the analyst had expected less."""
        return self.before - self.after


@dataclass(frozen=True)
class Analysis:
    """A judged game.

    Attributes:
        game: the game's string.
        number: of the game in its store.
        players: who sat first and second.
        by: who judges.
        bound: what a blunder costs at least, in [0, 1].
        moves: one judgement a move.
        chances: the first seat's expected share of the points before each move and at the end, in [0, 1].
        points: the first seat's, of the game as it was scored.
        reason: how it ended.
    """

    game: str
    number: int
    players: tuple[str, ...]
    by: str
    bound: float
    moves: tuple[Judgement, ...]
    chances: tuple[float, ...]
    points: float
    reason: str

    @property
    def blunders(self) -> tuple[Judgement, ...]:
        """The blunders, in order."""
        return tuple(move for move in self.moves if move.blunder)

    def mean_loss(self, player: int) -> float:
        """What a chosen move of a player cost on average; 0 if it chose none."""
        losses = [max(0.0, move.loss) for move in self.moves if move.player == player and not move.opening]
        return float(np.mean(losses)) if losses else 0.0

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        found = asdict(self)
        for plain, move in zip(found["moves"], self.moves, strict=True):
            plain["loss"] = move.loss
        return found | {"mean_loss": [self.mean_loss(0), self.mean_loss(1)], "blunders": len(self.blunders)}


def analyse(game: str, number: int, stored: StoredGame, agent: Agent, *, bound: float = 0.2, seed: int = 0) -> Analysis:
    """Judge a stored game.

    Args:
        game: the game's string; turn-based, of two players, zero-sum.
        number: of the game in its store.
        stored: what was played.
        agent: who judges; it must tell values.
        bound: a move that lowers its player's expected share of the points by at least this is a blunder, in (0, 1].
        seed: of the agent's chance.

    Raises:
        UsageError: the game is of another kind, cannot be played again, or the agent tells no values.
    """
    spec = make(game).spec
    _check(spec, stored, bound)
    end = replay_all(game, [stored.seed], [stored.moves], positions=[stored.position])
    if end.illegal[0] or end.broken[0] or int(end.played[0]) < len(stored.moves):
        raise UsageError(f"game {number} cannot be played again as it is stored; see lanista verify")
    start_agent(agent, spec, seed)
    count = len(stored.moves)
    asked = count + (not end.finished[0])  # where the game stands at last too, unless the rules ended it
    board = make(game, asked, restart=False)
    openings = [stored.moves[:ply] for ply in range(asked)]
    begin_games(board, [stored.seed] * asked, None, openings, [stored.position] * asked)
    turn = board.turn()
    choice = _ask(agent, turn)
    values = _shares(spec, choice)
    first = np.where(turn.players == 0, values, 1.0 - values).tolist()
    if end.finished[0]:
        least, greatest = spec.returns
        first.append((float(end.returns[0, 0]) - least) / (greatest - least))
    moves = []
    for ply, action in enumerate(stored.moves):
        player = int(turn.players[ply])
        before, after = (first[at] if player == 0 else 1.0 - first[at] for at in (ply, ply + 1))
        given = ply < len(stored.opening)
        move, preferred = (board.print_move(ply, int(each)) for each in (action, choice.actions[ply]))
        blunder = not given and before - after >= bound and int(choice.actions[ply]) != action
        moves.append(Judgement(ply + 1, player, move, preferred, given, before, after, blunder))
    moves = _with_alternatives(game, stored, agent, moves)
    first_name = stored.seats[0]
    return Analysis(
        game, number, stored.seats, agent_name(agent), bound, tuple(moves), tuple(first), stored.points(first_name),
        stored.reason,
    )  # fmt: skip


def _check(spec: GameSpec, stored: StoredGame, bound: float) -> None:
    if spec.players != 2 or spec.kind != "turn-based" or not spec.zero_sum or not np.isfinite(spec.returns).all():
        raise UsageError(f"turn-based zero-sum games of two players are analysed, and {spec.name} is none")
    if not stored.moves:
        raise UsageError("there is nothing to analyse in a game without a move")
    if not 0 < bound <= 1:
        raise UsageError(f"a blunder costs a share of the points, more than 0 and at most 1, not {bound:g}")


def _ask(agent: Agent, turn: Turn) -> Choice:
    """The agent's answer to all rows, with values.

    Raises:
        UsageError: it cannot give them.
    """
    choice = agent.act(turn)
    name = agent_name(agent)
    if choice.failed:
        raise UsageError(f"{name} cannot analyse: {next(iter(choice.failed.values()))}")
    if choice.memory is not None:
        raise UsageError(f"{name} remembers what it saw before, so that it cannot judge single positions")
    if choice.value is None or np.isnan(choice.value).any() or (choice.waiting is not None and choice.waiting.any()):
        raise UsageError(f"{name} tells no values of positions; name one who does, as in --by minimax:depth=6")
    return choice


def _shares(spec: GameSpec, choice: Choice) -> Array:
    """The expected shares of the points of the rows' players, (k,) in [0, 1]."""
    least, greatest = spec.returns
    return np.clip((np.asarray(choice.value, np.float64) - least) / (greatest - least), 0.0, 1.0)


def _with_alternatives(game: str, stored: StoredGame, agent: Agent, moves: Sequence[Judgement]) -> list[Judgement]:
    """The judgements, and with the blunders the best moves there: every legal move of every blunder in one batch."""
    blunders = [move for move in moves if move.blunder]
    if not blunders:
        return list(moves)
    openings = [stored.moves[: move.ply - 1] for move in blunders]
    before = make(game, len(blunders), restart=False)
    begin_games(before, [stored.seed] * len(blunders), None, openings, [stored.position] * len(blunders))
    legal = before.turn().legal
    assert legal is not None, "the games have discrete actions"
    rows, actions = np.nonzero(legal)
    board = make(game, len(rows), restart=False)
    begun = [openings[row] for row in rows]
    begin_games(board, [stored.seed] * len(rows), None, begun, [stored.position] * len(rows))
    outcome = board.step(actions)
    spec = board.spec
    least, greatest = spec.returns
    movers = np.array([move.player for move in blunders])[rows]
    # Of those that end the game, the rules know; rewards before the end count too where a game has any.
    shares = np.clip((outcome.rewards[np.arange(len(rows)), movers] - least) / (greatest - least), 0.0, 1.0)
    turn = board.turn()
    if len(turn):
        values = _shares(spec, _ask(agent, turn))
        shares[turn.copies] = np.where(turn.players == movers[turn.copies], values, 1.0 - values)
    found = {}
    for index, move in enumerate(blunders):
        mine = np.flatnonzero(rows == index)
        best = mine[np.argsort(-shares[mine], kind="stable")][:MOST_ALTERNATIVES]
        words = [Alternative(before.print_move(index, int(actions[at])), float(shares[at])) for at in best]
        found[move.ply] = tuple(word for word in words if word.move != move.move and word.chance > move.after)
    return [replace(move, alternatives=found[move.ply]) if move.blunder else move for move in moves]


def draw(analysis: Analysis, path: Path, form: str) -> None:
    """Draw the first seat's chances over the game, with the blunders marked.

    Args:
        analysis: the judged game.
        path: where to.
        form: svg or png.
    """
    with plots.drawing(svg__fonttype="none", font__family="sans-serif"):
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        figure = Figure(figsize=(9, 4))
        axes = figure.subplots()
        plies = np.arange(len(analysis.chances))
        chances = 100 * np.asarray(analysis.chances)
        given = sum(move.opening for move in analysis.moves)
        if given:
            axes.axvspan(0, given, color="#7a8594", alpha=0.15, linewidth=0, label="opening")
        axes.axhline(50, color="#7a8594", linewidth=1)
        axes.plot(plies, chances, color="#333b45", linewidth=2)
        axes.fill_between(plies, 50, chances, color="#333b45", alpha=0.08, linewidth=0)
        for player, name in enumerate(analysis.players):
            mine = [move for move in analysis.blunders if move.player == player]
            axes.scatter(
                [move.ply for move in mine], [chances[move.ply] for move in mine],
                color=COLOURS[player], zorder=3, s=45,
                label=f"{shown_name(name)}: {len(mine)} blunder{'s' * (len(mine) != 1)}",
            )  # fmt: skip
            ends = [-math.inf] * LEVELS  # of each level of labels, where the last one ends
            for move in sorted(sorted(mine, key=lambda move: -move.loss)[:MOST_LABELS], key=lambda move: move.ply):
                # A blunder of the first seat is a fall, one of the second a rise; labels that are near keep apart.
                text = f"{move.ply}. {move.move}"
                half = LETTER * (len(text) + 1) * len(analysis.moves) / 2
                level = next((at for at, end in enumerate(ends) if move.ply - half >= end), int(np.argmin(ends)))
                ends[level] = move.ply + half
                axes.annotate(
                    text, (move.ply, chances[move.ply]),
                    xytext=(0, (-16 - 11 * level, 9 + 11 * level)[player]),
                    textcoords="offset points", ha="center", fontsize=8, color=COLOURS[player],
                )  # fmt: skip
        first, second = map(shown_name, analysis.players)
        axes.set_ylim(-32, 132)  # room for the labels
        axes.set_yticks([0, 25, 50, 75, 100], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        axes.set_xlim(0, max(1, len(analysis.moves)))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("moves played")
        axes.set_ylabel(f"chance of {first}")
        for share, name in ((100, first), (0, second)):
            beside = axes.get_yaxis_transform()
            axes.text(1.01, share, f"{name}\nwins", transform=beside, va="center", fontsize=8, color="#5b6675")
        axes.set_title(
            f"{first} (first) against {second}: {analysis.game}, game {analysis.number}, "
            f"judged by {shown_name(analysis.by)}",
            fontsize=10,
        )
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=3)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        figure.savefig(
            path, format=form, dpi=150, bbox_inches="tight", metadata={"Date": None} if form == "svg" else {}
        )
