"""Baselines over chromatin marks in bins: what a network of them must beat."""
