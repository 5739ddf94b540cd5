"""The search for settings: a space, trials that are ordinary runs, Ray Tune's schedulers over them, what was found."""
