"""What a study refuses before any stage, and what once the dataset stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.studies.halflife.checks import (
    backbone_model,
    check_backbone,
    check_dataset,
    check_files,
    check_settings,
)
from exprimo.studies.halflife.plan import study_benchmark

GENES = {"fasta": "g.fa", "genes": "g.gtf", "targets": "t.tsv", "target": "expression"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"benchmark": {"models": ["promotor alone"]}}, "no such row.* Did you mean promoter al"),
        ({"benchmark": {"models": ["cnn_onyl"]}}, "no such row.* Did you mean cnn_only"),
        ({"benchmark": {"models": []}}, "row to be explained is not compared"),
        ({"benchmark": {"models": ["lstm"]}}, "interpretation.row.* not compared"),
        ({"interpretation": {"row": "autoencoder_xgboost"}}, "no network"),
        ({"interpretation": {"row": "half-life alone"}}, "reads no promoter"),
        (
            {"benchmark": {"options": {"promoter + half-life": {"dna": "none"}}}},
            "reads no promoter",
        ),
        ({"benchmark": {"options": {"promoter + half-life": {"filtres": 8}}}}, "mean filters"),
        ({"benchmark": {"options": {"promoter alone": {"dna": "none"}}}}, "neither dna nor half"),
        ({"benchmark": {"options": {"cnn": {}}}}, "not compared"),
        ({"benchmark": {"presets": {"lstm": "publishd"}}}, "no such preset"),
        ({"benchmark": {"splits": ["homolgy"]}}, "Did you mean homology"),
        ({"benchmark": {"fractions": [2.0]}}, "not a share of the training part"),
        ({"benchmark": {"rivals": ["cnnn"], "models": ["promoter + half-life"]}}, "rivals"),
    ],
)
def test_settings_that_no_stage_could_use(study: Any, values: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_settings(study(**values))


def test_settings_that_can_be_used(study: Any) -> None:
    check_settings(study())
    check_settings(study(preset="published", embeddings={"model": "random-embedding:6"}))
    check_settings(study(benchmark={"above": "none", "splits": ["auto", "column:part"]}))
    models = ["promoter + half-life", "xpresso", "mine"]
    check_settings(study(benchmark={"models": models, "variants": {"mine": "cnn"}}))


@pytest.mark.parametrize(
    ("values", "absent"),
    [
        ({"dataset": "D.h5"}, "D.h5"),
        ({"genes": GENES}, "g.fa"),
        ({"genes": {**GENES, "halflife_table": "h.tsv"}}, "h.tsv"),
        ({"genes": {**GENES, "tss": "tss.tsv"}}, "tss.tsv"),
        ({"genes": {**GENES, "chrom_style": "names.tsv"}}, "names.tsv"),
        ({"hdf5": {"train": "a.h5", "val": "b.h5", "test": "c.h5"}}, "b.h5"),
        ({"genes": GENES, "truth": "truth"}, "components.tsv"),
    ],
)
def test_absent_files_are_named(study: Any, tmp_path: Path, values: Any, absent: str) -> None:
    for name in {"D.h5", "g.fa", "g.gtf", "t.tsv", "a.h5", "c.h5"} - {absent}:
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=f"{absent}: no such file"):
        check_files(study(**values), tmp_path)


def test_weights_are_looked_for_beside_the_study(study: Any, tmp_path: Path) -> None:
    made = study(embeddings={"model": "hyenadna-tiny-1k:weights/w.ckpt"})
    assert backbone_model(made, tmp_path) == f"hyenadna-tiny-1k:{tmp_path}/weights/w.ckpt"
    with pytest.raises(InputError, match=r"weights/w.ckpt: no such file of weights"):
        check_backbone(made, tmp_path)
    # What stands behind this one's colon is a number, not a file.
    assert backbone_model(study(embeddings={"model": "random-embedding:6"}), tmp_path) == (
        "random-embedding:6"
    )


@pytest.mark.parametrize(
    ("model", "bin_", "said"),
    [
        ("hyenadna-smal-32k", 128, "no pretrained model of this name"),
        ("random-embedding:many", 128, "not a number of channels"),
        ("xpresso:w.h5", 128, "no such file of weights"),
    ],
)
def test_backbones_that_cannot_be_opened(
    study: Any, tmp_path: Path, model: str, bin_: int, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_backbone(study(embeddings={"model": model, "bin": bin_}), tmp_path)


TEN = [f"{'ACGT' * 5}"] * 10
CHROMS = {"gene_id": [f"g{i}" for i in range(10)], "chrom": ["1"] * 10}


@pytest.mark.parametrize(
    ("above", "target", "kind", "said"),
    [
        ("median", [3.0] * 10, "regression", "one value only.*Found: 3, in 10 genes"),
        ("none", [3.0] * 10, "regression", "one value only"),
        ("median", [0.0] * 3 + [5.0] * 7, "regression", "one class only.*0 to 5, cut at 5"),
        (9.0, list(range(10)), "regression", "one class only.*cut at 9"),
        (-1.0, list(range(10)), "regression", "one class only"),
        ("median", [1.0] * 10, "classification", "one value only"),
        ("median", [float("nan")] * 10, "regression", "no gene has a value"),
    ],
)
def test_a_target_with_one_class(
    study: Any, write_genes: Any, above: Any, target: list[float], kind: Any, said: str
) -> None:
    made = study(benchmark={"above": above})
    path = write_genes(CHROMS, TEN, target, kind=kind)
    cut = None if above == "none" or kind == "classification" else above
    with Dataset.open(path) as data, pytest.raises(InputError, match=said):
        check_dataset(made, path.parent, data, study_benchmark(made, path, None, cut))


def test_half_and_half_is_no_one_class(study: Any, write_genes: Any) -> None:
    path = write_genes(CHROMS, TEN, [0.0] * 6 + [5.0] * 4)
    made = study()
    with Dataset.open(path) as data:
        check_dataset(made, path.parent, data, study_benchmark(made, path, None, "median"))


def test_what_else_a_dataset_may_lack(study: Any, write_genes: Any, tmp_path: Path) -> None:
    def refused(path: Path, **values: Any) -> pytest.ExceptionInfo[InputError]:
        made = study(**values)
        with Dataset.open(path) as data, pytest.raises(InputError) as caught:
            check_dataset(made, tmp_path, data, study_benchmark(made, path, None, None))
        return caught

    labels = [0.0, 1.0] * 5
    path = write_genes(CHROMS, TEN, labels, kind="classification", halflife=False)
    assert "promoter + encoded half-life reads inputs" in str(refused(path).value)
    path.unlink()
    path = write_genes({"gene_id": CHROMS["gene_id"]}, TEN, labels, kind="classification")
    assert "the split chromosome needs the column chrom" in str(refused(path).value)
    random = {"splits": ["random"]}
    said = str(refused(path, benchmark=random, truth="truth").value)
    assert "does not place them" in said
    assert "Expected: tss, strand" in said
    path.unlink()
    classes = ("down", "none", "up")
    path = write_genes(CHROMS, TEN, [0.0, 1.0] * 5, kind="multiclass", classes=classes)
    assert "the target has several classes" in str(refused(path).value)
