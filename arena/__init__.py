"""Arena: who meets whom, what was played, how good everyone is, and how sure that is.

`tournament.py` plays what a format of `formats/` asks for into one store (`store.py`); `ratings.py` and its neighbours
rate it, `report.py` and `exports/` show it, `play/` is the page in the browser.
It may import `agents`, `envs` and `perception`, and never `training`: a run's folder is read as agents.
"""
