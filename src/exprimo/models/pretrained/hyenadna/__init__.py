"""HyenaDNA with published weights."""

from exprimo.models.pretrained.hyenadna.backbone import HyenaBackbone, open_hyenadna
from exprimo.models.pretrained.hyenadna.config import CHECKPOINTS, HyenaConfig
from exprimo.models.pretrained.hyenadna.loading import load_hyenadna
from exprimo.models.pretrained.hyenadna.network import HyenaNetwork

__all__ = [
    "CHECKPOINTS",
    "HyenaBackbone",
    "HyenaConfig",
    "HyenaNetwork",
    "load_hyenadna",
    "open_hyenadna",
]
