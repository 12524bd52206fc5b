"""Studies: everything below, composed."""

from exprimo.studies.commands import benchmark, init, run, train
from exprimo.studies.demo import demo
from exprimo.studies.listing import models

__all__ = ["benchmark", "demo", "init", "models", "run", "train"]
