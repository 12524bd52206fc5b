"""Going on with a study that was interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exprimo.core.config import Config
from exprimo.core.errors import InputError
from exprimo.core.files.provenance import sha256_file


def check_settings_kept(study: Config, stored: Path) -> None:
    """Refuse to go on with a study that was started with other settings.

    Parameters
    ----------
    study
        What is asked for now.
    stored
        The settings that stand in the folder of results, if any do yet.
    """
    if stored.exists() and type(study).load(stored) != study:
        raise InputError(
            "the study that stands here was started with other settings",
            file=stored,
            remedy="Resume with the same file and --set, or choose another out",
        )


def check_sources_kept(origin: Mapping[str, Any], what: Path) -> None:
    """Refuse to go on with what was made from files that have changed since.

    Parameters
    ----------
    origin
        The provenance that stands with it, with the checksums of its sources.
    what
        What was made.
    """
    for source in origin.get("sources", ()):
        path = Path(source["path"])
        if path.is_file() and sha256_file(path) != source["sha256"]:
            raise InputError(
                "a file has changed since this study was started",
                file=path,
                found=f"another content than {what} was made from",
                remedy="Choose another out for the new file, or bring the old one back",
            )
