"""Play Connect Four by an exported agent, without torch, against random moves.

lanista export runs/first --onnx agent.onnx
python examples/play_onnx.py agent.onnx [GAMES]
"""

import json
import sys

import numpy as np
import onnxruntime

import lanista

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
about = json.loads(session.get_modelmeta().custom_metadata_map["lanista"])
copies = int(sys.argv[2]) if len(sys.argv) > 2 else 200
game = lanista.make(about["game"], copies=copies, restart=False)
game.reset(seed=0)
random, won, over = np.random.default_rng(0), 0.0, 0

while len(turn := game.turn()):
    asked = {name: turn.observation[name] for name in turn.observation} | {"legal": turn.legal}
    best = session.run(["action"], asked)[0]
    drawn = (random.random(turn.legal.shape) * turn.legal).argmax(1)
    ours = turn.players == turn.copies % 2  # it sits first in every other game
    outcome = game.step(np.where(ours, best, drawn))
    ended = np.flatnonzero(outcome.finished)
    won += ((outcome.rewards[ended, ended % 2] + 1) / 2).sum()
    over += len(ended)
print(f"{won / over:.1%} of the points in {over} games of {about['game']}, torch loaded: {'torch' in sys.modules}")
