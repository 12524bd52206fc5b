"""Genotypes, expression and tables that cannot be meant: one message each, and nothing written."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import exprimo

PEOPLE = [f"p{at:02}" for at in range(40)]
HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=2>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(PEOPLE) + "\n"
)
GENES = {"g1": ("1", 1200), "g2": ("1", 1500), "g3": ("2", 1200)}
FITS: dict[str, list[object]] = {
    "eqtl map": ["--permutations", 20, "--threads", 1],
    "eqtl finemap": [],
    "prs fit": ["--models", "p+t"],
}


class Texts(NamedTuple):
    """What the three files hold, as lines of fields; the first line is the header."""

    genotypes: list[list[str]]
    expression: list[list[str]]
    covariates: list[list[str]]


def _texts() -> Texts:
    rng = np.random.default_rng(4)
    calls = rng.integers(0, 2, (2, 6, len(PEOPLE), 2))
    genotypes = [
        [chrom, str(1000 + 100 * at), f"v{chrom}_{at}", "A", "G", ".", ".", ".", "GT"]
        + [f"{a}|{b}" for a, b in calls[number, at].tolist()]
        for number, chrom in enumerate("12")
        for at in range(6)
    ]
    expression = [["#chr", "start", "end", "gene_id", *PEOPLE]]
    for name, (chrom, start) in GENES.items():
        values = calls[int(chrom) - 1, 2].sum(axis=1) + 0.5 * rng.normal(size=len(PEOPLE))
        expression.append([chrom, str(start), str(start + 1), name, *map(str, values.tolist())])
    table = rng.normal(size=(len(PEOPLE), 2)).tolist()
    rows = [[name, *map(str, row)] for name, row in zip(PEOPLE, table, strict=True)]
    return Texts(genotypes, expression, [["sample", "age", "pc"], *rows])


def _write(folder: Path, texts: Texts) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    paths = {name: folder / name for name in ("g.vcf", "e.bed", "c.tsv")}
    for (name, path), rows in zip(paths.items(), texts, strict=True):
        body = "".join("\t".join(row) + "\n" for row in rows)
        path.write_text(HEAD + body if name == "g.vcf" else body)
    return paths


def _fit(kind: str, paths: dict[str, Path], out: Path, *more: object) -> list[object]:
    return [
        *kind.split(), "--genotypes", paths["g.vcf"], "--expression", paths["e.bed"],
        "--covariates", paths["c.tsv"], *FITS[kind], "-o", out / "R", *more,
    ]  # fmt: skip


@pytest.fixture
def texts() -> Texts:
    """The three files, to spoil."""
    return _texts()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, what was mapped and fitted from them, a GWAS and features; read-only."""
    folder = tmp_path_factory.mktemp("people") / "home"
    given = _write(folder, _texts())
    both = (given["g.vcf"], given["e.bed"])
    exprimo.eqtl_map(*both, folder / "EQTL", covariates=given["c.tsv"], permutations=20, threads=1)
    exprimo.prs_fit(*both, folder / "SCORES", covariates=given["c.tsv"], models=["p+t"])
    pairs = pd.read_parquet(folder / "EQTL" / "nominal" / "1.parquet")
    one = pairs[pairs["phenotype_id"] == "g1"]
    gwas = pd.DataFrame(
        {
            "CHR": one["chrom"], "BP": one["pos"], "SNP": one["variant_id"], "A1": one["alt"],
            "A2": one["ref"], "BETA": one["slope"], "SE": 0.1, "P": 0.5, "N": 900,
            "FRQ": one["af"],
        }
    )  # fmt: skip
    gwas.to_csv(folder / "gwas.tsv", sep="\t", index=False)
    scores = pairs[["variant_id", "chrom", "pos", "ref", "alt"]].drop_duplicates()
    scores.assign(raw_score=np.arange(len(scores)) / 7, pval_nominal=0.5).to_csv(
        folder / "scores.tsv", sep="\t", index=False
    )
    features = pd.DataFrame({"individual": PEOPLE, "x": np.arange(40.0) % 7})
    features.to_csv(folder / "f.tsv", sep="\t", index=False)
    return folder


def _other_names(texts: Texts) -> None:
    texts.expression[0][4:] = [f"q{name}" for name in PEOPLE]


