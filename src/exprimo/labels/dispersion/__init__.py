"""Dispersions: each gene's own, the trend, and what shrinking one to the other gives."""
