"""Native games, one file each; the file's name is the game's id. A file offers `rules(**parameters) -> Rules`."""
