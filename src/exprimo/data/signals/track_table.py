"""Which file holds which mark of which cell type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.data.tabular import open_table, unknown_name

TRACK_COLUMNS = ("cell_type", "mark", "file")


class Track(NamedTuple):
    """One file of signal.

    Examples
    --------
    >>> Track.parse("K562:H3K4me3:k562.bw")
    Track(cell='K562', mark='H3K4me3', path=PosixPath('k562.bw'))
    """

    cell: str
    mark: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> Track:
        """Read ``CELL:MARK:FILE``; the file may have colons in its name."""
        parts = text.split(":", 2)
        if len(parts) != 3 or not all(part.strip() for part in parts):
            raise ConfigError(
                "not a track of signal",
                record="--signal",
                found=text,
                expected="CELL:MARK:FILE, such as K562:H3K4me3:k562.bw",
            )
        return cls(parts[0].strip(), parts[1].strip(), Path(parts[2]))


class TrackGrid(NamedTuple):
    """Tracks by cell type and mark, each pair once and none missing."""

    cells: tuple[str, ...]
    marks: tuple[str, ...]
    files: Mapping[tuple[str, str], Path]


def read_track_table(path: str | Path) -> list[Track]:
    """Read tracks from a table with the columns ``cell_type``, ``mark`` and ``file``.

    Files are looked for beside the table, unless they have an absolute path.

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "tracks.tsv"
    >>> _ = table.write_text("cell_type\\tmark\\tfile\\nK562\\tH3K4me3\\tk562.bw\\n")
    >>> [(track.cell, track.mark, track.path.name) for track in read_track_table(table)]
    [('K562', 'H3K4me3', 'k562.bw')]
    """
    tracks = []
    with open_table(path, "a table of tracks") as table:
        at = [table.column(name) for name in TRACK_COLUMNS]
        for number, fields in table.rows:
            cell, mark, file = (fields[column].strip() for column in at)
            if not (cell and mark and file):
                raise FormatError(
                    "an empty cell in a table of tracks",
                    file=path,
                    record=f"line {number}",
                    expected=", ".join(TRACK_COLUMNS),
                )
            tracks.append(Track(cell, mark, Path(path).parent / file))
    return tracks


def arrange_tracks(tracks: Iterable[Track | str], marks: Sequence[str] = ()) -> TrackGrid:
    """Put tracks in a grid of cell types and marks, both in the order in which they first occur.

    Parameters
    ----------
    tracks
        ``Track``, or text ``CELL:MARK:FILE``.
    marks
        Which marks to use, in this order; empty for all of them.

    Raises
    ------
    ConfigError
        A pair of cell type and mark occurs twice.
    InputError
        A mark of some cell type is missing, or a file is not there.

    Examples
    --------
    >>> arrange_tracks(["A:H3K4me3:a.bw", "B:H3K4me3:b.bw"])           # doctest: +SKIP
    TrackGrid(cells=('A', 'B'), marks=('H3K4me3',), files={...})
    """
    given = [track if isinstance(track, Track) else Track.parse(track) for track in tracks]
    files: dict[tuple[str, str], Path] = {}
    for one in given:
        refuse_repeated(one, files)
        files[one.cell, one.mark] = one.path
    cells = tuple(dict.fromkeys(track.cell for track in given))
    known = tuple(dict.fromkeys(track.mark for track in given))
    for mark in marks:
        if mark not in known:
            raise unknown_name("mark", mark, known)
    chosen = tuple(dict.fromkeys(marks)) or known
    grid = [(cell, mark) for cell in cells for mark in chosen]
    return TrackGrid(cells, chosen, {key: require_track(*key, path=files.get(key)) for key in grid})


def refuse_repeated(track: Track, files: Mapping[tuple[str, str], Path]) -> None:
    """Refuse a track whose mark of that cell type is among ``files``."""
    cell, mark, path = track
    if (cell, mark) in files:
        raise ConfigError(
            "two files for the same mark of the same cell type",
            record=f"{cell}:{mark}",
            found=f"{files[cell, mark]} and {path}",
            expected="one file",
            remedy="Merge replicates before, or give them names of their own",
        )


def require_track(cell: str, mark: str, path: Path | None) -> Path:
    """Refuse a mark of a cell type that has no file, or whose file is not there."""
    if path is None:
        raise InputError(
            "a mark of a cell type is missing",
            record=f"cell type {cell}, mark {mark}",
            found="no file for it",
            expected="each mark of each cell type",
            remedy=f"Add --signal {cell}:{mark}:FILE, or choose the marks that all cell types "
            "have with --marks",
        )
    if not path.exists():
        raise InputError("no such file", file=path, record=f"cell type {cell}, mark {mark}")
    return path
