"""Each native game stepped at random beside whoever else has it: observations and legal actions made for every move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lanista.bench.claims import Claim, Verdict, decided, judge
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row

BATCH = 1024
LEAST = 3.0  # times each peer
ROUNDS, SECONDS = 7, 1.0  # nearly fifty sides: shorter slices, fewer of them


@dataclass(frozen=True)
class Peers:
    """A game's names elsewhere; empty where it is not known.

    Attributes:
        pettingzoo: module of its classic games, and the environment's options.
        openspiel: game string.
        pgx: id; stepped in batches inside a compiled scan, its quickest way.
        envpool: id; stepped in batches on one thread.
    """

    openspiel: str
    pgx: str = ""
    envpool: str = ""
    pettingzoo: str = ""
    options: dict[str, Any] = field(default_factory=dict)


GAMES = {
    "tictactoe": Peers("tic_tac_toe", "tic_tac_toe", "TicTacToe-v1", "tictactoe_v3"),
    "connect_four": Peers("connect_four", "connect_four", "ConnectFour-v1", "connect_four_v3"),
    "gomoku": Peers("mnk(m=15,n=15,k=5)"),
    "othello": Peers("othello", "othello", "Othello-v1"),
    "go:size=9": Peers("go(board_size=9)", "go_9x9", "", "go_v5", {"board_size": 9}),
    "go:size=19": Peers("go(board_size=19)", "go_19x19", "", "go_v5", {"board_size": 19}),
    "hex": Peers("hex(board_size=11)", "hex", "Hex-v1"),
    "breakthrough": Peers("breakthrough"),
    "chess": Peers("chess", "chess", "Chess-v1", "chess_v6"),
    "kuhn_poker": Peers("kuhn_poker", "kuhn_poker", "KuhnPoker-v1"),
    "leduc_poker": Peers("leduc_poker", "leduc_holdem", "LeducHoldem-v1", "leduc_holdem_v4"),
    "liars_dice": Peers("liars_dice"),
}
QUICK = ("othello",)


def measure(plan: Plan) -> Row:
    """Race each game against the others'."""
    short = replace(plan, rounds=min(plan.rounds, ROUNDS), seconds=min(plan.seconds, SECONDS))
    raced = [race(sides(game), short) for game in (QUICK if plan.quick else GAMES)]
    title = (
        f"Random legal moves, observation and legal actions made for each; ours, pgx and EnvPool in batches of "
        f"{BATCH}, OpenSpiel's C++ states and PettingZoo's environments one at a time."
    )
    return Row("games", title, "steps", verdicts_of(raced), [lane for lanes in raced for lane in lanes])


def verdicts_of(raced: Sequence[Sequence[Lane]]) -> list[Verdict]:
    """What is claimed: of each library, the game at which it comes nearest; as details, each game beside each.

    Args:
        raced: of each game, we and then all others.
    """
    details, beside = list[Verdict](), dict[str, list[Verdict]]()
    for lanes in raced:
        mine, *others = (lane.side.name for lane in lanes)
        details.append(judge(Claim(mine.partition(", ")[0], mine, unit="steps/s", detail=True), lanes))
        for other in others:
            details.append(judge(Claim(f"times {other}", mine, other, least=LEAST, detail=True), lanes))
            beside.setdefault(other.rpartition(", ")[2], []).append(details[-1])
    return [*(nearest(library, found) for library, found in beside.items()), *details]


def nearest(library: str, found: Sequence[Verdict]) -> Verdict:
    """The least of the ratios to a library, or why one of them is not known."""
    unknown = [each for each in found if each.found is None]
    least = min(found, key=lambda each: each.found.median if each.found else 0.0)
    count = f"{len(found)} game{'s' if len(found) > 1 else ''}"
    text = f"times {library}, the least of {count}: {least.claim.subject.partition(', ')[0]}"
    claim = replace(least.claim, text=text, detail=False)
    if unknown or least.found is None:
        return Verdict(claim, None, None, unknown[0].trouble)
    return decided(claim, least.found)


def sides(game: str) -> list[Side]:
    """We, then all who have the game."""
    peers = GAMES[game]
    batch = {"copies": BATCH}
    found = [
        Side(f"{game}, Lanista", "lanista.bench.ours.stepping", {"game": game, **batch}, packages=("numba", "numpy")),
        _peer(game, "OpenSpiel", "openspiel", {"game": peers.openspiel, "environment": False}, "open_spiel"),
    ]
    if peers.pgx:
        found.append(_peer(game, "pgx", "pgx", {"game": peers.pgx, **batch}, "pgx", "jax"))
    if peers.envpool:
        found.append(_peer(game, "EnvPool", "envpool", {"game": peers.envpool, **batch}, "envpool"))
    if peers.pettingzoo:
        options = {"game": peers.pettingzoo, **peers.options}
        found.append(_peer(game, "PettingZoo", "pettingzoo", options, "pettingzoo"))
    return found


def _peer(game: str, name: str, environment: str, options: dict[str, Any], *packages: str) -> Side:
    module = f"lanista.bench.peers.{environment}_stepping"
    return Side(f"{game}, {name}", module, options, environment=environment, packages=packages)
