"""Architectures and baselines, one per file; the zoo names them."""

from exprimo.models.zoo import (
    ModelSpec,
    Preset,
    Shapes,
    Task,
    all_specs,
    default_baselines,
    get_spec,
)

__all__ = ["ModelSpec", "Preset", "Shapes", "Task", "all_specs", "default_baselines", "get_spec"]
