"""Does the annotation belong to this genome? Start codons and splice sites tell.

Coordinates of one build on the sequence of another, exchanged strands, positions off by one or a
chromosome reverse-complemented twice all give windows that look like promoters and are none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.core.sequence import N_CODE, encode
from exprimo.data.annotation import Annotation
from exprimo.data.fasta import Genome
from exprimo.features.windows import cut_intervals

# Right pairs of annotation and genome show 85-100% (incomplete CDS, GC-AG introns and bacterial
# GTG starts are the rest), wrong ones 2% ATG and 0.4% GT-AG.
LARGE_MAJORITY = 0.7
# Fewer records than this are too few to refuse a file for.
FEWEST = 10
SAMPLED = 2000
# Annotators write frameshifts as gaps of a few bases, which no spliceosome removes.
_SHORTEST_INTRON = 20

_ATG = encode("ATG")
_GT, _AG = encode("GT"), encode("AG")
_FLIP = {"+": "-", "-": "+"}


@dataclass(frozen=True)
class GenomeFit:
    """What start codons and introns say.

    Attributes
    ----------
    verdict
        ``"fits"``, or ``"not checkable"`` where the annotation has too few CDS and introns.
    starts
        What was taken for the first coding base: ``"CDS"``, or ``"genes"`` of a file without
        CDS (a BED of ORFs), or ``"none"``.
    n_starts, atg_fraction
        How many were looked at, and the share that is ATG (None of none).
    n_introns, gt_ag_fraction
        The same for introns and GT–AG.
    """

    verdict: Literal["fits", "not checkable"]
    starts: Literal["CDS", "genes", "none"]
    n_starts: int
    atg_fraction: float | None
    n_introns: int
    gt_ag_fraction: float | None

    def facts(self) -> dict[str, Any]:
        """Give the fields as they are stored in a provenance."""
        return asdict(self)

    def __str__(self) -> str:
        words = (
            self.verdict if self.verdict == "fits" else f"{self.verdict}, too few CDS and introns"
        )
        evidence = _evidence(self)
        return f"{words} ({evidence})" if evidence else words


def check_genome_fits(annotation: Annotation, genome: Genome, *, seed: int = 0) -> GenomeFit:
    """Refuse an annotation that was made for other sequences than these.

    At least `LARGE_MAJORITY` of the CDS must begin with ATG and as many of the introns be
    GT–AG, judged on canonical transcripts, at most `SAMPLED` of each, where there are at least
    `FEWEST`. Gene starts are judged where no CDS is given: ATG at most of them shows ORFs that
    fit; ATG at most of them after strands are exchanged or positions moved by one shows ORFs
    that do not; otherwise they are taken for TSSs and nothing can be said.

    Parameters
    ----------
    annotation
        With chromosomes named as in the genome (`Annotation.with_chromosomes`).
    genome
        An opened FASTA file.
    seed
        For the choice of records where there are more than `SAMPLED`.

    Raises
    ------
    MismatchError
        With the evidence, and with what would fit better if something would.
    """
    check_within_chromosomes(annotation, genome)
    rng = np.random.default_rng(seed)
    spans, starts = _coding_spans(annotation)
    # What lies in an unknown stretch says nothing for the annotation, nor against it.
    spans = _known(_sample(spans, rng), genome, 3)
    introns = _known(_sample(_introns(annotation), rng), genome, 2)
    introns = _other_strand(_known(_other_strand(introns), genome, 2))
    atg = _starts_with_atg(spans, genome)
    gt_ag = _is_gt_ag(introns, genome)
    enough_starts, enough_introns = len(spans) >= FEWEST, len(introns) >= FEWEST
    atg_high = enough_starts and _share(atg) >= LARGE_MAJORITY
    fit = GenomeFit(
        verdict="fits" if atg_high or enough_introns else "not checkable",
        starts=starts,
        n_starts=len(spans),
        atg_fraction=_share(atg) if len(spans) else None,
        n_introns=len(introns),
        gt_ag_fraction=_share(gt_ag) if len(introns) else None,
    )
    better = "" if atg_high or not enough_starts else _better_reading(spans, genome)
    introns_fit = not enough_introns or _share(gt_ag) >= LARGE_MAJORITY
    starts_fit = not enough_starts or atg_high or (starts == "genes" and not better)
    if not (introns_fit and starts_fit):
        raise _misfit(annotation, genome, fit, better)
    return fit


def check_within_chromosomes(annotation: Annotation, genome: Genome) -> None:
    """Refuse records that lie beyond the end of their chromosome, and name some."""
    place = annotation.transcripts.set_index("transcript_id")["chrom"]
    for kind, table, key in (
        ("gene", annotation.genes, "gene_id"),
        ("transcript", annotation.transcripts, "transcript_id"),
        ("exon of", annotation.exons, "transcript_id"),
        ("CDS of", annotation.cds, "transcript_id"),
    ):
        chrom = table["chrom"] if "chrom" in table else table["transcript_id"].map(place)
        length = chrom.map(genome.lengths)
        beyond = ((table["end"] > length) | (table["start"] < 0)).to_numpy(np.bool_)
        if beyond.any():
            shown = [
                f"{kind} {name} at {c}:{start + 1}-{end}"
                for name, c, start, end in zip(
                    table[key][beyond].head(3),
                    chrom[beyond],
                    table["start"][beyond],
                    table["end"][beyond],
                    strict=False,
                )
            ]
            first = chrom[beyond].iloc[0]
            raise MismatchError(
                f"{int(beyond.sum())} records lie beyond the end of their chromosome",
                file=annotation.source,
                record=", ".join(shown),
                expected=f"{first} ends at {genome.lengths[first]} in {genome.path}",
                remedy="Take annotation and genome of the same build and release",
            )


def _coding_spans(
    annotation: Annotation,
) -> tuple[pd.DataFrame, Literal["CDS", "genes", "none"]]:
    """Give chrom, start, end, strand from first to last coding base of canonical transcripts."""
    transcripts = annotation.transcripts[annotation.transcripts["canonical"]]
    columns = ["chrom", "start", "end", "strand"]
    if len(annotation.cds):
        coding = annotation.cds.groupby("transcript_id").agg({"start": "min", "end": "max"})
        joined = transcripts[["transcript_id", "chrom", "strand"]].join(
            coding, on="transcript_id", how="inner"
        )
        return joined[columns], "CDS"
    if annotation.format == "bed":
        return annotation.genes[columns], "genes"
    return transcripts[columns].iloc[:0], "none"


def _introns(annotation: Annotation) -> pd.DataFrame:
    transcripts = annotation.transcripts[annotation.transcripts["canonical"]]
    exons = annotation.exons[annotation.exons["transcript_id"].isin(transcripts["transcript_id"])]
    exons = exons.sort_values(["transcript_id", "start"])
    table = pd.DataFrame(
        {
            "transcript_id": exons["transcript_id"],
            "start": exons.groupby("transcript_id")["end"].shift(),
            "end": exons["start"],
        }
    ).dropna()
    table = table[table["end"] - table["start"] >= _SHORTEST_INTRON].astype({"start": np.int64})
    places = transcripts.set_index("transcript_id")[["chrom", "strand"]]
    return table.join(places, on="transcript_id")[["chrom", "start", "end", "strand"]]


def _sample(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if len(table) <= SAMPLED:
        return table
    return table.iloc[np.sort(rng.choice(len(table), SAMPLED, replace=False))]


def _first_bases(table: pd.DataFrame, genome: Genome, count: int) -> npt.NDArray[np.uint8]:
    """Give the first bases of each interval in its own orientation, shape (n, count)."""
    start = table["start"].where(table["strand"] == "+", table["end"] - count)
    ends = table.assign(start=start, end=start + count)
    if ends.empty:
        return np.empty((0, count), dtype=np.uint8)
    return next(cut_intervals(genome, ends, chunk=len(ends))).codes


def _known(table: pd.DataFrame, genome: Genome, count: int) -> pd.DataFrame:
    """Keep the intervals whose first bases, in their own orientation, the assembly knows."""
    known: npt.NDArray[np.bool_] = (_first_bases(table, genome, count) != N_CODE).all(axis=1)
    return table.loc[known]


def _starts_with_atg(spans: pd.DataFrame, genome: Genome) -> npt.NDArray[np.bool_]:
    matches: npt.NDArray[np.bool_] = (_first_bases(spans, genome, 3) == _ATG).all(axis=1)
    return matches


def _is_gt_ag(introns: pd.DataFrame, genome: Genome) -> npt.NDArray[np.bool_]:
    donors = _first_bases(introns, genome, 2)
    # The last bases are the first of the other strand: AG there reads CT.
    acceptors = _first_bases(_other_strand(introns), genome, 2)
    matches: npt.NDArray[np.bool_] = (donors == _GT).all(axis=1) & (
        acceptors == (3 - _AG)[::-1]
    ).all(axis=1)
    return matches


def _share(matches: npt.NDArray[np.bool_]) -> float:
    return float(matches.mean()) if matches.size else 0.0


def _other_strand(spans: pd.DataFrame, _: Genome | None = None) -> pd.DataFrame:
    return spans.assign(strand=spans["strand"].map(_FLIP))


def _turned_chromosomes(spans: pd.DataFrame, genome: Genome) -> pd.DataFrame:
    length = spans["chrom"].map(genome.lengths)
    return _other_strand(spans).assign(start=length - spans["end"], end=length - spans["start"])


def _moved(by: int) -> Callable[[pd.DataFrame, Genome], pd.DataFrame]:
    return lambda spans, genome: spans.assign(start=spans["start"] + by, end=spans["end"] + by)


# What else the positions could have meant, and what to do if they fit then.
_READINGS: tuple[tuple[Callable[[pd.DataFrame, Genome], pd.DataFrame], str, str], ...] = (
    (_other_strand, "with + and - exchanged", "Exchange the strands in the annotation"),
    (
        _turned_chromosomes,
        "on the reverse complement of each chromosome",
        "Take the FASTA of the forward strand: this one is reverse-complemented",
    ),
    (_moved(-1), "one base further left", "Starts were written 1-based where BED counts from 0"),
    (_moved(1), "one base further right", "Starts were written 0-based where GTF counts from 1"),
)


def _better_reading(spans: pd.DataFrame, genome: Genome) -> str:
    """Say what the positions seem to mean instead; empty if nothing fits."""
    for reading, words, remedy in _READINGS:
        share = _share(_starts_with_atg(reading(spans, genome), genome))
        if share >= LARGE_MAJORITY:
            return f"Read {words}, {share:.0%} start with ATG. {remedy}"
    matches = _starts_with_atg(spans, genome)
    plus = (spans["strand"] == "+").to_numpy(np.bool_)
    for strand, fitting in (("+", matches[plus]), ("-", matches[~plus])):
        if len(fitting) >= FEWEST and _share(fitting) >= LARGE_MAJORITY:
            return (
                f"Those of the {strand} strand fit ({_share(fitting):.0%} ATG): "
                "the others were given other positions or turned once too often"
            )
    return ""


def _misfit(annotation: Annotation, genome: Genome, fit: GenomeFit, better: str) -> MismatchError:
    return MismatchError(
        f"the annotation does not fit the genome {genome.path}",
        file=annotation.source,
        found=_evidence(fit),
        expected=f"at least {LARGE_MAJORITY:.0%}",
        remedy=better
        or (
            "Is the annotation of another genome build or species? Is a sequence "
            "reverse-complemented twice? Take both files from the same release"
        ),
    )


def _evidence(fit: GenomeFit) -> str:
    parts = []
    if fit.atg_fraction is not None:
        what = "CDS" if fit.starts == "CDS" else "genes"
        parts.append(f"{_percent(fit.atg_fraction)} of {fit.n_starts:,} {what} start with ATG")
    if fit.gt_ag_fraction is not None:
        parts.append(f"{_percent(fit.gt_ag_fraction)} of {fit.n_introns:,} introns are GT–AG")
    return ", ".join(parts)


def _percent(share: float) -> str:
    # Rounded down, so that 100% means all of them.
    return f"{math.floor(1000 * share) / 10:g}%"
