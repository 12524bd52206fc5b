"""Which files a study reads, and where it looks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exprimo.studies.chromatin.source import binned_values, source_files, track_values

HOME = Path("/data/study")
TRACKS = {"genes": "g.gtf", "expression": "e.tsv", "signals": ["A:H3K4me3:s/a.bw"]}


def test_paths_of_tracks_are_relative_to_the_study(study: Any) -> None:
    made = study(tracks={**TRACKS, "signals": ["A:H3K4me3:s/a.bw", "B:H3K4me3:/abs/b:1.bw"],
                         "chrom_style": "auto", "tss": "tss.tsv", "bins": 8})  # fmt: skip
    values = track_values(made.tracks, HOME)
    assert values["signals"] == [
        "A:H3K4me3:/data/study/s/a.bw", "B:H3K4me3:/abs/b:1.bw",
    ]  # fmt: skip
    assert (values["genes"], values["expression"]) == (HOME / "g.gtf", HOME / "e.tsv")
    assert (values["tss"], values["chrom_style"]) == (HOME / "tss.tsv", "auto")
    assert (values["fasta"], values["bins"], values["scale"]) == (None, 8, "log1p")
    own = study(tracks={**TRACKS, "tss": "most5prime", "chrom_style": "names.tsv"})
    values = track_values(own.tracks, HOME)
    assert (values["tss"], values["chrom_style"]) == ("most5prime", HOME / "names.tsv")


def test_every_file_is_named_by_its_setting(study: Any, tmp_path: Path) -> None:
    made = study(tracks={**TRACKS, "fasta": "g.fa", "gene_names": "n.tsv"})
    assert source_files(made, HOME) == {
        "tracks.genes": HOME / "g.gtf",
        "tracks.expression": HOME / "e.tsv",
        "tracks.fasta": HOME / "g.fa",
        "tracks.gene_names": HOME / "n.tsv",
        "tracks.signals[0]": HOME / "s" / "a.bw",
    }
    table = {**TRACKS, "signals": [], "signal_table": "t/tracks.tsv"}
    made = study(tracks=table)
    assert "tracks.signal_table" in source_files(made, tmp_path)
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "tracks.tsv").write_text("cell_type\tmark\tfile\nA\tH3K4me3\ta.bw\n")
    found = source_files(made, tmp_path)
    # Files are beside the table that names them.
    assert found["tracks.signal_table, A H3K4me3"] == tmp_path / "t" / "a.bw"
    assert source_files(study(dataset="x/D.h5"), HOME) == {"dataset": HOME / "x" / "D.h5"}


def test_binned_files_may_carry_the_name_of_their_cell(study: Any, tmp_path: Path) -> None:
    (tmp_path / "odd:name.npz").write_text("")
    made = study(
        binned={"files": ["a.csv", "E003:b.csv", "odd:name.npz"], "sequences": "s.csv",
                "genes": "g.gtf"}
    )  # fmt: skip
    values = binned_values(made.binned, tmp_path)
    assert values["binned"] == [
        f"{tmp_path}/a.csv", f"E003:{tmp_path}/b.csv", f"{tmp_path}/odd:name.npz",
    ]  # fmt: skip
    assert values["sequences"] == tmp_path / "s.csv"
    assert "files" not in values
    found = source_files(made, tmp_path)
    assert [found[f"binned.files[{k}]"].name for k in range(3)] == [
        "a.csv", "b.csv", "odd:name.npz",
    ]  # fmt: skip
    assert found["binned.genes"] == tmp_path / "g.gtf"
