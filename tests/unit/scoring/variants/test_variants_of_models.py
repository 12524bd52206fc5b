"""``variants`` with networks, against the loop that takes alleles one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.sequence import encode, reverse_complement
from exprimo.models.pretrained.enformer import TOY, random_enformer, save_enformer
from exprimo.scoring.sequences import Average, open_sequence_model
from exprimo.scoring.variants import variants

TSS = {"plus": (2500, "+"), "minus": (3500, "-")}
LENGTH = 6000


@pytest.fixture(scope="module")
def bases() -> str:
    return "".join(np.random.default_rng(2).choice(list("ACGT"), LENGTH))


@pytest.fixture(scope="module")
def files(bases: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("toy")
    (folder / "g.fa").write_text(f">chr1\n{bases}\n")
    rows = [f"{name}\tchr1\t{tss + 1}\t{strand}" for name, (tss, strand) in TSS.items()]
    (folder / "genes.tsv").write_text("gene_id\tchrom\ttss\tstrand\n" + "\n".join(rows) + "\n")
    rng = np.random.default_rng(3)
    lines = ["chrom\tpos\tref\talt"]
    for at in np.sort(rng.choice(np.arange(1500, 4500), 12, replace=False)):
        lines.append(f"chr1\t{at + 1}\t{bases[at]}\t{'ACGT'[('ACGT'.index(bases[at]) + 1) % 4]}")
    lines.append(f"chr1\t2600\t{bases[2599]}\t{bases[2599]}GATTACA")
    lines.append(f"chr1\t2650\t{bases[2649:2655]}\t{bases[2649]}")
    (folder / "V.tsv").write_text("\n".join(lines) + "\n")
    save_enformer(random_enformer(TOY), folder / "toy.safetensors")
    return {
        "model": f"enformer:{folder / 'toy.safetensors'}",
        "variants": folder / "V.tsv",
        "fasta": folder / "g.fa",
        "genes": folder / "genes.tsv",
    }


def _window(bases: str, gene: str, model: Any, row: Any | None) -> np.ndarray[Any, Any]:
    """Cut a gene's window from text, with one variant that does not touch the TSS."""
    tss, strand = TSS[gene]
    if row is not None:
        at, ref, alt = row.pos - 1, row.ref, row.alt
        assert bases[at : at + len(ref)] == ref
        # What lies left of the TSS moves it along the chromosome.
        tss += (len(alt) - len(ref)) if at < tss else 0
        bases = bases[:at] + alt + bases[at + len(ref) :]
    if strand == "-":
        return reverse_complement(
            encode(bases[tss - model.downstream + 1 : tss + model.upstream + 1])
        )
    return encode(bases[tss - model.upstream : tss + model.downstream])


@pytest.mark.parametrize("strands", [False, True])
def test_a_toy_enformer_equals_the_loop(
    strands: bool, files: dict[str, Any], bases: str, tmp_path: Path
) -> None:
    out = tmp_path / "S.parquet"
    common = {name: files[name] for name in ("variants", "fasta", "genes")}
    done = variants(
        files["model"], out, tracks=["0", "3-4"], strands=strands, device="cpu", threads=1, **common
    )
    assert done.n_pairs > 15
    table = pd.read_parquet(out)
    assert table["track"].unique().tolist() == ["0", "3", "4"]
    model = open_sequence_model(
        files["model"],
        tracks=["0", "3-4"],
        average=Average(strands=strands),
        device="cpu",
        threads=1,
        precision="fp32",
    )
    one_by_one = table.drop_duplicates(["variant_id", "gene_id"])
    expected = []
    for row in one_by_one.itertuples():
        reference = model.predict(_window(bases, row.gene_id, model, None)[None])[0]
        alternate = model.predict(_window(bases, row.gene_id, model, row)[None])[0]
        expected.append(np.stack([reference.mean(1), alternate.mean(1)], axis=1))
    both = np.concatenate(expected)
    np.testing.assert_allclose(table[["ref_pred", "alt_pred"]], both, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(table["raw_score"], both[:, 1] - both[:, 0], atol=1e-6)
    assert (table["raw_score"] != 0).mean() > 0.9


def test_log_fold_changes_and_matrix_of_a_toy_enformer(
    files: dict[str, Any], tmp_path: Path
) -> None:
    common = {name: files[name] for name in ("variants", "fasta", "genes")}
    settings: dict[str, Any] = {"tracks": ["0-3"], "device": "cpu", "threads": 1, **common}
    variants(files["model"], tmp_path / "L.parquet", score="lfc", **settings)
    table = pd.read_parquet(tmp_path / "L.parquet")
    expected = np.log2((table["alt_pred"] + 1) / (table["ref_pred"] + 1))
    np.testing.assert_allclose(table["raw_score"], expected, atol=1e-5)
    variants(files["model"], tmp_path / "M.parquet", score="matrix", **settings)
    variants(files["model"], tmp_path / "P.parquet", score="published", **settings)
    matrix, published = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in "MP")
    # Four tracks: the sum is four times the mean, and the published sign is the other one.
    np.testing.assert_allclose(matrix["raw_score"], -4 * published["raw_score"], rtol=1e-4)
    assert (matrix["absolute_score"] >= matrix["raw_score"].abs() - 1e-4).all()
    assert len(matrix) == len(table) / 4
