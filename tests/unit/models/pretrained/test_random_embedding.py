"""The backbone without knowledge, and how backbones are opened by name."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Backbone
from exprimo.models.pretrained import open_pretrained, pretrained_names
from exprimo.models.pretrained.random_embedding import RandomEmbedding


def test_equal_sequences_get_equal_normal_numbers() -> None:
    codes = np.random.default_rng(0).integers(0, 4, (3, 500), dtype=np.uint8)
    codes[2] = codes[0]
    found = RandomEmbedding(16).embed({"sequence": codes})
    assert found.shape == (3, 500, 16)
    np.testing.assert_array_equal(found[0], found[2])
    assert abs(np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1]) < 0.05
    assert abs(found.mean()) < 0.02
    assert abs(found.std() - 1) < 0.02


def test_it_is_opened_by_name_with_a_number_of_channels() -> None:
    default, eight = open_pretrained("random-embedding"), open_pretrained("random-embedding", "8")
    assert isinstance(default, Backbone)
    assert isinstance(eight, Backbone)
    assert (default.channels, eight.channels) == (256, 8)
    assert default.digest != eight.digest
    for wrong in ("many", "0"):
        with pytest.raises(ConfigError, match="not a number of channels"):
            open_pretrained("random-embedding", wrong)


def test_the_names_are_listed_and_near_ones_suggested() -> None:
    assert {"hyenadna-small-32k", "xpresso", "random-embedding"} <= set(pretrained_names())
    with pytest.raises(ConfigError, match="Did you mean hyenadna-small-32k"):
        open_pretrained("hyenadna-smal-32k")
