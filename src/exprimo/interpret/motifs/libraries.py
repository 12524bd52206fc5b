"""Known motifs to compare with: JASPAR as pyjaspar carries it, or any MEME file."""

from __future__ import annotations

import sqlite3
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from exprimo.core.errors import ConfigError
from exprimo.core.files.provenance import sha256_file
from exprimo.data.motifs import MotifMatrix, read_motifs

JASPAR = "auto"
NO_LIBRARY = "none"


class Library(NamedTuple):
    """Known motifs.

    Attributes
    ----------
    name
        Such as ``JASPAR2026 CORE fungi``, or the name of a file.
    motifs
        `MotifMatrix.name` is the id, `alt_name` the factor.
    groups
        Taxonomic group of each; "" where the library does not say.
    origin
        Release and versions, or the file and its SHA-256.
    """

    name: str
    motifs: tuple[MotifMatrix, ...]
    groups: tuple[str, ...]
    origin: dict[str, Any]


def open_library(source: str | Path, tax_group: str | None, release: str | None) -> Library | None:
    """Open a library of known motifs: ``auto`` is JASPAR, ``none`` is none, else a MEME file."""
    if str(source) == NO_LIBRARY:
        return None
    if str(source) == JASPAR:
        return jaspar_library(tax_group, release)
    if tax_group is not None or release is not None:
        raise ConfigError(
            "a group or release is chosen of JASPAR alone",
            found=tax_group or release,
            remedy="Leave it out, or compare with JASPAR",
        )
    path = Path(source)
    motifs = read_motifs(path)
    origin = {"file": str(path), "sha256": sha256_file(path)}
    return Library(path.name, motifs, ("",) * len(motifs), origin)


def jaspar_library(tax_group: str | None, release: str | None = None) -> Library:
    """Read JASPAR's CORE collection, the newest version of each motif, with no network."""
    pyjaspar = _import_pyjaspar()
    known = pyjaspar.jaspar_releases
    chosen = release or max(known)
    if chosen not in known:
        raise ConfigError("no such release of JASPAR", found=chosen, expected=", ".join(known))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        database = pyjaspar.jaspardb(release=chosen)
        try:
            records = database.fetch_motifs(collection="CORE", tax_group=tax_group)
        except sqlite3.Error as error:
            raise ConfigError("JASPAR cannot be read", record=chosen, found=error) from error
        finally:
            database.conn.close()
    if not records:
        raise ConfigError("JASPAR has no motif of this group", found=f"{tax_group} in {chosen}")
    motifs = tuple(_matrix(record) for record in records)
    groups = tuple(str(getattr(record, "tax_group", "")) for record in records)
    origin = {"release": chosen, "collection": "CORE", "pyjaspar": pyjaspar.__version__}
    return Library(" ".join(filter(None, (chosen, "CORE", tax_group))), motifs, groups, origin)


def _matrix(record: Any) -> MotifMatrix:
    counts = np.array([record.counts[base] for base in "ACGT"], dtype=np.float64).T
    totals = counts.sum(axis=1, keepdims=True)
    return MotifMatrix(
        str(record.matrix_id),
        str(record.name),
        counts / totals,
        np.full(4, 0.25),
        n_sites=float(totals.max()),
    )


def _import_pyjaspar() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pyjaspar
    except ImportError:
        raise ConfigError(
            "JASPAR is not installed",
            record=f"--jaspar {JASPAR}",
            remedy="Install it with: pip install 'exprimo[motifs]'; or name a MEME file with "
            "--jaspar FILE, or name nothing with --jaspar none",
        ) from None
    return pyjaspar
