"""The table of a pretrained model's tracks (``targets_human.txt``), and choosing from it.

Basenji and Enformer come with one tab-separated row per track: index, genome, identifier, file,
clip, scale, sum_stat, description. A description begins with its assay: ``CAGE:Whole blood...``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.tabular import open_table, parse_number, refuse_duplicate

_COLUMNS = ("index", "identifier", "description")
_WORD = re.compile(r"[a-z0-9]+")
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")
_SHOWN = 5


class TrackInfo(NamedTuple):
    """One track.

    Attributes
    ----------
    row
        Its place in the head that predicts it, from 0.
    number
        Its index in the table, which for mice goes on behind the human ones.
    identifier
        Accession of the experiment, such as ``ENCFF833POA`` or ``CNhs11760``.
    assay
        ``CAGE``, ``DNASE``, ``ATAC`` or ``CHIP``: what stands before the description's colon.
    description
        As in the table, assay included.
    clip, scale
        Largest value, and factor, of the data that the model was trained on; NaN where not given.
    """

    row: int
    number: int
    identifier: str
    assay: str
    description: str
    clip: float
    scale: float


class TrackTable(NamedTuple):
    """All tracks of a head, in its order."""

    path: Path
    tracks: tuple[TrackInfo, ...]

    def choose(self, wanted: Sequence[str]) -> tuple[int, ...]:
        """Give the rows of the tracks that any of ``wanted`` names, each once, as asked for.

        What may be asked for: a number (``4950``) or range (``10-19``, both ends) of the index;
        an identifier; an assay; a whole description; or words, all of which a description must
        have, in any order (``CAGE whole blood``, ``H3K27me3``). Capitals do not count.

        Raises
        ------
        InputError
            Something names no track; the error shows what is near it.

        Examples
        --------
        >>> table = TrackTable(Path("t.txt"), (
        ...     TrackInfo(0, 0, "E1", "DNASE", "DNASE:liver", 32.0, 2.0),
        ...     TrackInfo(1, 1, "E2", "CAGE", "CAGE:Whole blood, donor1", 384.0, 1.0),
        ... ))
        >>> table.choose(["CAGE whole blood", "0-1"])
        (1, 0)
        """
        found = [track.row for text in wanted for track in self.matching(text)]
        return tuple(dict.fromkeys(found))

    def matching(self, text: str) -> list[TrackInfo]:
        """Give the tracks that one text names; see `choose`."""
        asked = text.strip()
        found = self._by_number(asked) or self._by_name(asked.lower()) or self._by_words(asked)
        if not found:
            raise self._nothing(asked)
        return found

    def names(self, rows: Iterable[int]) -> tuple[str, ...]:
        """Name tracks for a table of results: by description; two of one, by identifier too."""
        counts: dict[str, int] = {}
        for track in self.tracks:
            counts[track.description] = counts.get(track.description, 0) + 1
        chosen = [self.tracks[row] for row in rows]
        return tuple(
            track.description
            if counts[track.description] == 1
            else f"{track.description} ({track.identifier})"
            for track in chosen
        )

    def check_number(self, n_tracks: int, model: str) -> None:
        """Refuse a table that is not of a model's head."""
        if len(self.tracks) != n_tracks:
            raise MismatchError(
                f"this table does not describe the tracks of {model}",
                file=self.path,
                found=f"{len(self.tracks):,} tracks",
                expected=f"{n_tracks:,}",
                remedy="Give the table of this model, or choose tracks by number",
            )

    def _by_number(self, asked: str) -> list[TrackInfo]:
        pair = _RANGE.fullmatch(asked)
        if pair is None and not asked.isdecimal():
            return []
        first, last = (int(pair[1]), int(pair[2])) if pair else (int(asked), int(asked))
        return [track for track in self.tracks if first <= track.number <= last]

    def _by_name(self, asked: str) -> list[TrackInfo]:
        for read in (_identifier, _assay, _description):
            found = [track for track in self.tracks if read(track) == asked]
            if found:
                return found
        return []

    def _by_words(self, asked: str) -> list[TrackInfo]:
        words = _words(asked)
        if not words or asked.isdecimal():
            return []
        return [track for track in self.tracks if _has(words, _words(track.description))]

    def _nothing(self, asked: str) -> InputError:
        """Make the error for what names no track."""
        if _RANGE.fullmatch(asked) or asked.isdecimal():
            numbers = [track.number for track in self.tracks]
            return InputError(
                "no track of this number",
                file=self.path,
                found=asked,
                expected=f"numbers from {min(numbers)} to {max(numbers)}",
            )
        near = self._near(asked)
        return InputError(
            "no track is described so",
            file=self.path,
            found=repr(asked),
            expected="a number, a range, an identifier, an assay, or words of a description",
            remedy=f"Near it: {'; '.join(near)}" if near else "Look into the table for its words",
        )

    def _near(self, asked: str) -> list[str]:
        """Give descriptions that have most of the words, misspelt ones mended."""
        described = [_words(track.description) for track in self.tracks]
        known = {word for words in described for word in words}
        known.update(track.identifier.lower() for track in self.tracks)
        wanted: set[str] = set()
        for word in _words(asked):
            wanted.update(difflib.get_close_matches(word, known, n=1, cutoff=0.7))
        scored = [
            (len(wanted & {*words, track.identifier.lower()}), -len(words), -track.row)
            for words, track in zip(described, self.tracks, strict=True)
        ]
        best = sorted((score for score in scored if score[0]), reverse=True)[:_SHOWN]
        return [self.tracks[-row].description for _, _, row in best]


