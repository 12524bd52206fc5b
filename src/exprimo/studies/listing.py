"""``exprimo models``: what the zoo holds."""

from __future__ import annotations

from typing import Any

from exprimo.core.config import Config
from exprimo.models import ModelSpec, Shapes, all_specs, get_spec

_EXAMPLE_SHAPES = {
    "sequence": (600,),
    "halflife": (8,),
    "signal": (5, 100),
    "cell_context": (10, 100),
    "kmer_bins": (125, 100),
}


def models(name: str | None = None) -> list[dict[str, Any]]:
    """List the zoo, or one entry with its options.

    Returns
    -------
    list of dict
        ``name, kind, inputs, tasks, n_parameters`` (for a window of 600 bases, five marks in
        100 bins; None for baselines, whose number depends on the data, and for what is built on
        published weights), ``n_parameters_few`` (the same with few training examples; it
        differs where open sizes follow their number),
        ``summary, citation, options, presets``.

    Examples
    --------
    >>> [entry["name"] for entry in models("mean")]
    ['mean']
    """
    specs = [get_spec(name)] if name is not None else list(all_specs())
    return [_entry(spec) for spec in specs]


def _entry(spec: ModelSpec) -> dict[str, Any]:
    config = spec.config()
    parameters = few = None
    if spec.kind == "network" and not spec.from_file:
        parameters = few = _n_parameters(spec, config)
        if spec.adapt is not None:
            few = _n_parameters(spec, spec.adapt(config, 1))
    return {
        "name": spec.name,
        "kind": spec.kind,
        "inputs": list(spec.inputs),
        "tasks": list(spec.tasks),
        "n_parameters": parameters,
        "n_parameters_few": few,
        "summary": spec.summary,
        "citation": spec.citation,
        "options": {
            key: {
                "default": _plain(getattr(config, key)),
                "meaning": " ".join((field.description or "").split()),
            }
            for key, field in spec.config.model_fields.items()
        },
        "presets": {
            name: {"options": dict(preset.options), "fit": dict(preset.fit), "note": preset.note}
            for name, preset in spec.presets.items()
        },
    }


def _n_parameters(spec: ModelSpec, config: Config) -> int:
    shapes = Shapes({name: _EXAMPLE_SHAPES[name] for name in spec.inputs}, spec.tasks[0])
    return sum(p.numel() for p in spec.build(config, shapes).parameters())


def _plain(value: Any) -> Any:
    """Give options inside options as a table."""
    return value.model_dump() if isinstance(value, Config) else value
