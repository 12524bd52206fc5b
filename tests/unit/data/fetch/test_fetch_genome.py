"""Genomes from a server with Ensembl's layout."""

from __future__ import annotations

import gzip

import pytest

from exprimo.core.errors import ConfigError, FetchError, InputError
from exprimo.data.fetch.checksum import bsd_sum
from exprimo.data.fetch.genome import fetch_genome, latin_name, parse_sums

FASTA = gzip.compress(b">I\nACGT\n")
GTF = gzip.compress(b'I\tsrc\tgene\t1\t4\t.\t+\t.\tgene_id "g1";\n')
YEAST = "Saccharomyces_cerevisiae.R64-1-1"


@pytest.fixture
def ensembl(server, make_page, tmp_path):
    """A mirror with yeast in release 110, as Ensembl lays it out."""

    def place(folder: str, files: dict[str, bytes], damaged: str = "") -> None:
        lines = []
        for name, content in files.items():
            server.pages[f"{folder}/{name}"] = make_page(content)
            file = tmp_path / "for_sum"
            file.write_bytes(content if name != damaged else content + b"x")
            lines.append("{:05d} {:5d} {}".format(*bsd_sum(file), name))
        server.pages[f"{folder}/CHECKSUMS"] = make_page("\n".join(lines).encode())

    server.place = place
    place(
        "/release-110/fasta/saccharomyces_cerevisiae/dna",
        {
            f"{YEAST}.dna.chromosome.I.fa.gz": b"1",
            f"{YEAST}.dna.toplevel.fa.gz": FASTA,
            f"{YEAST}.dna_sm.toplevel.fa.gz": b"2",
            "README": b"read",
        },
    )
    place(
        "/release-110/gtf/saccharomyces_cerevisiae",
        {f"{YEAST}.110.gtf.gz": GTF, f"{YEAST}.110.abinitio.gtf.gz": b"3"},
    )
    return server


def test_genome_and_annotation_of_one_release(ensembl, tmp_path):
    files = fetch_genome("Yeast", 110, tmp_path / "out", base_url=ensembl.url)
    assert [file.name for file in files] == [
        f"{YEAST}.dna.toplevel.fa.gz",
        f"{YEAST}.110.gtf.gz",
    ]
    assert [file.read_bytes() for file in files] == [FASTA, GTF]


def test_the_primary_assembly_is_preferred(ensembl, tmp_path):
    ensembl.place(
        "/release-110/fasta/homo_sapiens/dna",
        {
            "Homo_sapiens.GRCh38.dna.toplevel.fa.gz": b"with haplotypes",
            "Homo_sapiens.GRCh38.dna.primary_assembly.fa.gz": FASTA,
            "Homo_sapiens.GRCh38.dna_rm.primary_assembly.fa.gz": b"masked",
        },
    )
    (file,) = fetch_genome("human", 110, tmp_path / "out", what=["fasta"], base_url=ensembl.url)
    assert file.name == "Homo_sapiens.GRCh38.dna.primary_assembly.fa.gz"


def test_whole_files_are_not_fetched_again(ensembl, tmp_path):
    fetch_genome("yeast", 110, tmp_path / "out", base_url=ensembl.url)
    ensembl.requests.clear()
    fetch_genome("yeast", 110, tmp_path / "out", base_url=ensembl.url)
    assert [path.rpartition("/")[2] for path, _, _ in ensembl.requests] == ["CHECKSUMS"] * 2


def test_a_file_that_does_not_match_its_sum_is_refused(ensembl, tmp_path):
    name = f"{YEAST}.110.gff3.gz"
    ensembl.place("/release-110/gff3/saccharomyces_cerevisiae", {name: GTF}, damaged=name)
    with pytest.raises(FetchError, match="arrived damaged"):
        fetch_genome("yeast", 110, tmp_path / "out", what=["gff3"], base_url=ensembl.url)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_wrong_species_gets_near_names_of_the_server(ensembl, tmp_path):
    ensembl.add_folder("/release-110/fasta/", ["saccharomyces_cerevisiae/", "mus_musculus/"])
    with pytest.raises(InputError, match=r"unknown species.*Near names: saccharomyces_cerevisiae"):
        fetch_genome("saccharomyces_cervisiae", 110, tmp_path / "out", base_url=ensembl.url)
    assert not (tmp_path / "out").exists()


def test_a_wrong_release_is_told_apart_from_a_wrong_species(ensembl, tmp_path):
    with pytest.raises(InputError, match=r"no such release.*release 999"):
        fetch_genome("yeast", 999, tmp_path / "out", base_url=ensembl.url)


def test_a_folder_without_a_whole_genome(ensembl, tmp_path):
    ensembl.place("/release-110/fasta/mus_musculus/dna", {"README": b"moved"})
    with pytest.raises(FetchError, match=r"no fasta file.*README"):
        fetch_genome("mouse", 110, tmp_path / "out", base_url=ensembl.url)


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="fasta, gtf, gff3"):
        fetch_genome("yeast", 110, tmp_path, what=["bam"])


@pytest.mark.parametrize(
    ("given", "latin"),
    [
        ("human", "homo_sapiens"),
        ("Mus musculus", "mus_musculus"),
        ("drosophila_melanogaster", "drosophila_melanogaster"),
        ("canis-lupus familiaris", "canis_lupus_familiaris"),
    ],
)
def test_species_names(given, latin):
    assert latin_name(given) == latin


@pytest.mark.parametrize(("given", "near"), [("humen", "human"), ("yest", "yeast")])
def test_a_mistyped_common_name_needs_no_network(given, near):
    with pytest.raises(InputError, match=f"Near names: {near}"):
        latin_name(given)


@pytest.mark.parametrize("given", ["../etc", "homo/sapiens", ""])
def test_a_species_never_becomes_a_path(given):
    with pytest.raises(InputError, match="unknown species"):
        latin_name(given)


def test_sums_are_read_with_and_without_zeros():
    text = "00042  1234 a.fa.gz\r\n65535 1 ./b.gz\nnot a line\n"
    assert parse_sums(text) == {"a.fa.gz": "sum:00042:1234", "b.gz": "sum:65535:1"}


@pytest.mark.parametrize("release", [0, -3])
def test_a_release_below_one_asks_no_server(tmp_path, release):
    with pytest.raises(ConfigError, match=f"no such release. Found: {release}"):
        fetch_genome("yeast", release, tmp_path, base_url="http://127.0.0.1:1")
