"""The dataset of a promoter-halflife study, from a genome or from HDF5 files."""

from __future__ import annotations

from pathlib import Path

from exprimo.features import dataset_hdf5, dataset_promoters
from exprimo.studies.halflife.config import GeneSource, HalflifeStudy, StoredGenes
from exprimo.studies.sequence import source_paths


def build_dataset(study: HalflifeStudy, home: Path, out: Path) -> None:
    """Write the dataset of a study that does not name one."""
    if study.genes is not None:
        _from_genome(study.genes, home, out)
    elif study.hdf5 is not None:
        _from_hdf5(study.hdf5, home, out)


def _from_genome(source: GeneSource, home: Path, out: Path) -> None:
    values = source_paths(source, home)
    table = values.pop("halflife_table")
    if table is None:
        dataset_promoters(out=out, halflife=True, **values)
    else:
        dataset_promoters(out=out, halflife_table=home / table, **values)


def _from_hdf5(source: StoredGenes, home: Path, out: Path) -> None:
    files: Path | dict[str, Path] = home / source.train
    if source.val is not None and source.test is not None:
        files = {
            "train": home / source.train,
            "val": home / source.val,
            "test": home / source.test,
        }
    dataset_hdf5(files, out=out, target=source.target, channels=source.channels)
