"""Arena: who meets whom, what was played, how good everyone is, and how sure that is."""
