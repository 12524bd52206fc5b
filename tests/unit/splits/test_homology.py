from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from exprimo.core.errors import ConfigError
from exprimo.core.sequence import Codes, decode, encode, reverse_complement
from exprimo.splits import HomologySettings, homology_groups


def random_rows(rng: np.random.Generator, n: int, length: int) -> Codes:
    return rng.choice(4, (n, length), p=(0.31, 0.19, 0.19, 0.31)).astype(np.uint8)


def mutated(rng: np.random.Generator, rows: Codes, identity: float) -> Codes:
    changed = rng.random(rows.shape) >= identity
    return np.where(changed, (rows + rng.integers(1, 4, rows.shape)) % 4, rows).astype(np.uint8)


@pytest.mark.parametrize(
    ("length", "identity", "least"),
    [
        # The measured share of 2,000 pairs (`python -m benchmarks homology`), less 3 SD of 300.
        (80, 0.95, 0.98),
        (80, 0.90, 0.84),
        (80, 0.85, 0.52),
        (80, 0.80, 0.24),
        (200, 0.90, 0.98),
        (200, 0.85, 0.89),
        (200, 0.80, 0.59),
        (600, 0.90, 0.99),
        (600, 0.85, 0.97),
        (600, 0.80, 0.73),
        (2000, 0.85, 0.99),
        (2000, 0.80, 0.93),
    ],
)
def test_pairs_of_known_identity_are_linked_as_often_as_measured(length, identity, least):
    rng = np.random.default_rng([length, int(100 * identity)])
    one = random_rows(rng, 300, length)
    other = mutated(rng, one, identity)
    other[::2] = reverse_complement(other[::2])
    group = homology_groups(np.concatenate([one, other])).group
    assert (group[:300] == group[300:]).mean() >= least
    # Hardly anything but the planted pairs is joined.
    assert len(np.unique(group[:300])) >= 298


def test_planted_families_are_the_groups():
    rng = np.random.default_rng(1)
    founders = random_rows(rng, 60, 600)
    family = np.repeat(np.arange(60), 5)
    rows = mutated(rng, founders[family], 0.95)
    flipped = rng.random(300) < 0.5
    rows[flipped] = reverse_complement(rows[flipped])
    found = homology_groups(rows)
    assert found.group.tolist() == family.tolist()
    assert found.n_pairs == 60 * 10
    assert set(found.sizes.tolist()) == {5}
    # 90% identity between two copies: 0.9 ** 15 of the 15-mers on average.
    assert abs(found.shared.mean() - 0.95**30) < 0.02
    assert (family[found.pairs[:, 0]] == family[found.pairs[:, 1]]).all()
    assert (found.pairs[:, 0] < found.pairs[:, 1]).all()


def test_half_overlapping_tiles_are_linked_on_both_strands():
    rng = np.random.default_rng(2)
    genome = random_rows(rng, 1, 40 * 101)[0]
    tiles = np.stack([genome[at : at + 80] for at in range(0, 40 * 100, 40)])
    tiles[::3] = reverse_complement(tiles[::3])
    assert homology_groups(tiles).n_groups == 1
    assert homology_groups(tiles[::2]).n_groups == 50


def test_constant_adapters_link_nothing():
    rng = np.random.default_rng(3)
    core = random_rows(rng, 500, 80)
    prefix, suffix = encode("AACTGCATTTTTTTCACATC"), encode("GGTTACGGCTGTTTCTTAAT")
    rows = np.hstack([np.tile(prefix, (500, 1)), core, np.tile(suffix, (500, 1))])
    found = homology_groups(rows)
    assert found.adapters == (20, 20)
    assert found.group.tolist() == homology_groups(core).group.tolist()
    assert found.n_groups >= 498


@pytest.mark.parametrize("identity", [0.97, 0.85])
@pytest.mark.parametrize("hosts", [80, 400])
def test_a_dispersed_repeat_does_not_chain_its_hosts(identity, hosts):
    # Below and above the number of copies from which a k-mer is ignored.
    rng = np.random.default_rng(4)
    rows = random_rows(rng, hosts, 2000)
    repeat = random_rows(rng, 1, 300)[0]
    for row in rows:
        at = rng.integers(0, 1700)
        row[at : at + 300] = mutated(rng, repeat, identity)
    assert homology_groups(rows).sizes.max() <= 3


