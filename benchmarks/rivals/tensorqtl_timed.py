"""Time tensorQTL (broadinstitute/tensorqtl, BSD-3-Clause) in an environment of its own.

    PYTHON tensorqtl_timed.py FOLDER OUT WINDOW PERMUTATIONS THREADS [ROUNDS]

FOLDER holds dosages.npy (variants, people), positions.npy (1-based), expression.npy (genes,
people), tss.npy (1-based) and covariates.npy (people, covariates). Reading does not count; writing
the nominal table does, as it does for us. Prints the seconds of each round of the nominal pass
and of the permutations, as JSON; writes both tables to OUT.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tensorqtl import cis


def tables(folder: Path) -> tuple[pd.DataFrame, ...]:
    """Give genotypes, variants, expression, places of genes and covariates as it takes them."""
    read = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    people = [f"p{i}" for i in range(read["dosages"].shape[1])]
    variants = pd.Index([f"v{i}" for i in range(len(read["dosages"]))], name="variant_id")
    genes = pd.Index([f"g{i}" for i in range(len(read["tss"]))], name="phenotype_id")
    named = [f"c{i}" for i in range(read["covariates"].shape[1])]
    return (
        # Missing dosages are -9 here.
        pd.DataFrame(np.nan_to_num(read["dosages"], nan=-9), index=variants, columns=people),
        pd.DataFrame({"chrom": "1", "pos": read["positions"]}, index=variants),
        pd.DataFrame(read["expression"], index=genes, columns=people),
        pd.DataFrame({"chr": "1", "pos": read["tss"]}, index=genes),
        pd.DataFrame(read["covariates"], index=people, columns=named),
    )


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    window, permutations, threads = (int(word) for word in sys.argv[3:6])
    rounds = int(sys.argv[6]) if len(sys.argv) > 6 else 1
    torch.set_num_threads(threads)
    genotypes, variants, expression, places, covariates = tables(folder)
    out.mkdir(parents=True, exist_ok=True)

    def nominal(genes: slice, name: str) -> None:
        cis.map_nominal(
            genotypes, variants, expression[genes], places[genes], name, covariates_df=covariates,
            maf_threshold=0, window=window, output_dir=str(out), verbose=False,
        )  # fmt: skip

    def permuted(genes: slice) -> pd.DataFrame:
        return cis.map_cis(
            genotypes, variants, expression[genes], places[genes], covariates_df=covariates,
            nperm=permutations, window=window, seed=1, verbose=False, warn_monomorphic=False,
        )  # fmt: skip

    seconds: dict[str, list[float]] = {"nominal": [], "permutations": []}
    nominal(slice(0, 2), "warm")
    permuted(slice(0, 2))
    for _ in range(rounds):
        began = time.perf_counter()
        nominal(slice(None), "all")
        seconds["nominal"].append(time.perf_counter() - began)
        began = time.perf_counter()
        found = permuted(slice(None))
        seconds["permutations"].append(time.perf_counter() - began)
    found.to_csv(out / "permutations.tsv", sep="\t")
    print("\n" + json.dumps(seconds))


if __name__ == "__main__":
    main()
