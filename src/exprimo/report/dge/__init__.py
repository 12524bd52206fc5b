"""Figures and tables of a differential-expression folder."""
