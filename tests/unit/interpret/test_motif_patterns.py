"""Patterns: their ends, their consensus, tracts, and which they are like."""

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.sequence import encode
from exprimo.data.motifs import MotifMatrix
from exprimo.interpret.motifs.libraries import Library, open_library
from exprimo.interpret.motifs.matching import MATCH_COLUMNS, match_table, motif_table
from exprimo.interpret.motifs.patterns import Pattern, consensus, holds_tract, trimmed
from exprimo.interpret.motifs.similarity import compare


def word(text: str, purity: float = 0.97) -> np.ndarray:
    codes = encode(text)
    matrix = np.full((len(codes), 4), (1 - purity) / 3)
    matrix[np.arange(len(codes)), codes] = purity
    return matrix


def pattern(name: str, matrix: np.ndarray, n: int = 40, sign: int = 1) -> Pattern:
    return Pattern(
        name, sign, matrix, sign * matrix, sign * matrix, np.zeros((n, 4), dtype=np.int64)
    )


def random_words(n: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.full(4, 0.3), size=int(rng.integers(6, 14))) for _ in range(n)]


def test_trimming_moves_sites_of_both_strands_alike() -> None:
    weights = np.zeros((8, 4))
    weights[2:5, 1] = [1.0, 2.0, 0.7]
    made = Pattern("pos_1", 1, word("ACCCGTAA"), weights, weights,
                   np.array([[0, 20, 28, 1], [1, 20, 28, -1]]))  # fmt: skip
    cut = trimmed(made, 0.3)
    # Positions 2 to 5 of a reversed site lie 3 from its other end.
    assert cut.sites.tolist() == [[0, 22, 25, 1], [1, 23, 26, -1]]
    assert cut.probabilities.tolist() == word("ACCCGTAA")[2:5].tolist()


def test_consensus_tells_clear_from_weak_bases() -> None:
    assert consensus(np.array([[0.8, 0.2, 0, 0], [0.6, 0.4, 0, 0], [0.4, 0.3, 0.3, 0]])) == "AaN"


@pytest.mark.parametrize(
    ("text", "tract"),
    [("AAAAAAAA", True), ("TTTTT", True), ("TTTT", False), ("TATATATA", False),
     ("AAAAATTTT", False),
     ("CGAAAAAA", False)],
)  # fmt: skip
def test_a_tract_is_a_run_of_one_base_without_a_clear_c_or_g(text: str, tract: bool) -> None:
    assert holds_tract(word(text)) is tract


def test_the_same_motif_is_found_on_the_other_strand_and_at_its_offset() -> None:
    reb1 = word("CCGGGTAA")
    targets = [*random_words(60, 1), word("GGTTACCCGGCA")]
    found = compare([reb1], targets)
    assert found.pvalue[0].argmin() == 60
    assert found.pvalue[0, 60] < 1e-5
    assert found.strand[0, 60] == -1
    # TGCCGGGTAACC holds the query from its third column on.
    assert found.offset[0, 60] == -2
    assert found.overlap[0, 60] == 8


def test_random_motifs_have_uniform_p_values() -> None:
    found = compare(random_words(40, 2), random_words(80, 3))
    p = found.pvalue.ravel()
    for level in (0.01, 0.05, 0.2):
        # The correction takes neighbouring places as independent, so it errs to the safe side.
        assert 0.2 * level < (p <= level).mean() < 1.3 * level


def test_vague_columns_are_no_evidence() -> None:
    vague = np.tile([0.3, 0.2, 0.2, 0.3], (12, 1))
    gapped = np.concatenate([word("CGG"), np.full((11, 4), 0.25), word("CCG")])
    assert compare([vague], [gapped, *random_words(60, 7)]).pvalue.min() > 0.9


def test_few_targets_do_not_set_their_own_scale() -> None:
    planted = [word(text) for text in ("GCATAGGAC", "TCCCAAACT", "CCTACTGTT")]
    found = compare([word("GCATAGGAC", 0.8), word("GTTTGGTGA")], planted)
    assert found.pvalue[0, 0] < 1e-4
    assert found.pvalue[1].min() > 0.01


