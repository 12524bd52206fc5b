"""Settings of a stack."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from exprimo.core.config import Config
from exprimo.data.phenotypes.transforms import TransformName
from exprimo.genetics.scores.fitting.config import Method

Design = Literal["gene", "genes", "people-by-genes"]
Normalisation = Literal["z", "quantile", "none"]
Member = Literal["ridge", "polynomial", "forest", "elastic_net", "boosting", "xgboost"]
Meta = Literal["stack_linear", "stack_xgboost"]

MEMBERS: tuple[Member, ...] = get_args(Member)
METAS: tuple[Meta, ...] = get_args(Meta)


class StackConfig(Config):
    """Which learners are stacked, and how each is fitted."""

    members: tuple[Member, ...] = MEMBERS
    """Learners whose predictions are put together."""

    metas: tuple[Meta, ...] = METAS
    """How they are put together: weights of 0 or more, the rest of 1 for the training mean
    (``stack_linear``), or boosted trees on the members' predictions (``stack_xgboost``)."""

    normalise: Normalisation = "z"
    """Of each feature, by training people: to mean 0 and deviation 1 (``z``), to a normal
    distribution by ranks (``quantile``), or ``none``."""

    inner_folds: int = Field(default=5, ge=2)
    """Folds of the training people, from which the meta-learners learn, and by which the scores
    of training people that are features are made."""

    cis_features: tuple[Method, ...] = ()
    """Scores on cis-genotypes that become features: ``baseline``, ``p+t``, ``elastic_net``."""

    transforms: tuple[TransformName, ...] = ()
    """Of expression, in this order, fitted on the training people of each fold."""

    hidden: Annotated[int, Field(ge=0)] | Literal["auto"] = 0
    """Hidden factors of expression among the covariates, likewise; ``auto``: by permutation. They
    are made of all genes, so that they have seen a little of the gene that is tested."""

    forest_trees: int = Field(default=100, ge=1)
    """Trees of a random forest."""

    forest_leaf: int = Field(default=5, ge=1)
    """People, at least, in a leaf of it."""

    boosting_rounds: int = Field(default=100, ge=1)
    """Trees of gradient boosting and of XGBoost."""

    boosting_depth: int = Field(default=1, ge=1)
    """Depth of these trees; 1: a sum of steps of single features."""

    boosting_leaf: int = Field(default=10, ge=1)
    """People, at least, in a leaf of these trees."""

    boosting_rate: float = Field(default=0.05, gt=0, le=1)
    """Share of each tree that is added."""

    boosting_rows: float = Field(default=0.7, gt=0, le=1)
    """Share of the people that each tree sees."""

    elastic_net_alpha: float = Field(default=0.5, gt=0, le=1)
    """1: lasso; towards 0: ridge."""

    meta_rounds: int = Field(default=40, ge=1)
    """Trees of the XGBoost meta-learner at most; folds of the training people choose how many."""

    @field_validator("members", "metas", "cis_features")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a learner is named twice")
        return value

    @field_validator("members")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("a stack needs at least one member")
        return value
