"""Bad files through the command line: one clear message, exit 2, and nothing half-written."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path
from typing import Any

import pytest

from exprimo.core.errors import MismatchError
from exprimo.data.counts import read_counts
from exprimo.data.samples import match_samples, read_samples


def test_the_untouched_files_are_good(command: Any, files: dict[str, Path], out: Path) -> None:
    done = command(
        "dataset", "promoters", "--fasta", files["genome.fa"], "--genes", files["genes.gtf"],
        "-o", out / "D.h5",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert {path.name for path in out.iterdir()} == {"D.h5"}


@pytest.mark.parametrize("name", ["genome.fa", "genes.gtf", "expression.tsv"])
def test_a_missing_file(build: Any, files: dict[str, Path], name: str) -> None:
    files[name].unlink()
    build(files).assert_says(files[name], "no such file")


def test_a_fasta_cut_within_a_chromosome(build: Any, files: dict[str, Path]) -> None:
    content = files["genome.fa"].read_bytes()
    files["genome.fa"].write_bytes(content[: len(content) // 3])
    build(files).assert_says(files["genes.gtf"], files["genome.fa"], "beyond the end")


def test_a_fasta_cut_behind_a_header(build: Any, files: dict[str, Path]) -> None:
    content = files["genome.fa"].read_bytes()
    at = content.index(b"\n", content.index(b"\n>") + 1)
    files["genome.fa"].write_bytes(content[: at + 1])
    build(files).assert_says(files["genome.fa"], "no bases", "record")


@pytest.mark.parametrize("name", ["genome.fa", "genes.gtf", "expression.tsv"])
def test_gzip_cut_short(build: Any, files: dict[str, Path], name: str) -> None:
    packed = files[name].with_name(name + ".gz")
    packed.write_bytes(gzip.compress(files[name].read_bytes())[:-20])
    build({**files, name: packed}).assert_says(packed, "cut short", "again")


def test_an_annotation_of_another_build(build: Any, files: dict[str, Path]) -> None:
    records = files["genome.fa"].read_text().split(">")[1:]
    with files["genome.fa"].open("w") as handle:
        for record in records:
            header, _, bases = record.partition("\n")
            # An older build: 137 bases at the start of each chromosome were not yet known.
            handle.write(f">{header}\n{bases.replace(chr(10), '')[137:]}\n")
    refused = build(files)
    refused.assert_says(files["genes.gtf"], files["genome.fa"], "% of", "ATG", "GT–AG", "build")


def test_a_genome_that_was_turned_around(build: Any, files: dict[str, Path]) -> None:
    records = files["genome.fa"].read_text().split(">")[1:]
    with files["genome.fa"].open("w") as handle:
        for record in records:
            header, _, bases = record.partition("\n")
            turned = bases.replace("\n", "")[::-1].translate(str.maketrans("ACGTacgt", "TGCAtgca"))
            handle.write(f">{header}\n{turned}\n")
    build(files).assert_says("ATG", "GT–AG", files["genes.gtf"], "reverse-complemented")


def test_chromosome_names_that_do_not_match(build: Any, files: dict[str, Path]) -> None:
    lines = [line.split("\t") for line in files["genes.gtf"].read_text().splitlines()]
    renamed = [[f"NC_00{f[0]}.1", *f[1:]] if len(f) > 1 else f for f in lines]
    files["genes.gtf"].write_text("".join("\t".join(fields) + "\n" for fields in renamed))
    refused = build(files)
    refused.assert_says(files["genes.gtf"], files["genome.fa"], "--chrom-style")
    refused.assert_says("Found: NC_001.1, NC_002.1", "Expected: 1, 2, 3")


def test_a_gene_twice_in_the_targets(build: Any, files: dict[str, Path]) -> None:
    lines = files["expression.tsv"].read_text().splitlines()
    gene = lines[1].split("\t")[0]
    files["expression.tsv"].write_text("\n".join([*lines, f"{gene}\t1.5", ""]))
    refused = build(files)
    refused.assert_says(files["expression.tsv"], gene, f"lines 2 and {len(lines) + 1}")


def test_a_gene_twice_in_the_annotation(build: Any, files: dict[str, Path]) -> None:
    lines = files["genes.gtf"].read_text().splitlines()
    line = next(line for line in lines if line.split("\t")[2:3] == ["gene"])
    fields = line.split("\t")
    fields[3], fields[4] = "1", "50"
    files["genes.gtf"].write_text("\n".join([*lines, "\t".join(fields), ""]))
    gene = line.split('gene_id "')[1].split('"')[0]
    refused = build(files)
    refused.assert_says(files["genes.gtf"], gene, "two places", "1-50(+)")


def test_a_gene_twice_in_a_bed_file(build: Any, files: dict[str, Path], tmp_path: Path) -> None:
    bed = tmp_path / "genes.bed"
    head = files["genome.fa"].read_text().split()[0][1:]
    bed.write_text(f"{head}\t10\t400\tg1\t0\t+\n{head}\t900\t1400\tg1\t0\t-\n")
    refused = build({**files, "genes.gtf": bed})
    refused.assert_says(bed, "g1", "lines 1 and 2")


COUNTS = "gene_id\ts1\ts2\ts3\n" + "".join(f"g{n}\t{n}\t{2 * n}\t7\n" for n in range(1, 9))


@pytest.mark.parametrize(
    ("cell", "said"),
    [("-3", "negative"), ("2.5", "whole number"), ("many", "not a"), ("NA", "missing")],
)
def test_counts_that_are_none(
    command: Any, tmp_path: Path, cell: str, said: str, untouched: Any
) -> None:
    table = tmp_path / "counts.tsv"
    table.write_text(COUNTS.replace("g5\t5\t10\t7", f"g5\t5\t{cell}\t7"))
    with untouched(tmp_path):
        found = command("check", table)
    # What `check` finds is its result, not a failure of it: a problem on standard output.
    assert (found.code, found.err) == (2, "")
    problems = [line for line in found.out.splitlines() if "problem:" in line]
    assert len(problems) == 1
    for part in (table, "g5", "s2", cell, said):
        assert str(part) in problems[0]
    assert "Traceback" not in found.out


def test_samples_missing_in_either_file(tmp_path: Path) -> None:
    counts, sheet = tmp_path / "counts.tsv", tmp_path / "samples.tsv"
    counts.write_text(COUNTS)
    sheet.write_text("sample\tcondition\ns1\ta\ns2\ta\ns3\tb\n")
    matrix, samples = read_counts(counts), read_samples(sheet)
    turned, _ = match_samples(matrix, samples.loc[["s3", "s1", "s2"]])
    assert turned.samples == ["s3", "s1", "s2"]
    fewer = dataclasses.replace(matrix, matrix=matrix.matrix.drop(columns="s3"))
    with pytest.raises(MismatchError) as refused:
        match_samples(fewer, samples.drop(index="s1"))
    for part in (counts, "without counts: s3", "without a row in the sheet: s1", "each sample"):
        assert str(part) in str(refused.value)


def test_a_target_whose_name_cannot_be_stored(
    command: Any, out: Path, tmp_path: Path, untouched: Any
) -> None:
    table = tmp_path / "tiles.tsv"
    rows = [f"{'ACGT' * 10}{base}\t{n}" for n, base in enumerate("ACGT" * 5)]
    table.write_text("\n".join(["seq\tlog2/ratio", *rows, ""]))
    with untouched(out):
        refused = command(
            "dataset", "table", table, "--sequence", "seq", "--target", "log2/ratio",
            "-o", out / "D.h5",
        )  # fmt: skip
    refused.assert_says("log2/ratio", "not usable as the name of a target", "Rename")
