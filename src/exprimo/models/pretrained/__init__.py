"""Pretrained models by name: backbones that embed, and predictors."""

from exprimo.models.pretrained.registry import Pretrained, open_pretrained, pretrained_names

__all__ = ["Pretrained", "open_pretrained", "pretrained_names"]
