"""DNA with genes: bases, gene structure, paralogs, chromosomes, annotation."""
