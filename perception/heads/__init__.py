"""Heads, one file each; the file's name is the head's id and it defines one `Head`."""
