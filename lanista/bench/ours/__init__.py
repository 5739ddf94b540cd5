"""Our sides of the rows: each module has `begin(...)`, see `lanista.bench.worker`."""
