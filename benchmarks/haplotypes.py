"""Personal windows of 500 people: CPU seconds, against bcftools consensus and GenVarLoader.

    python -m benchmarks haplotypes [--genvarloader PYTHON] [--people 500] [--window 196608]

A random chromosome with random phased SNPs and indels, about one in 120 bases. Each contender ends
with both haplotypes of all people in memory, one thread each, after a warm-up; ours decides which
are equal, too. CPU time is taken, of children too, so that other work on the machine does not
count.

bcftools (Debian's) is run on a few haplotypes of each window and extrapolated; it reads the same
indexed file, and the FASTA of the window is cut beforehand. GenVarLoader reads from a store that
it writes first, which is timed apart: beside it stands our second pass over windows whose
haplotypes are known, and beside store and pass together our first. It pins other versions, so it
has an environment of its own:

    python -m venv rivals && rivals/bin/pip install genvarloader==0.43.0
    python -m benchmarks haplotypes --genvarloader rivals/bin/python

Answers are compared before they count: with bcftools letter by letter on both sides of the TSS,
with GenVarLoader on windows that begin at an anchor, as its windows do.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.windows import _ONE_THREAD

if TYPE_CHECKING:
    import numpy as np

FASTER_THAN_BCFTOOLS = 50.0
RIVAL = Path(__file__).parent / "rivals" / "genvarloader_timed.py"
SPACING, KEPT_CLEAR, TRIED = 120, 30, 10
PAIRS = [
    ("exprimo, VCF", "bcftools consensus, VCF"),
    ("exprimo, BCF", "bcftools consensus, BCF"),
    ("exprimo, VCF", "GenVarLoader, store and pass"),
    ("exprimo, second pass", "GenVarLoader, from its store"),
]


class Cohort(NamedTuple):
    """Files of one made-up chromosome ``c`` and its people, and the anchors of the windows."""

    fasta: Path
    vcf: Path
    bcf: Path
    pgen: Path | None
    people: list[str]
    anchors: list[int]


def main(arguments: Sequence[str] = ()) -> None:
    """Run the comparison and print it; fail if we are slower than promised."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks haplotypes")
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--window", type=int, default=196_608)
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--genvarloader", default=os.environ.get("EXPRIMO_GENVARLOADER"))
    parser.add_argument("--json", type=Path, help="write the numbers there, too")
    options = parser.parse_args(list(arguments))
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    if shutil.which("bcftools") is None:
        raise SystemExit("this benchmark needs Debian's bcftools, which writes the BCF, too")
    with tempfile.TemporaryDirectory() as folder:
        cohort = make_cohort(Path(folder), options.people, options.window, options.windows)
        seconds, notes = compare(cohort, Path(folder), options)
    show(seconds, notes, options)
    if options.json:
        options.json.write_text(json.dumps({"seconds": seconds, "notes": notes}, indent=1))
    median = {name: statistics.median(times) for name, times in seconds.items()}
    ratio = median["bcftools consensus, VCF"] / median["exprimo, VCF"]
    if ratio < FASTER_THAN_BCFTOOLS:
        raise SystemExit(f"{ratio:.0f} times as fast as bcftools: less than promised")


def compare(
    cohort: Cohort, folder: Path, options: argparse.Namespace
) -> tuple[dict[str, list[float]], list[str]]:
    """Time every contender, after its answer was found to be ours."""
    notes: list[str] = []
    half = options.window // 2
    seconds: dict[str, list[float]] = {}
    for name, path in (("VCF", cohort.vcf), ("BCF", cohort.bcf), ("PGEN", cohort.pgen)):
        if path is None:
            notes.append("left out: PGEN (no plink2)")
            continue
        first, again = time_ours(cohort, path, half, options.rounds)
        seconds[f"exprimo, {name}"] = first
        seconds["exprimo, second pass"] = again
    check_bcftools(cohort, folder, half)
    for name, path in (("VCF", cohort.vcf), ("BCF", cohort.bcf)):
        seconds[f"bcftools consensus, {name}"] = time_bcftools(cohort, path, folder, half)
    if options.genvarloader is None:
        notes.append("left out: GenVarLoader (see --genvarloader)")
    else:
        theirs, written, note = time_genvarloader(cohort, folder, half, options)
        seconds["GenVarLoader, from its store"] = theirs
        store = written / len(cohort.anchors)
        seconds["GenVarLoader, store and pass"] = [store + each for each in theirs]
        notes.append(note)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    held = 2 * options.people * options.window / 2**30
    notes.append(f"peak memory {peak:.2f} GiB; the haplotypes of a window are {held:.2f} GiB")
    return seconds, notes


