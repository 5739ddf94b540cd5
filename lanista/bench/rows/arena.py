"""The arena: games through the store, isolated agents, an outside engine, and the report in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lanista.bench.claims import Claim, Verdict, decided, judge, median_interval
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row

GAME = "connect_four"
GAMES, QUICK_GAMES = 100_000, 20_000  # of a tournament of random players
REPORTED, QUICK_REPORTED = 10_000, 1_000
ENGINES, QUICK_ENGINES = 16, 4  # processes of Stockfish, and games at once
ISOLATED_AT_ONCE = {1: "1 game", 64: "64 games"}
ROUNDS, SECONDS = 10, 1.0

OPENSPIEL = Side(
    "OpenSpiel's C++ bots, no store, games",
    "lanista.bench.peers.openspiel_bots",
    {"game": GAME},
    environment="openspiel",
    packages=("open_spiel",),
)
PETTINGZOO = Side(
    "PettingZoo loop, no store, games",
    "lanista.bench.peers.pettingzoo_random",
    environment="pettingzoo",
    packages=("pettingzoo",),
)


def measure(plan: Plan) -> Row:
    """Race each part against its peers, one after the other."""
    short = replace(plan, rounds=min(plan.rounds, ROUNDS), seconds=min(plan.seconds, SECONDS))
    lanes: list[Lane] = []
    verdicts: list[Verdict] = []
    for part in (stored, isolated, engines, reported):
        found, raced = part(short)
        verdicts += found
        lanes += raced
    return Row(
        "arena",
        "The arena, in Connect Four where nothing else is said; engines in chess.",
        "steps",
        verdicts,
        lanes,
        [
            f"At most {ROUNDS} slices each; a tournament is one piece of {GAMES:,} games, from planning to the table, "
            "synced to a new store on the disk.",
            "Isolated: a user's class that answers at once; the CPU time is that of the process which seats it.",
            "Opening a report: from starting the browser to the page, scripts run.",
        ],
    )


def stored(plan: Plan) -> tuple[list[Verdict], list[Lane]]:
    """Random players through the store, beside loops without any."""
    games = QUICK_GAMES if plan.quick else GAMES
    ours = Side("tournament of random players, games", "lanista.bench.ours.tournament", {"game": GAME, "games": games},
                packages=("numba", "numpy"))  # fmt: skip
    lanes = race([ours, OPENSPIEL, PETTINGZOO], plan)
    claims = [
        Claim("random players through the store", ours.name, least=1e5, unit="games/s"),
        Claim(f"times {OPENSPIEL.name}", ours.name, OPENSPIEL.name),
        Claim(f"times {PETTINGZOO.name}", ours.name, PETTINGZOO.name),
    ]
    return [judge(claim, lanes) for claim in claims], lanes


def isolated(plan: Plan) -> tuple[list[Verdict], list[Lane]]:
    """What a process of its own costs."""
    module = "lanista.bench.ours.isolation"
    sides = [
        Side(f"isolated agents, {words} at once, moves", module, {"game": GAME, "at_once": number})
        for number, words in ISOLATED_AT_ONCE.items()
    ]
    asked, answered = message_bytes()
    bare = Side("a bare pipe, questions", "lanista.bench.peers.bare_pipe", {"asked": asked, "answered": answered})
    lanes = race([*sides, bare], plan)
    claims = [Claim(f"{side.name}: CPU a move of who seats them", side.name, most=60.0, unit="µs") for side in sides]
    claims.append(Claim(f"{bare.name}: CPU each of who asks", bare.name, unit="µs"))
    return [
        told(claim, lane, lambda piece: 1e6 * piece["own_seconds"] / piece["steps"])
        for claim, lane in zip(claims, lanes, strict=True)
    ], lanes


def message_bytes() -> tuple[int, int]:
    """How long the messages are in which an isolated agent is told a turn of one game, and answers it."""
    from lanista.agents.wire import Message, choice_arrays, pack, turn_arrays
    from lanista.envs.catalogue import make
    from lanista.envs.core import Choice

    turn = make(GAME, copies=1).turn()
    told = pack(Message("act openly", turn_arrays(turn, None)))
    return len(told), len(pack(Message("choice", choice_arrays(Choice(turn.plies)))))


def engines(plan: Plan) -> tuple[list[Verdict], list[Lane]]:
    """Stockfish at one node a move: what the talking costs."""
    from lanista.agents.processes import find_program

    count = QUICK_ENGINES if plan.quick else ENGINES
    words = {"engine": f"uci:stockfish?nodes=1&remember=1&processes={count}", "at_once": count}
    ours = Side("Stockfish in the arena, moves", "lanista.bench.ours.engine_games", words)
    program = find_program("stockfish") or "stockfish"
    asked = {"program": str(program), "nodes": 1, "at_once": count}
    peer, raw = (
        Side(name, f"lanista.bench.peers.{module}", asked, environment="pettingzoo", packages=("chess",))
        for name, module in (
            ("Stockfish by python-chess, moves", "chess_engine_loop"),
            ("Stockfish by a raw pipe, without rules, moves", "raw_uci"),
        )
    )
    lanes = race([ours, peer, raw], plan)
    what = f"Stockfish at nodes=1, {count} at once"
    claims = [
        Claim(f"{what}, times python-chess", ours.name, peer.name, 2.5),
        Claim(f"{what}, of the raw pipe's bound", ours.name, raw.name),
    ]
    return [judge(claim, lanes) for claim in claims], lanes


def reported(plan: Plan) -> tuple[list[Verdict], list[Lane]]:
    """The report in a browser."""
    games = QUICK_REPORTED if plan.quick else REPORTED
    side = Side(f"a report of {games:,} games", "lanista.bench.ours.report", {"game": GAME, "games": games})
    lanes = race([side], plan)
    return [
        told(Claim(f"{side.name} opens in a browser", side.name, most=3.0, unit="s"), lanes[0],
             lambda piece: piece["open_seconds"]),
        told(Claim(f"{side.name}: its size", side.name, most=10.0, unit="MB"), lanes[0],
             lambda piece: piece["megabytes"]),
    ], lanes  # fmt: skip


def told(claim: Claim, lane: Lane, value: Callable[[dict[str, float]], float]) -> Verdict:
    """A claim about what the side itself told of each slice."""
    if lane.trouble is not None:
        return Verdict(claim, None, None, lane.trouble)
    return decided(claim, median_interval([value({"steps": one.steps, **one.told}) for one in lane.slices]))
