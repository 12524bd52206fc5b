"""Commands of genotypes: haplotypes, personal, variants, mutagenesis."""
