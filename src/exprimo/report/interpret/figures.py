"""The figures of an interpretation, as files."""

from __future__ import annotations

from pathlib import Path

from exprimo.features.embeddings.attach import INPUT as EMBEDDING
from exprimo.report.charts.chart import Chart
from exprimo.report.document.html import draw_all, save_pictures
from exprimo.report.interpret.faithfulness import faithfulness_charts, with_banner
from exprimo.report.interpret.maps import map_charts
from exprimo.report.interpret.profile import importance_chart, top_positions_chart
from exprimo.report.interpret.reading import InterpretationFolder, read_interpretation


def interpretation_charts(found: InterpretationFolder) -> list[Chart]:
    """Make every figure for which there is a table.

    Figures of contributions say in the picture if these fail their check, or were not checked.
    """
    made = (importance_chart(found), top_positions_chart(found))
    read = {check.input for check in found.verdict.checks}
    # Where stored embeddings were explained, their contributions are drawn along the bases.
    name = EMBEDDING if EMBEDDING in read and "sequence" not in read else "sequence"
    shown = [with_banner(chart, found.verdict, name) for chart in made if chart is not None]
    return shown + map_charts(found) + faithfulness_charts(found)


def write_interpretation_figures(folder: str | Path) -> list[Path]:
    """Write the figures of an interpretation to ``figures/`` in it.

    ``importance, top_positions``, and the map twice (``map_class, map_probability``; of numbers
    ``map_prediction, map_target``), ``faithfulness``, each as PNG and SVG.

    Parameters
    ----------
    folder
        A folder with an ``interpretation.json``.

    Returns
    -------
    list of Path
        The files that were written.
    """
    charts = interpretation_charts(read_interpretation(folder))
    return save_pictures(draw_all(charts), Path(folder) / "figures")
