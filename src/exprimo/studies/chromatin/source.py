"""The dataset of a chromatin study, from tracks or from binned files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exprimo.data.signals.track_table import read_track_table
from exprimo.features import dataset_chromatin
from exprimo.studies.chromatin.config import BinnedSource, ChromatinStudy, TrackSource

_PATHS = ("genes", "fasta", "expression", "gene_names", "signal_table", "sequences")
_OWN_WORDS = {"chrom_style": ("auto",), "tss": ("canonical", "most5prime")}


def build_dataset(study: ChromatinStudy, home: Path, out: Path) -> None:
    """Write the dataset of a study that does not name one."""
    if study.tracks is not None:
        dataset_chromatin(out=out, **track_values(study.tracks, home))
    elif study.binned is not None:
        dataset_chromatin(out=out, **binned_values(study.binned, home))


def track_values(source: TrackSource, home: Path) -> dict[str, Any]:
    """Give the arguments of `dataset_chromatin`, with paths found from ``home``."""
    values = _found(source.model_dump(), home)
    values["signals"] = [_track_from(home, text) for text in source.signals]
    return values


def binned_values(source: BinnedSource, home: Path) -> dict[str, Any]:
    """Give the arguments of `dataset_chromatin`, with paths found from ``home``."""
    values = _found(source.model_dump(), home)
    values["binned"] = [_named_from(home, text) for text in values.pop("files")]
    return values


def source_files(study: ChromatinStudy, home: Path) -> dict[str, Path]:
    """Name every file that a study reads: setting -> path."""
    source = study.tracks or study.binned
    if source is None:
        return {"dataset": home / study.dataset} if study.dataset else {}
    key = "tracks" if study.tracks is not None else "binned"
    values = _found(source.model_dump(), home)
    files = {f"{key}.{name}": path for name, path in values.items() if isinstance(path, Path)}
    if study.tracks is not None:
        tracks = [_track_from(home, text) for text in study.tracks.signals]
        files |= {
            f"tracks.signals[{i}]": Path(text.split(":", 2)[-1]) for i, text in enumerate(tracks)
        }
        if study.tracks.signal_table is not None:
            table = home / study.tracks.signal_table
            if table.is_file():
                files |= {
                    f"tracks.signal_table, {track.cell} {track.mark}": track.path
                    for track in read_track_table(table)
                }
    if study.binned is not None:
        named = [_named_from(home, text) for text in study.binned.files]
        files |= {f"binned.files[{i}]": _plain(text) for i, text in enumerate(named)}
    return files


def _found(values: dict[str, Any], home: Path) -> dict[str, Any]:
    """Put the study's own folder before its paths."""
    found = dict(values)
    for name in _PATHS:
        if found.get(name) is not None:
            found[name] = home / found[name]
    for name, words in _OWN_WORDS.items():
        if name in found and found[name] not in words:
            found[name] = home / found[name]
    return found


def _track_from(home: Path, text: str) -> str:
    """Find the file of ``CELL:MARK:FILE`` from ``home``.

    Examples
    --------
    >>> _track_from(Path("/data"), "K562:H3K4me3:k4.bw")
    'K562:H3K4me3:/data/k4.bw'
    """
    parts = text.split(":", 2)
    return ":".join([*parts[:2], str(home / parts[2])]) if len(parts) == 3 else text


def _named_from(home: Path, text: str) -> str:
    """Find the file of ``FILE`` or ``CELL:FILE`` from ``home``."""
    if (home / text).exists() or ":" not in text:
        return str(home / text)
    cell, _, name = text.partition(":")
    return f"{cell}:{home / name}"


def _plain(text: str) -> Path:
    return Path(text) if ":" not in text or Path(text).exists() else Path(text.partition(":")[2])
