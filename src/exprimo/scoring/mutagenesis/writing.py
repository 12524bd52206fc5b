"""Files of effects: tables with a row per substitution, BED with a row per position, and HDF5."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.atomic import atomic_file, storage_errors
from exprimo.core.files.origin import provenance_path
from exprimo.core.files.versions import check_alphabet, check_format_version
from exprimo.core.predictor import Floats
from exprimo.core.run import write_json
from exprimo.core.sequence import ALPHABET, Codes, encode
from exprimo.scoring.mutagenesis.substitutions import N_BASES, strongest
from exprimo.scoring.mutagenesis.table import BASES, EFFECT_COLUMNS
from exprimo.scoring.shards.tables import (
    Tables,
    TableWriter,
    write_parquet,
    write_tsv,
)

FORMAT, FORMAT_VERSION = "exprimo mutagenesis", 1
_TEXTS = ("example_id", "gene_id", "chrom", "strand")
_BED = ["#chrom", "start", "end", "gene_id", "strongest", "strand", "ref", *EFFECT_COLUMNS, "track"]


class Kind(NamedTuple):
    """A kind of file: what writes it, and whether of rows per substitution or per position."""

    write: TableWriter
    is_long: bool


def kind_of(out: Path) -> Kind:
    """Choose the kind of file by its suffix.

    Examples
    --------
    >>> kind_of(Path("M.bed")).is_long
    False
    """
    if out.suffix not in _KINDS:
        raise InputError("unknown kind of output", file=out, expected=", ".join(_KINDS))
    return _KINDS[out.suffix]


def write_bed(out: Path, tables: Tables, origin: dict[str, Any]) -> int:
    """Write a row per position and track, as genome browsers read it; letters are forward.

    The score is the effect of the greatest size; behind the strand stand the base that is there
    and the effects of A, C, G and T in its place.
    """
    n_rows = 0
    with atomic_file(out) as partial, partial.open("w", encoding="utf-8", newline="") as handle:
        for number, table in enumerate(tables):
            rows = _bed_rows(table.to_pandas(), out)
            rows.to_csv(handle, sep="\t", index=False, header=number == 0, float_format="%.6g")
            n_rows += len(rows)
    write_json(provenance_path(out), origin)
    return n_rows


def _bed_rows(rows: pd.DataFrame, out: Path) -> pd.DataFrame:
    rows = rows[rows["gene_ref"] != "N"]
    if (rows["pos"] < 1).any():
        raise InputError(
            "these windows have no place on a genome, so no BED can be written",
            file=out,
            record=str(rows.loc[rows["pos"] < 1, "example_id"].iloc[0]),
            remedy="Write .tsv, .parquet or .h5",
        )
    values = rows[EFFECT_COLUMNS].to_numpy(np.float32)
    minus = (rows["strand"] == "-").to_numpy()
    # The complement of ACGT is TGCA, the same backwards.
    forward = np.where(minus[:, None], values[:, ::-1], values)
    reference = rows["gene_ref"].to_numpy(str)
    other = np.array(list(BASES))[::-1][np.searchsorted(list(BASES), reference)]
    made = rows.assign(
        **{"#chrom": rows["chrom"], "start": rows["pos"] - 1, "end": rows["pos"]},
        **dict(zip(EFFECT_COLUMNS, forward.T, strict=True)),
        ref=np.where(minus, other, reference),
        strongest=strongest(values.T) if len(rows) else values[:, 0],
    )
    return made[_BED]


class _Example(NamedTuple):
    """One example's rows as arrays, as `Mutagenesis` has them."""

    texts: dict[str, str]
    reference: Codes
    pos: npt.NDArray[np.int64]
    prediction: Floats
    effects: Floats


def write_arrays(out: Path, tables: Tables, origin: dict[str, Any]) -> int:
    """Write all as arrays in one HDF5 file; `read_arrays` gives them back."""
    n = 0
    with (
        storage_errors(out),
        atomic_file(out) as partial,
        h5py.File(partial, "w", track_order=True) as file,
    ):
        for rows in _by_example(tables):
            example = _arrays(rows)
            if n == 0:
                _begin(file, rows, example, origin)
            _append(file, n, example)
            n += 1
        if n == 0:
            raise InputError("nothing to write", file=out)
    return n


