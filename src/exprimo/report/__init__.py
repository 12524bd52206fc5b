"""One self-contained HTML report, and its figures, from the files of Runs; no torch."""

from exprimo.report.page import build_report, write_figures

__all__ = ["build_report", "write_figures"]
