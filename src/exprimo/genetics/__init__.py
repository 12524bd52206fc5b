"""What genotypes say of expression: associations, fine-mapping, scores and stacks of them."""
