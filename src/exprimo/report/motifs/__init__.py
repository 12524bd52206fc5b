"""Figures of motifs: logos, and what a motif does where it is inserted."""
