"""The genes whose windows are built: from an annotation or a table of TSSs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from exprimo.core.errors import InputError, MismatchError
from exprimo.data.annotation import Annotation, read_annotation, read_tss_table
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.fasta import Genome
from exprimo.data.tabular import unknown_name
from exprimo.data.textfile import open_text
from exprimo.features.genome_fit import check_genome_fits
from exprimo.features.haplotypes.one_variant import check_window
from exprimo.features.promoter_sites import OFF_GENOME, reconcile, tss_sites

NO_GENOTYPES = "on a chromosome without genotypes"
_TSS_COLUMNS = {"gene_id", "chrom", "tss", "strand"}


def gene_sites(
    genes: str | Path,
    genome: Genome,
    *,
    gene: Sequence[str] = (),
    tss: str | Path = "canonical",
    chrom_style: str | Path = "auto",
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Give the TSS of each gene, on the chromosomes of the genome.

    Parameters
    ----------
    genes
        Annotation (GTF, GFF3, BED), which must fit the genome, or a table with the columns
        gene_id, chrom, tss (1-based), strand.
    gene
        Ids or names of those wanted; empty: all. Others may lie beyond the end of a sequence
        that is a part of a genome.
    tss
        ``canonical``, ``most5prime``, or a table of TSSs, for the genes of an annotation.
    chrom_style
        ``auto``, or a two-column table: name in ``genes``, name in the genome.

    Returns
    -------
    sites, dropped
        ``gene_id, gene_name, chrom, tss`` (0-based), ``strand``; reason -> genes left out.
    """
    dropped = {OFF_GENOME: 0}
    if _is_tss_table(genes):
        table = read_tss_table(genes)
        table["gene_id"] = table["gene_id"].map(strip_version)
        names = reconcile(table["chrom"], genome, chrom_style, genes)
        on_genome = table["chrom"].isin(list(names))
        dropped[OFF_GENOME] = int((~on_genome).sum())
        sites = table[on_genome].assign(chrom=table["chrom"].map(names), gene_name=table["gene_id"])
        _check_positions(sites, genome, genes)
    else:
        annotation = read_annotation(genes)
        names = reconcile(annotation.chromosomes, genome, chrom_style, genes)
        annotation = annotation.with_chromosomes(names)
        check_genome_fits(_judged(annotation, genome, gene), genome)
        dropped[OFF_GENOME] = annotation.notes["genes_off_genome"]
        sites = tss_sites(annotation, genome, tss, chrom_style, dropped)
    sites = sites[["gene_id", "gene_name", "chrom", "tss", "strand"]].reset_index(drop=True)
    return (_chosen(sites, gene, genes) if gene else sites), dropped


def _judged(annotation: Annotation, genome: Genome, gene: Sequence[str]) -> Annotation:
    """Leave out genes beyond the sequence that nobody asked for: it may be a part of a genome."""
    if not gene:
        return annotation
    wanted = {strip_version(name) for name in gene} | set(gene)
    table = annotation.genes
    asked = table["gene_id"].isin(wanted) | table["gene_name"].isin(wanted)
    kept = table[asked | (table["end"] <= table["chrom"].map(genome.lengths))]
    transcripts = annotation.transcripts
    transcripts = transcripts[transcripts["gene_id"].isin(kept["gene_id"])]
    known = transcripts["transcript_id"]
    return replace(
        annotation,
        genes=kept.reset_index(drop=True),
        transcripts=transcripts.reset_index(drop=True),
        exons=annotation.exons[annotation.exons["transcript_id"].isin(known)],
        cds=annotation.cds[annotation.cds["transcript_id"].isin(known)],
    )


def _is_tss_table(path: str | Path) -> bool:
    with open_text(Path(path), "an annotation, or a table of TSSs") as text:
        return set(text.readline().rstrip("\r\n").split("\t")) >= _TSS_COLUMNS


def _check_positions(sites: pd.DataFrame, genome: Genome, path: str | Path) -> None:
    beyond = sites["tss"] >= sites["chrom"].map(genome.lengths)
    if beyond.any():
        first = sites[beyond].iloc[0]
        raise MismatchError(
            "a TSS beyond the end of its chromosome",
            file=path,
            record=f"gene {first['gene_id']} at {first['chrom']}:{first['tss'] + 1}",
            expected=f"at most {genome.lengths[first['chrom']]} in {genome.path}",
            remedy="Take TSSs and genome of the same build",
        )


def _chosen(sites: pd.DataFrame, gene: Sequence[str], path: str | Path) -> pd.DataFrame:
    # By dictionary: a study may name most genes of a genome.
    by_id, by_name = _places(sites["gene_id"]), _places(sites["gene_name"])
    rows: list[int] = []
    for name in dict.fromkeys(gene):
        found = by_id.get(strip_version(name)) or by_name.get(name, [])
        if not found:
            ids = sites["gene_id"]
            names = list(dict.fromkeys(sites["gene_name"].where(sites["gene_name"] != "", ids)))
            raise unknown_name("gene", name, names, file=path, ids=list(ids))
        if len(found) > 1:
            raise InputError(
                "several genes have this name",
                file=path,
                found=name,
                expected=f"one of the ids {', '.join(sites['gene_id'].iloc[found][:6])}",
            )
        rows.append(found[0])
    return sites.iloc[list(dict.fromkeys(rows))].reset_index(drop=True)


def _places(names: pd.Series[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        places.setdefault(name, []).append(at)
    return places


def with_genotypes(
    sites: pd.DataFrame,
    genome: Genome,
    chromosomes: Sequence[str],
    dropped: dict[str, int],
    *,
    upstream: int,
    downstream: int,
) -> pd.DataFrame:
    """Keep genes on chromosomes that have genotypes; refuse windows that do not fit theirs."""
    there = sites["chrom"].isin(list(chromosomes))
    dropped[NO_GENOTYPES] = int((~there).sum())
    if not there.any():
        raise MismatchError(
            "no gene lies on a chromosome that has genotypes",
            found=", ".join(pd.unique(sites["chrom"])[:5]),
            expected=", ".join(list(chromosomes)[:5]),
        )
    kept = sites[there].reset_index(drop=True)
    for chrom in pd.unique(kept["chrom"]):
        check_window(genome, chrom, upstream, downstream)
    return kept
