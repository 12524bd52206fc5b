"""Score variants: variants a second, beside the loop that takes them one by one, in one run.

    python -m benchmarks variants [--model cnn] [--model enformer] [--pairs N] [--run RUN] ...

``cnn``: a Run on 600 bp around TSSs (a given one, or one trained for a moment: its speed does not
depend on what it learned), SNPs in the windows of 200 genes. ``enformer``: the published sizes with
random weights (``--dim 384``: a quarter of the channels, a sixteenth of the time), a few SNPs of
one gene, three bins, one track. Both contenders have their networks
and lists of variants open and get the same threads; each reads the FASTA. The loop
(`rivals/one_by_one_variants.py`) is in single precision. Its scores are compared with ours, and
the error of bf16 is told relative to the spread of the effects.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

WANTED = {"cnn": 5.0, "enformer": 2.0}
PAIRS = {"cnn": 2000, "enformer": 6}
# Of the largest effect: single precision, batches of another size.
LARGEST_DIFFERENCE = 1e-3


class Result(NamedTuple):
    """Seconds of the loop and of ours, and how far the scores differ from the loop's."""

    pairs: int
    loop: list[float]
    ours: dict[str, list[float]]
    differences: dict[str, float]

    def ratio(self, name: str) -> float:
        """Give how many times as long the loop takes."""
        return statistics.median(self.loop) / statistics.median(self.ours[name])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison and print it; fail if we differ, or are slower than promised."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks variants")
    parser.add_argument("--model", action="append", choices=sorted(WANTED))
    parser.add_argument("--pairs", type=int, help="pairs of variant and window")
    parser.add_argument("--run", type=Path, help="a cnn's Run, with --fasta and --genes")
    parser.add_argument("--fasta", type=Path)
    parser.add_argument("--genes", type=Path)
    parser.add_argument("--dim", type=int, default=1536, help="channels of the enformer")
    parser.add_argument("--precisions", default="fp32,bf16", help="fp32 first")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the numbers there, too")
    options = parser.parse_args(arguments)
    # Before the libraries read it.
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    results = {}
    for name in options.model or sorted(WANTED):
        with tempfile.TemporaryDirectory() as folder:
            results[name] = _compare(name, Path(folder), options)
        _show(name, results[name], options.threads)
    if options.json:
        facts = {name: result._asdict() for name, result in results.items()}
        options.json.write_text(json.dumps(facts, indent=1))
    for name, result in results.items():
        if result.differences["fp32"] > LARGEST_DIFFERENCE:
            raise SystemExit(f"{name}: scores differ from the loop's")
        if result.ratio("fp32") < WANTED[name]:
            raise SystemExit(f"{name}: less than {WANTED[name]} times as fast as the loop")


def _compare(name: str, folder: Path, options: argparse.Namespace) -> Result:
    """Time the loop and ours in turn."""
    import numpy as np

    n = options.pairs or PAIRS[name]
    if name == "cnn":
        contenders, forward, fasta = _cnn(folder, n, options)
        rounds = options.rounds
    else:
        contenders, forward, fasta = _enformer(folder, n, options)
        rounds = 1
    ours = {key: _Ours(work) for key, work in contenders.items()}
    pairs = _pairs(next(iter(contenders.values())))
    loop = _Loop(fasta, pairs, forward)
    times: dict[str, list[float]] = {key: [] for key in ours}
    taken: list[float] = []
    for _ in range(rounds):
        for key, run in ours.items():
            times[key].append(_seconds(run))
        taken.append(_seconds(loop))
    largest = np.abs(loop.scores).max()
    differences = {
        key: float(np.abs(run.scores - loop.scores).max() / largest) for key, run in ours.items()
    }
    return Result(len(pairs), taken, times, differences)


