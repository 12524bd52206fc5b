"""Eight features of a coding transcript that go with its half-life.

The set is that of Xpresso (Agarwal and Shendure 2020): lengths of the 5'UTR, the CDS, the introns
and the 3'UTR; GC of 5'UTR, CDS and 3'UTR; and the density of exon junctions, which Sharova et al.
(2009) and Spies et al. (2013) found to go with stability.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.compiled import compiled
from exprimo.core.errors import InputError
from exprimo.core.sequence import N_CODE, Codes
from exprimo.data.annotation import Annotation
from exprimo.data.fasta import Genome

FEATURES = (
    "utr5_length",
    "cds_length",
    "intron_length",
    "utr3_length",
    "utr5_gc",
    "cds_gc",
    "utr3_gc",
    "junction_density",
)
LABELS = tuple(name if name.endswith("_gc") else f"log10_{name}" for name in FEATURES)
# Keeps the logarithm of a length of 0 finite; Xpresso adds the same.
OFFSET = 0.1

_UTR5, _CDS, _UTR3 = range(3)
_Numbers = npt.NDArray[np.float64]


def transcript_features(
    annotation: Annotation, genome: Genome, transcripts: Sequence[str]
) -> pd.DataFrame:
    """Measure transcripts, in bases, shares and junctions per kb.

    - ``utr5_length``, ``utr3_length``: bases of exons before the first and behind the last coding
      base, in the direction of transcription; introns within an UTR do not count.
    - ``cds_length``: coding bases, stop codon included.
    - ``intron_length``: sum of all gaps between consecutive exons.
    - ``utr5_gc``, ``cds_gc``, ``utr3_gc``: share of G and C among those bases that are known; NaN
      where there are none.
    - ``junction_density``: exon junctions of the whole transcript (exons less one) per 1,000 bases
      of CDS.

    Parameters
    ----------
    annotation
        With chromosomes named as in the genome.
    genome
        An opened FASTA file.
    transcripts
        Ids in the annotation.

    Returns
    -------
    DataFrame
        One row a transcript, in order, columns `FEATURES`; NaN throughout for one without CDS.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from exprimo.data.annotation import read_annotation
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "g.fa").write_text(">I\\nCCATGGCTAGTTTAACAA\\n")
    >>> _ = (folder / "g.bed").write_text("I\\t0\\t18\\tg\\t0\\t+\\t2\\t16\\t0\\t2\\t7,7\\t0,11\\n")
    >>> with Genome.open(folder / "g.fa") as genome:
    ...     found = transcript_features(read_annotation(folder / "g.bed"), genome, ["g"])
    >>> found.iloc[0].tolist()
    [2.0, 10.0, 4.0, 2.0, 1.0, 0.4, 0.0, 100.0]
    """
    chosen = _chosen(annotation, transcripts)
    number_of = pd.Series(np.arange(len(chosen)), index=chosen["transcript_id"])
    exons = _blocks(annotation.exons, number_of)
    cds = _blocks(annotation.cds, number_of)
    regions = _regions(exons, cds, (chosen["strand"] == "-").to_numpy(np.bool_))
    length = np.zeros((len(chosen), 3), dtype=np.float64)
    np.add.at(length, (regions["number"], regions["region"]), regions["end"] - regions["start"])
    gc = _gc(genome, chosen["chrom"].to_numpy(str), regions)
    junctions = np.bincount(exons["number"], minlength=len(chosen)) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        density = 1000.0 * junctions / length[:, _CDS]
    columns = (
        length[:, _UTR5], length[:, _CDS], _intron_length(exons, len(chosen)), length[:, _UTR3],
        gc[:, _UTR5], gc[:, _CDS], gc[:, _UTR3], density,
    )  # fmt: skip
    table = pd.DataFrame(dict(zip(FEATURES, columns, strict=True)), index=number_of.index)
    table.loc[length[:, _CDS] == 0] = np.nan
    return table


def stored_features(table: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Give features as a dataset holds them, shape (transcripts, 8), columns `LABELS`.

    Lengths and junction density become log10(x + 0.1); GC stays a share. Nothing is standardised:
    that is learned from training examples alone.

    Examples
    --------
    >>> row = dict.fromkeys(FEATURES, 0.5) | {"utr5_length": 99.9}
    >>> stored_features(pd.DataFrame([row]))[0, [0, 4]].tolist()
    [2.0, 0.5]
    """
    columns = [
        table[name] if name.endswith("_gc") else np.log10(table[name] + OFFSET) for name in FEATURES
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _chosen(annotation: Annotation, transcripts: Sequence[str]) -> pd.DataFrame:
    table = annotation.transcripts.set_index("transcript_id", drop=False)
    unknown = [name for name in transcripts if name not in table.index]
    if unknown:
        raise InputError(
            "no such transcript in the annotation",
            file=annotation.source,
            record=f"transcript {unknown[0]}",
            found=f"{len(unknown):,} unknown ids",
            expected=", ".join(table.index[:3]),
        )
    return table.loc[list(transcripts)].reset_index(drop=True)


def _blocks(table: pd.DataFrame, number_of: pd.Series[int]) -> pd.DataFrame:
    """Give number (of the transcript), start, end of the blocks of chosen transcripts."""
    kept = table[table["transcript_id"].isin(number_of.index)]
    blocks = pd.DataFrame(
        {
            "number": kept["transcript_id"].map(number_of).to_numpy(np.int64),
            "start": kept["start"].to_numpy(np.int64),
            "end": kept["end"].to_numpy(np.int64),
        }
    )
    return blocks.sort_values(["number", "start"], ignore_index=True)


def _regions(exons: pd.DataFrame, cds: pd.DataFrame, minus: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Give number, region (5'UTR, CDS, 3'UTR), start, end of every stretch of mature mRNA."""
    first = cds.groupby("number")["start"].min()
    last = cds.groupby("number")["end"].max()
    coding = exons[exons["number"].isin(first.index)]
    left = coding.assign(end=np.minimum(coding["end"], coding["number"].map(first)))
    right = coding.assign(start=np.maximum(coding["start"], coding["number"].map(last)))
    of_minus_left, of_minus_right = minus[left["number"]], minus[right["number"]]
    parts = [
        cds.assign(region=_CDS),
        left.assign(region=np.where(of_minus_left, _UTR3, _UTR5)),
        right.assign(region=np.where(of_minus_right, _UTR5, _UTR3)),
    ]
    stretches = pd.concat(parts, ignore_index=True)
    return stretches[stretches["start"] < stretches["end"]].reset_index(drop=True)


def _intron_length(exons: pd.DataFrame, count: int) -> _Numbers:
    before = exons.groupby("number")["end"].shift()
    gap = (exons["start"] - before).fillna(0).clip(lower=0)
    return np.bincount(exons["number"], weights=gap, minlength=count).astype(np.float64)


def _gc(genome: Genome, chroms: npt.NDArray[np.str_], regions: pd.DataFrame) -> _Numbers:
    """Give the share of G and C per transcript and region, NaN where no base is known."""
    counts = np.zeros((len(chroms), 3, 2), dtype=np.int64)
    chrom = chroms[regions["number"].to_numpy()]
    for name in pd.unique(chrom):
        here = regions[chrom == name]
        _count_gc(
            genome.chromosome(name),
            here[["number", "region", "start", "end"]].to_numpy(np.int64),
            counts,
        )
    with np.errstate(invalid="ignore"):
        share: _Numbers = counts[:, :, 0] / counts[:, :, 1]
    return share


@compiled
def _count_gc(codes: Codes, rows: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> None:
    for row in range(rows.shape[0]):
        strong, known = 0, 0
        for at in range(rows[row, 2], rows[row, 3]):
            base = codes[at]
            if base != N_CODE:
                known += 1
                # C and G are 1 and 2, and exchange places on the other strand.
                if base == 1 or base == 2:
                    strong += 1
        counts[rows[row, 0], rows[row, 1], 0] += strong
        counts[rows[row, 0], rows[row, 1], 1] += known
