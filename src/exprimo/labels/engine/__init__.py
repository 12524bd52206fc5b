"""The numerical engine: compiled loops over genes, without a word about designs or files."""
