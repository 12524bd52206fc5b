"""Time PyDESeq2 (owkin/PyDESeq2, MIT) on a table of counts, in an environment of its own.

    PYTHON pydeseq2_timed.py COUNTS SHEET FACTOR NUMERATOR DENOMINATOR OUT CPUS

Reading the files does not count. Prints seconds; writes the table of results. The alpha is R's.
"""

from __future__ import annotations

import sys
import time

import pandas as pd
from pydeseq2.dds import DeseqDataSet
from pydeseq2.default_inference import DefaultInference
from pydeseq2.ds import DeseqStats


def main() -> None:
    counts_file, sheet_file, factor, numerator, denominator, out, cpus = sys.argv[1:]
    counts = pd.read_csv(counts_file, sep="\t", index_col=0).T
    sheet = pd.read_csv(sheet_file, sep="\t", index_col=0)

    def find(table: pd.DataFrame) -> pd.DataFrame:
        inference = DefaultInference(n_cpus=int(cpus))
        data = DeseqDataSet(
            counts=table,
            metadata=sheet,
            design=f"~{factor}",
            refit_cooks=True,
            inference=inference,
            quiet=True,
        )
        data.deseq2()
        contrast = [factor, numerator, denominator]
        tested = DeseqStats(data, contrast=contrast, alpha=0.1, inference=inference, quiet=True)
        tested.summary()
        return tested.results_df

    # The workers are started here, so that the clock does not count them.
    find(counts[counts.sum().nlargest(1000).index])
    began = time.perf_counter()
    found = find(counts)
    print(f"\nseconds {time.perf_counter() - began}")
    found.to_csv(out, sep="\t")


if __name__ == "__main__":
    main()
