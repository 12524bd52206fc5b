"""``exprimo mutagenesis``: the effect of every single-base change in a window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from exprimo.core.files.atomic import refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.scoring.mutagenesis.config import MutagenesisConfig, WayName
from exprimo.scoring.mutagenesis.table import Summary, long_tables
from exprimo.scoring.mutagenesis.work import open_mutagenesis
from exprimo.scoring.mutagenesis.writing import kind_of
from exprimo.scoring.shards import ExecutorName, run_shards


class Mutated(NamedTuple):
    """What `mutagenesis` wrote.

    Attributes
    ----------
    n_examples
        Windows.
    positions
        First position and the one behind the last, relative to the TSS.
    tracks
        What was predicted.
    way
        How mutants were predicted, in words.
    n_substitutions, n_unknown
        Substitutions of all windows, and positions where N stands, which have none.
    strongest
        The greatest effect in words; None where there is none.
    n_rows
        Rows of the table; examples of an HDF5 file.
    n_shards, n_known
        Shards, and how many of them an earlier call had made.
    """

    path: Path
    n_examples: int
    positions: tuple[int, int]
    tracks: tuple[str, ...]
    way: str
    n_substitutions: int
    n_unknown: int
    strongest: str | None
    n_rows: int
    n_shards: int
    n_known: int


def mutagenesis(
    model: str | Path,
    out: str | Path,
    *,
    dataset: str | Path | None = None,
    fasta: str | Path | None = None,
    genes: str | Path | None = None,
    gene: Sequence[str] = (),
    tss: str | Path = "canonical",
    chrom_style: str | Path = "auto",
    positions: tuple[int, int] | None = None,
    around: int | None = None,
    way: WayName = "auto",
    memory: int = 1024,
    tracks: Sequence[str] = (),
    track_table: str | Path | None = None,
    bins: int | Literal["all"] = 3,
    upstream: int | None = None,
    strands: bool = False,
    shifts: int = 0,
    precision: Literal["fp32", "bf16"] = "fp32",
    executor: ExecutorName = "local",
    address: str | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> Mutated:
    """Predict what every single-base change in the windows of genes does.

    For a convolutional network only what a change can reach is recomputed, which gives the same
    numbers as predicting every mutant, up to rounding; any other model predicts every mutant.
    Beforehand a few mutants are computed both ways and compared. A call that was stopped goes on
    when it is repeated.

    Parameters
    ----------
    model
        A Run's folder, or a pretrained model (``NAME`` or ``NAME:FILE``).
    out
        ``.parquet`` or ``.tsv``: a row per substitution; ``.bed``: a row per position; ``.h5``:
        arrays (see `exprimo.scoring.mutagenesis.read_arrays`). What stands there already is
        refused.
    dataset
        A Dataset whose windows are changed. Needed by a model that reads more than sequence.
    fasta, genes, tss, chrom_style
        Or a genome and an annotation, around whose starts windows are cut.
    gene
        Ids or names of genes; none: all.
    positions, around
        Which positions, relative to the TSS in gene orientation: from the first to the one
        behind the last; or so many bases to either side, as far as the window reaches. By default
        the whole window.
    way, memory
        ``auto``, ``local`` or ``whole``; MiB that it may take besides the network.
    tracks, track_table, bins, strands, shifts, precision
        Of a backbone with many tracks: which, and the mean over how many bins around the TSS,
        over both strands, and over shifts of so many bases.
    upstream
        Bases before the TSS in the window, where the model does not say it.

    Examples
    --------
    >>> exprimo.mutagenesis("RUN", "M.parquet", dataset="D.h5", gene=["g1"])   # doctest: +SKIP
    """
    config = MutagenesisConfig.checked(
        {
            "model": str(model),
            "dataset": _text(dataset),
            "fasta": _text(fasta),
            "genes": _text(genes),
            "gene": tuple(gene),
            "tss": str(tss),
            "chrom_style": str(chrom_style),
            "positions": positions,
            "around": around,
            "way": way,
            "memory": memory,
            "tracks": tuple(tracks),
            "track_table": _text(track_table),
            "bins": bins,
            "upstream": upstream,
            "average": {"strands": strands, "shifts": shifts},
            "precision": precision,
            "machine": {"device": device, "threads": threads},
        }
    )
    return _run(config, Path(out), executor, address)


def _run(
    config: MutagenesisConfig, out: Path, executor: ExecutorName, address: str | None
) -> Mutated:
    kind, seen = kind_of(out), Summary()
    refuse_existing(out)
    settings: dict[str, Any] = config.model_dump(mode="json")
    work = open_mutagenesis(settings)
    before = work.windows.upstream
    positions = (work.low - before, work.high - before)
    origin = describe_origin(
        settings=settings,
        digests=dict(work.digests),
        way=work.model.told,
        window=[-before, work.windows.downstream],
        orientation="effects and tss_distance in gene orientation; pos, ref, alt forward",
    )
    done = run_shards(
        "mutagenesis",
        settings,
        out,
        executor=executor,
        address=address,
        unit="substitutions",
        worker=work,
        assemble=lambda tables: (
            long_tables(seen.watch(tables)) if kind.is_long else seen.watch(tables)
        ),
        write=kind.write,
        origin=origin,
    )
    return Mutated(
        done.path,
        len(work.windows),
        positions,
        work.model.tracks,
        work.model.told,
        seen.n_substitutions,
        seen.n_unknown,
        _told(seen),
        done.n_rows,
        done.n_shards,
        done.n_known,
    )


def _told(seen: Summary) -> str | None:
    """Tell the greatest effect, where it is known in letters of the forward strand."""
    row = seen.strongest
    if row is None:
        return None
    place = f"{row['chrom']}:{row['pos']} {row['ref']}>{row['alt']}"
    if not row["variant_id"]:
        place = f"{row['gene_ref']}>{row['gene_alt']}"
    where = f"{row['tss_distance']:+d} of {row['gene_id']}"
    return f"{row['raw_score']:+.3g} of {row['track']} by {place}, position {where}"


def _text(path: str | Path | None) -> str | None:
    return None if path is None else str(path)
