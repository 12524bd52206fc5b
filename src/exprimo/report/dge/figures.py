"""The figures of a differential-expression folder, as files."""

from __future__ import annotations

from pathlib import Path

from exprimo.report.charts.chart import Chart
from exprimo.report.dge.dispersions import dispersion_plot
from exprimo.report.dge.genes import ma_plot, volcano
from exprimo.report.dge.reading import DgeFolder, read_dge
from exprimo.report.dge.samples import distance_map, pca_plot
from exprimo.report.document.html import draw_all, save_pictures


def dge_charts(dge: DgeFolder) -> list[Chart]:
    """Make every figure for which there is a table."""
    made = (volcano(dge), ma_plot(dge), dispersion_plot(dge), pca_plot(dge), distance_map(dge))
    return [chart for chart in made if chart is not None]


def write_dge_figures(folder: str | Path) -> list[Path]:
    """Write the figures of a differential-expression folder to ``figures/`` in it.

    Volcano and MA plot, dispersions, principal components and distances of the samples
    (``volcano, ma, dispersion, pca, sample_distances``), each as PNG and SVG.

    Parameters
    ----------
    folder
        A folder made by ``exprimo dge``.

    Returns
    -------
    list of Path
        The files that were written.
    """
    return save_pictures(draw_all(dge_charts(read_dge(folder))), Path(folder) / "figures")