def read_tracks(path: str | Path) -> TrackTable:
    """Read a table of tracks.

    Parameters
    ----------
    path
        ``targets_human.txt`` of Basenji's repository, or a table of the same columns: at least
        ``index``, ``identifier`` and ``description``.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "targets.txt"
    >>> _ = file.write_text("index\\tidentifier\\tdescription\\n0\\tE1\\tCAGE:brain, adult\\n")
    >>> read_tracks(file).tracks[0].assay
    'CAGE'
    """
    with open_table(path, "a table of tracks, such as targets_human.txt") as table:
        missing = [name for name in _COLUMNS if name not in table.header]
        if missing:
            raise FormatError(
                "not a table of tracks",
                file=path,
                record="header",
                found=", ".join(table.header[:8]),
                expected=f"columns {', '.join(_COLUMNS)}",
                remedy="Get the published one with: exprimo fetch enformer",
            )
        places = {name: table.header.index(name) for name in table.header}
        tracks = []
        seen: dict[str, int] = {}
        for row, (line, fields) in enumerate(table.rows):
            cells = {name: fields[place].strip() for name, place in places.items()}
            refuse_duplicate(seen, cells["index"], line, what="index", file=path)
            tracks.append(_track(row, cells, Path(path), line))
    if not tracks:
        raise FormatError("a table without tracks", file=path, expected="one row per track")
    return TrackTable(Path(path), tuple(tracks))


def _track(row: int, cells: dict[str, str], path: Path, line: int) -> TrackInfo:
    if not cells["index"].isdecimal():
        raise FormatError(
            "not the number of a track",
            file=path,
            record=f"line {line}",
            found=repr(cells["index"]),
            expected="a whole number",
        )
    if not cells["description"]:
        raise FormatError("a track without a description", file=path, record=f"line {line}")
    assay, colon, _ = cells["description"].partition(":")
    clip, scale = (
        parse_number(cells.get(name, ""), file=path, record=f"line {line}, {name}")
        for name in ("clip", "scale")
    )
    return TrackInfo(
        row,
        int(cells["index"]),
        cells["identifier"],
        assay.strip().upper() if colon else "",
        cells["description"],
        clip,
        scale,
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _has(wanted: frozenset[str], words: frozenset[str]) -> bool:
    """Tell whether all words are there; ``neutrophil`` is there where ``neutrophils`` is."""
    return all(word in words or f"{word}s" in words for word in wanted)


def _identifier(track: TrackInfo) -> str:
    return track.identifier.lower()


def _assay(track: TrackInfo) -> str:
    return track.assay.lower()


def _description(track: TrackInfo) -> str:
    return track.description.lower()
