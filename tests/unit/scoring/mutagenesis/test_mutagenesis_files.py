"""The verb: known effects at known places, on both strands, in every kind of file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.core.files.origin import read_origin
from exprimo.core.sequence import encode, reverse_complement
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes
from exprimo.scoring.mutagenesis import mutagenesis, read_arrays, work
from exprimo.scoring.mutagenesis.config import MutagenesisConfig
from exprimo.scoring.mutagenesis.local import Chain
from exprimo.scoring.mutagenesis.opening import Found
from exprimo.scoring.resolve import Resolved

Call = Callable[..., Any]
UPSTREAM, DOWNSTREAM = 24, 16
LENGTH = UPSTREAM + DOWNSTREAM


class Weighted(nn.Module):
    """One weight per base and position: an effect is a difference of two of them."""

    def __init__(self) -> None:
        super().__init__()
        weights = np.random.default_rng(2).normal(size=(LENGTH, 4)).astype(np.float32)
        self.bases = nn.Parameter(torch.from_numpy(weights))

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return (inputs["sequence"].transpose(1, 2) * self.bases).sum((1, 2))[:, None]


class WeightedChain(Weighted):
    """The same, which says how a change goes through it; rightly, or not."""

    def __init__(self, wrong_by: float = 0.0) -> None:
        super().__init__()
        self.wrong_by = wrong_by

    def local_chain(self, length: int) -> Chain:
        dense = self.bases[:, :, None] * (1 + self.wrong_by)
        return Chain((), dense, lambda _: torch.zeros(1), nn.Identity())


class World(NamedTuple):
    """Files: a gene on either strand and one near an end, and the bases of the chromosome."""

    fasta: Path
    genes: Path
    bases: str


TSS = {"plus": (100, "+"), "minus": (300, "-"), "edge": (10, "+")}


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("mutagenesis")
    bases = "".join(np.random.default_rng(5).choice(list("ACGT"), 400))
    bases = bases[:103] + "N" + bases[104:]
    fasta, genes = folder / "g.fa", folder / "g.bed"
    fasta.write_text(f">chr1\n{bases}\n")
    # Without CDS nothing is known of starts and introns, so any genome fits.
    lines = ["100\t160\tplus\t0\t+", "240\t301\tminus\t0\t-", "10\t60\tedge\t0\t+"]
    genes.write_text("".join(f"chr1\t{line}\n" for line in lines))
    return World(fasta, genes, bases)


class Asked:
    """What calls open in place of a model; tests may exchange the network."""

    def __init__(self) -> None:
        self.network: Weighted = Weighted()
        self.inputs: dict[str, tuple[int, ...]] = {"sequence": (LENGTH,)}

    def find(self, config: MutagenesisConfig) -> Found:
        shapes = Shapes(self.inputs, "regression")
        predictor = NetworkPredictor([self.network], shapes, scale=2.0, center=1.0)
        return Found(Resolved(predictor, None, config.model), None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    one = Asked()
    monkeypatch.setattr(work, "find_model", one.find)
    return one


@pytest.fixture
def call(world: World, asked: Asked, tmp_path: Path) -> Call:
    def run(name: str = "M.parquet", **options: Any) -> Any:
        given = {"fasta": world.fasta, "genes": world.genes, "upstream": UPSTREAM, "threads": 1}
        return mutagenesis("toy", tmp_path / name, **{**given, **options})

    return run


def expected(network: Weighted, base: str, alt: str, index: int) -> float:
    weights = network.bases.detach().numpy()
    return float(2 * (weights[index, encode(alt)[0]] - weights[index, encode(base)[0]]))


@pytest.mark.parametrize("way", ["local", "whole"])
def test_effects_are_known_and_stand_where_they_belong(
    call: Call, asked: Asked, world: World, way: str
) -> None:
    asked.network = WeightedChain()
    done = call(way=way)
    table = pd.read_parquet(done.path)
    # The window near the end lacks 14 bases, and one base of the first gene's is not known.
    assert len(table) == 3 * (3 * LENGTH - 14 - 1)
    assert done.way.startswith(way)
    assert done.positions == (-UPSTREAM, DOWNSTREAM)
    assert done.n_substitutions == len(table)
    assert done.n_unknown == 15
    best = table.loc[table["raw_score"].abs().idxmax()]
    assert f"chr1:{best['pos']} {best['ref']}>{best['alt']}, position" in done.strongest
    flip = dict(zip("ACGT", "TGCA", strict=True))
    for gene, (tss, strand) in TSS.items():
        rows = table[table["gene_id"] == gene]
        sign = 1 if strand == "+" else -1
        assert (rows["pos"] == tss + 1 + sign * rows["tss_distance"]).all()
        assert [world.bases[pos - 1] for pos in rows["pos"]] == list(rows["ref"])
        if strand == "-":
            assert (rows["ref"].map(flip) == rows["gene_ref"]).all()
            assert (rows["alt"].map(flip) == rows["gene_alt"]).all()
        else:
            assert (rows["alt"] == rows["gene_alt"]).all()
        known = [
            expected(asked.network, row.gene_ref, row.gene_alt, row.tss_distance + UPSTREAM)
            for row in rows.itertuples()
        ]
        np.testing.assert_allclose(rows["raw_score"], known, atol=1e-5)
        np.testing.assert_allclose(rows["alt_pred"] - rows["ref_pred"], known, atol=1e-5)
    first = table.iloc[0]
    assert first["variant_id"] == f"chr1:{first['pos']}:{first['ref']}:{first['alt']}"


def test_attributions_of_a_position(call: Call) -> None:
    table = pd.read_parquet(call(gene=["plus"]).path)
    for _, rows in table.groupby("pos"):
        effects = np.append(rows["raw_score"].to_numpy(), 0)
        assert len(rows) == 3
        np.testing.assert_allclose(rows["centred_score"], effects[:3] - effects.mean(), atol=1e-5)
        np.testing.assert_allclose(rows["attribution"], -effects.mean(), atol=1e-5)
        np.testing.assert_allclose(rows["strongest"], effects[np.abs(effects).argmax()], atol=1e-6)


def test_all_files_say_the_same(call: Call, world: World) -> None:
    table = pd.read_parquet(call().path)
    text = pd.read_csv(call("M.tsv").path, sep="\t")
    pd.testing.assert_frame_equal(text, table, check_dtype=False, atol=1e-5)
    arrays = read_arrays(call("M.h5").path)
    assert arrays.gene_id.tolist() == list(TSS)
    assert arrays.tracks == ("value",)
    assert arrays.tss_distance.tolist() == list(range(-UPSTREAM, DOWNSTREAM))
    minus = list(TSS).index("minus")
    window = encode(world.bases[300 - DOWNSTREAM + 1 : 301 + UPSTREAM])
    np.testing.assert_array_equal(arrays.reference[minus], reverse_complement(window))
    missing = arrays.reference == 4
    assert missing.sum() == 15
    assert np.isnan(arrays.effects[:, 0].transpose(0, 2, 1)[missing]).all()
    for row in table.itertuples():
        example = list(TSS).index(row.gene_id)
        at = row.tss_distance + UPSTREAM
        found = arrays.effects[example, 0, "ACGT".index(row.gene_alt), at]
        assert found == pytest.approx(row.raw_score)
        assert arrays.effects[example, 0, "ACGT".index(row.gene_ref), at] == 0
        assert arrays.pos[example, at] == row.pos
    bed = pd.read_csv(call("M.bed").path, sep="\t")
    assert (bed["end"] - bed["start"] == 1).all()
    by_place = table.set_index(["gene_id", "pos", "alt"])["raw_score"]
    for row in bed.itertuples():
        for alt in "ACGT":
            found = getattr(row, f"effect_{alt}")
            known = 0 if alt == row.ref else by_place[row.gene_id, row.end, alt]
            assert found == pytest.approx(known, abs=1e-5)


def test_positions_relative_to_the_start(call: Call) -> None:
    whole = pd.read_parquet(call().path)
    some = pd.read_parquet(call("N.parquet", positions=(-3, 2)).path)
    assert sorted(some["tss_distance"].unique()) == [-3, -2, -1, 0, 1]
    same = whole[whole["tss_distance"].between(-3, 1)].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, same)
    around = pd.read_parquet(call("A.parquet", around=2).path)
    assert sorted(around["tss_distance"].unique()) == [-2, -1, 0, 1, 2]
    # As far as the window reaches.
    assert call("W.parquet", around=1000).positions == (-24, 16)
    with pytest.raises(InputError, match="already exists"):
        call("A.parquet", around=1)
    with pytest.raises(InputError, match=r"outside of the model's window.*-24:16"):
        call("B.parquet", positions=(-30, 2))
    with pytest.raises(ConfigError, match="from a smaller to a larger"):
        call("B.parquet", positions=(5, 2))
    with pytest.raises(ConfigError, match="either positions or around"):
        call("B.parquet", positions=(-1, 2), around=3)


def test_a_stopped_call_goes_on(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = pd.read_parquet(call("whole.parquet").path)
    monkeypatch.setattr(work, "_WHOLE_BASES", 3 * LENGTH * 15)
    run, done = work.MutagenesisWork.run, list[int]()

    def stopping(self: work.MutagenesisWork, shard: int) -> pd.DataFrame:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(shard)
        return run(self, shard)

    monkeypatch.setattr(work.MutagenesisWork, "run", stopping)
    with pytest.raises(KeyboardInterrupt):
        call()
    monkeypatch.setattr(work.MutagenesisWork, "run", run)
    with pytest.raises(MismatchError):
        call(gene=["plus"])
    finished = call()
    assert finished.n_known == 3
    assert finished.n_shards == 9
    pd.testing.assert_frame_equal(pd.read_parquet(finished.path), whole)
    # An example that lies in several shards is one in the file of arrays.
    arrays = read_arrays(call("M.h5").path)
    assert arrays.effects.shape == (3, 1, 4, LENGTH)
    assert "whole" in read_origin(tmp_path / "M.parquet")["way"]


def test_a_description_that_is_wrong_is_found(call: Call, asked: Asked) -> None:
    asked.network = WeightedChain(wrong_by=0.01)
    with pytest.raises(MismatchError, match=r"differs from the whole network.*--way whole"):
        call()
    assert call(way="whole").way == "whole, as asked for"


def test_what_cannot_be_done(call: Call, asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be followed.*no chain of local layers"):
        call(way="local")
    with pytest.raises(InputError, match="no such gene"):
        call(gene=["plsu"])
    with pytest.raises(ConfigError, match=r"^windows come either .* Found: both\. Give a dataset"):
        call(dataset=tmp_path / "D.h5")
    with pytest.raises(ConfigError, match=r"^windows come either .* Found: neither\."):
        call(fasta=None, genes=None)
    with pytest.raises(ConfigError, match=r"^[^:]*: a genome alone .*: --genes\.$"):
        call(genes=None)
    with pytest.raises(ConfigError, match="no such track"):
        call(tracks=["CAGE"])
    with pytest.raises(ConfigError, match="the other strand says nothing"):
        call(strands=True)
    with pytest.raises(InputError, match=r"unknown kind of output.*\.bed"):
        call("M.csv")
    with pytest.raises(ConfigError, match="does not say where"):
        call(upstream=None)
    (tmp_path / "x.h5").write_text("nothing")
    with pytest.raises(FormatError, match="cut short"):
        read_arrays(tmp_path / "x.h5")


def test_shifts_are_averaged_over_whole_mutants(call: Call, asked: Asked) -> None:
    asked.network = WeightedChain()
    done = call(gene=["plus"], shifts=1)
    assert done.way == "whole, as shifts are averaged"
    weights = asked.network.bases.detach().numpy()
    row = pd.read_parquet(done.path).query("tss_distance == -5").iloc[0]
    near = [2 * (weights[UPSTREAM - 5 + shift]) for shift in (-1, 0, 1)]
    alt, ref = encode(row["gene_alt"])[0], encode(row["gene_ref"])[0]
    known = np.mean([each[alt] - each[ref] for each in near])
    assert row["raw_score"] == pytest.approx(known, abs=1e-5)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Three examples of two genes; two have the same window, and its place is not known."""
    codes = np.random.default_rng(3).integers(0, 4, (2, LENGTH)).astype(np.uint8)
    path = tmp_path / "D.h5"
    with write_dataset(path, {"made": "for tests"}) as out:
        ids = ["a", "b", "c"]
        out.examples(pd.DataFrame({"example_id": ids, "gene_id": ["g1", "g2", "g2"]}))
        out.input("sequence", [codes[[0, 1, 1]]])
        out.input("halflife", [np.array([[1.0], [2.0], [3.0]], np.float32)], labels=["x"])
    return path


