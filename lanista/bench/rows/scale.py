"""How cost grows: with games, players, copies of a game, rows and sizes of a network, runners, and a store's games."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lanista.bench.claims import Interval, Verdict
from lanista.bench.growth import Curve, Growth, duration, measured
from lanista.bench.race import Lane, Plan, Side
from lanista.bench.results import Row

GAME = "connect_four"
NETWORK = {"channels": 64, "blocks": 2, "dim": 128}
ROWS = 256  # that networks of several sizes are asked at once
PLAYERS, RATED = 100, 100_000  # of the ratings where the other one grows
COPIES, PLIES = 256, 16  # of each runner
ROUNDS, SECONDS = 10, 0.5
PROPORTIONAL = 1.05  # a slope up to which a cost is called proportional to the size


@dataclass(frozen=True)
class Kind:
    """A curve and the sizes that a quick bench leaves of it."""

    curve: Curve
    quick: Sequence[int] = ()


def measure(plan: Plan) -> Row:
    """Race the sizes of each curve, one curve after the other."""
    short = replace(plan, rounds=min(plan.rounds, ROUNDS), seconds=min(plan.seconds, SECONDS))
    verdicts, lanes, grown = list[Verdict](), list[Lane](), list[Growth]()
    for kind in kinds():
        curve = kind.curve
        if plan.quick:
            if not kind.quick:
                continue
            curve = replace(curve, sizes=kind.quick)
        plan.report(f"{curve.name}: {', '.join(f'{size:,}' for size in curve.sizes)}")
        growth, verdict, raced = measured(curve, short)
        verdicts.append(verdict)
        lanes += raced
        grown += [growth] if growth is not None else []
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
    return Row("scale", title, "steps", verdicts, lanes, notes, [line(growth) for growth in grown], curves=grown)


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


def ours(name: str, module: str, options: Callable[[int], dict[str, Any]], *packages: str) -> Callable[[int], Side]:
    """What makes the side of a size."""
    return lambda size: Side(
        f"{name}, {size:,}", f"lanista.bench.ours.{module}", {"game": GAME, **options(size)}, packages=packages
    )


def arena() -> list[Kind]:
    """Games of tournaments and in stores."""
    games = (100, 1_000, 10_000, 100_000)

    def stored(doing: str) -> Callable[[int], Side]:
        return ours(doing, "stored_tournament", lambda size: {"games": size, "doing": doing})

    tournament = ours("tournament", "tournament", lambda size: {"games": size}, "numba", "numpy")
    return [
        Kind(Curve("tournament", "games", "to play and store all", tournament, games, most=PROPORTIONAL), games[:3]),
        Kind(Curve("resume", "games in the store", "to find that none is missing", stored("resume"), games,
                   most=PROPORTIONAL)),
        Kind(Curve("report", "games in the store", "to write the report", stored("report"), games,
                   most=PROPORTIONAL)),
    ]  # fmt: skip


def ratings() -> list[Kind]:
    """Players and games that are rated, intervals included."""

    def side(name: str, options: Callable[[int], dict[str, int]]) -> Callable[[int], Side]:
        return lambda size: Side(f"{name}, {size:,}", "lanista.bench.ours.rating", options(size))

    players = side("players rated", lambda size: {"players": size, "games": RATED})
    games = side("games rated", lambda size: {"players": PLAYERS, "games": size})
    cost = "to rate them, intervals included"
    return [
        Kind(Curve("players rated", f"players of {RATED:,} games", cost, players, (10, 20, 50, 100, 200),
                   piecewise=False)),
        Kind(Curve("games rated", f"games of {PLAYERS} players", cost, games, (1_000, 10_000, 100_000),
                   piecewise=False, most=PROPORTIONAL)),
    ]  # fmt: skip


def playing() -> list[Kind]:
    """Copies of a game, and runners."""
    copies = (1, 8, 64, 512, 4096, 32_768)
    stepping = ours("batch of games", "stepping", lambda size: {"copies": size}, "numba", "numpy")
    settings = {"copies": COPIES, "plies": PLIES, "precision": "float32", "encoder": words(NETWORK)}
    runners = ours("runners", "collection", lambda size: {**settings, "runners": size}, "ray", "torch")
    return [
        Kind(Curve("batch of games", "games stepped together", "a step of all", stepping, copies, most=PROPORTIONAL),
             copies[::2]),
        Kind(Curve("runners", "runners that collect", "a move", runners, (1, 2, 4), piecewise=False, most=0.1)),
    ]  # fmt: skip


def networks() -> list[Kind]:
    """Rows that a network is asked at once, and its size."""

    def side(name: str, options: Callable[[int], dict[str, Any]]) -> Callable[[int], Side]:
        return ours(name, "trained_agent", lambda size: {"doing": "evaluate", **options(size)}, "torch", "numba")

    def sized(part: str) -> Callable[[int], Side]:
        return side(part, lambda size: {"rows": ROWS, "encoder": words({**NETWORK, part: size})})

    rows = side("rows of a network", lambda size: {"rows": size, "encoder": words(NETWORK)})
    return [
        Kind(Curve("rows of a network", "rows asked at once", "to answer all", rows, (1, 8, 64, 512, 4096), most=1.1)),
        Kind(Curve("channels", "channels of the network", f"a row of {ROWS}", sized("channels"),
                   (16, 32, 64, 128, 256), piecewise=False, most=2.1)),
        Kind(Curve("blocks", "residual blocks of the network", f"a row of {ROWS}", sized("blocks"),
                   (1, 2, 4, 8, 16), piecewise=False, most=PROPORTIONAL)),
    ]  # fmt: skip


def words(network: dict[str, int]) -> str:
    """The encoder's string."""
    return "board_resnet:" + ",".join(f"{name}={value}" for name, value in network.items())
