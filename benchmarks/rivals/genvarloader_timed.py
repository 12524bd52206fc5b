"""Time GenVarLoader (mcvickerlab/GenVarLoader, MIT) on windows, in an environment of its own.

    PYTHON genvarloader_timed.py VCF FASTA WINDOWS.bed OUT.npy ROUNDS

Its store is written first, which is timed apart. Then each window is read for all people at once,
several times after a warm-up. CPU time is taken. Prints JSON; saves the haplotypes of the first
window, (people, 2, length) letters, people in the order of their names.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import genvarloader as gvl
import numpy as np
import polars as pl


def main() -> None:
    vcf, fasta, windows, out, rounds = sys.argv[1:]
    bed = pl.read_csv(
        windows, separator="\t", has_header=False, new_columns=["chrom", "chromStart", "chromEnd"]
    )
    length = int(bed["chromEnd"][0] - bed["chromStart"][0])
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.gvl"
        began = time.process_time()
        gvl.write(store, bed, variants=vcf)
        written = time.process_time() - began
        data = gvl.Dataset.open(store, reference=fasta)
        data = data.with_seqs("haplotypes").with_tracks(False).with_len(length)
        np.save(out, np.asarray(data[0, :]))
        seconds = []
        for _ in range(int(rounds)):
            for row in range(len(bed)):
                began = time.process_time()
                np.asarray(data[row, :])
                seconds.append(time.process_time() - began)
    print(json.dumps({"write": written, "seconds": seconds}))


if __name__ == "__main__":
    main()
