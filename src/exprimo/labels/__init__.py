"""From counts to labels: size factors, dispersions, tests, calls. No torch."""

from exprimo.labels.calls import call_labels
from exprimo.labels.config import DgeConfig
from exprimo.labels.differential import Differential, find_differential
from exprimo.labels.folder import write_tables

__all__ = ["DgeConfig", "Differential", "call_labels", "find_differential", "write_tables"]
