"""The play page: people meet the agents in a browser. Games live on the server; what draws them needs NiceGUI."""
