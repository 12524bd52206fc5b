"""Tables of scores as files."""

from exprimo.scoring.variants.writing.writers import check_scores_path, scores_writer

__all__ = ["check_scores_path", "scores_writer"]
