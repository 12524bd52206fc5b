"""Learners of a stack, and what puts them together."""
