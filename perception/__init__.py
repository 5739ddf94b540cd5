"""Perception: encoders from pictures, boards, speech and text to features, trained once and reused anywhere.

`encoder.py` is the contract, `encoders/`, `inputs/`, `heads/`, `tasks/` and `data/` hold a file for each, `pretrain.py`
trains an encoder on a task, `fusion.py`, `joint.py` and `memory.py` put encoders together for an agent.
It imports no other room and no library of reinforcement learning but gymnasium's spaces; all other rooms may import it.
"""
