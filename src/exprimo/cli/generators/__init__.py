"""Commands of generators."""
