"""Doors to other libraries' environments, one file each; `id:rest` is played by `open(rest, copies, restart)`."""