def _seconds(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


class _Ours:
    """All shards of a work, from the FASTA to the table; the first reference is not kept."""

    def __init__(self, work: Any) -> None:
        self.work, self.scores = work, None

    def __call__(self) -> None:
        import pandas as pd

        self.work.scorer.forget()
        tables = [self.work.run(shard) for shard in range(self.work.n_shards)]
        self.scores = pd.concat(tables)["raw_score"].to_numpy()


class _Loop:
    """The rival, over the same pairs."""

    def __init__(self, fasta: Path, pairs: Sequence[Any], forward: Callable[..., Any]) -> None:
        self.fasta, self.pairs, self.forward = fasta, pairs, forward
        self.scores: Any = None

    def __call__(self) -> None:
        from benchmarks.rivals.one_by_one_variants import score_one_by_one

        self.scores = score_one_by_one(self.fasta, self.pairs, self.forward)


def _pairs(work: Any) -> list[Any]:
    """Give the rival the pairs of our plan."""
    from benchmarks.rivals.one_by_one_variants import Pair
    from exprimo.features.windows import promoter_table

    model, plan = work.model, work.plan
    table = promoter_table(
        plan.places.rename(columns={"anchor": "tss"}),
        upstream=model.upstream,
        downstream=model.downstream,
    )
    windows = table.iloc[plan.place][["chrom", "start", "end", "strand"]].itertuples(index=False)
    sites = work.sites.iloc[plan.variant][["start", "ref", "alt"]].itertuples(index=False)
    return [
        Pair(*window, site.start + 1, site.ref, site.alt)
        for window, site in zip(windows, sites, strict=True)
    ]


def _cnn(
    folder: Path, n: int, options: argparse.Namespace
) -> tuple[dict[str, Any], Callable[..., Any], Path]:
    import torch

    from exprimo.scoring.variants.work import VariantWork

    if options.run is None:
        fasta, genes = make_world(folder, 4_000_000)
        run = _train(folder, fasta, genes)
    else:
        fasta, genes, run = options.fasta, options.genes, options.run
    listed = draw_snps(folder / "V.tsv", fasta, genes, n, upstream=500, downstream=100)
    works = {
        precision: VariantWork(_config(run, listed, fasta, genes, options, precision))
        for precision in options.precisions.split(",")
    }
    predictor = works["fp32"].model.predictor
    members, scale, center = predictor.members, predictor.scale, predictor.center

    @torch.inference_mode()
    def forward(encoded: Any) -> Any:
        inputs = {"sequence": torch.from_numpy(encoded)}
        out = torch.stack([member(inputs) for member in members]).mean(0)
        return (out * scale + center).numpy()

    return works, forward, fasta


def _enformer(
    folder: Path, n: int, options: argparse.Namespace
) -> tuple[dict[str, Any], Callable[..., Any], Path]:
    import torch

    from exprimo.models.pretrained.enformer import EnformerConfig, random_enformer, save_enformer
    from exprimo.scoring.variants.work import VariantWork

    fasta, genes = make_world(folder, 800_000, n_genes=1)
    weights = folder / "random.safetensors"
    network = random_enformer(EnformerConfig(dim=options.dim))
    save_enformer(network, weights)
    reach = network.config.window // 2
    listed = draw_snps(folder / "V.tsv", fasta, genes, n, upstream=reach, downstream=reach)
    model = f"enformer:{weights}"
    works = {
        precision: VariantWork(_config(model, listed, fasta, genes, options, precision))
        for precision in options.precisions.split(",")
    }
    bins = works["fp32"].model._bins
    head = network._heads["human"]

    @torch.inference_mode()
    def forward(encoded: Any) -> Any:
        hidden = network(torch.from_numpy(encoded))
        return head(hidden)[:, bins, 0].numpy()

    return works, forward, fasta


def _config(
    model: Path | str,
    variants: Path,
    fasta: Path,
    genes: Path,
    options: argparse.Namespace,
    precision: str,
) -> Any:
    from exprimo.scoring.variants.config import VariantsConfig

    return VariantsConfig.checked(
        {
            "model": str(model),
            "variants": str(variants),
            "fasta": str(fasta),
            "genes": str(genes),
            "tracks": () if isinstance(model, Path) else ("0",),
            "precision": precision,
            "machine": {"device": "cpu", "threads": options.threads},
        }
    )


def make_world(folder: Path, bases: int, n_genes: int = 200) -> tuple[Path, Path]:
    """Write a random chromosome and the TSSs of some genes in the middle part of it."""
    import numpy as np

    rng = np.random.default_rng(0)
    fasta, genes = folder / "genome.fa", folder / "genes.tsv"
    letters = rng.choice(np.frombuffer(b"ACGT", np.uint8), bases).tobytes().decode()
    lines = [letters[at : at + 60] for at in range(0, bases, 60)]
    fasta.write_text(">chr1\n" + "\n".join(lines) + "\n")
    starts = np.linspace(bases * 0.3, bases * 0.7, n_genes).astype(int)
    rows = [f"g{at}\tchr1\t{tss}\t{'+-'[at % 2]}" for at, tss in enumerate(starts)]
    genes.write_text("gene_id\tchrom\ttss\tstrand\n" + "\n".join(rows) + "\n")
    return fasta, genes


def draw_snps(
    path: Path, fasta: Path, genes: Path, n: int, *, upstream: int, downstream: int
) -> Path:
    """List SNPs within the windows of the genes, about ``n`` in all."""
    import numpy as np

    from exprimo.data.fasta import Genome
    from exprimo.features.haplotypes.writing.sites import gene_sites

    rng = np.random.default_rng(1)
    rows = ["chrom\tpos\tref\talt"]
    with Genome.open(fasta) as genome:
        sites, _ = gene_sites(genes, genome)
        sites = sites.head(200)
        each = -(-n // len(sites))
        reach = min(upstream, downstream)
        for site in sites.itertuples():
            drawn = rng.choice(np.arange(1 - reach, reach), each, replace=False)
            for at in np.sort(site.tss + drawn):
                ref = int(genome.fetch(site.chrom, at, at + 1)[0])
                alt = (ref + rng.integers(1, 4)) % 4
                rows.append(f"{site.chrom}\t{at + 1}\t{'ACGT'[ref]}\t{'ACGT'[alt]}")
    path.write_text("\n".join(rows[: n + 1]) + "\n")
    return path


def _train(folder: Path, fasta: Path, genes: Path) -> Path:
    """Train a cnn of the size that 5,000 genes get, for one epoch."""
    import numpy as np

    import exprimo
    from exprimo.core.dataset import write_dataset
    from exprimo.data.fasta import Genome
    from exprimo.features.haplotypes.writing.sites import gene_sites
    from exprimo.features.windows import cut_windows

    with Genome.open(fasta) as genome:
        sites, _ = gene_sites(genes, genome)
        windows = next(cut_windows(genome, sites, upstream=500, downstream=100))
    data = folder / "D.h5"
    settings = {"settings": {"upstream": 500, "downstream": 100}}
    with write_dataset(data, settings) as out:
        out.examples(sites[["gene_id", "chrom"]].assign(example_id=sites["gene_id"]))
        out.input("sequence", [windows.codes])
        values = np.random.default_rng(2).normal(size=len(sites))
        out.target("expression", values, kind="regression", units="log2")
    run = exprimo.train(
        data,
        folder / "RUN",
        model="cnn",
        split={"strategy": "random"},
        fit={"epochs": 1},
        options={"channels": 64, "stem_channels": 64, "blocks": 2, "dilations": [1, 2, 4]},
        machine={"device": "cpu", "threads": 1},
    )
    return Path(run.path)


def _show(name: str, result: Result, threads: int) -> None:
    """Print medians, ratios and differences."""
    print(f"{name}: {result.pairs:,} pairs of variant and window, {threads} thread(s)")
    loop = statistics.median(result.loop) / result.pairs
    print(f"  one by one   {1000 * loop:10.2f} ms a pair")
    for key, times in result.ours.items():
        ours = statistics.median(times) / result.pairs
        print(
            f"  ours, {key}   {1000 * ours:10.2f} ms a pair, {result.ratio(key):5.1f} times as "
            f"fast; largest difference {result.differences[key]:.1e} of the largest effect"
        )


if __name__ == "__main__":
    main()
