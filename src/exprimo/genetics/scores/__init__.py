"""Scores of a person from the variants around a gene."""
