"""Models that other libraries saved, as networks of ours: a file for each library."""
