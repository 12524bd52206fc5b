"""Labels looked at before any model: how rare, and what tells them without a promoter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.files.atomic import atomic_directory, atomic_file
from exprimo.core.run import write_json
from exprimo.data.annotation import read_annotation
from exprimo.evaluate.association import examine_labels, prevalence
from exprimo.features import dataset_promoters
from exprimo.features.composition import cpg_observed_expected, gc_content
from exprimo.splits import resampling_groups
from exprimo.studies.differential.promoters import gene_names, read_target_table

_CHUNK = 4096


def examine(source: dict[str, Any], targets: Path, out: Path) -> None:
    """Write ``prevalence.json`` and ``covariates.tsv``.

    Genes without a promoter count for expression alone; untested genes are judged beside tested
    ones, called negative, because that mistake has been published.
    """
    table = read_target_table(targets)
    with atomic_directory(out) as folder:
        promoters = folder / "promoters.h5"
        dataset_promoters(**source, targets=targets, target="mean_count", out=promoters)
        described = describe_promoters(promoters, source["genes"])
        promoters.unlink()
        joined = table.join(described)
        groups = joined["family"].where(joined["family"].notna(), joined.index.to_series())
        covariates = examine_labels(
            joined["changed"].to_numpy(),
            pd.DataFrame(
                {
                    "mean expression": joined["mean_count"],
                    "GC content": joined["gc"],
                    "CpG observed / expected": joined["cpg"],
                    "gene length": joined["length"],
                }
            ),
            groups.to_numpy(dtype=str),
        )
        with atomic_file(folder / "covariates.tsv") as partial:
            covariates.to_csv(partial, sep="\t", index=False)
        write_json(folder / "prevalence.json", _prevalence(joined))


def _prevalence(joined: pd.DataFrame) -> dict[str, Any]:
    label = joined["changed"].to_numpy()
    facts = prevalence(label)
    return {
        **{name: facts[name] for name in ("n_genes", "n_tested", "n_positive")},
        "n_up": int((joined["direction"] == 1).sum()),
        "n_down": int((joined["direction"] == 0).sum()),
        "n_joined": int((joined["gc"].notna() & joined["changed"].notna()).sum()),
        "prevalence": {name: facts[name] for name in ("value", "low", "high")},
        "prevalence_if_untested_negative": float(np.nansum(label) / len(label)),
    }


def describe_promoters(path: Path, genes: str | Path) -> pd.DataFrame:
    """Describe each promoter: ``gc``, ``cpg``, ``length`` of the gene, ``family``.

    Indexed by the name that the counts have for the gene.
    """
    annotated = read_annotation(genes).genes.set_index("gene_id")
    with Dataset.open(path) as dataset:
        rows = np.arange(len(dataset))
        chunks = [
            dataset.rows("sequence", rows[start : start + _CHUNK])
            for start in range(0, len(rows), _CHUNK)
        ]
        family, _ = resampling_groups(dataset)
        own = dataset.column("gene_id").astype(str)
        length = (annotated["end"] - annotated["start"]).reindex(own)
        return pd.DataFrame(
            {
                "gc": np.concatenate([gc_content(codes) for codes in chunks]),
                "cpg": np.concatenate([cpg_observed_expected(codes) for codes in chunks]),
                "length": length.to_numpy(np.float64),
                "family": family,
            },
            index=pd.Index(gene_names(dataset), name="gene_id"),
        )