@pytest.mark.parametrize("unit", ["A", "CA", "CAG", "TATC"])
def test_low_complexity_does_not_link(unit):
    rng = np.random.default_rng(5)
    for length in (80, 2000):
        rows = random_rows(rng, 40, length)
        run = encode((unit * length)[: length // 2])
        rows[:, length // 4 : length // 4 + len(run)] = run
        assert homology_groups(rows).n_groups == 40


def test_a_large_family_of_variants_stays_together():
    # Every k-mer of a mutagenesis library is frequent, yet the library is one family.
    rng = np.random.default_rng(6)
    wild = random_rows(rng, 3, 150)
    family = np.arange(900) % 3
    rows = mutated(rng, wild[family], 0.99)
    found = homology_groups(rows)
    assert found.n_groups == 3
    assert (found.group == family).all()
    assert found.n_family_pairs > 0


def test_n_breaks_kmers_and_short_or_empty_input_is_no_error():
    rng = np.random.default_rng(7)
    row = random_rows(rng, 1, 200)[0]
    broken = row.copy()
    broken[::10] = 4
    assert homology_groups(np.stack([row, broken])).n_groups == 2
    assert homology_groups(np.full((3, 50), 4, np.uint8)).n_groups == 3
    assert homology_groups(np.zeros((2, 4), np.uint8)).n_groups == 2
    assert homology_groups(np.empty((0, 80), np.uint8)).n_groups == 0
    assert homology_groups(iter([])).n_groups == 0


def test_groups_do_not_depend_on_order_strand_chunks_or_threads():
    rng = np.random.default_rng(8)
    founders = random_rows(rng, 40, 200)
    family = np.concatenate([np.repeat(np.arange(30), 6), np.repeat(np.arange(30, 40), 40)])
    rows = mutated(rng, founders[family], 0.93)
    plain = homology_groups(rows, max_copies=20)
    order = rng.permutation(len(rows))
    shuffled = rows[order]
    shuffled[::2] = reverse_complement(shuffled[::2])
    again = homology_groups(
        (shuffled[at : at + 77] for at in range(0, len(rows), 77)), max_copies=20, threads=1
    )
    assert again.n_pairs == plain.n_pairs
    one, other = plain.group[order], again.group
    assert len({*zip(one.tolist(), other.tolist(), strict=True)}) == plain.n_groups
    assert again.n_groups == plain.n_groups


def test_pairs_are_capped_but_counted():
    rng = np.random.default_rng(9)
    rows = np.repeat(random_rows(rng, 1, 200), 20, axis=0)
    rows = mutated(rng, rows, 0.99)
    found = homology_groups(rows, max_pairs=7)
    assert (len(found.pairs), len(found.shared), found.n_pairs) == (7, 7, 190)
    assert found.n_groups == 1


def slow_kmers(row: Codes, k: int) -> set[str]:
    """The canonical k-mers of a row without those of low complexity, the plain way."""
    kept = set()
    for at in range(len(row) - k + 1):
        kmer = row[at : at + k]
        triplets = Counter(decode(kmer[i : i + 3]) for i in range(k - 2))
        if sum(n * (n - 1) // 2 for n in triplets.values()) < 0.55 * (k - 3):
            kept.add(min(decode(kmer), decode(reverse_complement(kmer))))
    return kept


@pytest.mark.parametrize("length", [200, 400])
def test_shared_fraction_equals_a_plain_computation(length):
    rng = np.random.default_rng(10)
    one, other = random_rows(rng, 2, length)
    other[: length // 2] = reverse_complement(one[length // 4 : 3 * length // 4])
    found = homology_groups(np.stack([one, other]))
    sets = [slow_kmers(row, found.settings.k) for row in (one, other)]
    expected = len(sets[0] & sets[1]) / min(len(sets[0]), len(sets[1]))
    assert found.shared.tolist() == pytest.approx([expected])


def test_settings_out_of_range_are_refused():
    for wrong in ({"k": 40}, {"k": 3}, {"every": 0}, {"max_copies": 1}, {"identity": 0.2}):
        with pytest.raises(ConfigError, match="out of range"):
            HomologySettings.for_length(100, **wrong)
