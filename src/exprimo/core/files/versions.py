"""Format versions: a newer file is refused, an older one is read."""

from __future__ import annotations

from pathlib import Path

from exprimo.core.errors import FormatError, VersionError
from exprimo.core.files.provenance import exprimo_version
from exprimo.core.sequence import ALPHABET

# 2: targets of several classes, with their names.
DATASET_FORMAT = 2
RUN_FORMAT = 1
# 2: outputs of several classes; networks with boosted trees.
CHECKPOINT_FORMAT = 2


def check_format_version(found: object, supported: int, *, file: str | Path, what: str) -> int:
    """Return the version if this Exprimo can read it, else say what would.

    Examples
    --------
    >>> check_format_version(1, 1, file="D.h5", what="dataset")
    1
    """
    try:
        number = int(str(found))
    except ValueError:
        raise FormatError(
            f"no format version, so this is not an Exprimo {what}",
            file=file,
            found=found,
            expected=f"format_version between 1 and {supported}",
        ) from None
    if number > supported:
        raise VersionError(
            f"this {what} was written by a newer Exprimo",
            file=file,
            found=f"format_version {number}",
            expected=f"at most {supported} (this is Exprimo {exprimo_version()})",
            remedy="Upgrade with: pip install --upgrade exprimo",
        )
    if number < 1:
        raise FormatError("an impossible format version", file=file, found=number)
    return number


def check_alphabet(found: object, *, file: str | Path) -> None:
    """Refuse a file whose base codes mean other letters."""
    if found != ALPHABET:
        raise VersionError(
            "the bases are coded in another alphabet",
            file=file,
            found=repr(found),
            expected=repr(ALPHABET),
            remedy="Build it again with this version; codes cannot be re-read safely",
        )
