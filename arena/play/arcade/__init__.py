"""Real time: games that do not wait, played and watched on the page; each runs in a process of its own."""
