"""Inputs that no file stores: made from what a dataset holds when a batch asks for them."""

from exprimo.features.derived.attach import derive_inputs
from exprimo.features.derived.gene_keys import attach_gene_keys, gene_keys

__all__ = ["attach_gene_keys", "derive_inputs", "gene_keys"]
