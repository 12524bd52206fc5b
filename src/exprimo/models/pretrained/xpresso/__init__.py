"""Xpresso with published weights."""

from exprimo.models.pretrained.xpresso.predictor import (
    PUBLISHED_FEATURES,
    XpressoPredictor,
    load_xpresso,
)

__all__ = ["PUBLISHED_FEATURES", "XpressoPredictor", "load_xpresso"]
