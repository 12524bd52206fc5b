"""What a model pays attention to, over many examples: importance, maps of layers, their files."""

from exprimo.interpret.files import (
    About,
    Interpretation,
    map_table,
    top_table,
    with_planted,
    write_interpretation,
)
from exprimo.interpret.importance import TopPositions, importance_profile, top_positions
from exprimo.interpret.map import layer_map
from exprimo.interpret.recovery import Recovery, motif_recovery

__all__ = [
    "About",
    "Interpretation",
    "Recovery",
    "TopPositions",
    "importance_profile",
    "layer_map",
    "map_table",
    "motif_recovery",
    "top_positions",
    "top_table",
    "with_planted",
    "write_interpretation",
]
