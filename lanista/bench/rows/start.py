"""How long `import lanista` and `lanista --help` take, beside Python alone and torch's import."""

from __future__ import annotations

from lanista.bench.claims import Claim, judge
from lanista.bench.race import Plan, Side, race
from lanista.bench.results import Row

STARTED = {
    "import lanista": ["-c", "import lanista"],
    "lanista --help": ["-m", "lanista", "--help"],
    "import torch": ["-c", "import torch"],
    "Python alone": ["-c", "pass"],
}
CLAIMS = (
    Claim("import lanista", "import lanista", most=0.5, unit="s"),
    Claim("lanista --help", "lanista --help", most=1.0, unit="s"),
    Claim("import torch, for comparison", "import torch", unit="s"),
    Claim("Python alone, for comparison", "Python alone", unit="s"),
)


def measure(plan: Plan) -> Row:
    """Start each again and again."""
    sides = [
        Side(name, "lanista.bench.ours.start", {"words": words}, packages=("torch",) if "torch" in name else ())
        for name, words in STARTED.items()
    ]
    lanes = race(sides, plan)
    return Row(
        "start",
        "Processes started until they end: CPU seconds each, Python's own start included.",
        "starts",
        [judge(claim, lanes) for claim in CLAIMS],
        lanes,
    )