def test_windows_of_a_dataset(asked: Asked, dataset: Path, tmp_path: Path) -> None:
    done = mutagenesis("toy", tmp_path / "M.tsv", dataset=dataset, threads=1)
    table = pd.read_csv(done.path, sep="\t", keep_default_na=False)
    # The third example is the second once more; where windows lie is not known.
    assert list(dict.fromkeys(table["example_id"])) == ["a", "b"]
    assert done.positions == (0, LENGTH)
    assert (table["variant_id"] == "").all()
    assert (table["pos"] == 0).all()
    with pytest.raises(InputError, match="no place on a genome"):
        mutagenesis("toy", tmp_path / "M.bed", dataset=dataset, threads=1)


class ReadsMore(Weighted):
    """The effect of a base grows with a feature of the gene."""

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return super().forward(inputs) * inputs["halflife"]


def test_a_model_that_reads_more_than_dna(asked: Asked, dataset: Path, tmp_path: Path) -> None:
    asked.network, asked.inputs = ReadsMore(), {"sequence": (LENGTH,), "halflife": (1,)}
    done = mutagenesis("toy", tmp_path / "M.h5", dataset=dataset, gene=["g2"], threads=1)
    arrays = read_arrays(done.path)
    # Both examples of the gene: the same bases, and another half-life.
    assert arrays.example_id.tolist() == ["b", "c"]
    np.testing.assert_allclose(arrays.effects[0] * 3 / 2, arrays.effects[1], atol=1e-4)


