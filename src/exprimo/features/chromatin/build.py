"""A dataset of chromatin around the TSS: tracks or binned files in, one HDF5 file out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import refuse_existing
from exprimo.data.signals.track_table import Track, arrange_tracks, read_track_table
from exprimo.features.build_summary import BuildSummary, describe_targets, summarise
from exprimo.features.chromatin.bins import halves
from exprimo.features.chromatin.from_binned import BinnedFile, build_from_binned
from exprimo.features.chromatin.from_tracks import build_from_tracks
from exprimo.features.chromatin.scales import ExpressionScale, SignalScale, check_scales
from exprimo.features.chromatin.writing import Built, ChromatinChoice

DEFAULT_BINS = 100
DEFAULT_BIN_SIZE = 100
_SHOWN = 8


def dataset_chromatin(
    *,
    out: str | Path,
    genes: str | Path | None = None,
    signals: Sequence[Track | str] = (),
    signal_table: str | Path | None = None,
    fasta: str | Path | None = None,
    bins: int = DEFAULT_BINS,
    bin_size: int = DEFAULT_BIN_SIZE,
    binned: Sequence[str | Path] = (),
    sequences: str | Path | None = None,
    marks: Sequence[str] = (),
    expression: str | Path | None = None,
    scale: SignalScale | None = None,
    library_size: bool = False,
    expression_scale: ExpressionScale = "raw",
    gene_names: str | Path | None = None,
    chrom_style: str | Path = "auto",
    tss: str | Path = "canonical",
    biotype: str | None = None,
) -> BuildSummary:
    """Build a dataset of histone marks in bins around the TSS, one example per gene and cell type.

    Signal comes from tracks (``signals``, with ``genes``) or from files that are binned already
    (``binned``). Bins are in gene orientation; bin ``bins // 2`` begins with the TSS base.
    Stored are ``signal`` (marks, bins), ``cell_context`` (mean and deviation of each mark in each
    bin over the genes of the cell type) and, with a genome or sequences, ``sequence``.

    Parameters
    ----------
    out
        A new ``.h5`` file.
    genes
        Annotation: GTF, GFF3 or BED. Tracks need it; for binned files it adds chrom, strand, tss.
    signals, signal_table
        Tracks as ``CELL:MARK:FILE`` (BigWig, bedGraph, reads in BED or BAM), or a table with the
        columns cell_type, mark, file. Each mark of each cell type must be there.
    fasta
        Genome of the tracks; adds the sequence of each window.
    bins, bin_size
        Bins around the TSS, and bases in each; of tracks.
    binned
        Files of binned signal, ``FILE`` or ``CELL:FILE`` (DeepChrome's CSV, NPZ, NPY).
    sequences
        Lines of ``gene id,sequence`` that go with binned files.
    marks
        The marks to use, in order; names of the marks where binned files have none.
    expression
        A column per cell type, or gene_id, cell_type, expression. Genes without any value are
        left out and counted. Without it the dataset is one to predict on.
    scale
        ``raw``, ``log1p`` or ``asinh`` of the signal; unset: log1p of tracks, raw of binned files.
    library_size
        Divide by the size of the library: reads per million, or mean signal 1 over the genome.
    expression_scale
        ``raw``, ``log2`` (of x + 1) or ``asinh``.
    gene_names
        A two-column table that joins the names of ``expression`` to those of the genes.
    chrom_style
        ``auto``, or a two-column table: name in ``genes``, name in the other files.
    tss
        ``canonical``, ``most5prime``, or a table with gene_id, chrom, tss (1-based), strand.
    biotype
        Keep only genes of this biotype (``protein_coding``); with tracks.

    Returns
    -------
    BuildSummary
        What was written and what was left out.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "k4.bedgraph").write_text("I\\t0\\t20\\t1\\nI\\t20\\t40\\t3\\n")
    >>> _ = (folder / "genes.bed").write_text("I\\t20\\t30\\tg1\\t0\\t+\\n")
    >>> made = dataset_chromatin(
    ...     genes=folder / "genes.bed",
    ...     signals=[f"K562:H3K4me3:{folder}/k4.bedgraph"],
    ...     bins=2,
    ...     bin_size=10,
    ...     scale="raw",
    ...     out=folder / "D.h5",
    ... )
    >>> import numpy as np
    >>> from exprimo.core.dataset import Dataset
    >>> with Dataset.open(made.path) as data:
    ...     data.rows("signal", np.array([0])).tolist()
    [[[1.0, 3.0]]]
    """
    refuse_existing(out)
    halves(bins, bin_size)
    tracks = bool(signals) or signal_table is not None
    only_tracks = {
        "--fasta": fasta is not None, "--library-size": library_size,
        "--biotype": biotype is not None, "--bins": bins != DEFAULT_BINS,
        "--bin-size": bin_size != DEFAULT_BIN_SIZE, "--chrom-style": str(chrom_style) != "auto",
    }  # fmt: skip
    _check_way(tracks, bool(binned), only_tracks, {"--sequences": sequences is not None})
    if tracks and genes is None:
        raise ConfigError("tracks need an annotation", remedy="Give it with --genes FILE")
    if gene_names is not None and expression is None:
        raise ConfigError(
            "a table of gene names needs a table of expression",
            remedy="Give it with --expression FILE",
        )
    chosen = scale or ("log1p" if tracks else "raw")
    check_scales(chosen, expression_scale)
    choice = ChromatinChoice(
        Path(out), _path(genes), _path(fasta), _path(expression), tuple(marks), chosen,
        expression_scale, library_size, bins, bin_size, _path(gene_names), chrom_style, tss,
        biotype,
    )  # fmt: skip
    if genes is not None and tracks:
        listed = read_track_table(signal_table) if signal_table is not None else []
        built = build_from_tracks(choice, arrange_tracks([*signals, *listed], marks), Path(genes))
    else:
        files = [BinnedFile.parse(one) for one in binned]
        built = build_from_binned(choice, files, _path(sequences))
    return _summary(Path(out), built, choice)


def _check_way(
    tracks: bool, binned: bool, only_tracks: dict[str, bool], only_binned: dict[str, bool]
) -> None:
    """Refuse both ways at once, neither, and options of the other way."""
    if tracks == binned:
        raise ConfigError(
            "signal comes from tracks or from binned files",
            found="both" if tracks else "neither",
            expected="--signal CELL:MARK:FILE (or --signal-table FILE), or --binned FILE",
        )
    strangers = [name for name, given in (only_binned if tracks else only_tracks).items() if given]
    if strangers:
        here, there = ("tracks", "binned files") if tracks else ("binned files", "tracks")
        raise ConfigError(
            f"an option of {there}, beside {here}",
            found=", ".join(strangers),
            remedy=f"Leave it out: it says nothing about {here}",
        )


def _path(name: str | Path | None) -> Path | None:
    return None if name is None else Path(name)


def _counted(names: Sequence[str], thing: str) -> str:
    return f"{len(names):,} {thing}" + ("" if len(names) == 1 else "s")


def _summary(out: Path, built: Built, choice: ChromatinChoice) -> BuildSummary:
    marks, cells = built.marks, built.cells
    shown = ", ".join(cells[:_SHOWN]) + (", ..." if len(cells) > _SHOWN else "")
    lines = [
        f"{_counted(cells, 'cell type')} ({shown}), {_counted(marks, 'mark')} ({', '.join(marks)})",
        f"Signal: {choice.scale}"
        + (", divided by the size of the library" if choice.library_size else ""),
        *describe_targets(built.targets),
        *built.notes,
    ]
    if not built.targets:
        lines.append("No expression: a dataset to predict on")
    return summarise(out, built.n_examples, built.n_bins, built.dropped, lines, unit="bins")
