"""New games from families of rules: propose variants, measure each by play, rank the balanced and deep ones.

`families/<game>.py` lists a family's parameters; `proposing` draws variants, `searching` and `learning` measure them,
`ranking` scores them, `record` keeps what is measured, `run` joins it all, `report` shows it.
"""
