"""Inserted motifs against models whose answer is known."""

import numpy as np

from exprimo.core.sequence import encode
from exprimo.data.motifs import MotifMatrix
from exprimo.interpret.motifs.backgrounds import inserted, shuffled_each, words_of
from exprimo.interpret.motifs.insertion import Backgrounds, effects, interactions


def motif(text: str) -> MotifMatrix:
    return MotifMatrix(text, "", np.eye(4)[encode(text)], np.full(4, 0.25))


def count(codes: np.ndarray, word: str) -> np.ndarray:
    """Tell where a word stands, (n, length - width + 1)."""
    wanted = encode(word)
    windows = np.lib.stride_tricks.sliding_window_view(codes, len(wanted), axis=1)
    found: np.ndarray = (windows == wanted).all(axis=2)
    return found


def grounds(predict, n: int = 30, length: int = 40) -> Backgrounds:
    # No A in any, so that no word arises by chance.
    codes = np.random.default_rng(0).integers(1, 4, (n, length)).astype(np.uint8)
    codes[codes == 3] = 1
    return Backgrounds(codes, predict(codes), 20, predict)


def test_the_effect_is_that_of_the_model_at_the_place() -> None:
    def downstream_only(codes: np.ndarray) -> np.ndarray:
        return 2.0 * count(codes, "GATA")[:, 20:].sum(axis=1)

    table = effects([motif("GATA")], grounds(downstream_only), np.arange(40), "consensus", 0.95, 0)
    forward = table[table["strand"] == "+"]
    inside = forward["position"] >= 1  # the middle of a word of four that begins at the TSS
    assert (forward.loc[inside, "effect"] == 2).all()
    assert (forward.loc[~inside, "effect"] == 0).all()
    assert (table.loc[table["strand"] == "-", "effect"] == 0).all()
    assert len(forward) == 37


def test_intervals_hold_the_mean_and_shrink_with_backgrounds() -> None:
    def noisy(codes: np.ndarray) -> np.ndarray:
        here = count(codes, "GATA").any(axis=1)
        return np.where(here, codes[:, :3].sum(axis=1), 0).astype(float)

    wide = []
    for n in (20, 320):
        table = effects([motif("GATA")], grounds(noisy, n), np.array([20]), "consensus", 0.95, 0)
        row = table.iloc[0]
        assert row["low"] < row["effect"] < row["high"]
        wide.append(row["high"] - row["low"])
    assert 2.5 < wide[0] / wide[1] < 6  # a factor of four is expected


def test_a_pair_interacts_where_the_model_says_so() -> None:
    def together(codes: np.ndarray) -> np.ndarray:
        a, b = count(codes, "GATAC"), count(codes, "TTAAT")
        joint = (a[:, :-9] & b[:, 9:]).any(axis=1)  # four bases between
        return a.any(axis=1) + 0.5 * b.any(axis=1) + 3.0 * joint

    table = interactions(
        (motif("GATAC"), motif("TTAAT")), grounds(together), 12, 8, "consensus", 0.95, 0
    )
    hit = table[table["interaction"].abs() > 1e-9]
    assert hit[["strands", "between", "distance", "interaction"]].values.tolist() == [
        ["++", 4, 9.0, 3.0]
    ]
    assert set(table["strands"]) == {"++", "+-", "-+", "--"}
    assert table["between"].max() == 8
    assert np.allclose(
        table["interaction"], table["together"] - table["alone_a"] - table["alone_b"]
    )


def test_sampled_words_follow_the_matrix() -> None:
    vague = MotifMatrix("v", "", np.array([[0.7, 0.1, 0.1, 0.1], [0, 0, 0, 1.0]]), np.full(4, 0.25))
    words = words_of(vague, 4000, "sampled", seed=1)
    assert abs((words[:, 0] == 0).mean() - 0.7) < 0.03
    assert (words[:, 1] == 3).all()


def test_backgrounds_keep_their_dinucleotides() -> None:
    codes = np.random.default_rng(1).integers(0, 4, (3, 60)).astype(np.uint8)
    shuffled = shuffled_each(codes, seed=4)
    for before, after in zip(codes, shuffled, strict=True):
        assert np.array_equal(
            np.bincount(4 * before[:-1] + before[1:], minlength=16),
            np.bincount(4 * after[:-1] + after[1:], minlength=16),
        )
    assert not np.array_equal(codes, shuffled)
    assert (inserted(shuffled, codes[:, :4], 10, 1)[:, 14:] == shuffled[:, 14:]).all()
