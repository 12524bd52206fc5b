"""The error tree.

    ExprimoError
    ├── InputError           a file or value that the user gave cannot be used
    │   ├── FormatError      a file is not what it claims to be, or is cut short
    │   ├── MismatchError    two inputs do not fit together (names, builds, samples)
    │   └── ConfigError      a setting is unknown or out of range
    ├── LeakError            something fitted would be judged on what it learned from
    ├── VersionError         written by a newer Exprimo, or with another alphabet
    ├── LockedError          another process is writing the same thing
    ├── StorageError         the disk is full or not writable
    ├── FetchError           a download failed or arrived damaged
    └── TrainingError        a model could not be fitted (diverged, nothing to learn from)

Each message says which file and record, what was found, what was expected, and what to do.
"""

from __future__ import annotations

from pathlib import Path


class ExprimoError(Exception):
    """Base of every error that Exprimo raises on purpose.

    Parameters
    ----------
    problem
        One sentence without a full stop: what is wrong.
    file, record
        Where: a path, and a line, gene, sample or key in it.
    found, expected
        What stood there and what should have.
    remedy
        What the user can do about it, as an instruction.

    Examples
    --------
    >>> print(FormatError("not a count", file="c.tsv", record="gene g1", found="-3",
    ...                   expected="a whole number", remedy="Give raw counts."))
    c.tsv, gene g1: not a count. Found: -3. Expected: a whole number. Give raw counts.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        record: str | None = None,
        found: object = None,
        expected: object = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else str(file)
        self.record = record
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(self._message())

    def _message(self) -> str:
        where = ", ".join(part for part in (self.file, self.record) if part)
        parts = [f"{where}: {self.problem}" if where else self.problem]
        if self.found is not None:
            parts.append(f"Found: {self.found}")
        if self.expected is not None:
            parts.append(f"Expected: {self.expected}")
        if self.remedy:
            parts.append(self.remedy.rstrip("."))
        text = ". ".join(part.rstrip(".") for part in parts)
        return text if text.endswith("?") else text + "."


class InputError(ExprimoError):
    """A file or value that the user gave cannot be used."""


class FormatError(InputError):
    """A file is not what it claims to be, or is cut short."""


class MismatchError(InputError):
    """Two inputs do not fit together: names, genome builds, samples."""


class ConfigError(InputError):
    """A setting is unknown or out of range."""


class LeakError(ExprimoError):
    """Something fitted would be judged on what it learned from."""


class VersionError(ExprimoError):
    """A file of a newer format, or of another alphabet."""


class LockedError(ExprimoError):
    """Another process is writing the same thing."""


class StorageError(ExprimoError):
    """The disk is full or not writable."""


class FetchError(ExprimoError):
    """A download failed or arrived damaged."""


class TrainingError(ExprimoError):
    """A model could not be fitted."""