def _constant_gene(texts: Texts) -> None:
    for row in texts.expression[1:]:
        row[4:] = ["1.5"] * len(PEOPLE)


def _collinear(texts: Texts) -> None:
    texts.covariates[0].append("twice")
    for row in texts.covariates[1:]:
        row.append(str(2 * float(row[1]) + 1))


def _constant_covariate(texts: Texts) -> None:
    for at, row in enumerate(texts.covariates):
        row.append("7" if at else "site")


def _twice_in_expression(texts: Texts) -> None:
    texts.expression[0][5] = "p00"


def _twice_in_covariates(texts: Texts) -> None:
    texts.covariates[2][0] = "p00"


def _many_covariates(texts: Texts) -> None:
    rng = np.random.default_rng(0)
    for at, row in enumerate(texts.covariates):
        row += [f"c{i}" if at == 0 else str(x) for i, x in enumerate(rng.normal(size=50))]


def _not_sorted(texts: Texts) -> None:
    texts.expression[1:3] = texts.expression[2:0:-1]


def _expression_nan(texts: Texts) -> None:
    texts.expression[2][4 + 7] = "NaN"


def _expression_inf(texts: Texts) -> None:
    texts.expression[2][4 + 7] = "inf"


def _missing_covariate(texts: Texts) -> None:
    texts.covariates[4][1] = "."


def _covariate_word(texts: Texts) -> None:
    texts.covariates[4][1] = "old"


def _covariates_of_one_name(texts: Texts) -> None:
    texts.covariates[:] = [list(row) for row in zip(*texts.covariates, strict=True)]
    texts.covariates[2][0] = "age"


def _two_genes_of_one_name(texts: Texts) -> None:
    texts.expression[2][3] = "g1"


def _scaffolds(texts: Texts) -> None:
    for row in texts.expression[1:]:
        row[0] = f"scaffold_{row[0]}"


def _cut_row(texts: Texts) -> None:
    del texts.expression[3][20:]


SPOILS: list[tuple[Callable[[Texts], None], tuple[str, ...]]] = [
    (_other_names, ("g.vcf: p00, p01", "e.bed: qp00, qp01", "the same names of people")),
    (_constant_gene, ("e.bed", "constant")),
    (_collinear, ("c.tsv", "collinear", "twice, explained by age", "Leave it out")),
    (_constant_covariate, ("c.tsv", "constant covariates", "site", "Leave them out")),
    (_twice_in_expression, ("e.bed", "'p00'", "2 times", "each name once")),
    (_twice_in_covariates, ("c.tsv", "'p00'", "lines 2 and 3", "each person once")),
    (_many_covariates, ("e.bed", "40 people and 52 covariates", "at least 55 people")),
    (_not_sorted, ("e.bed", "gene g1", "1:1200 after 1:1500", "sort -k1,1 -k2,2n")),
    (_expression_nan, ("e.bed", "line 3, gene g2, person p07", "'NaN'", "a finite number")),
    (_expression_inf, ("e.bed", "line 3, gene g2, person p07", "'inf'", "a finite number")),
    (_missing_covariate, ("c.tsv", "age, person p03", "missing", "Fill it in")),
    (_covariate_word, ("c.tsv", "age, person p03", "'old'", "numbers and words")),
    (_covariates_of_one_name, ("c.tsv", "two covariates of one name", "age")),
    (_two_genes_of_one_name, ("e.bed", "lines 2 and 3", "g1", "one row a gene")),
    (_scaffolds, ("e.bed", "scaffold_1, scaffold_2", "Expected: 1, 2", "--chrom-style")),
    (_cut_row, ("e.bed", "line 4", "20 fields", "44 fields")),
]


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize(("spoil", "parts"), SPOILS, ids=[one.__name__[1:] for one, _ in SPOILS])
def test_files_of_people(
    command: Any, untouched: Any, out: Path, tmp_path: Path, texts: Texts, kind: str, spoil: Any,
    parts: tuple[str, ...],
) -> None:  # fmt: skip
    spoil(texts)
    paths = _write(tmp_path / "in", texts)
    with untouched(out):
        refused = command(*_fit(kind, paths, out))
    refused.assert_says(*parts)


def _folds(*rows: str) -> str:
    return "".join(f"{row}\n" for row in ("sample\tfold", *rows))


