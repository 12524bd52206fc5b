"""The numbers of eQTL mapping on plain arrays: regression, permutations, beta, q-values."""
