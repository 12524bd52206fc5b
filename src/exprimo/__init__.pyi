from exprimo.core.dataset import Dataset as Dataset
from exprimo.core.errors import ExprimoError as ExprimoError
from exprimo.core.run import Run as Run
from exprimo.data.check import check as check
from exprimo.data.fetch import fetch_enformer as fetch_enformer
from exprimo.data.fetch import fetch_genome as fetch_genome
from exprimo.data.fetch import fetch_geo as fetch_geo
from exprimo.data.fetch import fetch_weights as fetch_weights
from exprimo.features import dataset_chromatin as dataset_chromatin
from exprimo.features import dataset_features as dataset_features
from exprimo.features import dataset_hdf5 as dataset_hdf5
from exprimo.features import dataset_promoters as dataset_promoters
from exprimo.features import dataset_table as dataset_table
from exprimo.features.haplotypes import haplotypes as haplotypes
from exprimo.generate import generate_check as generate_check
from exprimo.generate import generate_fit as generate_fit
from exprimo.generate import generate_sample as generate_sample
from exprimo.generate.design import generate_design as generate_design
from exprimo.genetics.clumping import clump_associations
from exprimo.genetics.coloc import colocalise, twas
from exprimo.genetics.eqtl import map_eqtl
from exprimo.genetics.finemap import finemap_eqtl
from exprimo.genetics.overlap import overlap
from exprimo.genetics.scores.fitting import fit_scores
from exprimo.genetics.scores.scoring import score_people
from exprimo.genetics.stacking import stack as stack
from exprimo.interpret.explain import explain as explain
from exprimo.interpret.faithfulness.agreement import agreement as agreement
from exprimo.report import build_report
from exprimo.scoring import evaluate as evaluate
from exprimo.scoring import predict as predict
from exprimo.scoring.embeddings import embed as embed
from exprimo.scoring.mutagenesis import mutagenesis as mutagenesis
from exprimo.scoring.personal import personal as personal
from exprimo.scoring.variants import variants as variants
from exprimo.simulate import simulate as simulate
from exprimo.studies.commands import benchmark as benchmark
from exprimo.studies.commands import init as init
from exprimo.studies.commands import run as run
from exprimo.studies.commands import train as train
from exprimo.studies.demo import demo as demo
from exprimo.studies.differential_expression import dge as dge
from exprimo.studies.listing import models as models
from exprimo.studies.motifs import motifs_find as motifs_find
from exprimo.studies.motifs import motifs_insert as motifs_insert

report = build_report
clump = clump_associations
eqtl_map = map_eqtl
eqtl_finemap = finemap_eqtl
eqtl_coloc = colocalise
eqtl_twas = twas
eqtl_overlap = overlap
prs_fit = fit_scores
prs_score = score_people

_HOME: dict[str, str]
__all__: list[str]
