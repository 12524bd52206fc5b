"""From an explanation to a folder of motifs, with the package and with one made up."""

import gzip
import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.sequence import encode
from exprimo.data.motifs import read_motifs
from exprimo.interpret.attributions.store import Block, Described, write_attributions
from exprimo.interpret.motifs import FindConfig, discovery
from exprimo.interpret.motifs.discovery import examples_within
from exprimo.studies.motifs import motifs_find

WORD, LENGTH, N = "TGGGTGACAGC", 100, 300


def planted(folder: Path, *, hypothetical: bool = True) -> np.ndarray:
    """Write an explanation in which one word contributes; give its first base in each example."""
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 4, (N, LENGTH)).astype(np.uint8)
    starts = rng.integers(0, LENGTH - len(WORD), N)
    scores = rng.normal(0, 0.02, (N, 4, LENGTH)).astype(np.float32)
    for row, start in enumerate(starts):
        here = slice(start, start + len(WORD))
        codes[row, here] = encode(WORD)
        scores[row, :, here] -= 0.3
        scores[row, encode(WORD), np.arange(start, start + len(WORD))] += 1.3
    there = np.take_along_axis(scores, codes[:, None].astype(np.int64), 1)[:, 0]
    arrays = {
        "prediction": there.sum(1),
        "inputs/sequence/codes": codes,
        "inputs/sequence/values": there,
    }
    if hypothetical:
        arrays["inputs/sequence/hypothetical"] = scores
    places = {
        "chrom": np.array(["I"] * N),
        "start": np.arange(N) * 1000,
        "end": np.arange(N) * 1000 + LENGTH,
        "strand": np.array(["+", "-"] * (N // 2)),
    }
    about = {"method": "deeplift", "scale": "logit", "tss_index": 60, "settings": {}}
    names = np.array([f"g{row}" for row in range(N)])
    folder.mkdir()
    write_attributions(folder / "attributions.h5", [Block(arrays)], Described(names, about, places))
    return starts


def word_finder(bases, scores, *, flank_size, sliding_window_size, **settings):
    """Stand in for the package: one pattern, of the seqlets that hold the word whole."""
    codes = bases.argmax(2).astype(np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(codes, len(WORD), axis=1)
    seqlets = []
    for row, at in zip(*np.nonzero((windows == encode(WORD)).all(2)), strict=True):
        start, end = at - flank_size, at + len(WORD) + flank_size
        if start >= 0 and end <= codes.shape[1]:
            seqlets.append(SimpleNamespace(example_idx=row, start=start, end=end, is_revcomp=False))
    stacked = [(bases[s.example_idx, s.start : s.end], scores[s.example_idx, s.start : s.end])
               for s in seqlets]  # fmt: skip
    ones, hypothetical = (np.mean([pair[k] for pair in stacked], axis=0) for k in (0, 1))
    cluster = SimpleNamespace(
        seqlets=seqlets, sequence=ones, contrib_scores=np.mean([a * b for a, b in stacked], axis=0),
        hypothetical_contribs=hypothetical,
    )  # fmt: skip
    return [cluster], None


@pytest.fixture
def known(tmp_path: Path) -> Path:
    file = tmp_path / "known.meme"
    lines = ["MEME version 4", ""]
    for name, word in (("LEAD", WORD[:9]), ("REPR", "TCCCAAACT")):
        rows = np.full((len(word), 4), 0.02)
        rows[np.arange(len(word)), encode(word)] = 0.94
        lines += [f"MOTIF M_{name} {name}", "letter-probability matrix: alength= 4"]
        lines += [" ".join(map(str, row)) for row in rows] + [""]
    file.write_text("\n".join(lines))
    return file


def hits_of(folder: Path) -> pd.DataFrame:
    text = gzip.decompress((folder / "hits.tsv.gz").read_bytes()).decode()
    return pd.read_csv(io.StringIO(text), sep="\t")


def test_planted_words_are_found_named_and_placed(tmp_path, known, monkeypatch) -> None:
    starts = planted(tmp_path / "explained")
    monkeypatch.setattr(
        discovery, "_import_modisco", lambda: SimpleNamespace(TFMoDISco=word_finder)
    )
    monkeypatch.setattr(discovery, "version", lambda _: "0")
    done = motifs_find(tmp_path / "explained", tmp_path / "out", jaspar=known, most=200)
    row = done.motifs.iloc[0]
    assert (done.n_patterns, done.n_named) == (1, 1)
    assert row[["pattern", "sign", "consensus", "name", "match_id"]].tolist() == [
        "pos_1", "+", WORD, "LEAD", "M_LEAD"
    ]  # fmt: skip
    # Patterns were learned from 200 examples in another order; sites are told of all 300.
    assert row["seqlets"] <= 200 < row["sites"]
    hits = hits_of(tmp_path / "out")
    own = hits.drop_duplicates("example_id").set_index("example_id")["start"]
    assert (own == pd.Series({f"g{k}": at for k, at in enumerate(starts)})[own.index]).mean() > 0.98
    assert len(own) > 0.85 * N
    assert set(hits["source"]) == {"seqlet", "scan"}
    first = hits[hits["example_id"] == "g1"].iloc[0]  # on the minus strand
    assert first["chrom_end"] == 1000 + LENGTH - first["start"]
    assert first["chrom_strand"] == "-"
    assert first["position"] == first["start"] + 5 - 60


def test_the_folder_holds_what_other_programs_read(tmp_path, known, monkeypatch) -> None:
    planted(tmp_path / "explained")
    monkeypatch.setattr(
        discovery, "_import_modisco", lambda: SimpleNamespace(TFMoDISco=word_finder)
    )
    monkeypatch.setattr(discovery, "version", lambda _: "0")
    motifs_find(tmp_path / "explained", tmp_path / "out", jaspar=known)
    out = tmp_path / "out"
    (motif,) = read_motifs(out / "motifs.meme")
    assert (motif.name, motif.alt_name, motif.consensus) == ("pos_1", "LEAD", WORD)
    facts = json.loads((out / "motifs.json").read_text())
    assert facts["settings"]["seqlet"] == 11
    assert facts["library"]["motifs"] == 2
    assert len(facts["provenance"]["sources"]) == 2
    for name in ("logos/pos_1.png", "logos/pos_1.svg", "figures/motifs.svg", "matches.tsv"):
        assert (out / name).stat().st_size > 100
    assert (out / "logos" / "pos_1.svg").stat().st_size < 60_000
    weights = pd.read_csv(out / "weights.tsv", sep="\t")
    assert weights.groupby("position")["probability"].sum().round(3).eq(1).all()
    with pytest.raises(InputError):
        motifs_find(tmp_path / "explained", out, jaspar=known)


def test_a_method_without_other_bases_is_refused(tmp_path, known) -> None:
    planted(tmp_path / "explained", hypothetical=False)
    with pytest.raises(InputError, match="what each base would contribute"):
        motifs_find(tmp_path / "explained", tmp_path / "out", jaspar=known)


def test_a_region_must_lie_in_the_window(tmp_path, known) -> None:
    planted(tmp_path / "explained")
    with pytest.raises(ConfigError, match="outside of the window"):
        motifs_find(tmp_path / "explained", tmp_path / "out", jaspar=known, region=(-100, 20))


def test_examples_are_as_many_as_memory_allows() -> None:
    small = FindConfig(memory=64)
    assert examples_within(small, 10**6, 2000) < 500
    assert examples_within(small, 100, 80) == 100
    assert examples_within(FindConfig(most=50), 100, 80) == 50


def test_without_the_package_its_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "modiscolite", None)
    with pytest.raises(ConfigError, match=r"exprimo\[interpret\]"):
        discovery.discover(np.zeros((9, 80), np.uint8), np.zeros((9, 4, 80), np.float32),
                           FindConfig())  # fmt: skip


@pytest.mark.slow
def test_the_package_finds_the_planted_word(tmp_path, known) -> None:
    pytest.importorskip("modiscolite", reason="modisco is not installed")
    planted(tmp_path / "explained")
    done = motifs_find(tmp_path / "explained", tmp_path / "out", jaspar=known)
    assert "LEAD" in done.motifs["name"].tolist()
