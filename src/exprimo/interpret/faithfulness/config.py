"""How much is computed to check an explanation, and where the bounds of its verdict lie."""

from __future__ import annotations

from pydantic import Field

from exprimo.core.config import Config


class CheckConfig(Config):
    """Settings of the checks; with the explanation they decide every number."""

    examples: int = Field(100, ge=1)
    """Explained examples that are checked, evenly along them."""
    references: int = Field(4, ge=1)
    """Shuffles of a sequence whose bases replace the deleted ones."""
    shares: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.35)
    """Shares of the positions that are deleted; their complements to 1, and a half, are added."""
    randomised: int = Field(50, ge=1)
    """Examples that are explained again with randomised weights, and by each member."""
    draws: int = Field(2, ge=1)
    """Networks of which all layers are randomised."""
    most_correlation: float = Field(0.3, gt=0, lt=1)
    """Above this rank correlation with an untrained network the explanation fails."""
    top: int = Field(20, ge=1)
    """Positions whose overlap is counted."""
    numbers: int = Field(60_000_000, ge=1)
    """Bases or numbers that the model may read for the curves: more, and fewer examples are
    taken."""
    seed: int = Field(0, ge=0)
    """Of replacements, random orders, randomised weights and intervals."""
