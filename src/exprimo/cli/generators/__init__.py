"""Commands of generators that stand in files of their own."""
