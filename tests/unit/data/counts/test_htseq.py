"""Counts of one file per sample: folders and archives, whole and hostile."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from exprimo.core.errors import FormatError
from exprimo.data.counts import read_counts

GENES = "YAL1\t{}\nYAL2\t{}\n"
OLD_TRAILER = "no_feature\t5\nambiguous\t2\ntoo_low_aQual\t0\nnot_aligned\t0\n"
NEW_TRAILER = "__no_feature\t5\n__ambiguous\t2\n"
FILES = {
    "WT_1.bam.gbgout": GENES.format(3, 0) + OLD_TRAILER,
    "KO_1.txt": GENES.format(15, 7) + OLD_TRAILER,
}


def pack(path, members, mode="w:gz"):
    """Write a tar of (name, text) or of prepared headers."""
    with tarfile.open(path, mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, content = member
            raw = content if isinstance(content, bytes) else content.encode()
            header = tarfile.TarInfo(name)
            header.size = len(raw)
            archive.addfile(header, io.BytesIO(raw))
    return path


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "counts"
    place.mkdir()
    for name, text in FILES.items():
        (place / name).write_text(text)
    return place


def test_a_folder_in_order_of_names(folder):
    (folder / ".DS_Store").write_bytes(b"\0")
    counts = read_counts(folder)
    assert counts.samples == ["KO_1", "WT_1"]
    assert counts.matrix.loc["YAL1"].tolist() == [15, 3]
    assert counts.matrix.loc["YAL2"].tolist() == [7, 0]
    assert counts.notes["format"] == "HTSeq folder"
    assert (counts.notes["trailer_rows"], counts.notes["no_feature"]) == (4, 10)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_in_its_own_order(tmp_path, mode):
    folder = tarfile.TarInfo("run")
    folder.type = tarfile.DIRTYPE
    path = pack(
        tmp_path / "counts.tar",
        [folder, *((f"run/{name}", text) for name, text in FILES.items()), ("run/._WT_1", b"\0")],
        mode,
    )
    counts = read_counts(path)
    assert counts.samples == ["WT_1", "KO_1"]
    assert counts.matrix.to_numpy().tolist() == [[3, 15], [0, 7]]
    assert counts.notes["format"] == "HTSeq tar"
    assert [file.name for file in tmp_path.iterdir()] == ["counts.tar"]


def test_packed_members_as_geo_has_them(tmp_path):
    members = [
        (f"GSM{i}_{name}.gz", gzip.compress(text.encode()))
        for i, (name, text) in enumerate(FILES.items())
    ]
    counts = read_counts(pack(tmp_path / "GSE1_RAW.tar", members, "w"))
    assert counts.samples == ["GSM0_WT_1", "GSM1_KO_1"]
    assert counts.matrix.loc["YAL1"].tolist() == [3, 15]


def test_one_file_is_one_sample(tmp_path):
    file = tmp_path / "WT_1.tsv.gz"
    file.write_bytes(gzip.compress((GENES.format(3, 0) + NEW_TRAILER).encode()))
    counts = read_counts(file)
    assert counts.matrix["WT_1"].to_dict() == {"YAL1": 3, "YAL2": 0}
    assert counts.notes["ambiguous"] == 2


def test_the_same_genes_in_another_order(folder):
    (folder / "KO_1.txt").write_text("YAL2\t7\nYAL1\t15\n")
    counts = read_counts(folder)
    assert counts.matrix.index.tolist() == ["YAL2", "YAL1"]
    assert counts.matrix.loc["YAL1"].tolist() == [15, 3]


def test_files_with_different_genes(folder):
    (folder / "WT_1.bam.gbgout").write_text("YAL1\t3\nNEW\t2\n")
    with pytest.raises(FormatError) as caught:
        read_counts(folder)
    message = str(caught.value)
    assert "WT_1.bam.gbgout, sample WT_1: the files do not have the same genes" in message
    assert "1 missing (YAL2), 1 more (NEW)" in message
    assert "KO_1.txt" in message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("YAL1\t3\nYAL2\t-1\n", r"line 2, gene YAL2, sample KO_1: a negative count"),
        ("YAL1\t3\nYAL2\t1.5\n", r"line 2, gene YAL2, sample KO_1: a fractional count"),
        ("YAL1\t3\nYAL2\t\n", r"line 2, gene YAL2, sample KO_1: an empty cell"),
        ("YAL1\t3\nYAL2\n", r"line 2, sample KO_1: not a row of an HTSeq file.*1 fields"),
        ("YAL1\t3\nYAL2\t1\nYAL1\t3\n", r"gene 'YAL1': the same gene occurs twice.*lines 1 and 3"),
        ("gene\tcount\nYAL1\t3\n", r"line 1, gene gene, sample KO_1: not a count"),
    ],
)
def test_a_wrong_file_of_a_folder(folder, text, problem):
    (folder / "KO_1.txt").write_text(text)
    with pytest.raises(FormatError, match=problem) as caught:
        read_counts(folder)
    assert "KO_1.txt" in str(caught.value)


def test_two_files_of_one_sample(folder):
    (folder / "KO_1.counts").write_text(FILES["KO_1.txt"])
    with pytest.raises(FormatError, match=r"sample KO_1.*KO_1\.counts and .*KO_1\.txt"):
        read_counts(folder)


def test_an_empty_folder(tmp_path):
    with pytest.raises(FormatError, match="no count file"):
        read_counts(tmp_path)


def test_a_folder_of_trailers_has_no_genes(tmp_path):
    (tmp_path / "a.txt").write_text(NEW_TRAILER)
    with pytest.raises(FormatError, match="no genes"):
        read_counts(tmp_path)


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/outside.txt", "a/../../outside.txt"])
def test_a_path_that_leads_outside_is_refused(tmp_path, name):
    path = pack(tmp_path / "evil.tar", [*FILES.items(), (name, FILES["KO_1.txt"])])
    with pytest.raises(FormatError, match="leads outside"):
        read_counts(path)
    assert [file.name for file in tmp_path.iterdir()] == ["evil.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    link = tarfile.TarInfo("link.txt")
    link.type, link.linkname = kind, "/etc/passwd"
    with pytest.raises(FormatError, match="a link or device"):
        read_counts(pack(tmp_path / "evil.tar", [*FILES.items(), link]))


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_packed_tar_cut_short(tmp_path, keep):
    body = "".join(f"g{i}\t{i * i % 997}\n" for i in range(3000))
    path = pack(tmp_path / "counts.tar.gz", [("a.txt", body), ("b.txt", body)])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(FormatError, match="cut short"):
        read_counts(path)


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_plain_tar_cut_short(tmp_path, blocks):
    """Cut between header and content, between the two files, and in the second."""
    path = pack(tmp_path / "counts.tar", FILES.items(), "w")
    path.write_bytes(path.read_bytes()[: 512 * blocks])
    with pytest.raises(FormatError, match=r"damaged or cut short|cut short"):
        read_counts(path)


def test_a_damaged_member_of_an_archive(tmp_path):
    packed = gzip.compress(FILES["KO_1.txt"].encode())[:-6]
    path = pack(tmp_path / "counts.tar", [("KO_1.txt.gz", packed)], "w")
    with pytest.raises(FormatError, match=r"member KO_1\.txt\.gz: the gzip file is cut short"):
        read_counts(path)
