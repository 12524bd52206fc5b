"""What genotypes say of expression: eQTLs, predictors, loci and candidates on the page."""
