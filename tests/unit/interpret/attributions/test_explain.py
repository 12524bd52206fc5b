"""``explain`` from a trained run to a folder: whole, repeatable, resumable, refusing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, ExprimoError, InputError, MismatchError
from exprimo.core.files.atomic import partial_path
from exprimo.core.run import Run
from exprimo.core.sequence import encode
from exprimo.interpret import work
from exprimo.interpret.attributions import Attributions, tracks
from exprimo.interpret.attributions.engine import Parts
from exprimo.interpret.attributions.method import MethodConfig
from exprimo.interpret.explain import explain, explain_as
from exprimo.interpret.map import layer_map
from exprimo.interpret.work import Asked
from exprimo.report.interpret.reading import read_interpretation
from exprimo.training import TrainConfig, train_run

TINY = {"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8, "grid": 4}
LENGTH, N = 64, 60
MOTIF = encode("TGACTCAT")


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windows on a genome of two chromosomes, which overlap in pairs, on both strands."""
    rng = np.random.default_rng(0)
    start = np.repeat(np.arange(N // 2) * 200, 2) + np.tile([0, 30], N // 2)
    strand = np.where(np.arange(N) % 3 == 0, "-", "+")
    codes = rng.integers(0, 4, (N, LENGTH)).astype(np.uint8)
    codes[:, 20:28] = MOTIF
    path = tmp_path_factory.mktemp("placed") / "D.h5"
    with write_dataset(path, {"made": "for tests", "settings": {"upstream": 40}}) as out:
        out.examples(
            pd.DataFrame(
                {
                    "example_id": [f"e{i}" for i in range(N)],
                    "gene_id": [f"g{i}" for i in range(N)],
                    "chrom": np.where(np.arange(N) < N // 2, "chr1", "chr2"),
                    "start": start, "end": start + LENGTH, "strand": strand,
                    "tss": np.where(strand == "+", start + 40, start + LENGTH - 1 - 40),
                }
            )
        )  # fmt: skip
        out.input("sequence", [codes])
        out.input("halflife", [rng.normal(size=(N, 3)).astype(np.float32)], labels=["a", "b", "c"])
        out.target("y", rng.normal(size=N), kind="regression", units="log2")
    return path


@pytest.fixture(scope="module")
def run(placed: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = {
        "dataset": str(placed), "target": "y", "model": "cnn", "options": TINY,
        "split": {"strategy": "random"}, "fit": {"epochs": 1},
        "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
    }  # fmt: skip
    return train_run(TrainConfig.checked(settings), tmp_path_factory.mktemp("run") / "RUN")


def explained(run: Run, dataset: Path, out: Path, **settings: Any) -> Any:
    return explain(run.path, dataset, out, threads=1, device="cpu", **settings)


def _stopped(*_: Any) -> Any:
    raise KeyboardInterrupt


def test_a_folder_that_a_report_reads(run: Run, placed: Path, tmp_path: Path) -> None:
    sites = tmp_path / "sites.bed"
    with Dataset.open(placed) as data:
        table = data.examples()
    plus = table["strand"] == "+"
    start = np.where(plus, table["start"] + 20, table["end"] - 28)
    pd.DataFrame({"c": table["chrom"], "s": start, "e": start + 8}).to_csv(
        sites, sep="\t", header=False, index=False
    )
    done = explained(run, placed, tmp_path / "E", on="all", sites=sites, tracks=True)
    assert (done.n_examples, done.part, done.tracks) == (N, "all", ("tracks/sequence.bw",))
    assert done.auroc is not None
    read = read_interpretation(done.path)
    assert read.profile is not None
    assert read.planted is not None
    # Windows overlap, so that a site lies in its neighbour's window too.
    assert read.planted[20:28].min() == 1
    assert read.profile["position"].tolist() == list(range(-40, LENGTH - 40))
    assert read.top is not None
    assert read.layer_map is not None
    assert read.summary["method_name"] == "gradient_x_input"
    with Attributions.open(done.path) as found:
        np.testing.assert_allclose(read.profile["mean"], np.abs(found.values()).mean(0), rtol=1e-5)
        check_track(found, done.path / done.tracks[0])


def check_track(found: Attributions, path: Path) -> None:
    """A base has the mean over its windows, turned back where they are on the minus strand."""
    pybigtools = pytest.importorskip("pybigtools")
    with pybigtools.open(str(path)) as track:
        places, values = found.places, found.values()
        for chrom in ("chr1", "chr2"):
            total, count = np.zeros(8000), np.zeros(8000)
            for row in np.flatnonzero(places["chrom"] == chrom):
                one = values[row][::-1] if places["strand"][row] == "-" else values[row]
                here = slice(places["start"][row], places["end"][row])
                total[here] += one
                count[here] += 1
            end = int(places["end"][places["chrom"] == chrom].max())
            got = np.array(track.values(chrom, 0, end, fillna=np.nan))
            expected = (total / np.maximum(count, 1))[:end]
            covered = count[:end] > 0
            np.testing.assert_allclose(got[covered], expected[covered], atol=1e-6)
            assert np.isnan(got[~covered]).all()


def test_the_same_call_gives_the_same_numbers(run: Run, placed: Path, tmp_path: Path) -> None:
    for name, memory in (("one", 64), ("two", 2048)):
        explained(run, placed, tmp_path / name, method="deeplift", references=2, memory=memory)
    with Attributions.open(tmp_path / "one") as one, Attributions.open(tmp_path / "two") as two:
        np.testing.assert_allclose(one.hypothetical(), two.hypothetical(), atol=1e-7)
        assert one.attrs["part"] == "test"
        assert one.n == len(run.split.rows("test"))


def test_a_stopped_call_goes_on(
    run: Run, placed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exprimo.interpret.attributions.engine._PART_EXAMPLES", 10)
    whole = explained(run, placed, tmp_path / "whole", on="all", most=25)
    read = Parts._write
    made: list[int] = []

    def stop(self: Parts, number: int, arrays: Any) -> None:
        if number == 2:
            raise KeyboardInterrupt
        made.append(number)
        read(self, number, arrays)

    monkeypatch.setattr(Parts, "_write", stop)
    out = tmp_path / "E"
    with pytest.raises(KeyboardInterrupt):
        explained(run, placed, out, on="all", most=25, resume=True)
    monkeypatch.setattr(Parts, "_write", read)
    assert made == [0, 1]
    with pytest.raises(MismatchError, match="other settings"):
        explained(run, placed, out, on="all", most=25, resume=True, seed=3)
    done = explained(run, placed, out, on="all", most=25, resume=True)
    assert (done.n_known, done.n_examples, done.n_of) == (20, 25, N)
    assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in whole.path.iterdir())
    with Attributions.open(out) as found, Attributions.open(whole.path) as expected:
        np.testing.assert_array_equal(found.values(), expected.values())
        assert found.example_id.tolist() == expected.example_id.tolist()


def test_a_call_stopped_in_its_check_goes_on_from_its_parts(
    run: Run, placed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "E"
    monkeypatch.setattr(work, "check_explanation", _stopped)
    with pytest.raises(KeyboardInterrupt):
        explained(run, placed, out, on="all", most=25, resume=True, tracks=True)
    monkeypatch.undo()
    begun = partial_path(out)
    assert (begun / "tracks").is_dir()
    with pytest.raises(MismatchError, match="other settings"):
        explained(run, placed, out, on="all", most=25, resume=True, method="saliency")
    (begun / "faithfulness.json").write_text("of the call before")
    done = explained(run, placed, out, on="all", most=25, resume=True, check=False)
    assert done.n_known == 25
    assert not {"tracks", "faithfulness.json", "settings.json"} & {p.name for p in out.iterdir()}
    assert not list(out.glob("part-*"))


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no more", None])
def test_a_damaged_part_is_made_again(
    run: Run,
    placed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: bytes | None,
) -> None:
    monkeypatch.setattr(work, "check_explanation", _stopped)
    out = tmp_path / "E"
    with pytest.raises(KeyboardInterrupt):
        explained(run, placed, out, on="all", most=25, resume=True)
    monkeypatch.undo()
    (part,) = partial_path(out).glob("part-*.npz")
    if damage is None:  # whole, of fewer examples
        with np.load(part) as found:
            cut = {name: found[name][:3] for name in found.files}
        np.savez(part, **cut)
    else:
        part.write_bytes(damage)
    done = explained(run, placed, out, on="all", most=25, resume=True, check=False)
    assert (done.n_known, done.n_examples) == (0, 25)


@pytest.mark.parametrize("settings", ["{", "[]", None])
def test_parts_of_nobody_knows_what_are_made_again(
    run: Run, placed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str | None
) -> None:
    monkeypatch.setattr(work, "check_explanation", _stopped)
    out = tmp_path / "E"
    with pytest.raises(KeyboardInterrupt):
        explained(run, placed, out, on="all", most=25, resume=True)
    monkeypatch.undo()
    path = partial_path(out) / "settings.json"
    path.unlink() if settings is None else path.write_text(settings)
    done = explained(
        run, placed, out, on="all", most=25, resume=True, check=False, method="saliency"
    )
    assert done.n_known == 0
    with Attributions.open(out) as found:
        assert found.attrs["method"] == "saliency"


def test_contributions_that_do_not_add_up_are_refused(
    run: Run, placed: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"method": "integrated_gradients", "references": 2, "steps": 2}
    # No number of steps that is allowed would do.
    with pytest.raises(InputError, match=r"do not add up.*4,096 steps.*--method deeplift"):
        explained(run, placed, tmp_path / "E", max_delta=1e-6, **settings)
    assert list(tmp_path.iterdir()) == []
    done = explained(run, placed, tmp_path / "E", max_delta=5.0, **settings)
    assert done.missed is not None
    summary = json.loads((done.path / "interpretation.json").read_text())
    assert summary["convergence"]["share"] == done.missed.share
    with pytest.raises(InputError, match=r"do not add up.*--steps 6, or"):
        explained(run, placed, tmp_path / "F", max_delta=done.missed.share / 2.5, **settings)


def test_a_model_that_is_no_network(placed: Path, tmp_path: Path) -> None:
    settings = {
        "dataset": str(placed), "target": "y", "model": "kmer_linear", "options": {"k": 2},
        "split": {"strategy": "random"}, "machine": {"threads": 1},
    }  # fmt: skip
    run = train_run(TrainConfig.checked(settings), tmp_path / "RUN")
    with pytest.raises(ConfigError, match=r"--method mutagenesis, or gradient_x_input"):
        explained(run, placed, tmp_path / "E", method="deeplift")
    with pytest.raises(ConfigError, match="no layer can be mapped"):
        explained(run, placed, tmp_path / "E", method="mutagenesis", layer="x")
    done = explained(run, placed, tmp_path / "E", method="mutagenesis", most=2)
    with Attributions.open(done.path) as found, Dataset.open(placed) as data:
        rows = np.flatnonzero(np.isin(data.column("example_id"), found.example_id))
        codes = np.repeat(data.rows("sequence", rows[:1]), 4, axis=0)
        codes[:, 9] = range(4)
        from exprimo.scoring.resolve import resolve_model

        outputs = resolve_model(run.path).predictor.predict({"sequence": codes}).mean[:, 0]
        np.testing.assert_allclose(
            found.hypothetical()[0, :, 9], outputs - outputs.mean(), atol=1e-5
        )


def test_what_is_asked_for_must_be_there(run: Run, placed: Path, tmp_path: Path) -> None:
    out = tmp_path / "E"
    with pytest.raises(ConfigError, match="does not read this input"):
        explained(run, placed, out, inputs=["halflife"])
    with pytest.raises(ConfigError, match="no such output"):
        explained(run, placed, out, output="up")
    with pytest.raises(ConfigError, match="nothing to explain"):
        explained(run, placed, out, most=0)
    far = tmp_path / "far.bed"
    far.write_text("chr9\t1\t5\n")
    with pytest.raises(MismatchError, match="no site lies on a chromosome"):
        explained(run, placed, out, sites=far)
    far.write_text("chr1\tone\t5\n")
    with pytest.raises(InputError, match="not a BED file"):
        explained(run, placed, out, sites=far)
    assert not out.exists()
    assert not partial_path(out).exists()
    out.mkdir()
    with pytest.raises(InputError, match="already exists"):
        explained(run, placed, out)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"smooth": 4}, "not a width to smooth by"),
        ({"smooth": LENGTH + 1}, "wider than the window"),
        ({"layer": "nowhere", "on": "all"}, "no layer of this name"),
        ({"layer": "hidden", "most": 3}, "no layer can be mapped"),
        ({"fasta": "absent.fa"}, "no track is asked for.*Add --tracks"),
        ({"fasta": "absent.fa", "tracks": True}, "absent.fa"),
        ({"fasta": "other.fa", "tracks": True}, "not in the genome"),
        ({"sites": "absent.bed"}, "no such file of sites"),
        ({"sites": "beside.bed"}, "no site lies in an explained window"),
        ({"sites": "whole.bed"}, "sites cover whole windows"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_made(
    run: Run, placed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any], words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("beside.bed").write_text("chr1\t900000\t900010\n")
    Path("whole.bed").write_text("chr1\t0\t900010\nchr2\t0\t900010\n")
    Path("other.fa").write_text(">chr7\nACGT\n")
    monkeypatch.setattr("exprimo.interpret.attributions.engine.Parts.make", _stopped)
    with pytest.raises(ExprimoError, match=words):
        explained(run, placed, tmp_path / "E", **settings)
    assert not partial_path(tmp_path / "E").exists()


def test_examples_that_were_learned_from_are_counted(
    run: Run, placed: Path, tmp_path: Path
) -> None:
    n_train, n_test = (len(run.split.rows(part)) for part in ("train", "test"))
    quick: dict[str, Any] = {"check": False, "most": None}
    for on, expected in (("all", n_train), ("train", n_train), (None, 0)):
        done = explained(run, placed, tmp_path / str(on), on=on, **quick)
        assert done.n_learned == expected
        summary = json.loads((done.path / "interpretation.json").read_text())
        assert summary["n_learned"] == expected
    # Another file of the same genes, of which the test part and six others stand in it.
    some = np.sort(np.r_[run.split.rows("test"), run.split.rows("train")[:6]])
    other = tmp_path / "D2.h5"
    with Dataset.open(placed) as data, write_dataset(other, data.provenance) as out:
        table = data.examples().iloc[some]
        out.examples(table.assign(gene_id=[f"other{i}" for i in range(len(some))]))
        out.input("sequence", [data.rows("sequence", some)])
        out.target("y", data.target("y")[some], kind="regression", units="log2")
    # Genes have other names there: their sequences tell.
    assert explained(run, other, tmp_path / "E2", **quick).n_learned == 6
    assert n_test == len(some) - 6


def test_windows_without_a_place_have_no_track(run: Run, planted: Path, tmp_path: Path) -> None:
    with pytest.raises(MismatchError, match="reads another sequence"):
        explained(run, planted, tmp_path / "E")
    with pytest.raises(MismatchError, match="another dataset"):
        explained(run, planted, tmp_path / "E", on="test")
    assert tracks.TRACKS_FOLDER == "tracks"


def test_a_map_is_made_once_for_all_methods(
    run: Run, placed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def count(values: Any) -> Any:
        made.append(len(values))
        return layer_map(values)

    monkeypatch.setattr("exprimo.interpret.work.layer_map", count)

    def by(method: Any, name: str, most: int = 30, map_of: str = "one") -> str:
        asked = Asked(check=False, map_of=tmp_path / map_of)
        config = MethodConfig(method=method)
        machine: dict[str, Any] = {"device": "cpu", "threads": 1}
        explain_as(run.path, placed, tmp_path / name, config, asked, on="all", most=most, **machine)
        return (tmp_path / name / "layer_map.tsv").read_text()

    assert by("saliency", "one") == by("gradient_x_input", "two")
    assert made == [30]
    # Of other examples it is another map.
    assert by("saliency", "three", most=20) != by("saliency", "four")
    assert made == [30, 20]
