"""The shared nouns; no folder above this one, and no torch."""
