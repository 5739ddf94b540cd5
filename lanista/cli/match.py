"""Play two agents against each other and say how sure the result is.

Example:
    lanista match runs/first minimax:depth=2 --game connect_four --games 400
    lanista match random first-legal --game tictactoe --json
    lanista match runs/second runs/first --game connect_four --sprt 0,10
    lanista match uci:stockfish uci:gnuchess --game chess --openings book.epd --time-control 10+0.1 --max-plies 300
    lanista match runs/mine?temperature=1 random --game gym:CartPole-v1 --games 200

Each opening of random plies, or of a book, is played twice, with either agent first. The interval comes from these
pairs. With --sprt the match goes on until a sequential test on them has decided whether A is stronger. In games of one
player it is the mean returns of A, and of B where there is one, on levels that no run is trained on, or from the same
seeds.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from tyro.conf import Positional, arg

from lanista.agents.contestant import load_agent
from lanista.agents.host_time import VOID
from lanista.agents.match import Played, Scheduled, play_games
from lanista.arena.openings import openings_of
from lanista.arena.ratings import Pair, Score, pair_score
from lanista.cli import _returns, _sprt
from lanista.cli._games_bar import games_bar
from lanista.cli._printing import print_json
from lanista.cli._rules_of_play import RulesWithBook
from lanista.envs.catalogue import make
from lanista.errors import UsageError

POINTS = ("0", "1/2", "1", "1 1/2", "2")  # what one agent can take from a pair of games


@dataclass(frozen=True)
class Options(RulesWithBook):
    """Who plays what, and how often."""

    one: Annotated[Positional[str], arg(metavar="A")]
    """An agent: `lanista agents` lists who can play."""
    game: Annotated[str, arg(metavar="GAME")]
    """The game, of two players or of one."""
    other: Annotated[Positional[str], arg(metavar="B", help_behavior_hint="")] = ""
    """Another one; games of one player are played by A alone, too."""
    games: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: 100, with --sprt at most 20000)")] = (
        None
    )
    """How many games, an even number; of a game of one player, each agent plays so many."""
    first_level: Annotated[int | None, arg(metavar="L", help_behavior_hint="(default: the first held-out one)")] = None
    """Games of one player are played on the levels from L on; training levels are those from 0."""
    opening_plies: Annotated[int, arg(metavar="P")] = 8
    """Games begin after 0 to P random plies."""
    openings: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Take the openings from a book instead: a line of moves each, a PGN, SGF, EPD or FEN."""
    balanced: Annotated[str | None, arg(metavar="AGENT", help_behavior_hint="")] = None
    """Keep only random openings that this agent values as about even."""
    balanced_within: Annotated[float, arg(metavar="V")] = 0.3
    """How far from even, where 1 is a game that is won."""
    sprt: Annotated[str | None, arg(metavar="ELO0,ELO1", help_behavior_hint="")] = None
    """Stop when a sequential test has decided between these: A is so much stronger than B."""
    model: Annotated[Literal["normalized", "logistic"], arg(metavar="M")] = "normalized"
    """What an Elo of the test is: normalized (by a game's deviation) or logistic (of the score)."""
    alpha: Annotated[float, arg(metavar="P")] = 0.05
    """How often the test may say ELO1 where ELO0 is true."""
    beta: Annotated[float, arg(metavar="P")] = 0.05
    """How often the test may say ELO0 where ELO1 is true."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of openings, games and the agents' chance: the same seed gives the same games."""
    json: bool = False
    """Print JSON."""


@dataclass(frozen=True)
class Result:
    """How a match ended, from the first agent's view.

    Attributes:
        score: share of the points, with its interval.
        wins, draws, losses: of games.
        pairs: (5,) how many pairs brought 0, 1/2, 1, 1 1/2, 2 points.
        faults: (agent 0 or 1, reason) -> games lost by it.
        void: games that the environment broke, or in which the machine stalled; they count for nobody.
        ended: reason -> games that ended by it, where it is not the rules of the game and nobody's fault.
    """

    score: Score
    wins: int
    draws: int
    losses: int
    pairs: tuple[int, ...]
    faults: dict[tuple[int, str], int]
    void: int
    ended: dict[str, int]

    @property
    def games(self) -> int:
        """All that were played."""
        return self.wins + self.draws + self.losses + self.void


