"""Claims of speed and strength, each measured side by side with its peer in one run. `lanista bench` is its face.

A row (`rows/<id>.py`) names its sides and claims. Each side is a process that works in slices when it is told to
(`worker.py`); `race.py` runs the slices in turn on one core, and `claims.py` makes ratios with intervals of them.
"""
