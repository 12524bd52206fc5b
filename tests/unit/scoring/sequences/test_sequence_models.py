"""Any model as codes in, tracks by bins out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.predictor import Batch, Floats, Prediction
from exprimo.core.sequence import N_CODE, encode
from exprimo.scoring.resolve import Resolved
from exprimo.scoring.sequences.average import Average, readings, shifted
from exprimo.scoring.sequences.choosing import chosen_tracks
from exprimo.scoring.sequences.of_backbone import BackboneModel, centre_bins
from exprimo.scoring.sequences.of_predictor import PredictorModel, window_of


class CountA:
    """One number a window: how many A it has; and one for C."""

    inputs = ("sequence",)
    window = 6
    outputs = ("a", "c")
    upstream = 4

    def predict(self, batch: Batch) -> Prediction:
        codes = batch["sequence"]
        mean = np.stack([(codes == base).sum(1) for base in (0, 1)], axis=1).astype(np.float32)
        return Prediction(mean, np.full_like(mean, np.nan))


class BinsOfA:
    """Tracks along the window: A, and C, in each bin of two bases; the outer bins cropped."""

    name, digest, alphabet = "bins", "0", "ACGTN"
    window, stride, channels, n_tracks, n_bins = 12, 2, 1, 2, 4
    precision = "fp32"

    def embed(self, batch: Batch) -> Floats:
        raise AssertionError("tracks are asked for, not this")

    def tracks(self, batch: Batch) -> Floats:
        return self.predict_tracks(batch, [0, 1], slice(0, 4))

    def predict_tracks(self, batch: Batch, tracks: Sequence[int], bins: slice) -> Floats:
        codes = batch["sequence"][:, 2:10].reshape(-1, 4, 2)
        every = np.stack([(codes == base).sum(2) for base in (0, 1)], axis=1).astype(np.float32)
        return every[:, list(tracks)][:, :, bins]


def test_a_predictor_has_one_bin_as_long_as_its_window() -> None:
    resolved = Resolved(CountA(), None, "count")
    before, after = window_of(resolved)
    model = PredictorModel(resolved, "d", before, ("a", "c"), [1, 0], Average())
    found = model.predict(np.stack([encode("AACGTC"), encode("GGGGGC")]))
    assert (before, after) == (4, 2)
    assert (model.bin_size, model.first_bin, model.n_bins) == (6, 0, 1)
    assert model.tracks == ("c", "a")
    np.testing.assert_array_equal(found[:, :, 0], [[2, 2], [1, 0]])


def test_a_model_of_both_copies_is_given_each_haplotype_as_both() -> None:
    class OfBoth(CountA):
        inputs = ("sequence", "sequence_2")  # type: ignore[assignment]  # one more than CountA

        def predict(self, batch: Batch) -> Prediction:
            copies = [CountA.predict(self, {"sequence": batch[name]}).mean for name in self.inputs]
            return Prediction(np.mean(copies, axis=0), np.full_like(copies[0], np.nan))

    resolved = Resolved(OfBoth(), None, "both")
    assert window_of(resolved) == (4, 2)
    model = PredictorModel(resolved, "d", 4, ("a", "c"), [0], Average())
    one, other = encode("AACGTC")[None], encode("GGGGGC")[None]
    each = model.predict(np.concatenate([one, other]))
    pair = resolved.predictor.predict({"sequence": one, "sequence_2": other}).mean[0, 0]
    assert each[:, 0, 0].tolist() == [2, 0]
    assert each.mean() == pair == 1


def test_no_windows_give_no_rows() -> None:
    resolved = Resolved(CountA(), None, "count")
    model = PredictorModel(resolved, "d", 4, ("a", "c"), [0, 1], Average())
    assert model.predict(np.empty((0, 6), dtype=np.uint8)).shape == (0, 2, 1)


def test_a_model_that_reads_more_than_dna_is_refused() -> None:
    reads_more = SimpleNamespace(inputs=("sequence", "halflife"), window=6, outputs=("v",))
    with pytest.raises(ConfigError, match="more than DNA"):
        window_of(Resolved(reads_more, None, "m"))


def test_a_model_without_a_place_for_the_tss_is_refused() -> None:
    nowhere = SimpleNamespace(inputs=("sequence",), window=6, outputs=("v",))
    with pytest.raises(ConfigError, match="where in its window"):
        window_of(Resolved(nowhere, None, "m"))


def test_bins_around_the_tss_are_those_that_were_asked_for() -> None:
    codes = encode("GGACAACCTTGG")[None]
    model = BackboneModel(BinsOfA(), [0], ("A",), 1, Average())
    # The TSS has index 6; bins of two begin at 2, so it lies in bin 2, bases 6 and 7.
    assert (model.upstream, model.first_bin, model.n_bins) == (6, 6, 1)
    assert model.predict(codes).tolist() == [[[0.0]]]
    whole = BackboneModel(BinsOfA(), [1, 0], ("C", "A"), None, Average())
    assert whole.predict(codes).tolist() == [[[1, 0, 2, 0], [1, 2, 0, 0]]]


def test_the_other_strand_is_turned_back() -> None:
    codes = encode("GGACAACCTTGG")[None]
    both = BackboneModel(BinsOfA(), [0], ("A",), None, Average(strands=True))
    # Read from the other strand, A stands where T stands: bin 3, bases 8 and 9.
    np.testing.assert_array_equal(both.predict(codes)[0, 0], [0.5, 1, 0, 1])
    one = BackboneModel(BinsOfA(), [0], ("A",), 1, Average(strands=True))
    np.testing.assert_array_equal(one.predict(codes)[0, 0], [0])


def test_shifts_average_over_moved_windows() -> None:
    codes = encode("GGACAACCTTGG")[None]
    model = BackboneModel(BinsOfA(), [0], ("A",), None, Average(shifts=1))
    each = [BinsOfA().tracks({"sequence": shifted(codes, s)})[0, 0] for s in (-1, 0, 1)]
    np.testing.assert_allclose(model.predict(codes)[0, 0], np.mean(each, axis=0), rtol=1e-6)
    assert shifted(codes, -1)[0, -1] == N_CODE
    assert len(list(readings(codes, Average(strands=True, shifts=2)))) == 10


@pytest.mark.parametrize(
    ("wanted", "expected"), [(1, (2, 3)), (2, (1, 3)), (3, (1, 4)), (None, (0, 4)), (9, (0, 4))]
)
def test_centre_bins(wanted: int | None, expected: tuple[int, int]) -> None:
    assert centre_bins(4, 2, wanted) == slice(*expected)


def test_tracks_by_number_and_range() -> None:
    few = SimpleNamespace(name="toy", n_tracks=8)
    assert chosen_tracks(few, (), None)[0] == list(range(8))
    assert chosen_tracks(few, ["6-7", "6", "1"], None)[0] == [6, 7, 1]
    with pytest.raises(ConfigError, match="no such track"):
        chosen_tracks(few, ["7-8"], None)


def test_many_tracks_must_be_chosen() -> None:
    with pytest.raises(ConfigError, match="say which tracks"):
        chosen_tracks(SimpleNamespace(name="enformer", n_tracks=5313), (), None)


def test_tracks_by_words_need_a_table(tmp_path: Path) -> None:
    few = SimpleNamespace(name="toy", n_tracks=3)
    with pytest.raises(InputError, match="words need a table"):
        chosen_tracks(few, ["CAGE blood"], None)
    table = tmp_path / "targets.txt"
    rows = ["index\tidentifier\tdescription", "0\tE1\tDNASE:liver", "1\tE2\tCAGE:whole blood"]
    table.write_text("\n".join([*rows, "2\tE3\tCHIP:H3K27me3:blood"]) + "\n")
    assert chosen_tracks(few, ["H3K27me3", "cage blood"], table) == (
        [2, 1],
        ("CHIP:H3K27me3:blood", "CAGE:whole blood"),
    )
    with pytest.raises(MismatchError, match="does not describe the tracks of"):
        chosen_tracks(SimpleNamespace(name="toy", n_tracks=4), ["0"], table)


def test_a_model_that_knows_its_window_is_not_told_another() -> None:
    resolved = Resolved(CountA(), None, "count")
    assert window_of(resolved, 4) == (4, 2)
    with pytest.raises(MismatchError, match=r"--upstream 3\. Expected: 4"):
        window_of(resolved, 3)
    silent = SimpleNamespace(inputs=("sequence",), window=6, outputs=("v",))
    assert window_of(Resolved(silent, None, "m"), 2) == (2, 4)