def time_ours(
    cohort: Cohort, genotypes: Path, half: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Give the seconds of each window: from the file, through its index, and from what is known."""
    from exprimo.data.fasta import Genome
    from exprimo.data.genotypes.open import open_genotypes
    from exprimo.features.haplotypes import plan_window

    first, again = [], []
    with (
        Genome.open(cohort.fasta) as genome,
        open_genotypes(genotypes, genome=genome) as people,
    ):
        for turn in range(rounds + 1):
            for anchor in cohort.anchors:
                began = time.process_time()
                plan = plan_window(genome, people, "c", anchor, "+", upstream=half, downstream=half)
                plan.build()
                between = time.process_time()
                plan.build()
                if turn:
                    first.append(between - began)
                    again.append(time.process_time() - between)
    return first, again


def ours(cohort: Cohort, anchor: int, upstream: int, downstream: int) -> np.ndarray[Any, Any]:
    """Give our haplotypes, (people, 2, length) codes."""
    from exprimo.data.fasta import Genome
    from exprimo.data.genotypes.open import open_genotypes
    from exprimo.features.haplotypes import window_haplotypes

    with (
        Genome.open(cohort.fasta) as genome,
        open_genotypes(cohort.bcf, genome=genome) as people,
    ):
        made = window_haplotypes(
            genome, people, "c", anchor, "+", upstream=upstream, downstream=downstream
        )
    return made.codes[made.index[..., 0]]


def consensus(genotypes: Path, region: Path, person: str, copy: int) -> str:
    """Run bcftools on the FASTA of a stretch."""
    done = subprocess.run(
        ["bcftools", "consensus", "-H", str(copy + 1), "-s", person, "-f", region, genotypes],
        capture_output=True,
        text=True,
        check=True,
    )
    return "".join(done.stdout.splitlines()[1:])


def cut(cohort: Cohort, folder: Path, start: int, end: int) -> Path:
    """Write a stretch as bcftools wants it, its place in the header."""
    from exprimo.core.sequence import decode
    from exprimo.data.fasta import Genome

    path = folder / f"{start}-{end}.fa"
    with Genome.open(cohort.fasta) as genome:
        letters = decode(genome.fetch("c", start, end))
    lines = [letters[at : at + 60] for at in range(0, len(letters), 60)]
    path.write_text(f">c:{start + 1}-{end}\n" + "\n".join(lines) + "\n")
    return path


def check_bcftools(cohort: Cohort, folder: Path, half: int) -> None:
    """Compare with what bcftools makes of either side of the TSS; no variant lies across it."""
    from exprimo.core.sequence import decode

    anchor, margin = cohort.anchors[0], 4000
    before = cut(cohort, folder, anchor - half - margin, anchor)
    behind = cut(cohort, folder, anchor, anchor + half + margin)
    found = ours(cohort, anchor, half, half)
    for number in range(TRIED // 2):
        for copy in (0, 1):
            left = consensus(cohort.bcf, before, cohort.people[number], copy)
            right = consensus(cohort.bcf, behind, cohort.people[number], copy)
            if decode(found[number, copy]) != left[-half:] + right[:half]:
                raise SystemExit(f"bcftools makes another haplotype of {cohort.people[number]}")


def time_bcftools(cohort: Cohort, genotypes: Path, folder: Path, half: int) -> list[float]:
    """Give the seconds of each window, extrapolated from some haplotypes to all."""
    seconds = []
    for anchor in cohort.anchors:
        region = cut(cohort, folder, anchor - half, anchor + half)
        consensus(genotypes, region, cohort.people[0], 0)
        began = _children()
        for number in range(TRIED):
            consensus(genotypes, region, cohort.people[-1 - number], number % 2)
        seconds.append((_children() - began) / TRIED * 2 * len(cohort.people))
    return seconds


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def time_genvarloader(
    cohort: Cohort, folder: Path, half: int, options: argparse.Namespace
) -> tuple[list[float], float, str]:
    """Give the seconds of each window, those of writing its store, and a sentence."""
    import numpy as np

    from exprimo.core.sequence import encode

    windows, saved = folder / "windows.bed", folder / "theirs.npy"
    windows.write_text("".join(f"c\t{a - half}\t{a + half}\n" for a in cohort.anchors))
    command = [options.genvarloader, RIVAL, cohort.vcf, cohort.fasta, windows, saved]
    done = subprocess.run(
        [str(word) for word in [*command, options.rounds]],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"RAYON_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found = json.loads(done.stdout.splitlines()[-1])
    theirs = np.load(saved)
    order = np.argsort(cohort.people)
    expected = ours(cohort, cohort.anchors[0] - half, 0, 2 * half)[order]
    codes = encode(theirs.tobytes()).reshape(expected.shape)
    equal = (codes == expected).all(axis=2).mean()
    note = (
        f"GenVarLoader wrote its store of {len(cohort.anchors)} windows in "
        f"{found['write']:.1f} s; {equal:.1%} of its haplotypes equal ours"
    )
    return found["seconds"], found["write"], note


def make_cohort(folder: Path, people: int, window: int, windows: int) -> Cohort:
    """Draw a chromosome, its variants and its people, and write them in each format."""
    import numpy as np

    rng = np.random.default_rng(0)
    size = (windows + 1) * window
    letters = rng.choice(np.frombuffer(b"ACGT", np.uint8), size).tobytes().decode()
    fasta = folder / "c.fa"
    lines = [letters[at : at + 60] for at in range(0, size, 60)]
    fasta.write_text(">c\n" + "\n".join(lines) + "\n")
    anchors = [window // 2 + window * (number + 1) - window // 4 for number in range(windows)]
    edges = np.array([[a - window // 2, a, a + window // 2] for a in anchors]).reshape(-1)
    starts = np.unique(rng.integers(10, size - 50, size // SPACING))
    starts = starts[np.abs(starts[:, None] - edges).min(axis=1) > KEPT_CLEAR]
    names = [f"p{number:04d}" for number in range(people)]
    plain = folder / "c.vcf"
    with plain.open("w") as handle:
        handle.write(f"##fileformat=VCFv4.2\n##contig=<ID=c,length={size}>\n")
        handle.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
        handle.write("\t".join(head) + "\n")
        behind = 0
        for start in starts.tolist():
            if start <= behind:  # nothing overlaps: contenders differ in what they do then
                continue
            ref, alt = _alleles(rng, letters, start)
            behind = start + len(ref)
            share = rng.beta(0.25, 1.2)
            calls = (rng.random((people, 2)) < share).astype(int)
            genotypes = "\t".join(f"{a}|{b}" for a, b in calls.tolist())
            handle.write(f"c\t{start + 1}\tv{start}\t{ref}\t{alt}\t.\t.\t.\tGT\t{genotypes}\n")
    return Cohort(fasta, *_formats(plain), names, anchors)


def _alleles(rng: np.random.Generator, letters: str, start: int) -> tuple[str, str]:
    """Draw a SNP (85%), a deletion or an insertion of 1 to 8 bases, left-aligned."""
    first, kind = letters[start], rng.random()
    others = [base for base in "ACGT" if base != first]
    size = int(rng.integers(1, 9))
    if kind < 0.85:
        return first, str(rng.choice(others))
    # The last base differs from the anchor, so that the indel cannot move to the left.
    if kind < 0.93 and letters[start + size] != first:
        return letters[start : start + 1 + size], first
    added = "".join(rng.choice(list("ACGT"), size - 1)) + str(rng.choice(others))
    return first, first + added


def _formats(plain: Path) -> tuple[Path, Path, Path | None]:
    import pysam

    vcf = Path(pysam.tabix_index(str(plain), preset="vcf"))
    bcf = vcf.with_name("c.bcf")
    subprocess.run(["bcftools", "view", "-Ob", "-o", bcf, vcf], check=True)
    subprocess.run(["bcftools", "index", bcf], check=True)
    if shutil.which("plink2") is None:
        return vcf, bcf, None
    subprocess.run(
        ["plink2", "--vcf", vcf, "--allow-extra-chr", "--make-pgen", "--out", vcf.with_name("c")],
        check=True,
        capture_output=True,
    )
    return vcf, bcf, vcf.with_name("c.pgen")


def show(seconds: dict[str, list[float]], notes: list[str], options: argparse.Namespace) -> None:
    """Print a table: median seconds a window, range, and how many times as long as ours."""
    print(
        f"a window of {options.window:,} bp, {options.people:,} people, both haplotypes; one thread"
    )
    for name, times in sorted(seconds.items(), key=lambda item: statistics.median(item[1])):
        spread = f"{min(times):.3f}-{max(times):.3f}"
        print(f"  {name:30s} {statistics.median(times):8.3f} CPU s  ({spread})")
    for ours, theirs in PAIRS:
        if theirs in seconds and ours in seconds:
            ratio = statistics.median(seconds[theirs]) / statistics.median(seconds[ours])
            print(f"  {theirs} takes {ratio:.2f} times as long as {ours}")
    for note in notes:
        print(f"  {note}")


if __name__ == "__main__":
    main(sys.argv[1:])
