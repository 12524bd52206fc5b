"""Networks of generators: torch modules, no loops."""
