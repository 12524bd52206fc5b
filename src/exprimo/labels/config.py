"""How differential expression is tested and called."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from exprimo.core.config import Config


class DgeConfig(Config):
    """Settings of ``exprimo dge``; the defaults are DESeq2's, and the call's are its users'."""

    design: str
    """Formula over the columns of the sample sheet, such as "~ batch + status"."""
    contrast: tuple[str, ...] = ()
    """Factor, numerator, denominator, or the name of one coefficient; unset: the last term of
    the design."""
    reference: dict[str, str] = Field(default_factory=dict)
    """Factor -> the level that others are compared with; unset: the first in alphabetical order."""
    factors: tuple[str, ...] = ()
    """Columns of numbers that stand for groups."""
    reduced: str | None = None
    """A smaller design: test by likelihood ratio against it, instead of by Wald's test."""
    size_factors: Literal["ratio", "poscounts", "iterative"] = "ratio"
    """Median of ratios; over positive counts, where every gene has a zero; or by likelihood."""
    trend: Literal["parametric", "local", "mean"] = "parametric"
    """Form of the dispersion trend; a parametric one that does not fit becomes local."""
    alpha: float = Field(0.1, gt=0, lt=1)
    """False discovery rate that the independent filter serves; not the calling threshold."""
    lfc: float = Field(2.0, ge=0)
    """A gene is called if its log2 fold change exceeds this, either way,"""
    padj: float = Field(0.05, gt=0, le=1)
    """and its adjusted p-value is below this."""
    lfc_null: float = Field(0.0, ge=0)
    """Threshold inside the null hypothesis of Wald's test."""
    alternative: Literal["greaterAbs", "lessAbs", "greater", "less"] = "greaterAbs"
    """What is tested against it: beyond it either way, within it, above it, below minus it."""
    shrink: bool = False
    """Add shrunken fold changes (apeglm's prior) and their standard deviations."""
    outliers: bool = True
    """Withhold p-values of genes with an outlying count (Cook's distance)."""
    replace_outliers: bool = True
    """Replace outlying counts where a group has seven samples or more."""
    filter: bool = True
    """Leave weakly expressed genes out of the adjustment for multiple tests."""
    blind: bool = True
    """Estimate the variance-stabilising transform without the design."""
    threads: int | None = Field(None, ge=1)
    """CPU threads; unset: all cores that the process may use."""

    @model_validator(mode="after")
    def _within_something(self) -> Self:
        if self.alternative == "lessAbs" and self.lfc_null == 0:
            raise ValueError("lessAbs asks whether a change is within lfc_null: set it above 0")
        return self
