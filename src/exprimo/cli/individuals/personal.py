"""Command personal: predictions from each person's own sequences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exprimo.cli.individuals.haplotypes import people
from exprimo.cli.modelling import Device, Threads, listed
from exprimo.cli.output import counted, say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

if TYPE_CHECKING:
    from exprimo.scoring.personal import PersonalCost, PersonalPredictions


Genotypes = Annotated[Path, typer.Option(help="VCF, BCF, PLINK 1 or PLINK 2 (prefix or any file).")]
Fasta = Annotated[Path, typer.Option(help="Genome: FASTA, plain, gzip or bgzip.")]
Genes = Annotated[
    Path, typer.Option(help="GTF, GFF3 or BED, or a table gene_id, chrom, tss, strand.")
]
Out = Annotated[Path, typer.Option("-o", "--out", help="A new file: .parquet or .tsv.")]
Gene = Annotated[list[str] | None, typer.Option(help="Only this gene, by id or name; repeatable.")]
Samples = Annotated[
    str | None, typer.Option(help="People: a file with one a line, or names with commas.")
]
Haplotypes = Annotated[
    Literal["each", "mean"], typer.Option(help="A row for each copy, or one a person.")
]
Phase = Annotated[
    str, typer.Option(help="Where phase is not known: error, mixture, or a number of phasings.")
]
Seed = Annotated[int, typer.Option(help="Of the random phasings.")]
Tracks = Annotated[str, typer.Option(help="Tracks with commas: names, numbers, words.")]
TrackTable = Annotated[Path | None, typer.Option(help="Table that describes them.")]
Bins = Annotated[
    str, typer.Option(help="Bins around the TSS that are averaged, of a backbone; or all.")
]
Strands = Annotated[bool, typer.Option("--strands", help="Average both strands.")]
Shifts = Annotated[int, typer.Option(help="Average shifts of so many bases.", min=0)]
Upstream = Annotated[
    int | None, typer.Option(help="Bases before the TSS, if the model does not say.", min=0)
]
OnRefMismatch = Annotated[
    Literal["error", "skip", "swap"], typer.Option(help="Where REF is not what the genome has.")
]
Tss = Annotated[str, typer.Option(help="canonical, most5prime, or a table.")]
ChromStyle = Annotated[
    str, typer.Option(help="auto, or two columns: name in the files, genome's name.")
]
Precision = Annotated[
    Literal["auto", "fp32", "bf16"],
    typer.Option(help="bf16 is faster and hides small differences."),
]
Plan = Annotated[
    bool, typer.Option("--plan", help="Only say what there is to do and how long it takes.")
]
Executor = Annotated[Literal["local", "ray"], typer.Option(help="Where the shards are computed.")]
Address = Annotated[str | None, typer.Option(help="Of a Ray cluster.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "personal",
        epilog="Example: exprimo personal RUN --genotypes people.vcf.gz --fasta genome.fa "
        "--genes genes.gtf --gene JAM2 -o P.parquet",
    )(_personal)


def require_files(genotypes: Path | None, *files: Path | None) -> None:
    """Refuse a file that is not there, before loading what computes, which takes seconds."""
    from exprimo.data.genotypes.open import WHAT
    from exprimo.data.genotypes.plink.trio import find_trio
    from exprimo.data.textfile import require_file

    if genotypes is not None and find_trio(genotypes) is None:
        require_file(genotypes, WHAT)
    for file in files:
        if file is not None:
            require_file(file, "a file with something in it")


def _personal(
    model: Annotated[str, typer.Argument(help="RUN, NAME or NAME:FILE.")],
    genotypes: Genotypes,
    fasta: Fasta,
    genes: Genes,
    out: Out,
    gene: Gene = None,
    samples: Samples = None,
    haplotypes: Haplotypes = "each",
    unphased: Phase = "error",
    seed: Seed = 0,
    tracks: Tracks = "",
    track_table: TrackTable = None,
    bins: Bins = "3",
    strands: Strands = False,
    shifts: Shifts = 0,
    upstream: Upstream = None,
    on_ref_mismatch: OnRefMismatch = "error",
    tss: Tss = "canonical",
    chrom_style: ChromStyle = "auto",
    precision: Precision = "fp32",
    plan: Plan = False,
    executor: Executor = "local",
    address: Address = None,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Predict genes from each person's two sequences; a repeated call goes on where it stopped."""
    require_files(genotypes, fasta, genes)
    import exprimo
    from exprimo.scoring.personal import plan_personal

    settings: dict[str, Any] = {
        "genotypes": genotypes, "fasta": fasta, "genes": genes,
        "gene": gene or (), "samples": people(samples), "unphased": _phasing(unphased),
        "seed": seed, "tracks": listed(tracks), "track_table": track_table, "bins": _bins(bins),
        "strands": strands, "shifts": shifts, "upstream": upstream,
        "on_ref_mismatch": on_ref_mismatch, "tss": tss, "chrom_style": chrom_style,
        "precision": precision, "device": device, "threads": threads,
    }  # fmt: skip
    if plan:
        with bars():
            cost = plan_personal(model, **settings)
        say(_foreseen(cost), cost._asdict(), as_json=as_json)
        return
    way: dict[str, Any] = {"haplotypes": haplotypes, "executor": executor, "address": address}
    with bars():
        done = exprimo.personal(model, out, **way, **settings)
    say(_told(done), done._asdict(), as_json=as_json)


def _foreseen(cost: PersonalCost) -> list[str]:
    return [
        f"{counted(cost.n_genes, 'gene')} x {counted(cost.n_people, 'person')}: "
        f"{counted(cost.n_haplotypes, 'distinct haplotype')} of {cost.n_copies:,}",
        f"  about {_duration(cost.seconds)} on one device of this machine",
    ]


def _told(done: PersonalPredictions) -> list[str]:
    lines = [
        f"Wrote {counted(done.n_rows, 'prediction')} to {done.path}",
        f"  {counted(done.n_genes, 'gene')} x {counted(done.n_people, 'person')}; "
        f"{counted(done.n_haplotypes, 'distinct haplotype')}, each predicted once",
    ]
    if done.n_known:
        lines.append(f"  {done.n_known:,} of {counted(done.n_shards, 'shard')} were there already")
    lines += [f"  left out: {counted(count, 'gene')} {why}" for why, count in done.dropped.items()]
    lines += [
        f"  not applied: {counted(count, 'allele')}: {why}" for why, count in done.skipped.items()
    ]
    if done.n_with_unknown:
        lines.append(f"  with N in it: {counted(done.n_with_unknown, 'haplotype')}")
    return lines


def _phasing(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _bins(text: str) -> str | int:
    if text == "all":
        return text
    if not text.isdecimal():
        raise ConfigError("not a number of bins", record="bins", found=text, expected="or: all")
    return int(text)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
