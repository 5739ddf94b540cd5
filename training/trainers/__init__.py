"""Trainers, one file each; the file's name is the trainer's id. A file offers `open(settings) -> Trainer`."""
