"""Clump variants: PLINK 1.9 and ours on the same genotypes and p-values, in one run.

    python -m benchmarks clump [--bfile PREFIX] [--rounds N] [--json FILE]

Without ``--bfile``: 1000 Genomes (4,294 variants, 2,504 people) from the folder of real data, as a
PLINK 1 file. P-values are simulated; many are small, so that clumps are many. Both read the file
and have one thread. PLINK is timed with its start, ours in a process that has compiled its kernels
(the first call in a new installation takes some seconds more). The index variants, in order, and
the sizes of the clumps must be equal before a time counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WANTED = 1.0
VCF = "genotypes/1000G_phase3_chr1_11697036_11836540_2504samples.vcf.gz"
# p1, p2, r2, kb
SETTINGS = {"score": (1.0, 1.0, 0.1, 250), "association": (1e-3, 0.05, 0.5, 250)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison and print it; fail where answers differ or we are slower."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks clump")
    parser.add_argument("--bfile", type=Path, help="prefix of a PLINK 1 file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers there, too")
    options = parser.parse_args(arguments)
    # Before the libraries read it.
    os.environ["OMP_NUM_THREADS"] = "1"
    plink = shutil.which("plink1.9")
    if plink is None:
        raise SystemExit("plink1.9 is not installed (Debian's package plink1.9)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prefix = options.bfile or make_bfile(plink, folder)
        p = simulate_p(prefix, folder / "p.txt")
        results = {
            setting: compare(plink, prefix, p, folder, values, options.rounds)
            for setting, values in SETTINGS.items()
        }
    for setting, found in results.items():
        show(setting, found)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    slow = [s for s, found in results.items() if found["ratio"] < WANTED]
    if slow:
        raise SystemExit(f"slower than promised: {', '.join(slow)}")


def make_bfile(plink: str, folder: Path) -> Path:
    """Convert the real genotypes, without the two variants whose alleles are not letters."""
    given = os.environ.get("EXPRIMO_REALDATA")
    vcf = Path(given or Path(__file__).parents[2] / "shared" / "realdata") / VCF
    if not vcf.is_file():
        raise SystemExit(f"no {vcf}: set EXPRIMO_REALDATA, or give --bfile")
    prefix = folder / "g"
    command = [
        plink, "--vcf", str(vcf), "--double-id", "--snps-only", "just-acgt", "--keep-allele-order",
        "--set-missing-var-ids", "@:#:$1:$2", "--make-bed", "--out", str(prefix),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return prefix


def simulate_p(prefix: Path, path: Path) -> dict[str, float]:
    """Draw a p-value for each variant and write PLINK's table."""
    import numpy as np

    ids = [line.split()[1] for line in Path(f"{prefix}.bim").read_text().splitlines()]
    drawn = np.random.default_rng(1).random(len(ids)) ** 3
    path.write_text("SNP P\n" + "".join(f"{i} {x:.17g}\n" for i, x in zip(ids, drawn, strict=True)))
    return dict(zip(ids, drawn.tolist(), strict=True))


def compare(
    plink: str,
    prefix: Path,
    p: dict[str, float],
    folder: Path,
    values: tuple[float, float, float, int],
    rounds: int,
) -> dict[str, Any]:
    """Time both, turn by turn, after a warm-up of each; refuse answers that differ."""
    from exprimo.data.genotypes import open_genotypes
    from exprimo.genetics.clumping import ClumpConfig, clump_genotypes

    p1, p2, r2, kb = values
    command = [
        plink, "--bfile", str(prefix), "--clump", str(folder / "p.txt"), "--clump-p1", str(p1),
        "--clump-p2", str(p2), "--clump-r2", str(r2), "--clump-kb", str(kb), "--threads", "1",
        "--allow-no-sex", "--out", str(folder / "out"),
    ]  # fmt: skip
    config = ClumpConfig(window=1000 * kb, r2=r2, p1=p1, p2=p2)
    times: dict[str, list[float]] = {"plink": [], "ours": [], "plink_cpu": [], "ours_cpu": []}
    for round_ in range(rounds + 1):
        start, before = time.perf_counter(), os.times()
        subprocess.run(command, check=True, capture_output=True)
        middle, between = time.perf_counter(), os.times()
        with open_genotypes(f"{prefix}.bed") as genotypes:
            table = clump_genotypes(genotypes, p, config)
        end, after = time.perf_counter(), os.times()
        if round_:
            times["plink"].append(middle - start)
            times["ours"].append(end - middle)
            times["plink_cpu"].append(sum(between[2:4]) - sum(before[2:4]))
            times["ours_cpu"].append(sum(after[:2]) - sum(between[:2]))
    rows = [line.split() for line in (folder / "out.clumped").read_text().splitlines()[1:]]
    theirs = [(row[2], int(row[5])) for row in rows if row]
    ours = list(zip(table["variant_id"], table["n_taken"], strict=True))
    if ours != theirs:
        raise SystemExit(f"clumps differ: {len(ours)} of ours, {len(theirs)} of PLINK's")
    median = {name: statistics.median(seconds) for name, seconds in times.items()}
    return {"n_clumps": len(ours), **median, "ratio": median["plink"] / median["ours"]}


def show(setting: str, found: dict[str, Any]) -> None:
    """Print one comparison."""
    print(f"{setting}: {found['n_clumps']:,} clumps, the same of both")
    for name, key in (("PLINK 1.9", "plink"), ("ours", "ours")):
        cpu = 1000 * found[f"{key}_cpu"]
        print(f"  {name:10} {1000 * found[key]:8.0f} ms, {cpu:.0f} ms of them on the processor")
    print(f"  {found['ratio']:.1f} times as fast")


if __name__ == "__main__":
    main()
