"""What a user would bring: read from the files with slicing of our own."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.simulate import WorldConfig, simulate, world_config

STOPS = {"TAA", "TAG", "TGA"}
TINY = WorldConfig(genes=40)


def _bytes(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_equal_seeds_give_equal_bytes_and_other_seeds_other_ones(tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        simulate(tmp_path / name, seed=seed, config=TINY)
    one, two, other = (_bytes(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert len(one) == 15
    # Samples are called the same in every world.
    assert [name for name in one if one[name] == other[name]] == ["samples.tsv"]


def test_noise_of_its_own_stream_leaves_the_genome_as_it_was(tmp_path: Path) -> None:
    louder = TINY.model_copy(
        update={"expression": TINY.expression.model_copy(update={"noise_sd": 3.0})}
    )
    quiet = simulate(tmp_path / "quiet", seed=1, config=TINY)
    loud = simulate(tmp_path / "loud", seed=1, config=louder)
    assert quiet.genome.read_bytes() == loud.genome.read_bytes()
    assert quiet.genes.read_bytes() == loud.genes.read_bytes()
    assert quiet.expression.read_bytes() != loud.expression.read_bytes()


def test_an_existing_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(InputError, match="already exists"):
        simulate(tmp_path, config=TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_negative_seed_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="seed"):
        simulate(tmp_path / "world", seed=-1, config=TINY)
    assert not list(tmp_path.iterdir())


def test_coding_sequences_run_from_atg_to_the_only_stop(known: Any) -> None:
    strands = {"+": 0, "-": 0}
    for one in known.transcripts:
        if "CDS" not in one.spans:
            continue
        coding = "".join(known.letters(one.chrom, *span, one.strand) for span in one.spans["CDS"])
        stop = known.letters(one.chrom, *one.spans["stop_codon"][0], one.strand)
        start = known.letters(one.chrom, *one.spans["start_codon"][0], one.strand)
        codons = [coding[at : at + 3] for at in range(0, len(coding), 3)]
        assert len(coding) % 3 == 0
        assert start == "ATG" == codons[0]
        assert stop in STOPS
        assert not STOPS & set(codons)
        strands[one.strand] += 1
    assert min(strands.values()) > 200


def test_introns_are_gt_ag_on_both_strands(known: Any) -> None:
    strands = {"+": 0, "-": 0}
    for one in known.transcripts:
        for left, right in pairwise(sorted(one.spans["exon"])):
            intron = known.letters(one.chrom, left[1], right[0], one.strand)
            assert intron.startswith("GT")
            assert intron.endswith("AG")
            strands[one.strand] += 1
    assert min(strands.values()) > 500


def test_features_tile_the_transcript_and_frames_count(known: Any) -> None:
    for one in known.transcripts:
        if "CDS" not in one.spans:
            assert set(one.spans) == {"transcript", "exon"}
            continue
        parts = ("five_prime_utr", "CDS", "stop_codon", "three_prime_utr")
        tiles = sum(end - start for part in parts for start, end in one.spans[part])
        exons = sum(end - start for start, end in one.spans["exon"])
        assert tiles == exons
        coded = 0
        for (start, end), frame in zip(one.spans["CDS"], one.frames, strict=True):
            assert (coded + frame) % 3 == 0
            coded += end - start


def test_each_gene_has_one_canonical_transcript_and_some_have_two(known: Any) -> None:
    canonical = [one.gene_id for one in known.transcripts if one.canonical]
    assert len(canonical) == len(set(canonical)) == 600
    seconds = [one for one in known.transcripts if not one.canonical]
    firsts = known.canonical()
    assert 100 < len(seconds) < 260
    assert all(one.tss != firsts[one.gene_id].tss for one in seconds)


def test_windows_and_gene_bodies_belong_to_one_gene(known: Any) -> None:
    stretches: dict[str, list[tuple[int, int]]] = {}
    for one in known.canonical().values():
        start, end = one.spans["transcript"][0]
        before, after = (500, 0) if one.strand == "+" else (0, 500)
        stretches.setdefault(one.chrom, []).append((start - before, end + after))
    for spans in stretches.values():
        for left, right in pairwise(sorted(spans)):
            assert left[1] <= right[0]


def test_some_values_are_missing_and_none_of_them_is_zero(known: Any) -> None:
    assert 1 <= known.expression["expression"].isna().sum() <= 40
    assert not (known.expression["expression"] == 0).any()
    assert known.halflife["halflife"].min() > 0
    noncoding = known.components["biotype"] == "lncRNA"
    assert 5 < noncoding.sum() < 60
    assert known.halflife["halflife"][noncoding].isna().all()


def test_the_genome_has_isochores_repeats_and_unknown_ends(known: Any) -> None:
    fractions = []
    for letters in known.chromosomes.values():
        assert letters[:500] == letters[-500:] == "N" * 500
        inner = letters[500:-500]
        assert set(inner) == set("ACGT")
        blocks = [inner[at : at + 20_000] for at in range(0, len(inner) - 20_000, 20_000)]
        fractions += [(block.count("G") + block.count("C")) / 20_000 for block in blocks]
    assert 0.38 < np.mean(fractions) < 0.48
    assert np.std(fractions) > 0.015
    repeats = [
        line.split("\t") for line in (known.world.truth / "repeats.bed").read_text().splitlines()
    ]
    assert len(repeats) > 100
    chrom, start, end = next(row[:3] for row in repeats if row[3].startswith("MICRO"))
    # A tandem repeat keeps most of its period in spite of its mutations.
    cut = known.chromosomes[chrom][int(start) : int(end)]
    equal = [np.mean([a == b for a, b in zip(cut, cut[p:], strict=False)]) for p in range(2, 6)]
    assert max(equal) > 0.5


def test_the_written_config_gives_the_same_world_again(known: Any, tmp_path: Path) -> None:
    described = known.described
    again = simulate(
        tmp_path / "again",
        seed=described["seed"],
        config=WorldConfig.model_validate(described["config"]),
    )
    assert again.genome.read_bytes() == known.world.genome.read_bytes()
    text = (again.truth / "world.json").read_text()
    assert json.loads(text) == described


def test_every_setting_is_described() -> None:
    def fields(config: Any) -> None:
        for name, entry in type(config).model_fields.items():
            assert entry.description, name
            value = getattr(config, name)
            if hasattr(value, "model_dump"):
                fields(value)

    fields(world_config("large"))
