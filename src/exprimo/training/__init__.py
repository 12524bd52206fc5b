"""The loop, its settings, and the Run that it leaves."""

from exprimo.training.config import FitConfig, MachineConfig, SplitConfig, TrainConfig
from exprimo.training.predicting import predict_rows
from exprimo.training.run import train_run

__all__ = [
    "FitConfig",
    "MachineConfig",
    "SplitConfig",
    "TrainConfig",
    "predict_rows",
    "train_run",
]
