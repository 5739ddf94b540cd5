"""Agents: whoever plays, kept as plain data or made from a string, and the match that seats them.

`contestant.py` makes an agent of a string, `kinds/` holds what such strings begin with, `match.py` plays and counts,
`isolate.py` puts a stranger into a process of its own; searches, networks, and how far from perfect one is lie beside.
It may import `envs` and `perception`; `training`, `arena` and all above may import it.
"""
