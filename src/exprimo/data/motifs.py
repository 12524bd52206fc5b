"""Binding motifs in MEME's text format, minimal or as MEME, STREME and DREME print it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError
from exprimo.core.sequence import decode
from exprimo.data.textfile import open_text

Matrix = npt.NDArray[np.float64]

WHAT = "motifs in MEME format"
# The four numbers of a row that was rounded to two decimals sum to 0.98 to 1.02.
TOLERANCE = 0.02
# MEME, STREME and DREME print up to some ten lines of banner above the version.
_BANNER_LINES = 100
_VERSION = re.compile(r"MEME version\s+(\d+)")
_PAIR = re.compile(r"(\w+)\s*=\s*(\S+)")
_NUMBERS = re.compile(r"[-+\d.eE]*\d[-+\d.eE]*(\s+[-+\d.eE]*\d[-+\d.eE]*){3}")
_ENDS_MATRIX = re.compile(r"$|--|[*#]|URL|MOTIF|letter-prob|log-odds|Motif")
_CONVERT = (
    "MEME Suite's jaspar2meme, chen2meme and transfac2meme convert other formats, and JASPAR "
    "offers its motifs in this one"
)


class MotifMatrix(NamedTuple):
    """The binding motif of one factor.

    Attributes
    ----------
    name, alt_name
        Identifier, and the alternative name (often the factor's; "" where there is none).
    probabilities
        Shape (width, 4), columns A, C, G, T; each row sums to 1.
    background
        Frequencies of A, C, G, T that the file gives, shape (4,); 0.25 each where it gives none.
    n_sites
        Number of sites that the matrix was counted from, None where the file does not say.
    evalue
        E-value of the motif, None where the file does not say.
    url
        Where the motif is described, "" where the file does not say.
    """

    name: str
    alt_name: str
    probabilities: Matrix
    background: Matrix
    n_sites: float | None = None
    evalue: float | None = None
    url: str = ""

    @property
    def width(self) -> int:
        """Number of positions."""
        return len(self.probabilities)

    @property
    def consensus(self) -> str:
        """The most probable base of each position, the first of A, C, G, T where several are."""
        return decode(self.probabilities.argmax(axis=1).astype(np.uint8))

    @property
    def information(self) -> float:
        """Information content in bits against equal base frequencies (Schneider et al. 1986)."""
        p = self.probabilities[self.probabilities > 0]
        return 2.0 * self.width + float((p * np.log2(p)).sum())


def read_motifs(path: str | Path) -> tuple[MotifMatrix, ...]:
    """Read the motifs of a MEME text file, plain or gzip.

    Parameters
    ----------
    path
        MEME's minimal format, or what MEME, STREME or DREME print. Alphabet, background and
        counts may be left out; sections that say nothing about the matrices are passed over.

    Returns
    -------
    tuple of MotifMatrix
        In file order.

    Raises
    ------
    FormatError
        Not a MEME file, no motif, an alphabet other than ACGT, a motif without probabilities
        (log-odds alone do not tell them) or with the id of another, a row that does not sum to 1.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "motifs.meme"
    >>> _ = file.write_text("MEME version 4\\n\\nMOTIF M1 GATA1\\nletter-probability matrix:\\n"
    ...                     "0 0 1 0\\n1 0 0 0\\n0 0 0 1\\n0.7 0 0.3 0\\n")
    >>> (motif,) = read_motifs(file)
    >>> motif.name, motif.alt_name, motif.consensus, round(motif.information, 2)
    ('M1', 'GATA1', 'GATA', 7.12)
    """
    source = Path(path)
    with open_text(source, WHAT) as text:
        above = _lines_to_version(text, source)
        lines = above + [" ".join(line.split()) for line in text]
    reader = _Reader(source, lines, len(above))
    reader.read()
    return reader.motifs()


def is_version_line(line: str) -> bool:
    """Tell the line by which a MEME file is known."""
    return _VERSION.match(line) is not None


def _lines_to_version(text: Iterator[str], path: Path) -> list[str]:
    above: list[str] = []
    for line in islice(text, _BANNER_LINES):
        above.append(line.strip())
        if is_version_line(above[-1]):
            return above
    first = next((line for line in above if line), "")
    raise FormatError(
        "not a MEME file",
        file=path,
        record="line 1",
        found=repr(first[:40]),
        expected=f"a line 'MEME version 4' within the first {_BANNER_LINES} lines",
        remedy=_CONVERT,
    )


class _Draft:
    """A motif while its lines are read."""

    def __init__(self, name: str, alt_name: str, line: int) -> None:
        self.name, self.alt_name, self.line = name, alt_name, line
        self.probabilities: Matrix | None = None
        self.has_log_odds = False
        self.n_sites: float | None = None
        self.evalue: float | None = None
        self.url = ""


class _Reader:
    """Go through the lines once; each section takes the lines that belong to it."""

    def __init__(self, path: Path, lines: list[str], at: int) -> None:
        self.path, self.lines, self.at = path, lines, at
        self.background = np.full(4, 0.25)
        self.drafts: dict[str, _Draft] = {}
        self.last: _Draft | None = None

    def read(self) -> None:
        sections = {
            "ALPHABET": self._alphabet,
            "Background letter frequencies": self._background,
            "MOTIF ": self._motif,
            "letter-probability matrix": self._matrix,
            "log-odds matrix": self._log_odds,
            "URL": self._url,
        }
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            for start, section in sections.items():
                if f"{line} ".startswith(start):
                    section(line[len(start) :].strip())
                    break
            else:
                self._refuse_stray_row(line)

    def _refuse_stray_row(self, line: str) -> None:
        # A blank line or a slip inside a matrix must not cut it short in silence.
        if _NUMBERS.fullmatch(line):
            raise FormatError(
                "a row of numbers that belongs to no matrix",
                file=self.path,
                record=f"line {self.at}",
                found=line[:60],
                expected="rows that follow 'letter-probability matrix:' line by line",
            )

    def motifs(self) -> tuple[MotifMatrix, ...]:
        if not self.drafts:
            raise FormatError(
                "no motif", file=self.path, expected="lines that begin with 'MOTIF' and an id"
            )
        return tuple(self._finished(draft) for draft in self.drafts.values())

    def _finished(self, draft: _Draft) -> MotifMatrix:
        if draft.probabilities is None:
            raise FormatError(
                "a motif without probabilities",
                file=self.path,
                record=f"motif {draft.name}, line {draft.line}",
                found="log-odds alone" if draft.has_log_odds else "no matrix",
                expected="a section 'letter-probability matrix:'",
                remedy="Log-odds depend on the background and pseudo-count that they were made "
                "with; export the probabilities (MEME's own output holds both)"
                if draft.has_log_odds
                else "The file may have been cut short; fetch or copy it again",
            )
        return MotifMatrix(
            draft.name,
            draft.alt_name,
            draft.probabilities,
            self.background,
            draft.n_sites,
            draft.evalue,
            draft.url,
        )

    def _alphabet(self, rest: str) -> None:
        line = self.at
        if rest.startswith("="):
            letters = "".join(rest[1:].split())
        else:
            letters = "".join(self._alphabet_block())
        # An alphabet's definition may list its letters in any order; columns are sorted.
        if "".join(sorted(letters.upper())) != "ACGT":
            rna = sorted(letters.upper()) == sorted("ACGU")
            raise FormatError(
                "motifs of another alphabet than DNA",
                file=self.path,
                record=f"line {line}",
                found=letters[:40],
                expected="ACGT",
                remedy="MEME Suite's rna2meme -dna writes RNA motifs as DNA" if rna else None,
            )

    def _alphabet_block(self) -> Iterator[str]:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            if line.startswith("END ALPHABET"):
                return
            # Lines with '=' define ambiguity codes; '~' pairs two complements.
            code = re.sub(r'"[^"]*"', " ", line).split("#")[0]
            if code.strip() and "=" not in code:
                yield from (part.split()[0] for part in code.split("~"))

    def _background(self, rest: str) -> None:
        del rest
        words: list[str] = []
        first = self.at + 1
        while self.at < len(self.lines) and len(words) < 8 and self.lines[self.at]:
            words += self.lines[self.at].split()
            self.at += 1
        record = f"line {first}"
        frequencies = {
            letter.upper(): self._number(value, record)
            for letter, value in zip(words[::2], words[1::2], strict=False)
        }
        values = np.array([frequencies.get(letter, 0.0) for letter in "ACGT"])
        if len(words) != 8 or not (values > 0).all() or abs(values.sum() - 1) > TOLERANCE:
            raise FormatError(
                "not a background",
                file=self.path,
                record=record,
                found=" ".join(words)[:80] or "nothing",
                expected="A, C, G and T, each with a frequency above 0, which sum to 1",
            )
        self.background = values / values.sum()

    def _motif(self, rest: str) -> None:
        # MEME's own output goes on with "width = 15  sites = 18  llr = 196 ...".
        words = re.split(r"\bwidth\s*=", rest)[0].split()
        if not words:
            raise FormatError("a motif without an id", file=self.path, record=f"line {self.at}")
        name = words[0]
        if name in self.drafts:
            raise FormatError(
                "two motifs have the same id",
                file=self.path,
                record=f"line {self.at}",
                found=f"{name}, already on line {self.drafts[name].line}",
                remedy="Remove or rename one of them",
            )
        self.last = _Draft(name, words[1] if len(words) > 1 else "", self.at)
        self.drafts[name] = self.last

    def _current(self, what: str) -> _Draft:
        if self.last is None:
            raise FormatError(
                f"{what} before any motif",
                file=self.path,
                record=f"line {self.at}",
                expected="a line 'MOTIF' with an id above it",
            )
        return self.last

    def _log_odds(self, rest: str) -> None:
        del rest
        self._current("a matrix").has_log_odds = True
        while self.at < len(self.lines) and _NUMBERS.fullmatch(self.lines[self.at]):
            self.at += 1

    def _url(self, rest: str) -> None:
        self._current("a URL").url = rest

    def _matrix(self, rest: str) -> None:
        draft, header = self._current("a matrix"), self.at
        record = f"motif {draft.name}, line {header}"
        if draft.probabilities is not None:
            raise FormatError(
                "two matrices in one motif",
                file=self.path,
                record=record,
                expected="a line 'MOTIF' with an id above each",
            )
        words = dict(_PAIR.findall(rest))
        said = {
            key: self._number(words[key], record)
            for key in ("alength", "w", "nsites")
            if key in words
        }
        if said.get("alength", 4) != 4:
            raise FormatError(
                "motifs of another alphabet than DNA",
                file=self.path,
                record=record,
                found=f"alength= {said['alength']:g}",
                expected="4: A, C, G, T",
            )
        rows = self._rows(draft.name)
        if not rows or len(rows) != said.get("w", len(rows)):
            behind = self.lines[self.at] if self.at < len(self.lines) else "the end of the file"
            raise FormatError(
                "a matrix does not have as many rows as it says",
                file=self.path,
                record=record,
                found=f"{len(rows)} rows, then {behind[:40] or 'an empty line'!r}",
                expected=f"w= {said['w']:g}" if "w" in said else "at least one row of numbers",
            )
        draft.probabilities = np.array(rows)
        draft.n_sites = said.get("nsites") or None
        # The E-value of a poor motif may be too large for a float: infinite.
        draft.evalue = self._number(words["E"], record, finite=False) if "E" in words else None

    def _rows(self, name: str) -> list[list[float]]:
        rows: list[list[float]] = []
        while self.at < len(self.lines) and _ENDS_MATRIX.match(self.lines[self.at]) is None:
            line = self.lines[self.at]
            self.at += 1
            record = f"motif {name}, line {self.at}"
            values = [self._number(word, record) for word in line.split()]
            if len(values) != 4 or min(values) < 0 or abs(sum(values) - 1) > TOLERANCE:
                total = f", which sum to {sum(values):g}" if len(values) == 4 else ""
                raise FormatError(
                    "not a row of probabilities",
                    file=self.path,
                    record=record,
                    found=f"{line[:60]}{total}",
                    expected="four numbers from 0 to 1, for A, C, G and T, which sum to 1",
                    remedy="Divide counts by their sum" if min(values) >= 0 else None,
                )
            rows.append([value / sum(values) for value in values])
        return rows

    def _number(self, word: str, record: str, *, finite: bool = True) -> float:
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if math.isnan(value) or (finite and math.isinf(value)):
            raise FormatError("not a number", file=self.path, record=record, found=repr(word[:40]))
        return value