def run(options: Options) -> int:
    """Play the match and print its result."""
    spec = make(options.game).spec
    most = options.games if options.games is not None else 20_000 if options.sprt is not None else 100
    rules = options.rules()
    if spec.players == 1:
        if any(rules.values()):
            raise UsageError(f"clocks and adjudication are for games of two players, which {options.game} is not")
        if options.sprt is not None:
            raise UsageError(f"--sprt is for games of two players, which {options.game} is not")
        if options.openings is not None or options.balanced is not None:
            raise UsageError(f"openings are for games of two players, which {options.game} is not")
        names = [name for name in (options.one, options.other) if name]
        return _returns.run(spec, options.game, names, most, options.first_level, options.seed, options.json)
    if spec.players != 2:
        raise UsageError(
            f"a match is between two or of one; {options.game} has {spec.players} players: use lanista tournament"
        )
    if not options.other:
        raise UsageError("lanista match needs B; see lanista match --help")
    if options.first_level is not None:
        raise UsageError(f"--first-level is for games of one player, which {options.game} is not")
    if most < 2 or most % 2:
        raise UsageError(f"--games is an even number, two for each opening, not {most}")
    began = time.monotonic()
    decision = None
    if options.sprt is None:
        played = _player(options, most // 2)(0, most // 2)
    else:
        test = _sprt.read_test(options.sprt, options.model, options.alpha, options.beta)
        play = _player(options, most // 2)
        with games_bar(options.game) as told_so_far:
            played, decision = _sprt.play_until_decided(
                test, most // 2, play, lambda games: counted(games).pairs, told_so_far
            )
    result = counted(played)
    if options.json:
        print_json(result_json(options, result, decision, time.monotonic() - began))
    else:
        print(told(options, result, decision))
    return 0


def _player(options: Options, most: int) -> Callable[[int, int], list[Played]]:
    """What plays the pairs from one number up to before another, of at most so many."""
    agents = [load_agent(options.one), load_agent(options.other)]
    judge = None if options.balanced is None else load_agent(options.balanced)
    plies = (0, options.opening_plies)
    source = openings_of(
        options.game, plies, options.openings, judge, options.balanced_within, options.seed, options.book_plies
    )
    rules = options.rules()
    seeds = np.random.SeedSequence(options.seed).generate_state(most, np.uint64).tolist()

    def play(first: int, last: int) -> list[Played]:
        numbers = range(first, last)
        schedule = [
            Scheduled(seats, seeds[pair], opening.moves, label=pair, position=opening.position)
            for pair, opening in zip(numbers, source.draw(numbers, seeds[first:last]), strict=True)
            for seats in [(0, 1), (1, 0)]
        ]
        games = play_games(options.game, agents, schedule, seed=options.seed + first, **rules)
        return [one for some in games for one in some]

    return play


def points(played: Played) -> float | None:
    """The first agent's points of a game: 1, 1/2 or 0; None if the game is void."""
    if played.reason in VOID:
        return None
    mine, theirs = (played.returns[played.scheduled.seats.index(agent)] for agent in (0, 1))
    return 1.0 if mine > theirs else 0.5 if mine == theirs else 0.0


def counted(played: Sequence[Played]) -> Result:
    """Count the games of a match."""
    found: dict[int, dict[int, float | None]] = {}
    faults: Counter[tuple[int, str]] = Counter()
    for one in played:
        found.setdefault(one.scheduled.label, {})[one.scheduled.seats.index(0)] = points(one)
        if one.at_fault is not None:
            faults[one.scheduled.seats[one.at_fault], one.reason] += 1
    pairs = [Pair("one", "other", found[label][0], found[label][1]) for label in sorted(found)]
    each = Counter(value for pair in pairs for value in (pair.as_first, pair.as_second))
    whole = Counter(round(2 * (p.as_first + p.as_second)) for p in pairs if None not in (p.as_first, p.as_second))  # type: ignore[operator]
    return Result(
        pair_score(pairs, "one"),
        each[1.0],
        each[0.5],
        each[0.0],
        tuple(whole[halves] for halves in range(5)),
        dict(faults),
        each[None],
        dict(Counter(one.reason for one in played if one.at_fault is None and one.reason != "end")),
    )


def told(options: Options, result: Result, decision: _sprt.Decision | None = None) -> str:
    """The result for people."""
    score, names = result.score, (options.one, options.other)
    brought = ", ".join(f"{name}: {count}" for name, count in zip(POINTS, result.pairs, strict=True))
    lines = [
        f"{options.one} against {options.other}: {result.games} games of {options.game}, seed {options.seed}",
        f"  score   {score.score:.1%} for {options.one}, between {score.low:.1%} and {score.high:.1%} "
        f"with 95% confidence; {score.superiority:.1%} likely to be the stronger",
        f"  games   {result.wins} won, {result.draws} drawn, {result.losses} lost",
        f"  pairs   by its points: {brought}",
    ]
    if decision is not None:
        lines.extend(decision.told(options.one))
    for (agent, reason), count in sorted(result.faults.items()):
        lines.append(f"  faults  {names[agent]} lost {count} game{'s' * (count != 1)}: {reason}")
    for reason, count in sorted(result.ended.items()):
        if reason not in VOID:
            lines.append(f"  ended   {count} game{'s' * (count != 1)}: {reason}")
    if result.void:
        lines.append(f"  void    {result.void} games, in which the environment failed or the machine stalled")
    return "\n".join(lines)


def result_json(options: Options, result: Result, decision: _sprt.Decision | None, seconds: float) -> dict[str, Any]:
    """The result for scripts."""
    score, names = result.score, (options.one, options.other)
    return {
        "game": options.game,
        "agents": names,
        "games": result.games,
        "seed": options.seed,
        "score": score.score,
        "low": score.low,
        "high": score.high,
        "superiority": score.superiority,
        "wins": result.wins,
        "draws": result.draws,
        "losses": result.losses,
        "pairs": dict(zip(POINTS, result.pairs, strict=True)),
        "faults": [
            {"agent": names[agent], "reason": reason, "games": count}
            for (agent, reason), count in sorted(result.faults.items())
        ],
        "void": result.void,
        "ended": result.ended,
        "time_control": options.time_control,
        "seconds": round(seconds, 3),
    } | ({} if decision is None else {"sprt": decision.to_json()})
