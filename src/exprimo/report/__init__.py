"""One self-contained HTML report, and its figures, from the files of a folder; no torch."""

from exprimo.report.dge.figures import write_dge_figures
from exprimo.report.page import build_report, write_figures

__all__ = ["build_report", "write_dge_figures", "write_figures"]
