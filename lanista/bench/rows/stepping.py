"""Connect Four stepped at random: observations and legal actions made for every move, on one core."""

from lanista.bench.claims import Claim, judge
from lanista.bench.race import Plan, Side, race
from lanista.bench.results import Row

BATCH = 1024
OURS = Side(
    "Lanista",
    "lanista.bench.ours.stepping",
    {"game": "connect_four", "copies": BATCH},
    packages=("numba", "numpy"),
)
PEERS = (
    Side("PettingZoo", "lanista.bench.peers.pettingzoo_stepping", packages=("pettingzoo",)),
    Side(
        "OpenSpiel rl_environment",
        "lanista.bench.peers.openspiel_stepping",
        {"environment": True},
        environment="openspiel",
        packages=("open_spiel",),
    ),
    Side(
        "OpenSpiel states",
        "lanista.bench.peers.openspiel_stepping",
        {"environment": False},
        environment="openspiel",
        packages=("open_spiel",),
    ),
    Side(
        "EnvPool",
        "lanista.bench.peers.envpool_stepping",
        {"copies": BATCH},
        environment="envpool",
        packages=("envpool",),
    ),
)
CLAIMS = (
    Claim("random legal play", OURS.name, least=10e6, unit="steps/s"),
    *(Claim(f"times {peer.name}", OURS.name, peer.name) for peer in PEERS),
)


def measure(plan: Plan) -> Row:
    """Race our game against the others'."""
    lanes = race([OURS, *PEERS], plan)
    return Row(
        "stepping",
        f"Connect Four, random legal moves, observation and legal actions made for each; ours and EnvPool's C++ "
        f"in batches of {BATCH}.",
        "steps",
        [judge(claim, lanes) for claim in CLAIMS],
        lanes,
    )
