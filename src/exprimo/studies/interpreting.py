"""Explaining single genes of the network that answers a study, for its report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.files.atomic import atomic_file
from exprimo.core.run import Run
from exprimo.interpret.attributions.store import Attributions
from exprimo.interpret.explain import explain
from exprimo.interpret.faithfulness.config import CheckConfig
from exprimo.models import get_spec
from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.benchmarking.plan import PlannedRun
from exprimo.studies.individual.association.loci import gene_model_table

EXPLAINED = "explained"
"""The folder of such an explanation, beside the benchmark."""

MOST_GENES = 300
_AROUND = 10_000
# The check takes most of the time; fewer than ten groups would not be judged.
_CHECK = CheckConfig(examples=40, randomised=12, draws=1)


def explain_genes(
    benchmark: Benchmarked,
    dataset: str | Path,
    out: str | Path,
    *,
    split: str,
    seed: int,
    row: str | None = None,
    annotation: str | Path | None = None,
    most: int = MOST_GENES,
    check: bool = True,
    threads: int | None = None,
) -> Path | None:
    """Explain test genes base by base, and note the gene models around them.

    The method is gradient × input, centred, which costs one pass. What stands there already is
    kept.

    Parameters
    ----------
    out
        A new folder: that of `explain`, and ``gene_models.tsv`` where there is an annotation.
    split, seed
        Which Run of the row.
    row
        The row of the table; by default the network that reads sequence and is best on
        validation.
    annotation
        GTF, GFF3 or BED.
    most
        At most so many genes, evenly along the test part.
    check
        Of faithfulness; without it the page says that nobody checked.

    Returns
    -------
    Path or None
        The folder; None where no network reads the sequence itself.

    Examples
    --------
    >>> explain_genes(done, "D.h5", "S/explained", split="homology", seed=0)   # doctest: +SKIP
    """
    target = Path(out)
    if target.exists():
        return target
    run = run_to_explain(benchmark, split, seed, row)
    if run is None:
        return None
    explain(
        run, dataset, target,
        method="gradient_x_input", inputs=["sequence"], on="test", most=most, centred=True,
        check=_CHECK if check else False, device="cpu", threads=threads,
    )  # fmt: skip
    if annotation is not None:
        models = gene_model_table(Path(annotation), _stretches(target, Path(dataset)))
        if len(models):
            with atomic_file(target / "gene_models.tsv") as partial:
                models.to_csv(partial, sep="\t", index=False)
    return target


def run_to_explain(benchmark: Benchmarked, split: str, seed: int, row: str | None) -> Path | None:
    """Find the Run of the row, or of the network that is best on validation."""
    scores = benchmark.scores
    here = scores[(scores["split"] == split) & (scores["role"] == "model")]
    names = [row] if row is not None else list(dict.fromkeys(here["model"]))
    found: list[tuple[float, Path]] = []
    for name in names:
        path = benchmark.path / "runs" / PlannedRun(str(name), split, seed, 1.0).folder
        if not path.is_dir():
            continue
        metrics = Run.open(path).metrics
        # Of several classes somebody must say which is explained.
        one_output = metrics["task"] != "multiclass"
        reads = "sequence" in metrics["inputs"] and get_spec(metrics["model"]).kind == "network"
        if reads and one_output:
            score = (metrics["parts"].get("val") or {}).get(benchmark.headline) or {}
            value = score.get("value")
            found.append((float("-inf") if value is None else float(value), path))
    return max(found, key=lambda one: one[0])[1] if found else None


def _stretches(explained: Path, dataset: Path) -> pd.DataFrame:
    """Give the two ends of the stretch around each explained gene's window, from 1."""
    with Attributions.open(explained) as found:
        ids, places = found.example_id, found.places
    with Dataset.open(dataset) as data:
        examples = data.examples()
    if not places or "gene_id" not in examples:
        return pd.DataFrame({"gene_id": [], "pos": []})
    genes = examples.set_index("example_id")["gene_id"].reindex(ids).to_numpy()
    low = pd.DataFrame({"gene_id": genes, "pos": places["start"] + 1 - _AROUND})
    high = pd.DataFrame({"gene_id": genes, "pos": places["end"] + _AROUND})
    return pd.concat([low, high], ignore_index=True)
