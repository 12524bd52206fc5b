"""Commands of genetics: eqtl, prs, stack."""
