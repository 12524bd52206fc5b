"""Exprimo: predict gene expression, and say how far each prediction can be believed.

Each command of the command line is one function of the same name here; nothing heavy is
imported before it is called.

>>> import exprimo
>>> exprimo.demo("demo")                                         # doctest: +SKIP
"""

from exprimo.core.public import publish

_HOME = {
    "Dataset": "exprimo.core.dataset:Dataset",
    "ExprimoError": "exprimo.core.errors:ExprimoError",
    "Run": "exprimo.core.run:Run",
    "benchmark": "exprimo.studies.commands:benchmark",
    "check": "exprimo.data.check:check",
    "dataset_chromatin": "exprimo.features:dataset_chromatin",
    "dataset_features": "exprimo.features:dataset_features",
    "dataset_hdf5": "exprimo.features:dataset_hdf5",
    "dataset_promoters": "exprimo.features:dataset_promoters",
    "dataset_table": "exprimo.features:dataset_table",
    "demo": "exprimo.studies.demo:demo",
    "dge": "exprimo.studies.differential_expression:dge",
    "embed": "exprimo.scoring.embeddings:embed",
    "eqtl_coloc": "exprimo.genetics.coloc:colocalise",
    "eqtl_finemap": "exprimo.genetics.finemap:finemap_eqtl",
    "eqtl_map": "exprimo.genetics.eqtl:map_eqtl",
    "eqtl_overlap": "exprimo.genetics.overlap:overlap",
    "eqtl_twas": "exprimo.genetics.coloc:twas",
    "evaluate": "exprimo.scoring:evaluate",
    "fetch_enformer": "exprimo.data.fetch:fetch_enformer",
    "fetch_genome": "exprimo.data.fetch:fetch_genome",
    "fetch_geo": "exprimo.data.fetch:fetch_geo",
    "fetch_weights": "exprimo.data.fetch:fetch_weights",
    "haplotypes": "exprimo.features.haplotypes:haplotypes",
    "init": "exprimo.studies.commands:init",
    "models": "exprimo.studies.listing:models",
    "mutagenesis": "exprimo.scoring.mutagenesis:mutagenesis",
    "personal": "exprimo.scoring.personal:personal",
    "predict": "exprimo.scoring:predict",
    "prs_fit": "exprimo.genetics.scores.fitting:fit_scores",
    "prs_score": "exprimo.genetics.scores.scoring:score_people",
    "report": "exprimo.report:build_report",
    "run": "exprimo.studies.commands:run",
    "simulate": "exprimo.simulate:simulate",
    "stack": "exprimo.genetics.stacking:stack",
    "train": "exprimo.studies.commands:train",
    "variants": "exprimo.scoring.variants:variants",
}

__all__ = publish(__name__, _HOME)
