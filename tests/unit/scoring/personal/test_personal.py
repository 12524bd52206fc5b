"""Personal predictions: who gets which number, and that each haplotype is computed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import (
    ConfigError,
    ExprimoError,
    InputError,
    MismatchError,
    StorageError,
)
from exprimo.core.predictor import Floats
from exprimo.core.progress import show_progress
from exprimo.core.sequence import Codes, decode, encode, reverse_complement
from exprimo.scoring.personal import personal, plan_personal
from exprimo.scoring.personal import plan as plan_module
from exprimo.scoring.personal import sources as sources_module
from exprimo.scoring.personal import spool as spool_module
from exprimo.scoring.shards.tables import read_origin

UPSTREAM, DOWNSTREAM = 12, 8
LENGTH = UPSTREAM + DOWNSTREAM
WEIGHTS = np.random.default_rng(5).normal(size=(2, LENGTH, 5))
# gene: chromosome, TSS, strand
GENES = {
    "g1": ("1", 100, "+"),
    "g2": ("1", 200, "-"),
    "g3": ("1", 320, "+"),
    "gx": ("X", 60, "+"),
    "gm": ("M", 50, "+"),
}


def truth(sequence: str) -> list[float]:
    """Predict two tracks of one window: a sum over positions of a weight for the base there."""
    codes = encode(sequence)
    return [float(w[np.arange(LENGTH), codes].sum()) for w in WEIGHTS]


class Sums:
    """A SequenceModel whose every prediction can be worked out by hand; it counts its rows."""

    name, digest = "sums", "ab" * 32
    upstream, downstream = UPSTREAM, DOWNSTREAM
    tracks = ("liver", "blood")
    bin_size, first_bin, n_bins = 10, 0, 2
    positive = False

    def __init__(self) -> None:
        self.rows = 0
        self.largest = 0

    def predict(self, codes: Codes) -> Floats:
        self.rows += len(codes)
        self.largest = max(self.largest, len(codes))
        found = np.stack([w[np.arange(LENGTH), codes].sum(axis=1) for w in WEIGHTS], axis=1)
        # Two bins whose mean is the prediction.
        return np.stack([found - 1, found + 1], axis=2).astype(np.float32)

    def rows_at_once(self) -> int:
        return 1


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Sums:
    made = Sums()
    monkeypatch.setattr(sources_module, "open_sequence_model", lambda *given, **named: made)
    return made


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A genome, genes on both strands, and four people, of whom one has no variant."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(3)
    genome = {name: "".join(rng.choice(list("ACGT"), 400)) for name in ("1", "X", "M")}
    (folder / "g.fa").write_text("".join(f">{n}\n{s}\n" for n, s in genome.items()))
    rows = ["gene_id\tchrom\ttss\tstrand"]
    rows += [f"{name}\t{c}\t{tss + 1}\t{strand}" for name, (c, tss, strand) in GENES.items()]
    (folder / "genes.tsv").write_text("\n".join(rows) + "\n")

    def other(chrom: str, at: int) -> str:
        return {"A": "C", "C": "G", "G": "T", "T": "A"}[genome[chrom][at]]

    first, last = genome["1"][95], genome["1"][205:208]
    records = [
        # (chrom, start, ref, alt), genotypes of ann, bob, cy, dee
        ("1", 95, first, other("1", 95), "0|1 1|1 0|0 0|1"),
        ("1", 103, genome["1"][103], genome["1"][103] + "TT", "0|1 0|1 0|0 1|0"),
        ("1", 205, last, last[0], "1|0 0|0 0|0 1|0"),
        ("X", 57, genome["X"][57], other("X", 57), "0|1 1 0 0|0"),
    ]
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={n},length=400>" for n in ("1", "X"))]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    header = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT ann bob cy dee"
    lines.append(header.replace(" ", "\t"))
    for chrom, start, ref, alt, calls in records:
        fields = [chrom, start + 1, ".", ref, alt, ".", ".", ".", "GT", *calls.split()]
        lines.append("\t".join(map(str, fields)))
    text = "\n".join(lines) + "\n"
    (folder / "v.vcf").write_text(text)
    (folder / "unphased.vcf").write_text(text.replace("|", "/"))
    return folder


def reference(world: Path, gene: str) -> str:
    chrom, tss, strand = GENES[gene]
    text = dict(part.split("\n")[:2] for part in (world / "g.fa").read_text().split(">") if part)[
        chrom
    ]
    if strand == "+":
        return text[tss - UPSTREAM : tss + DOWNSTREAM]
    window = text[tss - DOWNSTREAM + 1 : tss + UPSTREAM + 1]
    return decode(reverse_complement(encode(window)))


def run(world: Path, out: Path, **more: Any) -> Any:
    settings = {
        "genotypes": world / "v.vcf",
        "fasta": world / "g.fa",
        "genes": world / "genes.tsv",
        **more,
    }
    return personal("sums", out, **settings)


def test_a_row_for_each_gene_person_haplotype_and_track(
    world: Path, tmp_path: Path, model: Sums
) -> None:
    done = run(world, tmp_path / "P.parquet")
    table = pd.read_parquet(tmp_path / "P.parquet")
    assert list(table.columns) == [
        "gene_id", "individual", "haplotype", "track", "prediction", "haplotype_id"
    ]  # fmt: skip
    # Men have one X here: 3 autosomal genes x 4 people x 2, and 2 + 1 + 1 + 2 copies of gx.
    assert len(table) == done.n_rows == 2 * (3 * 4 * 2 + 6)
    assert table["track"].iloc[:2].tolist() == ["liver", "blood"]
    assert (done.n_genes, done.n_people, done.tracks) == (4, 4, ("liver", "blood"))
    assert done.dropped == {"on a chromosome without genotypes": 1}
    of_x = table[table["gene_id"].eq("gx") & table["track"].eq("blood")]
    assert of_x.groupby("individual")["haplotype"].agg(list).to_dict() == {
        "ann": [1, 2], "bob": [1], "cy": [1], "dee": [1, 2]
    }  # fmt: skip
    # Each distinct haplotype is predicted once; g3 has no variant, so one for all.
    n_distinct = table.groupby("gene_id")["haplotype_id"].nunique()
    assert n_distinct.to_dict() == {"g1": 4, "g2": 2, "g3": 1, "gx": 2}
    assert model.rows == done.n_haplotypes == 9


def test_predictions_are_those_of_each_persons_sequences(
    world: Path, tmp_path: Path, model: Sums
) -> None:
    run(world, tmp_path / "P.parquet")
    table = pd.read_parquet(tmp_path / "P.parquet").set_index(
        ["gene_id", "individual", "haplotype"]
    )
    for gene in ("g1", "g2", "g3", "gx"):
        expected = truth(reference(world, gene))
        np.testing.assert_allclose(table.loc[(gene, "cy", 1), "prediction"], expected, rtol=1e-5)
    # ann's first copy of g1 is the reference; the second has the SNP at 95 and the insertion
    # behind 103, which moves what follows downstream.
    window = reference(world, "g1")
    snp = {"A": "C", "C": "G", "G": "T", "T": "A"}[window[7]]
    with_snp = window[:7] + snp + window[8:]
    with_both = (with_snp[:16] + "TT" + with_snp[16:])[:LENGTH]
    np.testing.assert_allclose(table.loc[("g1", "ann", 1), "prediction"], truth(window), rtol=1e-5)
    np.testing.assert_allclose(
        table.loc[("g1", "ann", 2), "prediction"], truth(with_both), rtol=1e-5
    )
    np.testing.assert_allclose(
        table.loc[("g1", "bob", 1), "prediction"], truth(with_snp), rtol=1e-5
    )
    # On the minus strand a deletion of 206-207 lies upstream: bases come in from further up.
    text = (world / "g.fa").read_text().split("\n")[1]
    edited = text[:206] + text[208:]
    tss, minus = GENES["g2"][1], slice(GENES["g2"][1] - DOWNSTREAM + 1, None)
    deleted = decode(reverse_complement(encode(edited[minus][:LENGTH])))
    assert tss < 205
    np.testing.assert_allclose(table.loc[("g2", "ann", 1), "prediction"], truth(deleted), rtol=1e-5)
    np.testing.assert_allclose(
        table.loc[("g2", "ann", 2), "prediction"], truth(reference(world, "g2")), rtol=1e-5
    )


def test_the_mean_gives_one_row_a_person(world: Path, tmp_path: Path, model: Sums) -> None:
    run(world, tmp_path / "E.parquet")
    run(world, tmp_path / "M.parquet", haplotypes="mean")
    each = pd.read_parquet(tmp_path / "E.parquet")
    mean = pd.read_parquet(tmp_path / "M.parquet")
    assert list(mean.columns) == ["gene_id", "individual", "track", "prediction"]
    keys = ["gene_id", "individual", "track"]
    expected = each.groupby(keys)["prediction"].mean()
    found = mean.set_index(keys)["prediction"]
    assert len(found) == len(expected) == 4 * 4 * 2
    np.testing.assert_allclose(found.loc[expected.index], expected, rtol=1e-6)


def test_both_published_designs_are_parts_of_the_same_table(
    world: Path, tmp_path: Path, model: Sums
) -> None:
    run(world, tmp_path / "P.parquet")
    whole = pd.read_parquet(tmp_path / "P.parquet")
    run(world, tmp_path / "G.parquet", gene=["g2"])
    one_gene = pd.read_parquet(tmp_path / "G.parquet")
    pd.testing.assert_frame_equal(one_gene, whole[whole["gene_id"] == "g2"].reset_index(drop=True))
    run(world, tmp_path / "I.parquet", samples=["bob"])
    one_person = pd.read_parquet(tmp_path / "I.parquet")
    pd.testing.assert_frame_equal(
        one_person, whole[whole["individual"] == "bob"].reset_index(drop=True)
    )
    (tmp_path / "names.txt").write_text("dee\nbob\n")
    run(world, tmp_path / "N.parquet", gene=["g1"], samples=tmp_path / "names.txt")
    assert pd.read_parquet(tmp_path / "N.parquet")["individual"].unique().tolist() == ["dee", "bob"]


def test_where_phase_is_not_known(world: Path, tmp_path: Path, model: Sums) -> None:
    open_phase = {"genotypes": world / "unphased.vcf", "gene": ["g1"]}
    with pytest.raises(MismatchError, match="phase is needed"):
        run(world, tmp_path / "P.parquet", **open_phase)
    with pytest.raises(ConfigError, match="predicts people, not haplotypes"):
        run(world, tmp_path / "P.parquet", **open_phase, unphased="mixture")
    with pytest.raises(ConfigError, match="not a way to treat unphased"):
        run(world, tmp_path / "P.parquet", **open_phase, unphased=0)

    run(world, tmp_path / "R.parquet", **open_phase, unphased=8)
    table = pd.read_parquet(tmp_path / "R.parquet")
    assert list(table.columns)[4:] == ["prediction", "prediction_sd", "haplotype_id"]
    spread = table[table["track"] == "liver"].set_index(["individual", "haplotype"])
    # cy has no variant and bob one heterozygous: whichever copy of his carries it is drawn.
    assert spread.loc["cy", "prediction_sd"].tolist() == [0, 0]
    assert spread.loc[("cy", 1), "haplotype_id"] == spread.loc[("cy", 2), "haplotype_id"]
    assert (spread.loc["ann", "prediction_sd"] > 0).all()
    assert spread.loc["ann", "haplotype_id"].isna().all()

    run(world, tmp_path / "M.parquet", **open_phase, unphased=8, haplotypes="mean")
    means = pd.read_parquet(tmp_path / "M.parquet")
    means = means[means["track"] == "liver"].set_index("individual")
    expected = spread.groupby("individual")["prediction"].mean()
    np.testing.assert_allclose(means["prediction"], expected.loc[means.index], rtol=1e-5)
    # Which copy is which does not matter to the sum over the copies of bob and cy.
    np.testing.assert_allclose(means.loc[["bob", "cy"], "prediction_sd"], 0, atol=1e-6)


def test_a_mixture_adds_effects_of_single_variants(
    world: Path, tmp_path: Path, model: Sums
) -> None:
    run(
        world,
        tmp_path / "M.tsv",
        genotypes=world / "unphased.vcf",
        gene=["g1"],
        unphased="mixture",
        haplotypes="mean",
    )
    table = pd.read_csv(tmp_path / "M.tsv", sep="\t").set_index(["individual", "track"])
    window = reference(world, "g1")
    snp = {"A": "C", "C": "G", "G": "T", "T": "A"}[window[7]]
    with_snp = window[:7] + snp + window[8:]
    inserted = (window[:16] + "TT" + window[16:])[:LENGTH]
    base, one, two = (truth(text)[0] for text in (window, with_snp, inserted))
    assert table.loc[("cy", "liver"), "prediction"] == pytest.approx(base, rel=1e-5)
    # Dosages 1 and 1 of ann, 2 and 1 of bob; a person is the mean over two copies.
    ann = base + 0.5 * (one - base) + 0.5 * (two - base)
    bob = base + (one - base) + 0.5 * (two - base)
    assert table.loc[("ann", "liver"), "prediction"] == pytest.approx(ann, rel=1e-5)
    assert table.loc[("bob", "liver"), "prediction"] == pytest.approx(bob, rel=1e-5)


def test_shards_and_what_is_kept_change_nothing(
    world: Path, tmp_path: Path, model: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(world, tmp_path / "whole.parquet")
    monkeypatch.setattr(plan_module, "_WINDOWS", 3)
    monkeypatch.setattr(spool_module, "_KEPT_BYTES", 6 * LENGTH)
    monkeypatch.setattr(sources_module, "_BASES", 2 * LENGTH)
    done = run(world, tmp_path / "cut.parquet")
    assert done.n_shards == 3
    assert pd.read_parquet(tmp_path / "cut.parquet").equals(
        pd.read_parquet(tmp_path / "whole.parquet")
    )


class StopAfter:
    """Interrupts the command after some shards."""

    def __init__(self, shards: int) -> None:
        self.left = shards

    def start(self, description: str, total: int | None) -> object:
        return description

    def advance(self, task: object, steps: int, note: str) -> None:
        if str(task).startswith("Scoring"):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    def finish(self, task: object) -> None:
        pass


def test_a_stopped_call_goes_on(
    world: Path, tmp_path: Path, model: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(world, tmp_path / "whole.parquet")
    monkeypatch.setattr(plan_module, "_WINDOWS", 3)
    out = tmp_path / "P.parquet"
    with pytest.raises(KeyboardInterrupt), show_progress(StopAfter(2)):
        run(world, out)
    model.rows = 0
    with pytest.raises(MismatchError, match="begun with other settings"):
        run(world, out, seed=4)
    done = run(world, out)
    assert (done.n_known, done.n_shards, model.rows) == (2, 3, 3)
    assert pd.read_parquet(out).equals(pd.read_parquet(tmp_path / "whole.parquet"))


def test_provenance_says_what_was_read(world: Path, tmp_path: Path, model: Sums) -> None:
    run(world, tmp_path / "P.parquet", gene=["g1"])
    origin = read_origin(tmp_path / "P.parquet")
    assert origin["model"] == {"name": "sums", "digest": "ab" * 32}
    assert [Path(s["path"]).name for s in origin["sources"]] == ["g.fa", "genes.tsv", "v.vcf"]
    assert origin["n_haplotypes"] == 4
    assert origin["exprimo"]
    assert origin["command"]
    assert origin["settings"]["unphased"] == "error"


def test_a_plan_says_what_there_is_to_do(world: Path, model: Sums) -> None:
    cost = plan_personal(
        "sums", genotypes=world / "v.vcf", fasta=world / "g.fa", genes=world / "genes.tsv"
    )
    assert cost[:4] == (4, 4, 32, 9)
    assert cost.seconds > 0
    assert model.rows == 2


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"gene": ["gm"]}, MismatchError, "chromosome without genotypes"),
        ({"gene": ["g9"]}, InputError, "no such gene"),
        ({"samples": ["ann", "eve"]}, MismatchError, "no such sample"),
        ({"on_ref_mismatch": "ignore"}, ConfigError, "on_ref_mismatch"),
    ],
)
def test_bad_input_is_refused(
    world: Path,
    tmp_path: Path,
    model: Sums,
    change: dict[str, Any],
    error: type[ExprimoError],
    match: str,
) -> None:
    with pytest.raises(error, match=match):
        run(world, tmp_path / "P.parquet", **change)
    assert not list(tmp_path.iterdir())


def test_an_unknown_output_or_place_is_refused_before_any_work(
    world: Path, tmp_path: Path, model: Sums
) -> None:
    with pytest.raises(InputError, match="unknown kind of output"):
        run(world, tmp_path / "P.xlsx")
    with pytest.raises(StorageError):
        run(world, Path("/proc/P.parquet"))
    assert model.rows == 0


def test_genotypes_that_change_after_the_plan_are_noticed(
    world: Path, tmp_path: Path, model: Sums
) -> None:
    from exprimo.scoring.personal.config import PersonalConfig
    from exprimo.scoring.personal.work import open_personal

    window = {"gene_id": "g1", "chrom": "1", "tss": 100, "strand": "+"}
    config = PersonalConfig(
        model="sums",
        genotypes=str(world / "v.vcf"),
        fasta=str(world / "g.fa"),
        windows=({**window, "distinct": 4, "digest": "other"},),
        shards=(({"window": 0, "first": 0, "end": 4},),),
    )
    work = open_personal(config.model_dump(mode="json"))
    with pytest.raises(MismatchError, match="other haplotypes here than when"):
        work.run(0)
    work.close()


def test_a_full_disk_is_said_while_the_plan_is_kept(
    world: Path, tmp_path: Path, model: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**settings: Any) -> Any:
        return open("/dev/full", "w+b", buffering=0)

    monkeypatch.setattr(spool_module.tempfile, "TemporaryFile", full)
    with pytest.raises(StorageError, match="the disk is full"):
        run(world, tmp_path / "P.parquet")
    assert not list(tmp_path.iterdir())
