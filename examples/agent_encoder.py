"""Swap the encoder of a Lanista agent: what one agent learned to see, another stands on, frozen.

    python examples/agent_encoder.py [STEPS]

The same on the command line: lanista train connect_four --encoder runs/first --freeze --minutes 10
"""

import sys
import tempfile
from pathlib import Path

import lanista

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000

with tempfile.TemporaryDirectory() as folder:
    teacher = lanista.train("connect_four", steps=steps, out=Path(folder) / "teacher", anchors="random")
    print("from scratch:", dict(teacher.progress.scores))
    encoder = teacher.agent  # an agent's folder, a folder of `lanista pretrain`, or a shipped encoder's name
    pupil = lanista.train(
        "connect_four", steps=steps // 4, out=Path(folder) / "pupil", encoder=encoder, freeze=True, anchors="random"
    )
    print("on its eyes, a quarter of the steps:", dict(pupil.progress.scores))
    same = lanista.load_encoder(teacher.agent).state_dict(), lanista.load_encoder(pupil.agent).state_dict()
    print("eyes unchanged:", all(value.allclose(same[1][key]) for key, value in same[0].items()))
