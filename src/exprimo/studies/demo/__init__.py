"""The demo: worlds with known answers, through the same functions that a user calls."""

from exprimo.studies.demo.plans import chromatin_demo_study, chromatin_world
from exprimo.studies.demo.run import Demonstration, demo

__all__ = ["Demonstration", "chromatin_demo_study", "chromatin_world", "demo"]
