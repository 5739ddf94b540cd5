"""Games through the doors, stepped at random beside the bare vector environment that stands behind each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lanista.bench.claims import Claim, judge
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row

ENVIRONMENT = "doors"  # of the bench's own: both sides of each pair run on the same versions of the same libraries
QUICK_COPIES = 16
ROUNDS, SECONDS = 11, 1.0  # nearly forty sides: shorter slices, fewer of them
LEAST, LEAST_GYM = 0.95, 0.90  # of the bare environment's speed


@dataclass(frozen=True)
class Pair:
    """A door's game and the same environments without the door.

    Attributes:
        game: the door's string.
        library: see `peers.vector_stepping`.
        name: the environment's, in that library.
        copies: stepped together, as many as people train with; a few small ones are shown at two sizes.
    """

    game: str
    library: str
    name: str
    copies: int


PAIRS = (
    Pair("atari:pong", "ale_py", "pong", 16),
    Pair("envpool:Pong-v5", "envpool", "Pong-v5", 16),
    Pair("envpool:CartPole-v1", "envpool", "CartPole-v1", 16),
    Pair("envpool:CartPole-v1", "envpool", "CartPole-v1", 256),
    Pair("envpool:BabyAI-GoToLocal-v0", "envpool", "BabyAI-GoToLocal-v0", 16),
    Pair("envpool:BabyAI-GoToLocal-v0", "envpool", "BabyAI-GoToLocal-v0", 256),
    Pair("envpool:CoinrunEasy-v0", "envpool", "CoinrunEasy-v0", 16),
    Pair("gym:CartPole-v1", "gymnasium", "CartPole-v1", 16),
    Pair("gym:CartPole-v1", "gymnasium", "CartPole-v1", 256),
    Pair("gym:MountainCarContinuous-v0", "gymnasium sync", "MountainCarContinuous-v0", 16),
    Pair("gym:FrozenLake-v1", "gymnasium sync", "FrozenLake-v1", 16),
)
QUICK = ("atari:pong", "gym:CartPole-v1")  # with the fewest copies of each
PACKAGES = {"ale_py": "ale-py", "envpool": "envpool", "gymnasium": "gymnasium", "gymnasium sync": "gymnasium"}
WORDS = {
    "ale_py": "ale_py's vector environment",
    "envpool": "EnvPool",
    "gymnasium": "its own gymnasium.vector form",
    "gymnasium sync": "gymnasium.vector.SyncVectorEnv",
}


def measure(plan: Plan) -> Row:
    """Race each game against its bare environments."""
    lanes: list[Lane] = []
    verdicts = []
    short = replace(plan, rounds=min(plan.rounds, ROUNDS), seconds=min(plan.seconds, SECONDS))
    for pair in PAIRS:
        if plan.quick and (pair.game not in QUICK or pair.copies > QUICK_COPIES):
            continue
        ours, bare = sides(pair)
        raced = race([ours, bare], short)
        least = LEAST_GYM if pair.game.startswith("gym:") else LEAST
        text = f"{pair.game}, {pair.copies} copies, of {WORDS[pair.library]}"
        verdicts.append(judge(Claim(text, ours.name, bare.name, least=least), raced))
        lanes += raced
    title = (
        "Games through the doors, beside the bare vector environment behind each: the same number of copies, the same "
        "random actions, drawn beforehand. Moves are counted, not steps in which an ended game begins anew."
    )
    return Row("doors", title, "moves", verdicts, lanes)


def sides(pair: Pair) -> tuple[Side, Side]:
    """We, and the environment without us."""
    packages = (PACKAGES[pair.library], "numpy")
    where = f"{pair.game}, {pair.copies}"
    return (
        Side(
            f"{where}, Lanista",
            "lanista.bench.ours.doors",
            {"game": pair.game, "copies": pair.copies},
            environment=ENVIRONMENT,
            packages=(*packages, "numba"),
        ),
        Side(
            f"{where}, {WORDS[pair.library]}",
            "lanista.bench.peers.vector_stepping",
            {"library": pair.library, "name": pair.name, "copies": pair.copies},
            environment=ENVIRONMENT,
            packages=packages,
        ),
    )
