"""What ``study.json`` says of the association's stages."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from exprimo.evaluate.grouped.people import mean_over_groups
from exprimo.studies.individual.association.given import Given
from exprimo.studies.individual.association.stages import EQTL, FINEMAP, OVERLAP, summary_of
from exprimo.studies.individual.association.truth import interval

_DRAWS = 2000


def eqtl_facts(given: Given) -> dict[str, Any]:
    """Say what was tested and found."""
    told, settings = summary_of(given, EQTL), given.settings
    return {
        "n_people": told["n_people"],
        "n_genes": len(given.genes),
        "n_tested": told["n_genes"],
        "n_egenes": told["n_egenes"],
        "n_signals": told["n_signals"],
        "fdr": settings.fdr,
        "window": [settings.upstream, settings.downstream],
        "permutations": settings.permutations,
        "correction": told["correction"],
        "notes": list(told["notes"]),
    }


def finemap_facts(given: Given) -> dict[str, Any]:
    """Say how many sets there are, and how large; nothing where no gene is an eGene."""
    told = summary_of(given, FINEMAP)
    return {
        "n_genes": told.get("n_genes", 0),
        "n_sets": told.get("n_sets", 0),
        "n_mapped": told.get("n_mapped", 0),
        "median_size": told.get("median_size"),
        "n_not_converged": told.get("n_not_converged", 0),
    }


def heritability_facts(egenes: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """Give the mean of the estimates over the genes that have one, with its interval over genes."""
    h2 = egenes["h2"].dropna().to_numpy(np.float64)
    mean = interval(mean_over_groups(h2, np.arange(len(h2)), "gene", _DRAWS, seed))
    return {"mean": mean, "n": len(h2)}


def overlap_facts(given: Given, answer: str) -> dict[str, Any]:
    """Give each model's overlap with the ranking by p, and what its power says."""
    told = json.loads((given.folder / OVERLAP).read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for name, of in told["columns"].items():
        both = of["concordance"]
        found[name] = {
            **{
                key: of[key]
                for key in ("overlap", "expected", "p_hypergeometric", "p_shift", "n", "n_genes")
            },
            "top": of["top"],
            "window": told["models"][name]["window"],
            "sign": None if both is None else both["both_tops"],
            "credible_sets": of["credible_sets"],
            "statement": told["models"][name]["statement"],
        }
    found["statement"] = told["models"][answer]["statement"]
    return found


def candidate_facts(candidates: pd.DataFrame) -> dict[str, Any]:
    """Count the candidates, those that change a motif, and those whose signs agree."""
    return {
        "n": len(candidates),
        "n_motif": int((candidates["motif"] != "").sum()),
        "n_agree": int((candidates["agrees"] == "yes").sum()),
    }