def test_the_p_value_of_an_equal_word_is_that_of_its_letters() -> None:
    # A word of eight letters is met by chance once in 4^8, at each place that it can be put.
    rng = np.random.default_rng(8)
    targets = [word("".join(rng.choice(list("ACGT"), 8))) for _ in range(200)]
    columns = np.concatenate([*targets, *(t[::-1, ::-1] for t in targets)])
    letters = np.bincount(columns.argmax(1), minlength=4) / len(columns)
    found = compare(targets[:20], targets)
    for k in range(20):
        chance = float(np.prod(letters[targets[k].argmax(1)]))
        places = 2 * (2 * (8 - 5) + 1)
        assert 0.9 * chance < found.pvalue[k, k] < 1.1 * chance * places


def test_a_pattern_is_named_within_q_and_a_tract_by_its_own_rule() -> None:
    motifs = [MotifMatrix(f"M{k}", f"TF{k}", m, np.full(4, 0.25))
              for k, m in enumerate([word("CCGGGTAA"), *random_words(60, 6)])]  # fmt: skip
    library = Library("toy", tuple(motifs), ("fungi",) * 61, {})
    patterns = [
        pattern("pos_1", word("TTACCCGG")),
        pattern("pos_2", word("TTTTTTTT")),
        pattern("neg_1", np.full((8, 4), 0.25) + np.eye(4)[[0, 1] * 4] * 0.02, sign=-1),
    ]
    patterns[2] = patterns[2]._replace(
        probabilities=patterns[2].probabilities / patterns[2].probabilities.sum(1, keepdims=True)
    )
    matches = match_table(patterns, library)
    table = motif_table(patterns, matches, 0.05)
    assert table["name"].tolist()[:2] == ["TF0", "poly(dA:dT)"]
    assert table["name"].iloc[2] == ""
    assert table["match_id"].iloc[0] == "M0"
    assert table["sign"].tolist() == ["+", "+", "-"]
    # Benjamini and Hochberg's q of the best of 61 comparisons is 61 times its p.
    assert table["q"].iloc[0] == pytest.approx(61 * table["p"].iloc[0], rel=1e-6)
    # A tract and a vague pattern ask for no name, so that one pattern is left to ask.
    assert table["q_name"].iloc[0] == table["q"].iloc[0]
    assert table["q_name"].iloc[1:].isna().all()
    # What a pattern is like does not depend on which others were found.
    alone = match_table(patterns[:1], library)
    assert alone["q"].tolist() == matches.loc[matches["pattern"] == "pos_1", "q"].tolist()


def test_names_among_many_patterns_that_are_like_none_need_more() -> None:
    rows = [("pos_1", 0.03), ("pos_2", 0.4), ("pos_3", 0.5), ("pos_4", 0.02)]
    matches = pd.DataFrame(
        [(name, 1, "M", f"TF_{name}", "", q / 61, q, "+", 0, 8) for name, q in rows],
        columns=list(MATCH_COLUMNS),
    )
    patterns = [pattern(name, word("CCGGGTAA")) for name, _ in rows]
    table = motif_table(patterns, matches, 0.05)
    # 0.02 is the least of four: 4 * 0.02; 0.03 the second: 4 / 2 * 0.03.
    assert table["q_name"].tolist() == pytest.approx([0.06, 0.5, 0.5, 0.06])
    assert table["name"].tolist() == [""] * 4
    assert motif_table(patterns[::3], matches, 0.05)["name"].tolist() == ["TF_pos_1", "TF_pos_4"]


def test_a_group_is_asked_of_jaspar_alone(tmp_path) -> None:
    file = tmp_path / "m.meme"
    file.write_text("MEME version 4\n\nMOTIF M1 X\nletter-probability matrix:\n0 0 1 0\n")
    with pytest.raises(ConfigError, match="JASPAR alone"):
        open_library(file, "fungi", None)
    library = open_library(file, None, None)
    assert library is not None
    assert [m.name for m in library.motifs] == ["M1"]
    assert open_library("none", None, None) is None


def test_jaspar_of_fungi_holds_the_general_regulators_of_yeast() -> None:
    pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    library = open_library("auto", "fungi", "JASPAR2024")
    assert library is not None
    assert {"REB1", "RAP1", "ABF1", "SPT15"} <= {m.alt_name.upper() for m in library.motifs}
    assert set(library.groups) == {"fungi"}
    with pytest.raises(ConfigError, match="no such release"):
        open_library("auto", None, "JASPAR1999")


def test_nothing_is_not_compared() -> None:
    with pytest.raises(InputError, match="nothing to compare"):
        compare([], [word("ACGT")])
