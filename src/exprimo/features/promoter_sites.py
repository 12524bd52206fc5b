"""Which genes have a promoter: their TSSs, on this genome, with what was left out and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast, get_args

import numpy as np
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import InputError, MismatchError
from exprimo.data.annotation import Annotation, read_tss_table, tss_table
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.annotation.tss import TssRule
from exprimo.data.fasta import Genome
from exprimo.data.names import read_chromosome_names
from exprimo.features.join_targets import JoinedTargets

TSS_RULES = get_args(TssRule)
OFF_GENOME = "on a chromosome that the genome does not have"
_OTHER_BIOTYPE = "of another biotype"
_NO_TSS = "no TSS in the table"
_NOT_ANNOTATED = "TSS of a gene that the annotation does not have"
_NO_ROW = "not in the table of targets"
_NO_VALUE = "no value of any target"


def reconcile(
    theirs: Iterable[str], genome: Genome, chrom_style: str | Path, file: str | Path
) -> dict[str, str]:
    table = None if chrom_style == "auto" else read_chromosome_names(chrom_style)
    return reconcile_chromosomes(
        genome.names, theirs, table=table, our_file=str(genome.path), their_file=str(file)
    )


def tss_sites(
    annotation: Annotation,
    genome: Genome,
    tss: str | Path,
    chrom_style: str | Path,
    dropped: dict[str, int],
) -> pd.DataFrame:
    """Give gene_id, gene_name, chrom, tss, strand of each gene whose TSS is known."""
    if tss in TSS_RULES:
        table = tss_table(annotation, cast(TssRule, tss))
    else:
        table = _own_sites(annotation, genome, Path(tss), chrom_style, dropped)
    table["gene_name"] = table["gene_id"].map(annotation.genes.set_index("gene_id")["gene_name"])
    return table


def _own_sites(
    annotation: Annotation,
    genome: Genome,
    path: Path,
    chrom_style: str | Path,
    dropped: dict[str, int],
) -> pd.DataFrame:
    if not path.exists():
        raise InputError(
            "neither a rule for the TSS nor a file",
            found=str(path),
            expected=", ".join([*TSS_RULES, "or a table with gene_id, chrom, tss, strand"]),
        )
    table = read_tss_table(path)
    table["gene_id"] = table["gene_id"].map(strip_version)
    order = annotation.genes["gene_id"]
    known = table["gene_id"].isin(order)
    if not known.any():
        raise MismatchError(
            f"no gene of the TSS table is in the annotation {annotation.source}",
            file=path,
            found=", ".join(table["gene_id"].head(5)),
            expected=", ".join(order.head(5)),
        )
    chroms = reconcile(table["chrom"], genome, chrom_style, path)
    on_genome = table["chrom"].isin(list(chroms))
    dropped[_NOT_ANNOTATED] = int((~known).sum())
    dropped[OFF_GENOME] += int((known & ~on_genome).sum())
    dropped[_NO_TSS] = int((~order.isin(table["gene_id"])).sum())
    table = table[known & on_genome].set_index("gene_id")
    table = table.loc[order[order.isin(table.index)]].reset_index()
    table["chrom"] = table["chrom"].map(chroms)
    beyond = (table["tss"] >= table["chrom"].map(genome.lengths)).to_numpy(np.bool_)
    if beyond.any():
        first = table[beyond].iloc[0]
        raise MismatchError(
            f"{int(beyond.sum())} TSSs lie beyond the end of their chromosome",
            file=path,
            record=f"gene {first['gene_id']} at {first['chrom']}:{first['tss'] + 1}",
            expected=f"at most {genome.lengths[first['chrom']]} in {genome.path}",
            remedy="Take TSSs and genome of the same build",
        )
    return table


def of_biotype(
    sites: pd.DataFrame, annotation: Annotation, biotype: str | None, dropped: dict[str, int]
) -> pd.DataFrame:
    if biotype is None:
        return sites
    of_gene = sites["gene_id"].map(annotation.genes.set_index("gene_id")["biotype"])
    keep = of_gene == biotype
    if not keep.any():
        known = [name for name in of_gene.value_counts().index if name]
        raise InputError(
            "no gene of this biotype",
            file=annotation.source,
            found=biotype,
            expected=", ".join(known[:8]) or "a file that gives biotypes",
        )
    dropped[f"{_OTHER_BIOTYPE} than {biotype}"] = int((~keep).sum())
    return sites[keep].reset_index(drop=True)


def with_targets(
    sites: pd.DataFrame, joined: JoinedTargets, dropped: dict[str, int]
) -> pd.DataFrame:
    listed = sites["gene_id"].isin(joined.values.index)
    measured = sites["gene_id"].isin(joined.values.dropna(how="all").index)
    dropped[_NO_ROW] = int((~listed).sum())
    dropped[_NO_VALUE] = int((listed & ~measured).sum())
    if not measured.any():
        raise InputError(
            "no gene with a TSS on this genome has a value",
            found=", ".join(f"{count:,} {reason}" for reason, count in dropped.items() if count),
            remedy="Check that targets, annotation and genome belong together",
        )
    kept = sites[measured].reset_index(drop=True)
    kept["target_gene_id"] = kept["gene_id"].map(joined.target_ids)
    return kept
