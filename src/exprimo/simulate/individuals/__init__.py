"""People: genotypes with linkage, causal variants in promoters, and each person's expression."""
