"""The rows of the table: what each is made of, and what stands over what."""

from __future__ import annotations

from typing import Any

import pytest

from exprimo.core.errors import ConfigError
from exprimo.studies.halflife.config import HALFLIFE_ALONE, ROWS
from exprimo.studies.halflife.plan import settled_splits, study_benchmark, study_question

BOTH, PROMOTER = "promoter + half-life", "promoter alone"
EMBEDDED = {"embeddings": {"model": "random-embedding:6"}}


def test_rows_of_one_trunk_differ_in_what_they_read_alone(study: Any) -> None:
    config = study_benchmark(study(), "D.h5", None, "median")
    assert config.models == tuple(ROWS)
    same = {name for name, model in config.variants.items() if model == "halflife_cnn"}
    assert same == {BOTH, PROMOTER, HALFLIFE_ALONE, "promoter + encoded half-life"}
    for name in same:
        assert set(config.options[name]) <= {"dna", "halflife"}
    assert config.options[BOTH] == {"halflife": "raw"}
    assert config.options[PROMOTER] == {"halflife": "none"}
    assert config.options[HALFLIFE_ALONE] == {"dna": "none", "halflife": "raw"}
    assert set(config.presets.values()) == {"controlled"}
    assert (config.above, config.embeddings, config.rivals) == ("median", None, (HALFLIFE_ALONE,))
    assert config.role(HALFLIFE_ALONE) == "baseline"
    assert config.role(BOTH) == "model"


def test_embeddings_replace_bases_but_where_no_dna_is_read(study: Any) -> None:
    config = study_benchmark(study(**EMBEDDED), "D.h5", "S", "median")
    read = {name: options["dna"] for name, options in config.options.items()}
    assert read.pop(HALFLIFE_ALONE) == "none"
    assert set(read.values()) == {"embedding"}
    assert config.embeddings == "S"


def test_what_the_study_sets_wins_over_the_row(study: Any) -> None:
    made = study(
        benchmark={
            "models": [BOTH, "wide", "cnn"],
            "variants": {"wide": "halflife_cnn"},
            "options": {BOTH: {"filters": 8, "halflife": "encoded"}, "cnn": {"channels": 8}},
            "presets": {BOTH: "published", "wide": "controlled"},
        }
    )
    config = study_benchmark(made, "D.h5", None, 3.5)
    assert config.options == {
        BOTH: {"halflife": "encoded", "filters": 8},
        "cnn": {"channels": 8},
    }
    assert config.presets == {BOTH: "published", "wide": "controlled"}
    assert config.variants == {BOTH: "halflife_cnn", "wide": "halflife_cnn"}
    # The rival is not compared, and a rival that is not compared would be refused.
    assert (config.rivals, config.above) == ((), 3.5)


def test_published_rows_read_embeddings(study: Any) -> None:
    with pytest.raises(ConfigError, match="published rows read embeddings"):
        study(preset="published")
    config = study_benchmark(study(preset="published", **EMBEDDED), "D.h5", "S", None)
    assert set(config.presets.values()) == {"published"}
    assert config.options[HALFLIFE_ALONE]["dna"] == "none"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dataset": "D.h5", "hdf5": {"train": "a.h5"}}, "hdf5 and dataset is given"),
        ({"genes": None, "dataset": None}, "none is given"),
        ({"hdf5": {"train": "a.h5", "val": "b.h5"}}, "give val and test both"),
        ({"interpretation": {"smooth": 4}}, "odd number"),
        ({"benchmark": {"above": "mean"}}, "above"),
        ({"presett": "controlled"}, "preset"),
    ],
)
def test_files_that_do_not_say_what_is_meant(study: Any, values: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        study(**values)


def test_splits_that_were_asked_for_stay(study: Any) -> None:
    asked = study(benchmark={"splits": ["chromosome"]})
    assert settled_splits(asked, ("gene_id", "part")) == ("chromosome",)
    assert settled_splits(study(), ("part", "chrom"))[0] == "column:part"
    assert settled_splits(study(), ("gene_id",)) == ("homology", "random")


def test_the_question_follows_the_target(study: Any) -> None:
    assert "high or low" in study_question(study())
    assert "How much" in study_question(study(benchmark={"above": "none"}))
    assert study_question(study(question="Why?", benchmark={"question": "x"})) == "Why?"
