"""Windows of people: equal to bcftools consensus cut around the TSS, on both strands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.sequence import decode
from exprimo.data.fasta import Genome
from exprimo.features.haplotypes import window_haplotypes

GenomeOf = Callable[[str], Genome]
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


class PlainHaplotype:
    """The slow way: one cell of letters per reference base, and one before each."""

    def __init__(self, letters: str) -> None:
        self.cells = list(letters)
        self.before = [""] * (len(letters) + 1)
        self.frozen, self.grew = -1, False

    def apply(self, start: int, ref: str, alt: str) -> None:
        """Apply a variant unless it overlaps one applied before."""
        left = int(ref[0] == alt[0] and len(ref) != len(alt))
        right = 0
        while right < min(len(ref), len(alt)) - left and ref[-1 - right] == alt[-1 - right]:
            right += 1
        while left < min(len(ref), len(alt)) - right and ref[left] == alt[left]:
            left += 1
        old, new = ref[left : len(ref) - right], alt[left : len(alt) - right]
        indel = (not old) != (not new)
        if start < self.frozen or (
            start == self.frozen and (self.grew or not indel or ref[0] != alt[0])
        ):
            return
        self.frozen, self.grew = start + len(ref) - 1, len(alt) > len(ref)
        for at in range(len(old)):
            self.cells[start + left + at] = new[at : at + 1]
        self.before[start + left + len(old)] += new[len(old) :]

    def whole(self) -> str:
        pairs = zip(self.before, [*self.cells, ""], strict=True)
        return "".join(before + cell for before, cell in pairs)

    def window(self, tss: int, strand: str, upstream: int, downstream: int) -> str:
        """Cut around the TSS base, or the next that is left downstream of it."""
        left = "".join(b + c for b, c in zip(self.before[:tss], self.cells[:tss], strict=True))
        left += self.before[tss]
        right = "".join(
            c + b for c, b in zip(self.cells[tss + 1 :], self.before[tss + 2 :], strict=True)
        )
        own, behind = self.cells[tss], self.before[tss + 1]
        if strand == "+":
            ahead, down = left, own + behind + right
        else:
            ahead = (behind + right)[::-1].translate(COMPLEMENT)
            down = (left + own)[::-1].translate(COMPLEMENT)
        padded = "N" * upstream + ahead
        return padded[len(padded) - upstream :] + (down + "N" * downstream)[:downstream]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, list[Any], int, str, int, int]:
    """Letters, crowded sites of three people, a TSS, and a window that fits the chromosome."""
    letters = draw(st.text(draw(st.sampled_from(["ACGT", "AC"])), min_size=10, max_size=50))
    sites = []
    for start in sorted(draw(st.lists(st.integers(0, len(letters) - 1), max_size=10))):
        ref = letters[start : start + draw(st.sampled_from([1, 1, 2, 4, 9]))]
        tail = draw(st.text("ACGT", min_size=1, max_size=4))
        alt = draw(st.sampled_from([tail, tail[0] + ref[1:], ref[0] + tail[1:], ref[0]]))
        if alt != ref:
            copies = [f"{draw(st.integers(0, 1))}|{draw(st.integers(0, 1))}" for _ in range(3)]
            sites.append((start, ref, (alt,), tuple(copies)))
    tss = draw(st.integers(0, len(letters) - 1))
    upstream = draw(st.integers(0, len(letters) - 1))
    downstream = draw(st.integers(int(upstream == 0), len(letters) - upstream))
    return letters, sites, tss, draw(st.sampled_from("+-")), upstream, downstream


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(world=worlds())
def test_a_window_is_the_consensus_around_the_tss(
    people: Any, consensus: Any, genome_of: GenomeOf, world: Any
) -> None:
    letters, sites, tss, strand, upstream, downstream = world
    with genome_of(letters) as genome:
        made = window_haplotypes(
            genome, people(sites, 3), "c", tss, strand, upstream=upstream, downstream=downstream
        )
    oracle = consensus(letters, sites) if sites else None
    for person in range(3):
        for copy in (0, 1):
            plain = PlainHaplotype(letters)
            for start, ref, (alt,), genotypes in sites:
                if genotypes[person].split("|")[copy] == "1":
                    plain.apply(start, ref, alt)
            if oracle:
                assert plain.whole() == oracle[person][copy]
            found = decode(made.codes[made.index[person, copy, 0]])
            assert found == plain.window(tss, strand, upstream, downstream)
    assert len(np.unique(made.codes, axis=0)) == len(made.codes)
    np.testing.assert_array_equal(made.contains_unknown, (made.codes == 4).any(axis=1))


@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_tss_base_stays_at_its_index_whatever_indels_precede_it(
    people: Any, genome_of: GenomeOf, strand: str
) -> None:
    rng = np.random.default_rng(3)
    bases = list("ACT")
    letters = "".join(rng.choice(bases, 400)) + "G" + "".join(rng.choice(bases, 400))
    sites = []
    for start in sorted(rng.choice(np.r_[0:390, 402:790], 60, replace=False).tolist()):
        size = int(rng.integers(1, 8))
        grown = letters[start] + "".join(rng.choice(bases, size))
        ref, alt = letters[start], grown
        if rng.random() < 0.6:
            ref, alt = letters[start : start + 1 + size], letters[start]
        sites.append((start, ref, (alt,), tuple(rng.choice(["0|1", "1|0", "1|1", "0|0"], 20))))
    with genome_of(letters) as genome:
        made = window_haplotypes(
            genome, people(sites), "c", 400, strand, upstream=300, downstream=120
        )
    assert made.codes.shape[1] == 420
    assert len(made.codes) > 30
    tss = "G" if strand == "+" else "C"
    assert {decode(row)[300] for row in made.codes} == {tss}


def one(genome: Genome, genotypes: Any, **options: Any) -> Any:
    given = {"tss": 5, "strand": "+", "upstream": 3, "downstream": 3}
    given.update(options)
    tss, strand = given.pop("tss"), given.pop("strand")
    return window_haplotypes(genome, genotypes, "c", tss, strand, **given)


def test_a_deleted_tss_gives_way_to_the_next_base_downstream(
    people: Any, genome_of: GenomeOf
) -> None:
    sites = [(3, "CCGG", ("C",), ("0|1",))]  # takes positions 4 to 6, the TSS (5) among them
    with genome_of("AAACCGGTTTT") as genome:
        plus, minus = (one(genome, people(sites), strand=strand) for strand in "+-")
    assert [decode(row) for row in plus.codes] == ["ACCGGT", "AACTTT"]
    assert [decode(row) for row in minus.codes] == ["AACCGG", "AAAGTT"]


def test_a_window_that_ends_before_the_tss_sees_a_deletion_in_front_of_it(
    people: Any, genome_of: GenomeOf
) -> None:
    with genome_of("AAAAAAAAAAAACAA") as genome:
        made = one(genome, people([(12, "CA", ("C",), ("0|1",))]), tss=14, upstream=1, downstream=0)
    assert [decode(row) for row in made.codes] == ["A", "C"]


def test_a_window_that_begins_at_a_lost_tss_sees_what_is_lost_behind_it(
    people: Any, genome_of: GenomeOf
) -> None:
    sites = [(3, "ACG", ("A",), ("1|0",)), (5, "GT", ("G",), ("1|0",))]
    with genome_of("AAAACGTCCC") as genome:
        made = one(genome, people(sites), tss=4, upstream=0, downstream=2)
    assert [decode(row) for row in made.codes] == ["CC", "CG"]


def test_n_stands_beyond_both_ends(people: Any, genome_of: GenomeOf) -> None:
    sites = [(1, "C", ("CTT",), ("1|0",)), (4, "AC", ("A",), ("1|0",))]
    with genome_of("ACGTACG") as genome:
        first = one(genome, people(sites), tss=0)
        last = one(genome, people(sites), tss=6, strand="-", upstream=2, downstream=2)
    assert decode(first.codes[0]) == "NNNACT"
    assert decode(first.codes[1]) == "NNNACG"
    assert {decode(row) for row in last.codes} == {"NNCT", "NNCG"}
    assert first.contains_unknown.all()


def test_equal_sequences_of_different_variants_are_stored_once(
    people: Any, genome_of: GenomeOf
) -> None:
    # The same deletion written in two ways, and a variant beyond the window.
    sites = [
        (0, "A", ("T",), ("1|0", "0|0")),
        (4, "CA", ("C",), ("1|0", "0|0")),
        (6, "AA", ("A",), ("0|0", "0|1")),
    ]
    with genome_of("AAAACAAAATTT") as genome:
        made = one(genome, people(sites), tss=8, upstream=5, downstream=3)
    assert [decode(row) for row in made.codes] == ["AACAAATT", "ACAAAATT"]
    assert made.index[..., 0].tolist() == [[0, 1], [1, 0]]


def test_what_was_applied_and_what_was_not_is_counted(people: Any, genome_of: GenomeOf) -> None:
    sites = [
        (4, "CGG", ("C",), ("1|1", "0|1", "0|0")),
        (5, "G", ("T",), ("1|0", "0|0", "./.")),
        (7, "T", ("A",), ("0|0", ".|1", "0|0")),
    ]
    with genome_of("AACCCGGTTTTAA") as genome:
        made = one(genome, people(sites), tss=8, upstream=5, downstream=3)
    assert made.applied["n_carriers"].tolist() == [2, 1]
    assert made.applied["start"].tolist() == [4, 7]
    assert made.skipped == {
        "missing genotype, read as reference": 3,
        "overlaps a variant applied before on the same haplotype": 1,
    }


def test_a_copy_that_is_not_there_has_no_sequence(people: Any, genome_of: GenomeOf) -> None:
    with genome_of("AACCCGGTTTTAA") as genome:
        made = one(genome, people([(5, "G", ("T",), ("1", "0|1"))]))
    assert made.index[..., 0].tolist() == [[0, -1], [1, 0]]


def test_people_without_variants_share_the_reference(people: Any, genome_of: GenomeOf) -> None:
    with genome_of("AACCCGGTTTTAA") as genome:
        made = one(genome, people([], 5), upstream=2, downstream=2)
    assert [decode(row) for row in made.codes] == ["CCGG"]
    assert not made.index.any()
    assert made.applied.empty


def test_a_window_longer_than_its_chromosome_is_refused(people: Any, genome_of: GenomeOf) -> None:
    with (
        genome_of("ACGTACG") as genome,
        pytest.raises(InputError, match="longer than its chromosome"),
    ):
        one(genome, people([], 1), upstream=5, downstream=3)


def test_ref_that_the_genome_does_not_have_is_refused(people: Any, genome_of: GenomeOf) -> None:
    with (
        genome_of("ACGTACGTAC") as genome,
        pytest.raises(MismatchError, match=r"c:5:G:T at c:5.*Found: G.*Expected: A of"),
    ):
        one(genome, people([(4, "G", ("T",), ("0|1",))]))


def test_genotypes_without_the_chromosome_are_refused(people: Any, tmp_path: Path) -> None:
    fasta = tmp_path / "d.fa"
    fasta.write_text(">d\nACGTACGTAC\n")
    with (
        Genome.open(fasta) as genome,
        pytest.raises(MismatchError, match="no genotypes of this chromosome"),
    ):
        window_haplotypes(genome, people([], 1), "d", 5, "+", upstream=2, downstream=2)


def test_a_deletion_longer_than_what_is_read_at_first(people: Any, genome_of: GenomeOf) -> None:
    rng = np.random.default_rng(8)
    letters = "".join(rng.choice(list("ACGT"), 9000))
    sites: Sequence[Any] = [(4010, letters[4010:7010], (letters[4010],), ("0|1",))]
    sites = [*sites, (7020, letters[7020], ("A" if letters[7020] != "A" else "C",), ("0|1",))]
    with genome_of(letters) as genome:
        made = one(genome, people(sites), tss=4000, upstream=50, downstream=100)
    plain = PlainHaplotype(letters)
    for start, ref, (alt,), _ in sites:
        plain.apply(start, ref, alt)
    assert decode(made.codes[1]) == plain.window(4000, "+", 50, 100)


@pytest.mark.parametrize("wrong", ["no", 0, -1, True, 1.5])
def test_an_unknown_way_with_unphased_genotypes_is_refused(
    people: Any, genome_of: GenomeOf, wrong: Any
) -> None:
    with genome_of("ACGTACGTAC") as genome, pytest.raises(ConfigError, match="unphased"):
        one(genome, people([], 1), unphased=wrong)