_EVEN = [f"{name}\t{at % 3}" for at, name in enumerate(PEOPLE)]
FOLDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "missing people": (_folds(*_EVEN[:-2]), ("2 of 40: p38, p39", "every person", "Add them")),
    "a fold of nobody": (
        _folds(*_EVEN, "zed\t7"),
        ("a fold without people", "nobody is in fold 7", "Leave"),
    ),
    "only others": (_folds("zed\t1", "kay\t2"), ("40 of 40", "begins with zed, kay")),
    "one fold": (_folds(*(f"{name}\t1" for name in PEOPLE)), ("one fold only", "two or more")),
    "a person twice": (_folds(*_EVEN, _EVEN[0]), ("'p00'", "lines 2 and 42", "each person once")),
    "no fold told": (_folds("p00\t", *_EVEN[1:]), ("line 2", "a person without a fold")),
    "no such column": (_folds(*_EVEN).replace("fold", "part"), ("no such column", "'fold'")),
}


@pytest.mark.parametrize("kind", [*FITS, "stack"])
@pytest.mark.parametrize("case", FOLDS)
def test_files_of_folds(
    command: Any, untouched: Any, out: Path, tmp_path: Path, home: Path, kind: str, case: str
) -> None:
    text, parts = FOLDS[case]
    (tmp_path / "folds.tsv").write_text(text)
    paths = {name: home / name for name in ("g.vcf", "e.bed", "c.tsv")}
    line = _stack(home, out) if kind == "stack" else _fit(kind, paths, out)
    with untouched(out):
        refused = command(*line, "--folds-file", tmp_path / "folds.tsv")
    refused.assert_says(tmp_path / "folds.tsv", *parts)


@pytest.mark.parametrize("kind", FITS)
def test_genotypes_that_are_none(
    command: Any, untouched: Any, out: Path, tmp_path: Path, home: Path, kind: str
) -> None:
    given = {name: home / name for name in ("g.vcf", "e.bed", "c.tsv")}
    packed = gzip.compress(given["g.vcf"].read_bytes())
    (tmp_path / "plain.vcf.gz").write_bytes(packed)
    (tmp_path / "cut.vcf.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "cut.bed.gz").write_bytes(gzip.compress(given["e.bed"].read_bytes())[:300])
    text = given["g.vcf"].read_text()
    (tmp_path / "t.fa").write_text(">1\n" + "T" * 2000 + "\n>2\n" + "T" * 2000 + "\n")
    (tmp_path / "text.tsv").write_text("no\tgenotypes\n")
    cases: list[tuple[dict[str, Path], list[object], tuple[object, ...]]] = [
        ({"g.vcf": tmp_path / "text.tsv"}, [], ("text.tsv", "no genotypes", "VCF, BCF")),
        ({"g.vcf": tmp_path / "cut.vcf.gz"}, [], ("cut.vcf.gz", "Check it with bcftools")),
        ({"g.vcf": tmp_path / "plain.vcf.gz"}, [], ("plain.vcf.gz", "an index", "tabix")),
        ({"e.bed": tmp_path / "cut.bed.gz"}, [], ("cut.bed.gz", "cut short", "again")),
        ({"e.bed": given["g.vcf"]}, [], ("g.vcf", "not an expression BED", "#chr, start, end")),
        ({}, ["--fasta", tmp_path / "t.fa"], ("variant 1:1000", "Found: A", "Expected: T")),
        ({}, ["--samples", "zed,kay"], ("p00, p01", "asked for: zed, kay")),
        ({}, ["--samples", "p00,p00"], ("p00", "each person once")),
        ({}, ["--folds", 99], ("99", "2 to 40")),
    ]  # fmt: skip
    for changed, more, parts in cases:
        with untouched(out):
            refused = command(*_fit(kind, {**given, **changed}, out, *more))
        refused.assert_says(*parts)
    assert text == given["g.vcf"].read_text()


@pytest.mark.parametrize("kind", [*FITS, "stack"])
def test_a_folder_that_exists_is_kept(
    command: Any, untouched: Any, out: Path, home: Path, kind: str
) -> None:
    (out / "R").mkdir()
    (out / "R" / "mine.txt").write_text("kept")
    paths = {name: home / name for name in ("g.vcf", "e.bed", "c.tsv")}
    line = _stack(home, out) if kind == "stack" else _fit(kind, paths, out)
    with untouched(out):
        command(*line).assert_says(out / "R", "already exists", "Choose another output")


@pytest.mark.parametrize(
    ("kind", "more", "part"),
    [
        ("eqtl map", ["--window", -5], "--window"),
        ("eqtl map", ["--fdr", 2], "--fdr"),
        ("eqtl map", ["--fdr", 0], "fdr"),
        ("eqtl map", ["--maf", 0.7], "--maf"),
        ("eqtl map", ["--permutations", 5], "at least 20 permutations"),
        ("eqtl map", ["--folds", 1], "--folds"),
        ("eqtl finemap", ["--gene", "NOPE"], "g1, g2, g3"),
        ("eqtl finemap", ["--window", -5], "--window"),
        ("prs fit", ["--gene", "NOPE"], "g1, g2, g3"),
        ("prs fit", ["--folds", 1], "folds"),
        ("prs fit", ["--p", "0.1,x"], "0.1,x"),
    ],
)
def test_settings(
    command: Any, untouched: Any, out: Path, home: Path, kind: str, more: list[object], part: str
) -> None:
    paths = {name: home / name for name in ("g.vcf", "e.bed", "c.tsv")}
    with untouched(out):
        refused = command(*_fit(kind, paths, out, *more))
    assert refused.code == 2
    assert part in refused.err
    assert "Traceback" not in refused.err


def _stack(home: Path, out: Path, features: Path | None = None) -> list[object]:
    return [
        "stack", "--expression", home / "e.bed", "--features", features or home / "f.tsv",
        "--members", "ridge", "--metas", "stack_linear", "--threads", 1, "-o", out / "R",
    ]  # fmt: skip


def _table(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"individual": PEOPLE, "x": np.arange(40.0), **columns})


