"""A world whose truth is known, in the formats that `exprimo.data` reads."""

from exprimo.simulate.config import WorldConfig, WorldSize, world_config
from exprimo.simulate.world import SimulatedWorld, simulate

__all__ = ["SimulatedWorld", "WorldConfig", "WorldSize", "simulate", "world_config"]