class Tracks:
    """Two tracks in four bins: each base adds its weight to its bin."""

    name, digest, positive = "tracks", "aa", False
    upstream, downstream = UPSTREAM, DOWNSTREAM
    tracks = ("CAGE:blood", "DNASE:blood")
    bin_size, first_bin, n_bins = LENGTH // 4, 0, 4
    weights = np.random.default_rng(8).normal(size=(LENGTH, 5, 2)).astype(np.float32)

    def predict(self, codes: np.ndarray) -> np.ndarray:
        each = self.weights[np.arange(LENGTH), codes]
        return each.reshape(len(codes), self.n_bins, self.bin_size, 2).sum(2).transpose(0, 2, 1)

    def rows_at_once(self) -> int:
        return 7


def test_tracks_are_averaged_over_bins(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "find_model", lambda config: Found(None, Tracks()))
    done = call("M.h5", gene=["minus"], upstream=None)
    assert done.way == "whole, as tracks is no chain of local layers"
    arrays = read_arrays(done.path)
    assert arrays.tracks == Tracks.tracks
    sites = np.arange(LENGTH)
    here = Tracks.weights[sites, arrays.reference[0]]
    known = (Tracks.weights[:, :4] - here[:, None]) / Tracks.n_bins
    np.testing.assert_allclose(arrays.effects[0], known.transpose(2, 1, 0), atol=1e-5)