FEATURES: dict[str, tuple[pd.DataFrame, tuple[str, ...]]] = {
    "a person twice": (pd.concat([_table(), _table().head(1)]), ("p00", "same person")),
    "NaN": (_table(y=[np.nan, *range(39)]), ("column y", "p00", "missing", "finite number")),
    "infinite": (_table(y=["inf", *range(39)]), ("column y", "row 1", "'inf'")),
    "words": (_table(y=["low"] * 40), ("column y", "row 1", "'low'")),
    "no people": (_table().rename(columns={"individual": "who"}), ("who", "one of individual")),
    "other people": (_table().assign(individual="z"), ("same person",)),
    "nothing but people": (_table()[["individual"]], ("no feature",)),
}


@pytest.mark.parametrize("case", FEATURES)
def test_feature_tables(
    command: Any, untouched: Any, out: Path, tmp_path: Path, home: Path, case: str
) -> None:
    table, parts = FEATURES[case]
    table.to_csv(tmp_path / "f.tsv", sep="\t", index=False)
    with untouched(out):
        refused = command(*_stack(home, out, tmp_path / "f.tsv"))
    refused.assert_says(tmp_path / "f.tsv", *parts)


def test_a_stack_on_what_saw_its_people(
    command: Any, untouched: Any, out: Path, tmp_path: Path, home: Path
) -> None:
    with untouched(out):
        command(*_stack(home, out), "--ledger", home / "EQTL" / "ledger.parquet").assert_says(
            "p00", "leak: eqtl", "40 people", "--allow-leak"
        )
        # Scores held out by other folds than these.
        (tmp_path / "folds.tsv").write_text(_folds(*_EVEN))
        command(
            *_stack(home, out, home / "SCORES" / "predictions.parquet"),
            "--folds-file", tmp_path / "folds.tsv",
        ).assert_says("leak: weights without fold 0", "--allow-leak")  # fmt: skip


def test_scores_of_people_who_trained(
    command: Any, untouched: Any, out: Path, tmp_path: Path, home: Path
) -> None:
    line = ["prs", "score", home / "SCORES", "--genotypes", home / "g.vcf", "-o", out / "R"]
    (tmp_path / "folds.tsv").write_text(_folds(*_EVEN))
    with untouched(out):
        command(*line, "--expression", home / "e.bed").assert_says("leak", "40 shared keys")
        command(*line, "--folds-file", tmp_path / "folds.tsv").assert_says("leak", "without fold")
