"""Curricula: which training level is played next. A file's name is the id; it holds one `Curriculum`."""
