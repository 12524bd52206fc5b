"""Motifs of yeast promoters: train on a reporter assay, explain, find motifs, name them.

    python -m benchmarks yeast_motifs [--tiles FILE] [--most 6000] -o DIR

Needs the table of tiles (GSE104878), which the project does not ship: ``--tiles``, or the folder
named by EXPRIMO_REALDATA; and the extras ``interpret`` and ``motifs``. Prints the motifs, and
which of the known regulators of yeast promoters are among them, by JASPAR's names.

The model reads the 80 bases that differ between tiles. The adaptors around them are the same in
all, and would be found as motifs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import exprimo

# JASPAR's names, and the tract that no factor is named by.
EXPECTED = {
    "Reb1": ("REB1",),
    "Rap1": ("RAP1",),
    "Abf1": ("ABF1",),
    "TATA": ("SPT15", "TBP"),
    "poly(dA:dT)": ("POLY(DA:DT)",),
}


def main(arguments: Sequence[str] = ()) -> None:
    """Go from the table of tiles to named motifs, with public functions alone."""
    home = Path(os.environ.get("EXPRIMO_REALDATA", "../shared/realdata"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=Path, default=home / "gpra" / "native_tiles.tsv.gz")
    parser.add_argument("--model", type=Path, help="A run that was trained on the tiles already.")
    parser.add_argument("--dataset", type=Path, help="The dataset of that run.")
    parser.add_argument("--test", default="IV")
    parser.add_argument("--val", default="XVI")
    parser.add_argument("--most", type=int, default=6000)
    parser.add_argument("--references", type=int, default=8)
    parser.add_argument("--method", default="deeplift")
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args(list(arguments))
    wanted.out.mkdir(parents=True, exist_ok=True)
    dataset, run = wanted.dataset or wanted.out / "gpra.h5", wanted.model or wanted.out / "run"
    explained, motifs = wanted.out / "explained", wanted.out / "motifs"
    if not dataset.exists():
        exprimo.dataset_table(
            wanted.tiles, out=dataset, sequence="core", target="combined", chrom="chrom",
            start="start", strand="strand",
        )  # fmt: skip
    if not run.exists():
        split = {
            "strategy": "chromosome",
            "test_chroms": wanted.test.split(","),
            "val_chroms": wanted.val.split(","),
        }
        trained = exprimo.train(dataset, run, model="cnn", split=split)
        print(f"trained: {trained}")
    began = time.perf_counter()
    if not explained.exists():
        exprimo.explain(
            run, dataset, explained, method=wanted.method, on="all", most=wanted.most,
            references=wanted.references,
        )  # fmt: skip
    print(f"explained: {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    if not motifs.exists():
        exprimo.motifs_find(explained, motifs, tax_group="fungi")
    print(f"motifs found: {time.perf_counter() - began:.0f} s")
    table = pd.read_csv(motifs / "motifs.tsv", sep="\t", keep_default_na=False)
    shown = ["pattern", "sign", "seqlets", "sites", "consensus", "name", "match_id", "q", "next"]
    print(table[shown].to_string(index=False))
    named = set(table["name"].str.upper())
    for factor, names in EXPECTED.items():
        which = table.loc[table["name"].str.upper().isin(names), "pattern"].tolist()
        told = f"found as {', '.join(which)}" if named & set(names) else "not found"
        print(f"{factor:12} {told}")


if __name__ == "__main__":
    main(sys.argv[1:])
