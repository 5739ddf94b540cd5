"""Encoders, one file each; the file's name is the encoder's id and it defines one `Encoder`."""
