"""A million variants of 700 people in a PLINK file: memory and time of what `eqtl` and `prs` do.

Called by ``python -m benchmarks eqtl``. The study is written piece by piece: 22 chromosomes, a
variant every 3,000 bases in linkage disequilibrium with its neighbours, 20,000 genes; in every
second gene the variant at its start explains a tenth of the variance. Each command runs in a
process of its own, on the genes of the first chromosome or a few of them; the expression of all
genes is read. The peak is the kernel's VmHWM.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

PEOPLE, COVARIATES, SPACING, CHROMOSOMES = 700, 20, 3_000, 22
VARIANTS, GENES, PERMUTATIONS = 1_000_000, 20_000, 1_000
MOST_GIB = 3.0
FEW = 4
EXPLAINED = 0.1
_AT_ONCE = 2_000
# A1 is ALT: 11 in the file is none of it, 10 one, 00 two.
_CODES = np.array([3, 2, 0], dtype=np.uint8)


class Study(NamedTuple):
    """Sizes of what is written."""

    variants: int = VARIANTS
    genes: int = GENES

    def of_chromosome(self, number: int) -> tuple[int, int]:
        """Give how many variants and genes a chromosome has."""
        parts = ((total + number) // CHROMOSOMES for total in (self.variants, self.genes))
        n_variants, n_genes = parts
        return n_variants, n_genes


def write_study(folder: Path, study: Study) -> None:
    """Write g.bed, g.bim, g.fam, e.bed and c.tsv; memory holds some thousand variants."""
    rng = np.random.default_rng(0)
    people = [f"p{i}" for i in range(PEOPLE)]
    (folder / "g.fam").write_text("".join(f"0 {name} 0 0 0 -9\n" for name in people))
    covariates = rng.normal(size=(COVARIATES, PEOPLE))
    with (folder / "c.tsv").open("w") as table:
        table.write("\t".join(["id", *people]) + "\n")
        for i, row in enumerate(covariates):
            table.write("\t".join([f"c{i}", *(f"{x:.6f}" for x in row)]) + "\n")
    with (
        (folder / "g.bed").open("wb") as bed,
        (folder / "g.bim").open("w") as bim,
        (folder / "e.bed").open("w") as expression,
    ):
        bed.write(b"\x6c\x1b\x01")
        expression.write("\t".join(["#chr", "start", "end", "gene_id", *people]) + "\n")
        for chrom in range(1, CHROMOSOMES + 1):
            n_variants, n_genes = study.of_chromosome(chrom - 1)
            causal = np.sort(rng.integers(0, n_variants, n_genes))
            dosage_of: dict[int, npt.NDArray[np.int8]] = {}
            for first, dosages in _dosages(rng, n_variants):
                bed.write(_packed(dosages))
                rows = range(first, first + len(dosages))
                bim.write("".join(f"{chrom}\tv{chrom}_{i}\t0\t{_at(i)}\tC\tA\n" for i in rows))
                for at in causal[(causal >= first) & (causal < first + len(dosages))].tolist():
                    dosage_of[at] = dosages[at - first].copy()
            for gene, at in enumerate(causal.tolist()):
                values = rng.normal(size=PEOPLE)
                if gene % 2 == 0:
                    effect = dosage_of[at] - dosage_of[at].mean()
                    share = np.sqrt(EXPLAINED / (1 - EXPLAINED)) / max(effect.std(), 1e-9)
                    values += share * effect
                cells = "\t".join(f"{x:.4f}" for x in values)
                expression.write(f"{chrom}\t{_at(at) - 1}\t{_at(at)}\tg{chrom}_{gene}\t{cells}\n")


def _at(variant: int) -> int:
    """Give the position, from 1, of a variant of a chromosome."""
    return (variant + 1) * SPACING


def _dosages(rng: np.random.Generator, variants: int) -> Iterator[tuple[int, npt.NDArray[np.int8]]]:
    """Yield the first number and the dosages of some variants, (variants, people)."""
    state = rng.standard_normal(2 * PEOPLE, dtype=np.float32)
    for first in range(0, variants, _AT_ONCE):
        n = min(_AT_ONCE, variants - first)
        hidden = rng.standard_normal((n, 2 * PEOPLE), dtype=np.float32)
        hidden *= np.float32(np.sqrt(1 - 0.81))
        for row in hidden:
            row += np.float32(0.9) * state
            state = row
        state = state.copy()
        alleles = hidden > rng.uniform(-1.2, 1.2, (n, 1))
        yield first, alleles[:, :PEOPLE].astype(np.int8) + alleles[:, PEOPLE:]


def _packed(dosages: npt.NDArray[np.int8]) -> bytes:
    codes = _CODES[dosages].reshape(len(dosages), -1, 4)
    return bytes(codes[..., 0] | codes[..., 1] << 2 | codes[..., 2] << 4 | codes[..., 3] << 6)


def run_part(folder: Path, name: str, threads: int) -> dict[str, float]:
    """Run one command on a part of the genes; called in a process of its own."""
    out = folder / f"out_{name}"
    shutil.rmtree(out, ignore_errors=True)
    n_genes = len([0 for line in (folder / "e.bed").open() if line.startswith("1\t")])
    few = [f"g1_{i}" for i in range(0, 2 * FEW, 2)]
    given = (folder / "g.bed", folder / "e.bed", out)
    began = time.perf_counter()
    found: Any = _COMMANDS[name](given, folder / "c.tsv", n_genes, few, threads)
    seconds = time.perf_counter() - began
    shutil.rmtree(out)
    return {"seconds": seconds, "cpu": time.process_time(), "peak_gib": _peak_gib(), **found}


Files = tuple[Path, Path, Path]


def _map(
    given: Files, covariates: Path, n_genes: int, few: list[str], threads: int
) -> dict[str, float]:
    from exprimo.genetics.eqtl import map_eqtl

    every = [f"g1_{i}" for i in range(n_genes)]
    options: dict[str, Any] = {"permutations": PERMUTATIONS, "threads": threads}
    (part,) = map_eqtl(*given, covariates=covariates, gene=every, **options).parts
    return {"genes": part.n_genes, "pairs": part.n_pairs, "egenes": float(part.n_egenes or 0)}


def _map_few(
    given: Files, covariates: Path, n_genes: int, few: list[str], threads: int
) -> dict[str, float]:
    from exprimo.genetics.eqtl import map_eqtl

    map_eqtl(*given, covariates=covariates, gene=few, permutations=0, threads=threads)
    return {"genes": len(few)}


def _finemap(
    given: Files, covariates: Path, n_genes: int, few: list[str], threads: int
) -> dict[str, float]:
    from exprimo.genetics.finemap import finemap_eqtl

    finemap_eqtl(*given, covariates=covariates, gene=few, threads=threads)
    return {"genes": len(few)}


def _scores(
    given: Files, covariates: Path, n_genes: int, few: list[str], threads: int
) -> dict[str, float]:
    from exprimo.genetics.scores.fitting import fit_scores

    fit_scores(*given, covariates=covariates, gene=few)
    return {"genes": len(few)}


_COMMANDS: dict[str, Callable[[Files, Path, int, list[str], int], dict[str, float]]] = {
    "map": _map,
    "map_few": _map_few,
    "finemap": _finemap,
    "scores": _scores,
}


def _peak_gib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return peak / 2**20


def measure_scale(
    run: Callable[[list[object]], dict[str, float]], threads: int, study: Study | None = None
) -> None:
    """Write the study, run each command, and print time and memory beside the target.

    Parameters
    ----------
    run
        Runs words as a command and gives the JSON that it prints last.
    threads
        For the commands.
    study
        What is written; None: the full size.
    """
    study = study or Study()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        began = time.perf_counter()
        write_study(folder, study)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
        print(
            f"{study.variants:,} variants x {PEOPLE} people x {study.genes:,} genes: "
            f"{size:,.0f} MiB of files, written in {time.perf_counter() - began:.0f} s"
        )
        found = {}
        for name in ("map_few", "map", "finemap", "scores"):
            command = [sys.executable, "-m", "benchmarks._eqtl_scale", folder, name, threads]
            found[name] = run(command)
    few, part = found["map_few"], found["map"]
    times = study.genes / part["genes"]
    whole, cpu = (few[what] + (part[what] - few[what]) * times for what in ("seconds", "cpu"))
    print(
        f"eqtl map, {PERMUTATIONS:,} permutations, {threads} threads, load "
        f"{os.getloadavg()[0]:.1f}: {part['seconds']:.0f} s ({part['cpu']:.0f} s on the processor) "
        f"for {part['genes']:,} genes, {part['pairs']:,} pairs, {part['egenes']:.0f} eGenes; "
        f"{few['seconds']:.0f} s ({few['cpu']:.0f} s) of them to begin"
    )
    print(
        f"so {whole / 60:.0f} min ({cpu / 60:.0f} min on the processor) for {study.genes:,} genes; "
        f"peak {part['peak_gib']:.2f} GiB (target {MOST_GIB:.0f})"
    )
    for name, command in (("finemap", "eqtl finemap"), ("scores", "prs fit")):
        of = found[name]
        print(
            f"{command}, {of['genes']} genes: {of['seconds'] - few['seconds']:.0f} s "
            f"({of['cpu'] - few['cpu']:.0f} s on the processor) beside the same beginning; "
            f"peak {of['peak_gib']:.2f} GiB (target {MOST_GIB:.0f})"
        )


if __name__ == "__main__":
    at, command, n_threads = sys.argv[1:]
    print(json.dumps(run_part(Path(at), command, int(n_threads))))
