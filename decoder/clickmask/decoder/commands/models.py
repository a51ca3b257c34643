"""List the models: their names, sizes, licences and where their weights are."""

from __future__ import annotations

import argparse

from clickmask.decoder.checkpoints import cached_weights, parameter_count
from clickmask.decoder.models import DEFAULT_MODEL, MODELS, ModelSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(arguments: argparse.Namespace) -> int:
    """Print one line per model."""
    del arguments
    print(f"{'name':24}{'parameters':>12}  {'licence':52}weights")
    for spec in MODELS.values():
        default = " (default)" if spec.name == DEFAULT_MODEL else ""
        millions = f"{parameter_count(spec) / 1e6:.1f} M"
        print(f"{spec.name + default:24}{millions:>12}  {spec.licence:52}{_place(spec)}")
    return 0


def _place(spec: ModelSpec) -> str:
    here = cached_weights(spec)
    if here is not None:
        return f"{here} ({here.stat().st_size / 1e6:.1f} MB)"
    return f"https://huggingface.co/{spec.repository} (fetched at first use)"
