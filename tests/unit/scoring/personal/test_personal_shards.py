"""Personal predictions in shards: stopped, planned, refused, and on a full disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from exprimo.core.errors import (
    ConfigError,
    ExprimoError,
    InputError,
    MismatchError,
    StorageError,
)
from exprimo.core.files.origin import read_origin
from exprimo.core.progress import show_progress
from exprimo.scoring.personal import plan as plan_module
from exprimo.scoring.personal import plan_personal
from exprimo.scoring.personal import sources as sources_module
from exprimo.scoring.personal import spool as spool_module


def test_shards_and_what_is_kept_change_nothing(
    world: Any, tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    length = model.upstream + model.downstream
    world.run(tmp_path / "whole.parquet")
    monkeypatch.setattr(plan_module, "_WINDOWS", 3)
    monkeypatch.setattr(spool_module, "_KEPT_BYTES", 6 * length)
    monkeypatch.setattr(sources_module, "_BASES", 2 * length)
    done = world.run(tmp_path / "cut.parquet")
    assert done.n_shards == 3
    assert pd.read_parquet(tmp_path / "cut.parquet").equals(
        pd.read_parquet(tmp_path / "whole.parquet")
    )


class StopAfter:
    """Interrupts the command after some shards."""

    def __init__(self, shards: int) -> None:
        self.left = shards

    def start(self, description: str, total: int | None) -> object:
        return description

    def advance(self, task: object, steps: int, note: str) -> None:
        if str(task).startswith("Scoring"):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    def finish(self, task: object) -> None:
        pass


def test_a_stopped_call_goes_on(
    world: Any, tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run(tmp_path / "whole.parquet")
    monkeypatch.setattr(plan_module, "_WINDOWS", 3)
    out = tmp_path / "P.parquet"
    with pytest.raises(KeyboardInterrupt), show_progress(StopAfter(2)):
        world.run(out)
    model.rows = 0
    with pytest.raises(MismatchError, match="begun with other settings"):
        world.run(out, seed=4)
    done = world.run(out)
    assert (done.n_known, done.n_shards, model.rows) == (2, 3, 3)
    assert pd.read_parquet(out).equals(pd.read_parquet(tmp_path / "whole.parquet"))


def test_provenance_says_what_was_read(world: Any, tmp_path: Path, model: Any) -> None:
    world.run(tmp_path / "P.parquet", gene=["g1"])
    origin = read_origin(tmp_path / "P.parquet")
    assert origin["model"] == {"name": "sums", "digest": "ab" * 32}
    assert [Path(s["path"]).name for s in origin["sources"]] == ["g.fa", "genes.tsv", "v.vcf"]
    assert origin["n_haplotypes"] == 4
    assert origin["exprimo"]
    assert origin["command"]
    assert origin["settings"]["unphased"] == "error"


def test_a_plan_says_what_there_is_to_do(world: Any, model: Any) -> None:
    cost = plan_personal(
        "sums", genotypes=world / "v.vcf", fasta=world / "g.fa", genes=world / "genes.tsv"
    )
    assert cost[:4] == (4, 4, 32, 9)
    assert cost.seconds > 0
    assert model.rows == 2


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"gene": ["gm"]}, MismatchError, "chromosome without genotypes"),
        ({"gene": ["g9"]}, InputError, "no such gene"),
        ({"samples": ["ann", "eve"]}, MismatchError, "no such sample"),
        ({"on_ref_mismatch": "ignore"}, ConfigError, "on_ref_mismatch"),
    ],
)
def test_bad_input_is_refused(
    world: Any,
    tmp_path: Path,
    model: Any,
    change: dict[str, Any],
    error: type[ExprimoError],
    match: str,
) -> None:
    with pytest.raises(error, match=match):
        world.run(tmp_path / "P.parquet", **change)
    assert not list(tmp_path.iterdir())


def test_an_unknown_output_or_place_is_refused_before_any_work(
    world: Any, tmp_path: Path, model: Any
) -> None:
    with pytest.raises(InputError, match="unknown kind of output"):
        world.run(tmp_path / "P.xlsx")
    with pytest.raises(StorageError):
        world.run(Path("/proc/P.parquet"))
    assert model.rows == 0


def test_genotypes_that_change_after_the_plan_are_noticed(
    world: Any, tmp_path: Path, model: Any
) -> None:
    from exprimo.scoring.personal.config import PersonalConfig
    from exprimo.scoring.personal.work import open_personal

    window = {"gene_id": "g1", "chrom": "1", "tss": 100, "strand": "+"}
    config = PersonalConfig(
        model="sums",
        genotypes=str(world / "v.vcf"),
        fasta=str(world / "g.fa"),
        windows=({**window, "distinct": 4, "digest": "other"},),
        shards=(({"window": 0, "first": 0, "end": 4},),),
    )
    work = open_personal(config.model_dump(mode="json"))
    with pytest.raises(MismatchError, match="other haplotypes here than when"):
        work.run(0)
    work.close()


def test_a_full_disk_is_said_while_the_plan_is_kept(
    world: Any, tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**settings: Any) -> Any:
        return open("/dev/full", "w+b", buffering=0)

    monkeypatch.setattr(spool_module.tempfile, "TemporaryFile", full)
    with pytest.raises(StorageError, match="the disk is full"):
        world.run(tmp_path / "P.parquet")
    assert not list(tmp_path.iterdir())
