"""Readers of HDF5 files of genes: each layout that is read, and each thing that is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.data.foreign import GeneHdf5, looks_like_gene_hdf5, read_gene_table, settle_labels
from exprimo.data.foreign import gene_hdf5 as module
from exprimo.data.foreign.one_hot import NotOneHot, channel_codes, decode_one_hot

Write = Callable[..., tuple[Path, np.ndarray]]


def decoded(path: Path, channels: str = "ACGT") -> np.ndarray:
    with GeneHdf5.open(path) as file:
        genes = file.gene_ids()
        return np.concatenate(list(file.promoters(channels, genes)))


@pytest.mark.parametrize(
    "dtype", [bool, np.uint8, np.int8, np.int64, np.float16, np.float32, np.float64]
)
def test_every_kind_of_number_gives_the_same_bases(gene_file: Write, dtype: Any) -> None:
    path, codes = gene_file(dtype=dtype)
    np.testing.assert_array_equal(decoded(path), codes)


def test_channels_first_is_read_too(gene_file: Write) -> None:
    _, codes = gene_file()
    turned, _ = gene_file("turned.h5", promoter=np.eye(5, 4)[codes].transpose(0, 2, 1))
    with GeneHdf5.open(turned) as file:
        assert (file.channels_first, file.length) == (True, 40)
    np.testing.assert_array_equal(decoded(turned), codes)


@pytest.mark.parametrize("chunks", [(4, 7, 1), (3, 40, 4), (6, 1, 2), None])
def test_blocks_and_stripes_join_seamlessly(
    gene_file: Write, monkeypatch: pytest.MonkeyPatch, chunks: tuple[int, ...] | None
) -> None:
    options = {"chunks": chunks, "compression": "gzip"} if chunks else {}
    path, codes = gene_file(genes=6, promoter_options=options)
    for size in (37, 150, 1000):
        monkeypatch.setattr(module, "_BLOCK_BYTES", size)
        np.testing.assert_array_equal(decoded(path), codes)


def test_another_order_of_channels_renames_the_bases(gene_file: Write) -> None:
    path, codes = gene_file()
    # Channel 0 holds what was written as A; read as TGCA it is T.
    np.testing.assert_array_equal(decoded(path, "TGCA"), np.array([3, 2, 1, 0, 4])[codes])


@pytest.mark.parametrize("channels", ["ACG", "ACGG", "ACGTN", "", "ACGU"])
def test_an_order_that_is_none(channels: str) -> None:
    with pytest.raises(ConfigError, match="not an order of the four bases"):
        channel_codes(channels)


def test_the_first_position_that_is_not_one_hot_is_named() -> None:
    values = np.eye(4)[None, [0, 1, 2, 3]].repeat(2, axis=0)
    values[1, 2] = [1, 0, 1, 0]
    assert decode_one_hot(values, channel_codes("ACGT")) == NotOneHot(1, 2, (1, 0, 1, 0), True)
    values[0, 3] = [0, np.nan, 0, 0]
    found = decode_one_hot(values, channel_codes("ACGT"))
    assert isinstance(found, NotOneHot)
    assert (found.row, found.position, found.two_bases) == (0, 3, False)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([0, 1, 1, 0], "two bases at one position"),
        ([0.25] * 4, "not one-hot"),
        ([-1, 0, 0, 0], "not one-hot"),
    ],
)
def test_a_position_that_is_no_base_names_gene_and_position(
    gene_file: Write, value: list[float], said: str
) -> None:
    _, codes = gene_file()
    promoter = np.eye(5, 4)[codes]
    promoter[3, 16] = value
    path, _ = gene_file(promoter=promoter)
    with pytest.raises(FormatError, match=said) as caught:
        decoded(path)
    assert "gene ENSG00000000003, position 17" in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_older_names_of_the_arrays(gene_file: Write) -> None:
    path, _ = gene_file()
    with h5py.File(path, "a") as file:
        for old, new in (
            ("gene_id", "geneName"),
            ("halflife", "data"),
            ("label", "detectionFlagInt"),
        ):
            file.move(old, new)
    table = read_gene_table([path])
    assert table.label_key == "detectionFlagInt"
    assert table.halflife.shape == (6, 8)
    assert looks_like_gene_hdf5(path)


def test_text_ids_and_columns_of_one(gene_file: Write) -> None:
    path, _ = gene_file(
        gene_id=np.array([[f"ENSG0000000000{i}.7"] for i in range(6)], dtype=object),
        label=np.arange(6).reshape(-1, 1) % 2,
    )
    table = read_gene_table([path])
    assert table.genes["gene_id"].iloc[1] == "ENSG00000000001"  # without its version
    assert table.labels.tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("key", ["gene_id", "halflife", "promoter", "label"])
def test_a_missing_array_lists_what_is_there(gene_file: Write, key: str) -> None:
    path, _ = gene_file(**{key: None})
    with pytest.raises(FormatError, match=f"no array {key}") as caught:
        read_gene_table([path])
    present = sorted({"gene_id", "halflife", "promoter", "label"} - {key})
    assert f"Found: {', '.join(present)}" in str(caught.value)


@pytest.mark.parametrize("key", ["gene_id", "halflife", "label"])
def test_arrays_of_another_length(gene_file: Write, key: str) -> None:
    shapes = {"gene_id": (5,), "halflife": (7, 8), "label": (6, 2)}
    path, _ = gene_file(**{key: np.zeros(shapes[key])})
    with pytest.raises(FormatError, match=rf"{key}: an array that does not fit.*6 promoters"):
        read_gene_table([path])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_a_feature_that_is_no_number_names_gene_and_column(gene_file: Write, bad: float) -> None:
    features = np.zeros((6, 8))
    features[4, 2] = bad
    path, _ = gene_file(halflife=features)
    with pytest.raises(FormatError, match="gene ENSG00000000004, column 3"):
        read_gene_table([path])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"promoter": np.zeros((6, 40))}, "not one-hot promoters"),
        ({"promoter": np.zeros((6, 40, 5))}, "not one-hot promoters"),
        ({"promoter": np.zeros((6, 40, 4), dtype="S1")}, "not one-hot promoters"),
        ({"halflife": np.zeros(6)}, "halflife: an array that does not fit"),
        ({"halflife": np.zeros((6, 2), dtype="S3")}, "Expected: numbers"),
        ({"label": np.array([b"high"] * 6)}, "label: an array that does not fit.*Expected: num"),
        ({"label": np.array([0, 1, np.inf, 0, 1, 0])}, "gene ENSG00000000002"),
        ({"gene_id": np.array([b"a", b"b", b"", b"d", b"e", b"f"])}, "row 3: a gene without an id"),
        (
            {"gene_id": np.array([b"a", b"b", b"c", b"b", b"e", b"f"])},
            "gene b: the same gene occurs twice. Found: rows 2 and 4",
        ),
    ],
)
def test_what_else_is_refused(gene_file: Write, changed: dict[str, Any], said: str) -> None:
    path, _ = gene_file(**changed)
    with pytest.raises(FormatError, match=said):
        read_gene_table([path])


def test_a_group_in_place_of_an_array(gene_file: Write) -> None:
    path, _ = gene_file(halflife=None)
    with h5py.File(path, "a") as file:
        file.create_group("halflife")
    with pytest.raises(FormatError, match="halflife: not an array"):
        read_gene_table([path])


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_file_cut_short(gene_file: Write, share: float) -> None:
    path, _ = gene_file(genes=200)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FormatError, match="cut short"):
        read_gene_table([path])
    assert not looks_like_gene_hdf5(path)


def test_a_chunk_that_was_overwritten(gene_file: Write) -> None:
    path, _ = gene_file(genes=50, promoter_options={"chunks": (10, 40, 4), "compression": "gzip"})
    with h5py.File(path, "r") as file:
        where = file["promoter"].id.get_chunk_info(2)
    content = bytearray(path.read_bytes())
    content[where.byte_offset : where.byte_offset + where.size] = b"\xff" * where.size
    path.write_bytes(content)
    with pytest.raises(FormatError, match="promoter: cannot be read: damaged"):
        decoded(path)


def test_files_that_do_not_belong_together(gene_file: Write) -> None:
    one, _ = gene_file()
    longer, _ = gene_file("long.h5", first=10, length=41)
    with pytest.raises(MismatchError, match=r"differ in the bases of each promoter. Found: 41"):
        read_gene_table([one, longer])
    fewer, _ = gene_file("fewer.h5", first=10, halflife=np.zeros((6, 6)))
    with pytest.raises(MismatchError, match="differ in the half-life features"):
        read_gene_table([one, fewer])
    renamed, _ = gene_file("other.h5", first=10, label=None, detectionFlagInt=np.zeros(6))
    with pytest.raises(MismatchError, match="differ in the name of the target"):
        read_gene_table([one, renamed])


def test_a_gene_in_two_files_is_refused(gene_file: Write) -> None:
    train, _ = gene_file("train.h5", genes=6)
    test, _ = gene_file("test.h5", genes=6, first=4)
    with pytest.raises(MismatchError, match="2 genes stand in more than one file") as caught:
        read_gene_table([train, test])
    assert "ENSG00000000004, ENSG00000000005" in str(caught.value)
    assert str(train) in str(caught.value)


def test_two_targets_must_be_chosen_from(gene_file: Write) -> None:
    path, _ = gene_file(detectionFlagInt=np.arange(6) % 3)
    with pytest.raises(InputError, match=r"say which target\. Found: label, detectionFlagInt"):
        read_gene_table([path])
    assert read_gene_table([path], target="detectionFlagInt").labels[2] == 2
    assert np.isnan(read_gene_table([path], target="detectionFlagInt", missing=2).labels[2])


def test_what_a_target_is(gene_file: Write) -> None:
    path, _ = gene_file()
    assert settle_labels(read_gene_table([path]), "auto", [path]) == "classification"
    assert settle_labels(read_gene_table([path]), "regression", [path]) == "regression"
    path, _ = gene_file(label=np.array([0.5, np.nan, 1, 2, 3, 4]))
    assert settle_labels(read_gene_table([path]), "auto", [path]) == "regression"
    with pytest.raises(FormatError, match="not a label"):
        settle_labels(read_gene_table([path]), "classification", [path])
    path, _ = gene_file(label=np.array([0, 1, 2, 1, 0, 2]))
    with pytest.raises(FormatError, match=r"gene ENSG00000000002: not a label. Found: 2 \(2 genes"):
        settle_labels(read_gene_table([path]), "auto", [path])
    assert settle_labels(read_gene_table([path], missing=2), "auto", [path]) == "classification"
    path, _ = gene_file(label=np.full(6, np.nan))
    with pytest.raises(FormatError, match="without a single value"):
        settle_labels(read_gene_table([path]), "auto", [path])
