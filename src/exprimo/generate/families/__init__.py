"""Families of generators, one per file; each ends with its SPEC."""
