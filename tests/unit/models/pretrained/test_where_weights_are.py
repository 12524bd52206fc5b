from __future__ import annotations

from pathlib import Path

import pytest

from exprimo.core.errors import InputError
from exprimo.models.pretrained.registry import open_pretrained


@pytest.mark.parametrize("given", [None, "none.h5"])
def test_the_authors_repository_is_named(given: str | None, tmp_path: Path) -> None:
    file = None if given is None else str(tmp_path / given)
    with pytest.raises(InputError, match=r"github\.com/vagarwal87/Xpresso"):
        open_pretrained("xpresso", file)


def test_it_is_not_named_for_other_weights(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        open_pretrained("hyenadna-tiny-1k", str(tmp_path / "none.ckpt"))
    assert "Xpresso" not in str(refused.value)
