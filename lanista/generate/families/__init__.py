"""Families of games, one file each; the file's name is the id of the native game whose options it varies.

A file offers `SPACE`, option -> the values it may take, and `sensible(...)`, which takes an option each by keyword and
says whether the game they make together is worth trying: false for those that another variant stands for, too.
"""
