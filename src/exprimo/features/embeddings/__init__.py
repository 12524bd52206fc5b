"""Stored embeddings of sequences, and how a dataset reads them."""

from exprimo.features.embeddings.attach import attach_embeddings
from exprimo.features.embeddings.keys import sequence_keys
from exprimo.features.embeddings.store import EmbeddingStore, embedding_facts

__all__ = ["EmbeddingStore", "attach_embeddings", "embedding_facts", "sequence_keys"]