def _by_example(tables: Tables) -> Iterator[pd.DataFrame]:
    """Give the rows of one example at a time; those of one follow each other."""
    held: list[pd.DataFrame] = []
    for table in tables:
        for _, rows in table.to_pandas().groupby("example_id", sort=False):
            if held and held[-1]["example_id"].iloc[0] != rows["example_id"].iloc[0]:
                yield pd.concat(held, ignore_index=True)
                held = []
            held.append(rows)
    if held:
        yield pd.concat(held, ignore_index=True)


def _arrays(rows: pd.DataFrame) -> _Example:
    tracks = list(dict.fromkeys(rows["track"]))
    one = rows[rows["track"] == tracks[0]]
    values = [rows.loc[rows["track"] == track, EFFECT_COLUMNS].to_numpy().T for track in tracks]
    return _Example(
        {name: str(one[name].iloc[0]) for name in _TEXTS},
        encode("".join(one["gene_ref"])),
        one["pos"].to_numpy(np.int64),
        rows.drop_duplicates("track")["ref_pred"].to_numpy(np.float32),
        np.stack(values).astype(np.float32),
    )


def _begin(file: h5py.File, rows: pd.DataFrame, example: _Example, origin: dict[str, Any]) -> None:
    text = h5py.string_dtype()
    n_tracks, _, n = example.effects.shape
    file.attrs["format"] = FORMAT
    file.attrs["format_version"] = FORMAT_VERSION
    file.attrs["alphabet"] = ALPHABET
    file.attrs["orientation"] = "gene"
    file.attrs["provenance"] = json.dumps(origin)
    file.create_dataset("tracks", data=list(dict.fromkeys(rows["track"])), dtype=text)
    file.create_dataset("tss_distance", data=rows["tss_distance"].to_numpy(np.int32)[:n])
    for name in _TEXTS:
        file.create_dataset(name, (0,), maxshape=(None,), dtype=text)
    for name, shape, dtype in (
        ("reference", (n,), np.uint8),
        ("pos", (n,), np.int64),
        ("prediction", (n_tracks,), np.float32),
        ("effects", (n_tracks, N_BASES, n), np.float32),
    ):
        file.create_dataset(name, (0, *shape), dtype, maxshape=(None, *shape), chunks=(1, *shape))


def _append(file: h5py.File, at: int, example: _Example) -> None:
    for name, value in [*example.texts.items(), *example._asdict().items()]:
        if name != "texts":
            file[name].resize(at + 1, axis=0)
            file[name][at] = value


class Mutagenesis(NamedTuple):
    """Effects of all single-base changes, in gene orientation.

    Attributes
    ----------
    example_id, gene_id, chrom, strand
        Of each example, (n,).
    tracks
        Names of what is predicted.
    tss_distance
        Position relative to the TSS, (positions,); negative is upstream.
    reference
        Codes of the bases that are there, (n, positions).
    pos
        1-based positions on the forward strand, (n, positions); 0 if not known.
    prediction
        With the bases that are there, (n, tracks).
    effects
        ALT - REF, (n, tracks, 4, positions) in the order ACGT; 0 for the base that is there,
        NaN where N is.
    """

    example_id: npt.NDArray[np.str_]
    gene_id: npt.NDArray[np.str_]
    chrom: npt.NDArray[np.str_]
    strand: npt.NDArray[np.str_]
    tracks: tuple[str, ...]
    tss_distance: npt.NDArray[np.int32]
    reference: Codes
    pos: npt.NDArray[np.int64]
    prediction: Floats
    effects: Floats


def read_arrays(path: str | Path) -> Mutagenesis:
    """Read what `write_arrays` wrote."""
    source = Path(path)
    if not source.is_file():
        raise InputError("no such file", file=source)
    try:
        with h5py.File(source, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise FormatError("an HDF5 file, but not of mutagenesis", file=source)
            version = file.attrs.get("format_version")
            check_format_version(version, FORMAT_VERSION, file=source, what="mutagenesis")
            check_alphabet(file.attrs.get("alphabet"), file=source)
            texts = [file[name].asstr()[:].astype(str) for name in _TEXTS]
            names = ("tss_distance", "reference", "pos", "prediction", "effects")
            numbers = [file[name][:] for name in names]
            return Mutagenesis._make([*texts, tuple(file["tracks"].asstr()[:]), *numbers])
    except OSError as error:
        raise FormatError("not an HDF5 file, or cut short", file=source) from error


_KINDS = {
    ".parquet": Kind(write_parquet, True),
    ".tsv": Kind(write_tsv, True),
    ".bed": Kind(write_bed, False),
    ".h5": Kind(write_arrays, False),
}
