"""Figures: what they show, and their two drawings, as PNG and SVG and for the browser."""
