"""Data sets, one file each; the file's name is the set's id. Each has a `SOURCE` and a `load`."""
