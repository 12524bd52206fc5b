"""Sites of patterns, in the window and in the genome."""

import numpy as np

from exprimo.core.sequence import encode
from exprimo.interpret.motifs.hits import clearest, hit_table, own_limits, sites_in
from exprimo.interpret.motifs.patterns import Pattern

WEIGHTS = np.eye(4)[[2, 0, 3, 3]]


def made(texts: list[str], sizes: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.stack([encode(text) for text in texts]), np.array(sizes, dtype=np.float32)


def gatt(sites: list[list[int]], sign: int = 1) -> Pattern:
    return Pattern("pos_1", sign, WEIGHTS, sign * WEIGHTS, WEIGHTS, np.array(sites, dtype=np.int64))


def test_a_site_needs_its_bases_and_their_contribution() -> None:
    codes, values = made(
        ["CCGATTCCCC", "CCCCAATCCC", "CCGATTCCCC", "CCCGCGCCCC"],
        [[0, 0, 1, 1, 1, 1, 0, 0, 0, 0]] * 2
        + [[0, 0, 0.1, 0.1, 0.1, 0.1, 0, 0, 0, 0], [0, 0, 0, 2, 2, 2, 2, 0, 0, 0]],
    )
    values[1] = [0, 0, 0, 0, 1, 1, 1, 1, 0, 0]
    pattern = gatt([[0, 2, 6, 1]])
    limits = [own_limits(pattern, codes, values, 0.9)]
    found = list(sites_in(codes, values, [pattern], limits, {0: [(0, 2, 6, 1)]}))
    # The third has the word and next to no contribution, the fourth contribution and no word.
    assert [site[:4] for site in found] == [(0, 2, 6, 1), (1, 4, 8, -1)] or [
        site[:4] for site in found
    ] == [(0, 2, 6, 1)]
    assert found[0][7] == "seqlet"


def test_the_reverse_complement_is_a_site_of_the_other_strand() -> None:
    codes, values = made(["CCGATTCCCC", "CCCAATCCCC"], [[0, 0, 1, 1, 1, 1, 0, 0, 0, 0]] * 2)
    values[1] = [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]
    pattern = gatt([[0, 2, 6, 1]])
    limits = [own_limits(pattern, codes, values, 0.9)]
    found = list(sites_in(codes, values, [pattern], limits, {}))
    assert [site[:4] for site in found] == [(0, 2, 6, 1), (1, 3, 7, -1)]
    assert {site[7] for site in found} == {"scan"}


def test_a_pattern_that_lowers_has_sites_that_lower() -> None:
    codes, values = made(["CCGATTCCCC"] * 2, [[0, 0, -1, -1, -1, -1, 0, 0, 0, 0]] * 2)
    values[1] = -values[1]
    pattern = gatt([[0, 2, 6, 1]], sign=-1)
    limits = [own_limits(pattern, codes, values, 0.9)]
    assert limits[0].contribution == 4
    assert [site[0] for site in sites_in(codes, values, [pattern], limits, {})] == [0]


def test_of_overlapping_sites_the_seqlet_stays() -> None:
    loud = (0, 8, 1, 0, 9.0, 1.0, "scan")
    seqlet = (3, 11, 1, 1, 1.0, 0.5, "seqlet")
    apart = (12, 20, -1, 0, 0.5, 0.5, "scan")
    assert clearest([loud, apart, seqlet]) == [seqlet, apart]


def test_places_in_the_genome_follow_the_strand() -> None:
    pattern = gatt([[0, 2, 6, 1]])
    places = {
        "chrom": np.array(["I", "II", ""]),
        "start": np.array([100, 100, -1]),
        "end": np.array([110, 110, -1]),
        "strand": np.array(["+", "-", ""]),
    }
    sites = [(row, 2, 6, 1, 4.0, 1.0, "scan") for row in range(3)]
    sites = [(row, start, end, strand, 0, *rest) for row, start, end, strand, *rest in sites]
    table = hit_table(sites, [pattern], {"pos_1": "GAT"}, np.array(["a", "b", "c"]), places, 5)
    assert table[["chrom", "chrom_start", "chrom_end", "chrom_strand"]].values.tolist() == [
        ["I", "102", "106", "+"], ["II", "104", "108", "-"], ["", "", "", ""],
    ]  # fmt: skip
    assert table["position"].tolist() == [-2, -2, -2]
    assert table["name"].tolist() == ["GAT"] * 3


def test_a_palindrome_stands_on_the_plus_strand() -> None:
    plus, minus = (5, 13, 1, 0, 2.0, 0.9, "scan"), (5, 13, -1, 0, 2.0, 0.9, "scan")
    assert clearest([minus, plus]) == [plus]
