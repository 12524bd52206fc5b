"""Which rows networks of chromatin read, in which order, and how they are standardised."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.models import Shapes
from exprimo.models.chromatin.bins import ImageDropout, as_examples, as_image, mean_over_bins
from exprimo.models.chromatin.rows import (
    NetRowsConfig,
    ReadsRows,
    RowsConfig,
    kmer_row,
    rows_inputs,
)
from exprimo.models.standardise import InputStatistics, learn_statistics

SHAPES = {"signal": (2, 6), "cell_context": (4, 6), "kmer_bins": (125, 6)}


def _inputs(n: int = 3) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(2)
    found = {k: rng.normal(2, 3, (n, *s)).astype(np.float32) for k, s in SHAPES.items()}
    found["kmer_bins"] = rng.integers(0, 99, (n, 125, 6)).astype(np.float32)
    return {k: torch.from_numpy(v) for k, v in found.items()}


def _reader(**options: object) -> ReadsRows:
    config = NetRowsConfig.checked(options)
    read = {name: SHAPES[name] for name in rows_inputs(config)}
    return ReadsRows(config, Shapes(read, "regression"))


def test_kmers_are_numbered_as_in_the_dataset() -> None:
    names = ["".join(letters) for letters in itertools.product("ACGTN", repeat=3)]
    assert [kmer_row(name) for name in names] == list(range(125))


def test_marks_come_first_then_the_cell_then_kmers_as_the_vocabulary_names_them() -> None:
    inputs = _inputs()
    net = _reader(cell_statistics=True, kmers=True, vocabulary=("GGG", "AAC"), standardise=False)
    rows = net.rows(inputs)
    assert rows.shape == (3, 2 + 4 + 2, 6)
    torch.testing.assert_close(rows[:, :2], inputs["signal"])
    torch.testing.assert_close(rows[:, 2:6], inputs["cell_context"])
    torch.testing.assert_close(rows[:, 6], inputs["kmer_bins"][:, 2 * 25 + 2 * 5 + 2])
    torch.testing.assert_close(rows[:, 7], inputs["kmer_bins"][:, 1])
    assert not hasattr(net, "standardise")


def test_without_a_vocabulary_all_kmers_are_read() -> None:
    assert _reader(kmers=True).rows(_inputs()).shape == (3, 2 + 125, 6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_rows_are_standardised_by_what_training_found(dtype: torch.dtype) -> None:
    inputs = _inputs(50)
    net = _reader(kmers=True, vocabulary=("TTT", "CCC"))
    statistics = {
        name: InputStatistics(inputs[name].mean(0).numpy(), inputs[name].std(0).numpy())
        for name in ("signal", "kmer_bins")
    }
    learn_statistics(net, statistics)
    inputs["kmer_bins"] = inputs["kmer_bins"].to(dtype)
    rows = net.rows(inputs)
    torch.testing.assert_close(rows.mean(0), torch.zeros(4, 6), atol=1e-5, rtol=0)
    torch.testing.assert_close(rows.std(0), torch.ones(4, 6))
    other = _reader(kmers=True, vocabulary=("TTT", "CCC"))
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(other.rows(inputs), rows)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [(("AAAA",), "not a 3-mer"), (("AAU",), "not a 3-mer"), (("AAA", "AAA"), "once"), ((), "once")],
)
def test_what_is_no_vocabulary_is_refused(vocabulary: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RowsConfig.checked({"vocabulary": vocabulary})


def test_other_bins_in_one_input_are_refused() -> None:
    shapes = Shapes({"signal": (2, 6), "kmer_bins": (125, 7)}, "regression")
    with pytest.raises(MismatchError, match="7 bins"):
        ReadsRows(NetRowsConfig(kmers=True), shapes)


def test_the_image_is_another_view_of_the_same_numbers() -> None:
    rows = torch.randn(4, 3, 5)
    image = as_image(rows)
    assert image.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(image[0, 2, 1], rows[1, 2])
    torch.testing.assert_close(as_examples(image), rows.transpose(1, 2))
    torch.testing.assert_close(mean_over_bins(image), rows.mean(2))


def test_channels_are_dropped_whole_and_the_rest_makes_up_for_them() -> None:
    torch.manual_seed(0)
    layer = ImageDropout(0.25, "channels")
    image = torch.ones(1, 200, 50, 7)
    found = layer(image)
    lines = found[0].flatten(0, 1)
    assert torch.equal(lines.amax(1), lines.amin(1))
    assert float((lines[:, 0] == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float(found.mean()) == pytest.approx(1, abs=0.03)
    singly = ImageDropout(0.25, "values")(image)[0].flatten(0, 1)
    assert not torch.equal(singly.amax(1), singly.amin(1))
    assert torch.equal(layer.eval()(image), image)
