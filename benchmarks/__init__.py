"""Side-by-side timings and quality figures, each in one run."""
