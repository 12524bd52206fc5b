"""The report of a Run or of a benchmark: reading, answer, doubts, figures, tables."""
