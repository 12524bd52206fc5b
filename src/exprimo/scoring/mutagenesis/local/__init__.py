"""Convolutional networks after a substitution: only what the changed base can reach."""

from exprimo.scoring.mutagenesis.local.chain import Chain, Updates
from exprimo.scoring.mutagenesis.local.networks import HasChain, chain_of
from exprimo.scoring.mutagenesis.local.patch import Patch

__all__ = ["Chain", "HasChain", "Patch", "Updates", "chain_of"]
