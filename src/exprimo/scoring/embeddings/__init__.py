"""Frozen embeddings of sequences, computed once and kept in a store."""

from exprimo.features.embeddings.keys import sequence_keys
from exprimo.features.embeddings.store import EmbeddingStore
from exprimo.scoring.embeddings.cost import EmbeddingCost
from exprimo.scoring.embeddings.embed import Embedded, embed

__all__ = ["Embedded", "EmbeddingCost", "EmbeddingStore", "embed", "sequence_keys"]
