"""Newer files are refused, older and equal ones are read."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import FormatError, VersionError
from exprimo.core.files.versions import check_alphabet, check_format_version


@pytest.mark.parametrize("found", [1, 2, 3, "2", np.int64(3)])
def test_older_and_equal_versions_are_read(found: object) -> None:
    assert check_format_version(found, 3, file="D.h5", what="dataset") == int(str(found))


def test_a_newer_version_says_what_would_read_it() -> None:
    with pytest.raises(VersionError) as caught:
        check_format_version(4, 3, file="D.h5", what="dataset")
    message = str(caught.value)
    assert message.startswith("D.h5: this dataset was written by a newer Exprimo")
    assert "format_version 4" in message
    assert "pip install --upgrade exprimo" in message


@pytest.mark.parametrize("found", [None, "", "one", 1.5])
def test_no_version_means_another_kind_of_file(found: object) -> None:
    with pytest.raises(FormatError, match="not an Exprimo run"):
        check_format_version(found, 3, file="RUN", what="run")


@pytest.mark.parametrize("found", [0, -1])
def test_impossible_versions_are_refused(found: int) -> None:
    with pytest.raises(FormatError, match="impossible format version"):
        check_format_version(found, 3, file="RUN", what="run")


@pytest.mark.parametrize("found", ["ACTGN", "ACGT", None, "acgtn"])
def test_codes_of_another_alphabet_are_refused(found: object) -> None:
    check_alphabet("ACGTN", file="D.h5")
    with pytest.raises(VersionError, match="another alphabet"):
        check_alphabet(found, file="D.h5")
