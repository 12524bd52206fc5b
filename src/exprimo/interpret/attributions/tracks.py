"""Contributions as BigWig tracks in genome coordinates."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pybigtools  # type: ignore[import-untyped]  # the package has no type hints

from exprimo.core.errors import ExprimoError, InputError, MismatchError, StorageError
from exprimo.core.predictor import Floats
from exprimo.core.sequence import N_CODE
from exprimo.interpret.attributions.store import SEQUENCE, Attributions

TRACKS_FOLDER = "tracks"


class _Stretch(NamedTuple):
    """Windows of one chromosome that overlap or touch: their numbers, first base and end."""

    windows: list[int]
    start: int
    end: int


def write_tracks(
    found: Attributions, folder: Path, lengths: Mapping[str, int] | None = None
) -> tuple[str, ...]:
    """Write the contributions of each sequence input as a BigWig; return the files' names.

    Where windows overlap, a base has the mean over them; windows of the minus strand are turned
    back. Bases outside of all windows have no value.

    Parameters
    ----------
    folder
        In which ``tracks/NAME.bw`` is written.
    lengths
        Chromosome -> length; by default a chromosome ends where its last window does. A window may
        hang over an end of its chromosome, where it holds N; bases there are refused.
    """
    places = found.places
    sizes = check_places(places, found.inputs, lengths)
    _check_windows(found, places)
    _check_ends(found, places, sizes)
    values = _intervals(found, places, sizes)
    first = next(values, None)
    if first is None:
        raise InputError(
            "no base of these windows is known, so no track can be written",
            found="N alone",
            remedy="Leave --tracks out",
        )
    target = folder / TRACKS_FOLDER / f"{SEQUENCE}.bw"
    target.parent.mkdir(exist_ok=True)
    try:
        # The library tells of failures on the terminal, some of them there alone.
        with _silent():
            pybigtools.open(str(target), "w").write(sizes, chain([first], values))
            pybigtools.open(str(target)).chroms()
    except ExprimoError:
        raise
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    # On a full disk the library panics, which is no Exception.
    except BaseException as error:
        raise StorageError(
            "cannot write a BigWig file",
            file=target,
            found=error,
            remedy="Free some space, or leave --tracks out",
        ) from error
    return (f"{TRACKS_FOLDER}/{target.name}",)


def check_places(
    places: Mapping[str, npt.NDArray[Any]],
    inputs: Sequence[str],
    lengths: Mapping[str, int] | None,
) -> dict[str, int]:
    """Give the length of each chromosome of the windows; refuse what can be no track.

    Parameters
    ----------
    places
        Of the windows; empty where they have none.
    inputs
        What is explained.
    lengths
        As `write_tracks` takes them.
    """
    if not places or SEQUENCE not in inputs:
        raise InputError(
            "these windows have no place on a genome, so no track can be written",
            found="no columns chrom, start, end and strand"
            if SEQUENCE in inputs
            else "no sequence",
            expected="a dataset that was cut from a genome",
            remedy="Leave --tracks out",
        )
    return _sizes(places, lengths)


def _check_windows(found: Attributions, places: Mapping[str, npt.NDArray[Any]]) -> None:
    wrong = places["end"] - places["start"] != found.length
    if wrong.any():
        row = int(wrong.argmax())
        raise MismatchError(
            "a window is not as long as its place on the genome, as where it holds indels",
            record=str(found.example_id[row]),
            found=f"{found.length:,} bases",
            expected=f"{int(places['end'][row] - places['start'][row]):,}",
            remedy="Leave --tracks out",
        )


def _check_ends(
    found: Attributions, places: Mapping[str, npt.NDArray[Any]], sizes: Mapping[str, int]
) -> None:
    """Refuse windows that hold bases where their chromosome has none: it is of another genome."""
    ends = np.array([sizes[str(name)] for name in places["chrom"]])
    for row in np.flatnonzero((places["start"] < 0) | (places["end"] > ends)).tolist():
        start, end = int(places["start"][row]), int(places["end"][row])
        codes = found.codes(slice(row, row + 1))[0]
        known = (codes[::-1] if places["strand"][row] == "-" else codes) < N_CODE
        at = np.arange(start, end)
        if (known & ((at < 0) | (at >= ends[row]))).any():
            chrom = str(places["chrom"][row])
            raise MismatchError(
                "a window holds bases beyond the ends of its chromosome",
                record=str(found.example_id[row]),
                found=f"{chrom}:{start:,}-{end:,}",
                expected=f"a chromosome {chrom} of more than {ends[row]:,} bases"
                if start >= 0
                else "windows that begin at 0 or later, or hold N before",
                remedy="Give the genome that the dataset was cut from: --fasta",
            )


@contextmanager
def _silent() -> Iterator[None]:
    """Send what is written to the terminal, also by compiled code, nowhere."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number, _ in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, before in kept:
            os.dup2(before, number)
            os.close(before)
        os.close(nowhere)


def _sizes(
    places: Mapping[str, npt.NDArray[Any]], lengths: Mapping[str, int] | None
) -> dict[str, int]:
    sizes = {}
    for name in sorted({str(one) for one in places["chrom"]}):
        end = int(places["end"][places["chrom"] == name].max())
        known = end if lengths is None else lengths.get(name)
        if known is None:
            raise MismatchError(
                "a chromosome of the windows is not in the genome",
                record=name,
                expected=", ".join(list(lengths or ())[:5]),
                remedy="Give the genome that the dataset was cut from: --fasta",
            )
        sizes[name] = known
    return sizes


def _intervals(
    found: Attributions, places: Mapping[str, npt.NDArray[Any]], sizes: Mapping[str, int]
) -> Iterator[tuple[str, int, int, float]]:
    """Give every base that has a value, in order."""
    for chrom in sorted({str(one) for one in places["chrom"]}):
        for stretch in _stretches(np.flatnonzero(places["chrom"] == chrom), places):
            values, known = _mean(found, places, stretch)
            at = np.flatnonzero(known)
            first = at + stretch.start
            # A window may hang over an end of its chromosome; there it holds N.
            at, first = (some[(first >= 0) & (first < sizes[chrom])] for some in (at, first))
            columns = (first.tolist(), (first + 1).tolist(), values[at].tolist())
            yield from zip([chrom] * len(at), *columns, strict=True)


def _stretches(
    rows: npt.NDArray[np.intp], places: Mapping[str, npt.NDArray[Any]]
) -> Iterator[_Stretch]:
    held: _Stretch | None = None
    for row in rows[np.argsort(places["start"][rows], kind="stable")].tolist():
        start, end = int(places["start"][row]), int(places["end"][row])
        if held is not None and start <= held.end:
            held.windows.append(row)
            held = held._replace(end=max(held.end, end))
            continue
        if held is not None:
            yield held
        held = _Stretch([row], start, end)
    if held is not None:
        yield held


def _mean(
    found: Attributions, places: Mapping[str, npt.NDArray[Any]], stretch: _Stretch
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Give the mean over the windows of a stretch, and where there is one: not at N."""
    size = stretch.end - stretch.start
    total, count = np.zeros(size), np.zeros(size, np.int64)
    for row in stretch.windows:
        here = slice(row, row + 1)
        values, known = found.values(here)[0], found.codes(here)[0] < N_CODE
        if places["strand"][row] == "-":
            values, known = values[::-1], known[::-1]
        first = int(places["start"][row]) - stretch.start
        total[first : first + len(values)] += np.where(known, values, 0)
        count[first : first + len(values)] += known
    return (total / np.maximum(count, 1)).astype(np.float32), count > 0
