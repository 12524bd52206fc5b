"""Motifs in what a model looks at: discovery, names, sites, and effects where they are inserted."""

from exprimo.interpret.motifs.config import FindConfig
from exprimo.interpret.motifs.files import write_found
from exprimo.interpret.motifs.find import Found, find
from exprimo.interpret.motifs.patterns import Pattern

__all__ = ["FindConfig", "Found", "Pattern", "find", "write_found"]
