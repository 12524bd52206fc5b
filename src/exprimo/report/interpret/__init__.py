"""Figures of an interpretation: importance, top positions, maps of a layer."""
