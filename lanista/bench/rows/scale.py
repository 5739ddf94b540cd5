"""How cost grows: with games, players, copies of a game, rows and sizes of a network, runners, and a store's games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lanista.bench.claims import Interval, Verdict
from lanista.bench.growth import Curve, Growth, duration, measured
from lanista.bench.race import Lane, Plan
from lanista.bench.results import Row

GAME = "connect_four"
NETWORK = {"channels": 64, "blocks": 2, "dim": 128}
ROWS = 256  # that networks of several sizes are asked at once
PLAYERS, RATED = 100, 20_000  # of the ratings where the other one grows
COPIES, PLIES = 256, 16  # of each runner
ROUNDS, SECONDS = 6, 0.25  # of each size
PROPORTIONAL = 1.05  # a slope up to which a cost is called proportional to the size


@dataclass(frozen=True)
class Kind:
    """A curve and the sizes that a quick bench leaves of it."""

    curve: Curve
    quick: Sequence[int] = ()


def measure(plan: Plan) -> Row:
    """Race the sizes of each curve, one curve after the other."""
    short = replace(plan, rounds=min(plan.rounds, ROUNDS), seconds=min(plan.seconds, SECONDS))
    found = []
    for kind in kinds():
        if plan.quick and not kind.quick:
            continue
        curve = replace(kind.curve, sizes=kind.quick) if plan.quick else kind.curve
        plan.report(f"{curve.name}: {', '.join(f'{size:,}' for size in curve.sizes)}")
        found.append(measured(curve, short))
    return row_of(found)


def row_of(found: Sequence[tuple[Growth | None, Verdict, list[Lane]]]) -> Row:
    """The row of all curves."""
    grown = [growth for growth, _, _ in found if growth is not None]
    title = (
        "How CPU seconds grow with the size of what is done: slopes on logarithmic axes, which are k where the cost is "
        "as size**k; 1 is proportional."
    )
    notes = [
        f"At most {ROUNDS} slices each; each round has its own slopes.",
        "The large end is between the two largest sizes: what is spent once, whatever the size, flatters the slope "
        "over all of them.",
        f"Networks are {words(NETWORK)} where none of these grows, asked as an agent asks them, in bfloat16 where the "
        "chip can.",
    ]
    lanes = [lane for _, _, raced in found for lane in raced]
    lines = [line(growth) for growth in grown]
    return Row("scale", title, "steps", [verdict for _, verdict, _ in found], lanes, notes, lines, curves=grown)


def line(growth: Growth) -> dict[str, Any]:
    """A curve in the table."""
    first, last = growth.costs[0].median, growth.costs[-1].median
    return {
        "curve": growth.name,
        "size": growth.size,
        "from": f"{growth.sizes[0]:,}",
        "to": f"{growth.sizes[-1]:,}",
        "cost": growth.cost,
        "CPU time at the least": duration(first),
        "at the largest": duration(last),
        "slope": exponent(growth.slope),
        "at the large end": exponent(growth.end),
    }


def exponent(found: Interval) -> str:
    """A slope and its interval."""
    return f"{found.median:.2f} ({found.low:.2f} to {found.high:.2f})"


def kinds() -> list[Kind]:
    """All curves."""
    return [*arena(), *ratings(), *playing(), *networks()]


def arena() -> list[Kind]:
    """Games of tournaments and in stores."""
    games, packages = (100, 1_000, 10_000, 100_000), ("numba", "numpy")

    def stored(name: str, cost: str, sizes: Sequence[int]) -> Curve:
        return Curve(name, "games in the store", cost, "stored_tournament",
                     lambda size: {"game": GAME, "games": size, "doing": name}, sizes, most=PROPORTIONAL,
                     packages=packages)  # fmt: skip

    tournament = Curve("tournament", "games", "to play and store all", "tournament",
                       lambda size: {"game": GAME, "games": size}, games, most=PROPORTIONAL,
                       packages=packages)  # fmt: skip
    return [
        Kind(tournament, games[:3]),
        Kind(stored("resume", "to find that none is missing", games)),
        Kind(stored("report", "to write the report", games[:3])),
    ]


def ratings() -> list[Kind]:
    """Players and games that are rated, intervals included."""
    cost = "to rate them, with intervals"
    players = Curve("players rated", f"players of {RATED:,} games", cost, "rating",
                    lambda size: {"players": size, "games": RATED}, (10, 20, 50, 100, 200),
                    piecewise=False)  # fmt: skip
    games = Curve("games rated", f"games of {PLAYERS} players", cost, "rating",
                  lambda size: {"players": PLAYERS, "games": size}, (1_000, 10_000, 100_000), piecewise=False,
                  most=PROPORTIONAL)  # fmt: skip
    return [Kind(players, (10, 20, 50)), Kind(games)]


def playing() -> list[Kind]:
    """Copies of a game, and runners."""
    copies = (1, 8, 64, 512, 4096)
    settings = {
        "game": GAME, "copies": COPIES, "plies": PLIES, "precision": "float32", "encoder": words(NETWORK)
    }  # fmt: skip
    stepping = Curve("batch of games", "games stepped together", "a step of all", "stepping",
                     lambda size: {"game": GAME, "copies": size}, copies, most=PROPORTIONAL,
                     packages=("numba", "numpy"))  # fmt: skip
    runners = Curve("runners", "runners that collect", "a move", "collection",
                    lambda size: {**settings, "runners": size}, (1, 2), piecewise=False, apart=True, most=0.1,
                    packages=("ray", "torch"))  # fmt: skip
    return [Kind(stepping, copies[::2]), Kind(runners)]


def networks() -> list[Kind]:
    """Rows that a network is asked at once, and its size."""

    def options(rows: int, network: dict[str, int]) -> dict[str, Any]:
        return {"game": GAME, "doing": "evaluate", "rows": rows, "encoder": words(network)}

    def sized(part: str, size: str, sizes: Sequence[int], most: float) -> Kind:
        return Kind(Curve(part, size, f"a row of {ROWS}", "trained_agent",
                          lambda each: options(ROWS, {**NETWORK, part: each}), sizes, piecewise=False, most=most,
                          packages=("torch",)))  # fmt: skip

    rows = Curve("rows of a network", "rows asked at once", "to answer all", "trained_agent",
                 lambda size: options(size, NETWORK), (1, 8, 64, 512), most=1.1, packages=("torch",))  # fmt: skip
    return [
        Kind(rows),
        sized("channels", "channels of the network", (16, 32, 64, 128), 2.1),
        sized("blocks", "residual blocks of the network", (1, 2, 4, 8), PROPORTIONAL),
    ]


def words(network: dict[str, int]) -> str:
    """The encoder's string."""
    return "board_resnet:" + ",".join(f"{name}={value}" for name, value in network.items())
