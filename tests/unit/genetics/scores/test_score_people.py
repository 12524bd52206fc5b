"""Sums and averages: by hand, and as PLINK 2 gives them, with dosages and with missing ones."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import InputError
from exprimo.genetics.scores.scoring import Sums, score_people

PLINK2 = shutil.which("plink2")
N_PEOPLE, N_VARIANTS = 60, 14


@pytest.mark.parametrize("missing", ["mean", "skip"])
def test_sums_by_hand(missing: str) -> None:
    sums = Sums(2, 3, "mean" if missing == "mean" else "skip")
    copies = np.array([[0.0, 1.0, np.nan], [2.0, 2.0, 1.0]])
    sums.add(copies, np.array([0, 1]), np.array([0.5, 1.0]), np.array([np.nan, np.nan]))
    sums.add(copies[:1], np.array([1]), np.array([-1.0]), np.array([0.2]))
    if missing == "mean":
        assert np.allclose(sums.total, [[0, 0.5, 0.25], [2, 1, 0.8]])
        assert np.allclose(sums.average(), [[0, 0.25, 0.125], [0.5, 0.25, 0.2]])
    else:
        assert np.allclose(sums.total, [[0, 0.5, 0], [2, 1, 1]])
        assert np.allclose(sums.average()[:, :2], [[0, 0.25], [0.5, 0.25]])
        assert np.isnan(sums.average()[0, 2])
        assert sums.average()[1, 2] == 0.5
    assert np.allclose(sums.expected, [0, -0.2])


def _write(folder: Path, *, dosages: bool) -> tuple[Path, pd.DataFrame]:
    rng = np.random.default_rng(3)
    alleles = rng.permuted(np.tile(list("ACGT"), (N_VARIANTS, 1)), axis=1)[:, :2]
    # The strand of every other variant is known by its letters.
    palindromic = [a + b in ("AT", "TA", "CG", "GC") for a, b in alleles]
    lines = []
    for v in range(N_VARIANTS):
        copies = rng.binomial(2, 0.3, N_PEOPLE).astype(float)
        if dosages:
            copies = np.clip(copies + rng.choice([0, 0.3, -0.3, 0.04], N_PEOPLE), 0, 2)
        cells = []
        for x in copies:
            hard = ["0/0", "0/1", "1/1"][round(x)]
            shown = f"{hard}:{x:.3f}" if dosages else hard
            cells.append(shown if rng.random() > 0.15 else ("./.:." if dosages else "./."))
        at = f"1\t{100 * (v + 1)}\ts{v}\t{alleles[v, 0]}\t{alleles[v, 1]}\t.\t.\t."
        lines.append(f"{at}\t{'GT:DS' if dosages else 'GT'}\t" + "\t".join(cells))
    vcf = folder / "g.vcf"
    vcf.write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=1,length=100000>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        '##FORMAT=<ID=DS,Number=1,Type=Float,Description="Dosage of ALT">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
        + "\t".join(f"p{i}" for i in range(N_PEOPLE)) + "\n" + "\n".join(lines) + "\n"
    )  # fmt: skip
    swapped = rng.random(N_VARIANTS) < 0.4
    weights = pd.DataFrame(
        {
            "rsID": [f"s{v}" for v in range(N_VARIANTS)],
            "chr_name": "chr1",
            "chr_position": 100 * np.arange(1, N_VARIANTS + 1),
            "effect_allele": np.where(swapped, alleles[:, 0], alleles[:, 1]),
            "other_allele": np.where(swapped, alleles[:, 1], alleles[:, 0]),
            "effect_weight": rng.normal(size=N_VARIANTS).round(6),
        }
    ).assign(palindromic=palindromic)
    return vcf, weights


def _save(weights: pd.DataFrame, folder: Path) -> Path:
    file = folder / "PGS9.txt"
    text = weights.drop(columns="palindromic").to_csv(sep="\t", index=False)
    file.write_text("##POLYGENIC SCORE\n#pgs_id=PGS9\n" + text)
    return file


@pytest.mark.skipif(PLINK2 is None, reason="no plink2 on this machine")
@pytest.mark.parametrize("missing", ["mean", "skip"])
@pytest.mark.parametrize("dosages", [True, False])
def test_scores_are_plinks(tmp_path: Path, missing: str, dosages: bool) -> None:
    vcf, weights = _write(tmp_path, dosages=dosages)
    used = weights[~weights["palindromic"]]
    used[["rsID", "effect_allele", "effect_weight"]].to_csv(
        tmp_path / "w.txt", sep="\t", index=False
    )
    assert PLINK2 is not None
    subprocess.run(
        [PLINK2, "--vcf", str(vcf), *(["dosage=DS"] if dosages else []),
         "--score", str(tmp_path / "w.txt"), "1", "2", "3", "header",
         *(["no-mean-imputation"] if missing == "skip" else []), "cols=+scoresums",
         "--threads", "1", "--out", str(tmp_path / "out")],
        check=True, capture_output=True,
    )  # fmt: skip
    theirs = pd.read_csv(tmp_path / "out.sscore", sep="\t")
    done = score_people(
        _save(weights, tmp_path), vcf, tmp_path / "S",
        missing="skip" if missing == "skip" else "mean",
    )  # fmt: skip
    ours = pd.read_parquet(done.path / "scores.parquet")
    assert ours["sample"].tolist() == theirs["#IID"].tolist()
    # PLINK writes six digits, and holds dosages in steps of 1/16384.
    assert np.allclose(ours["score"], theirs["SCORE1_SUM"], rtol=1e-5, atol=2e-4)
    assert np.allclose(ours["average"], theirs["SCORE1_AVG"], rtol=1e-5, atol=1e-5)
    n_dropped = int(weights["palindromic"].sum())
    assert 0 < n_dropped < N_VARIANTS
    assert done.weights["A/T or C/G: the strand is not known"] == n_dropped
    assert done.learned_from is None


def test_the_other_strand_and_swapped_alleles_give_the_same_score(tmp_path: Path) -> None:
    vcf, weights = _write(tmp_path, dosages=False)
    done = score_people(_save(weights, tmp_path), vcf, tmp_path / "one")
    turned = weights.copy()
    for name in ("effect_allele", "other_allele"):
        turned[name] = weights[name].str.translate(str.maketrans("ACGT", "TGCA"))
    again = score_people(_save(turned, tmp_path), vcf, tmp_path / "two")
    one, two = (pd.read_parquet(d.path / "scores.parquet")["score"] for d in (done, again))
    assert np.allclose(one, two)
    assert again.weights["matched on the other strand"] > 5
    exchanged = weights.rename(
        columns={"effect_allele": "other_allele", "other_allele": "effect_allele"}
    )
    exchanged["effect_weight"] *= -1
    third = score_people(_save(exchanged, tmp_path), vcf, tmp_path / "three")
    three = pd.read_parquet(third.path / "scores.parquet")["score"]
    assert np.allclose(np.diff(one - three), 0)


def test_absent_variants_are_counted_and_palindromic_kept_on_demand(tmp_path: Path) -> None:
    vcf, weights = _write(tmp_path, dosages=False)
    weights.loc[3, "chr_position"] = 5
    done = score_people(_save(weights, tmp_path), vcf, tmp_path / "S", palindromic="keep")
    assert done.weights["no such variant"] == 1
    assert "A/T or C/G: the strand is not known" not in done.weights
    assert sum(done.weights.values()) == N_VARIANTS


def test_folds_need_weights_that_have_them(tmp_path: Path) -> None:
    vcf, weights = _write(tmp_path, dosages=False)
    folds = tmp_path / "folds.tsv"
    folds.write_text("sample\tfold\n" + "".join(f"p{i}\t{i % 2}\n" for i in range(N_PEOPLE)))
    with pytest.raises(InputError, match="weights without folds"):
        score_people(_save(weights, tmp_path), vcf, tmp_path / "S", folds_file=folds)


def test_packed_genotypes_without_an_index_are_read_from_beginning_to_end(tmp_path: Path) -> None:
    import pysam

    vcf, weights = _write(tmp_path, dosages=True)
    packed = tmp_path / "packed.vcf.gz"
    pysam.tabix_compress(str(vcf), str(packed))
    file = _save(weights, tmp_path)
    one = score_people(file, vcf, tmp_path / "one").path / "scores.parquet"
    two = score_people(file, packed, tmp_path / "two").path / "scores.parquet"
    assert pd.read_parquet(one).equals(pd.read_parquet(two))


def test_the_other_record_of_a_place_may_come_in_another_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exprimo.data.genotypes.in_memory import GenotypesInMemory

    vcf, weights = _write(tmp_path, dosages=False)
    lines = vcf.read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.startswith("1\t300\t"))
    fields = lines[at].split("\t")
    fields[2:5] = ["other", fields[3], fields[3] + "TT"]
    vcf.write_text("".join([*lines[:at], "\t".join(fields), *lines[at:]]))
    file = _save(weights, tmp_path)
    whole = score_people(file, vcf, tmp_path / "one", palindromic="keep")
    blocks = GenotypesInMemory.blocks
    monkeypatch.setattr(GenotypesInMemory, "blocks", lambda self: blocks(self, 1))
    parts = score_people(file, vcf, tmp_path / "two", palindromic="keep")
    assert parts.weights == whole.weights
    assert sum(parts.weights.values()) == N_VARIANTS
    one, two = (pd.read_parquet(d.path / "scores.parquet") for d in (whole, parts))
    assert np.allclose(one["score"], two["score"])


X_MEN, X_WOMEN = 5, 4


def _x(folder: Path) -> tuple[Path, pd.DataFrame]:
    """Write variants of X: one copy in men; every other effect allele is REF."""
    rng = np.random.default_rng(5)
    names = [f"m{i}" for i in range(X_MEN)] + [f"w{i}" for i in range(X_WOMEN)]
    lines = [
        f"X\t{5_000_000 + 10 * v}\tx{v}\tA\tG\t.\t.\t.\tGT\t"
        + "\t".join([*rng.choice(["0", "1"], X_MEN), *rng.choice(["0/0", "0/1", "1/1"], X_WOMEN)])
        for v in range(6)
    ]
    vcf = folder / "x.vcf"
    vcf.write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=X,length=156040895>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
        + "\t".join(names) + "\n" + "\n".join(lines) + "\n"
    )  # fmt: skip
    swapped = np.arange(6) % 2 == 1
    weights = pd.DataFrame(
        {
            "rsID": [f"x{v}" for v in range(6)],
            "chr_name": "X",
            "chr_position": 5_000_000 + 10 * np.arange(6),
            "effect_allele": np.where(swapped, "A", "G"),
            "other_allele": np.where(swapped, "G", "A"),
            "effect_weight": 0.1 * (1 + np.arange(6)),
            "palindromic": False,
        }
    )
    return vcf, weights


@pytest.mark.skipif(PLINK2 is None, reason="no plink2 on this machine")
def test_men_have_two_copies_of_their_x_as_in_plink(tmp_path: Path) -> None:
    vcf, weights = _x(tmp_path)
    weights[["rsID", "effect_allele", "effect_weight"]].to_csv(
        tmp_path / "w.txt", sep="\t", index=False
    )
    sexes = [f"m{i}\t1" for i in range(X_MEN)] + [f"w{i}\t2" for i in range(X_WOMEN)]
    (tmp_path / "sex.txt").write_text("#IID\tSEX\n" + "\n".join(sexes) + "\n")
    assert PLINK2 is not None
    made = [PLINK2, "--vcf", str(vcf), "--update-sex", str(tmp_path / "sex.txt"), "--split-par",
            "hg38", "--threads", "1", "--make-pgen", "--out", str(tmp_path / "p")]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    counted = [PLINK2, "--pfile", str(tmp_path / "p"), "--freq", "--out", str(tmp_path / "f")]
    subprocess.run(counted, check=True, capture_output=True)
    subprocess.run(
        [PLINK2, "--pfile", str(tmp_path / "p"), "--read-freq", str(tmp_path / "f.afreq"),
         "--score", str(tmp_path / "w.txt"), "1", "2", "3", "header", "cols=+scoresums",
         "--threads", "1", "--out", str(tmp_path / "out")],
        check=True, capture_output=True,
    )  # fmt: skip
    theirs = pd.read_csv(tmp_path / "out.sscore", sep="\t")
    file = _save(weights, tmp_path)
    for given in (vcf, tmp_path / "p.pgen"):
        done = score_people(file, given, tmp_path / f"S{given.suffix}")
        ours = pd.read_parquet(done.path / "scores.parquet")
        assert np.allclose(ours["score"], theirs["SCORE1_SUM"], rtol=1e-5, atol=2e-5), given
        assert np.allclose(ours["average"], theirs["SCORE1_AVG"], rtol=1e-5, atol=2e-5), given


def test_swapped_alleles_of_a_haploid_take_one_copy(tmp_path: Path) -> None:
    """Exchanged alleles with the sign turned shift men as they shift women: by a constant."""
    vcf, weights = _x(tmp_path)
    one = score_people(_save(weights, tmp_path), vcf, tmp_path / "one")
    turned = weights.rename(
        columns={"effect_allele": "other_allele", "other_allele": "effect_allele"}
    )
    turned["effect_weight"] *= -1
    two = score_people(_save(turned, tmp_path), vcf, tmp_path / "two")
    first, second = (pd.read_parquet(d.path / "scores.parquet")["score"] for d in (one, two))
    assert np.allclose(np.diff(first - second), 0)
