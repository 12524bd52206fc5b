"""Going on with a study that was interrupted."""

from __future__ import annotations

from pathlib import Path

from exprimo.core.config import Config
from exprimo.core.errors import InputError


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
