"""What we are measured against: each module has `begin(...)`, see `lanista.bench.worker`.

Those that run in an environment of their own (`lanista.bench.environments`) import nothing of ours but this package.
"""
