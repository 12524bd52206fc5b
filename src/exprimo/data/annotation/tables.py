"""The annotation as tables, the same whichever format it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from exprimo.core.errors import MismatchError

GENE_COLUMNS = ["gene_id", "gene_name", "chrom", "start", "end", "strand", "biotype"]
TRANSCRIPT_COLUMNS = [
    "transcript_id", "gene_id", "chrom", "start", "end", "strand", "canonical",
]  # fmt: skip
BLOCK_COLUMNS = ["transcript_id", "start", "end"]


@dataclass(frozen=True, eq=False)
class Annotation:
    """Genes with their transcripts, all positions 0-based, half-open, on the forward strand.

    Attributes
    ----------
    genes
        ``gene_id, gene_name, chrom, start, end, strand, biotype``; one row a gene, in file
        order. ``gene_name`` is the id where the file gives no name, ``biotype`` is empty where
        it gives none.
    transcripts
        ``transcript_id, gene_id, chrom, start, end, strand, canonical``. Exactly one transcript
        of each gene is canonical (see `choose_canonical` for the rule).
    exons
        ``transcript_id, start, end``, by transcript and then in genome order. A transcript for
        which the file lists no exons has one, as long as itself (counted in ``notes``).
    cds
        ``transcript_id, start, end``, ordered like ``exons``, **stop codon included**. GFF3 and
        BED12 include it; GTF keeps it in lines of its own, which are joined to the CDS. A GTF
        without such lines leaves it out, counted as ``cds_without_stop_codon``.
    source
        The file.
    format
        ``"gtf"``, ``"gff3"`` or ``"bed"``.
    notes
        What the reader had to decide, as counts; see `read_annotation`.
    """

    genes: pd.DataFrame
    transcripts: pd.DataFrame
    exons: pd.DataFrame
    cds: pd.DataFrame
    source: Path
    format: str
    notes: Mapping[str, int] = field(default_factory=dict)

    @property
    def chromosomes(self) -> list[str]:
        """Chromosome names in the order in which the genes name them."""
        return list(pd.unique(self.genes["chrom"]))

    def with_chromosomes(self, names: Mapping[str, str]) -> Annotation:
        """Rename chromosomes; genes on those without a new name are dropped and counted.

        Parameters
        ----------
        names
            Our name -> new name, as `exprimo.core.coordinates.reconcile_chromosomes` gives it.

        Returns
        -------
        Annotation
            A new one, with ``genes_off_genome`` in its notes.
        """
        keep = self.genes["chrom"].isin(list(names))
        if len(self.genes) and not keep.any():
            raise MismatchError(
                "no gene lies on a chromosome that is asked for",
                file=self.source,
                found=", ".join(self.chromosomes[:5]),
                expected=", ".join(list(names)[:5]),
            )
        genes = self.genes[keep].reset_index(drop=True)
        transcripts = self.transcripts[self.transcripts["gene_id"].isin(genes["gene_id"])]
        transcripts = transcripts.reset_index(drop=True)
        known = transcripts["transcript_id"]
        return replace(
            self,
            genes=genes.assign(chrom=genes["chrom"].map(names)),
            transcripts=transcripts.assign(chrom=transcripts["chrom"].map(names)),
            exons=self.exons[self.exons["transcript_id"].isin(known)].reset_index(drop=True),
            cds=self.cds[self.cds["transcript_id"].isin(known)].reset_index(drop=True),
            notes={**self.notes, "genes_off_genome": int((~keep).sum())},
        )


def choose_canonical(transcripts: pd.DataFrame, rank: pd.Series[int]) -> pd.Series[bool]:
    """Mark one transcript of each gene.

    The first that differs decides: on the strand of its gene (trans-spliced ones are not);
    flagged ``Ensembl_canonical``; ``MANE_Select``; APPRIS principal; ``basic``; the longest CDS;
    the longest sum of exons; the id that sorts first.

    Parameters
    ----------
    transcripts
        With ``transcript_id, gene_id, own_strand, cds_length, exon_length``.
    rank
        4 for ``Ensembl_canonical`` down to 0 for no flag.
    """
    ordered = transcripts.assign(rank=rank).sort_values(
        ["own_strand", "rank", "cds_length", "exon_length", "transcript_id"],
        ascending=[False, False, False, False, True],
    )
    first = ordered.drop_duplicates("gene_id").index
    return pd.Series(transcripts.index.isin(first), index=transcripts.index)
