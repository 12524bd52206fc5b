"""The command that clumps: clump."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from exprimo.cli.genetics.finemap import named_columns
from exprimo.cli.individuals.haplotypes import people
from exprimo.cli.output import counted, say, table
from exprimo.cli.studying import Json

if TYPE_CHECKING:
    from exprimo.genetics.clumping import Clumped

Associations = Annotated[
    Path, typer.Option(help="Table of a GWAS or of eQTLs: parquet, TSV or CSV.")
]
Genotypes = Annotated[
    Path, typer.Option(help="VCF, BCF, PLINK 1 or PLINK 2: in whom linkage is measured.")
]
Out = Annotated[Path | None, typer.Option("-o", "--out", help="A new .clumped, .tsv or .parquet.")]
P1 = Annotated[float, typer.Option("--p1", help="Largest p of an index variant.")]
P2 = Annotated[float, typer.Option("--p2", help="Largest p of a member that is listed.")]
R2 = Annotated[float, typer.Option("--r2", help="A clump takes what has a larger r².")]
Kb = Annotated[float, typer.Option("--kb", help="And is nearer than so many thousand bases.")]
Measure = Annotated[
    Literal["haplotype", "counts"],
    typer.Option(help="Which r²: of estimated haplotypes (as PLINK 1.9 clumps), or of copies."),
]
Gene = Annotated[str | None, typer.Option(help="Of a table of several genes, this one.")]
Samples = Annotated[
    str | None, typer.Option(help="People: a file with one a line, or names with commas.")
]
Column = Annotated[
    list[str] | None, typer.Option(help="MEANING=COLUMN of the table, as p=PVAL; repeatable.")
]
_SHOWN = 10
# Bases on both sides of an index variant, of the region to fine-map.
_AROUND = 250_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "clump",
        epilog="Example: exprimo clump --associations gwas.tsv.gz --genotypes G.vcf.gz "
        "--r2 0.1 -o GWAS.clumped",
    )(_clump)


def _clump(
    associations: Associations,
    genotypes: Genotypes,
    out: Out = None,
    p1: P1 = 1e-4,
    p2: P2 = 0.01,
    r2: R2 = 0.5,
    kb: Kb = 250.0,
    measure: Measure = "haplotype",
    gene: Gene = None,
    samples: Samples = None,
    column: Column = None,
    as_json: Json = False,
) -> None:
    """Clump associations: each index variant stands for those linked with it."""
    import exprimo

    done = exprimo.clump(
        associations, genotypes, out, p1=p1, p2=p2, r2=r2, kb=kb, measure=measure, gene=gene,
        samples=people(samples), columns=named_columns(column),
    )  # fmt: skip
    facts = {name: value for name, value in done._asdict().items() if name != "table"}
    say(
        list(_told(done, associations, genotypes, gene)),
        {**facts, "clumps": done.table.to_dict("records")},
        as_json=as_json,
    )


def _told(done: Clumped, associations: Path, genotypes: Path, gene: str | None) -> Iterator[str]:
    to = "" if done.path is None else f"Wrote {done.path}: "
    yield (
        f"{to}{counted(done.n_clumps, 'clump')} of {counted(done.n_variants, 'variant')}, "
        f"{done.n_taken:,} taken by an index variant"
    )
    kept = {"found by id": "kept", "in no clump": "kept, but"}
    for reason, count in done.counts.items():
        yield f"  {kept.get(reason, 'left out:')} {count:,} {reason}"
    first = done.table.head(_SHOWN)
    rows = [
        [str(chrom), snp, f"{bp:,}", f"{p:.3g}", f"{total:,}"]
        for chrom, snp, bp, p, total in first[["CHR", "SNP", "BP", "P", "TOTAL"]].itertuples(
            index=False, name=None
        )
    ]
    if rows:
        yield from table(rows, ("chrom", "index variant", "position", "p", "takes"))
    if done.n_clumps > _SHOWN:
        yield f"  and {done.n_clumps - _SHOWN:,} more"
    if done.n_clumps:
        chrom, place = str(first["CHR"].iloc[0]), int(first["BP"].iloc[0])
        region = f"{chrom}:{max(place - _AROUND, 1)}-{place + _AROUND}"
        yield (
            f"Next: exprimo eqtl finemap --summary {associations} --genotypes {genotypes} "
            f"--region {region}{'' if gene is None else f' --gene {gene}'} -o FINEMAP"
        )
