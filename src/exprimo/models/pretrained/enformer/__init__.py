"""Enformer with published weights, or others of its kind."""

from exprimo.models.pretrained.enformer.backbone import EnformerBackbone, open_enformer
from exprimo.models.pretrained.enformer.config import EnformerConfig
from exprimo.models.pretrained.enformer.loading import load_enformer
from exprimo.models.pretrained.enformer.network import EnformerNetwork
from exprimo.models.pretrained.enformer.random_weights import (
    TOY,
    random_enformer,
    save_enformer,
)

__all__ = [
    "TOY",
    "EnformerBackbone",
    "EnformerConfig",
    "EnformerNetwork",
    "load_enformer",
    "open_enformer",
    "random_enformer",
    "save_enformer",
]
