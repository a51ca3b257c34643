"""Measure how many clicks an object takes: models and classical methods, the same simulated person."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from clickmask.decoder.commands.arguments import (
    add_learned_argument,
    add_model_arguments,
    add_zoom_argument,
    load_asked_model,
)
from clickmask.decoder.evaluation.clicks import Record, Segment, evaluate, read_segments, sample_segments, summarise
from clickmask.decoder.evaluation.corrections import correct_all, corrections_table
from clickmask.decoder.evaluation.methods import GrabCut, Method, ModelMethod, RandomWalker
from clickmask.decoder.evaluation.report import draw_plot, draw_sheet, markdown_table, worst_and_typical
from clickmask.decoder.mask_rule import RULES

SHEET_ROWS = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data set, methods, sample, outputs."""
    parser.add_argument("folder", type=Path, help="data set: index.json, images and masks")
    add_zoom_argument(parser, "evaluate the model with a second look as well")
    parser.add_argument("--rule", default="auto", help=f"one of {', '.join(RULES)}, or a row 0 to 3 (default: auto)")
    parser.add_argument(
        "--from-mask", action="store_true", help="start from masks that are cut, leaky, shifted or coarse instead"
    )
    parser.add_argument("--baselines", action="store_true", help="evaluate GrabCut and the random walker as well")
    parser.add_argument("--limit", type=int, metavar="N", help="a random sample of N objects")
    parser.add_argument("--out", type=Path, default=Path("evaluation"), help="folder to write (default: %(default)s)")
    add_learned_argument(parser)
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, write table, records, plot and sheet; print the table."""
    segments = read_segments(arguments.folder)
    if arguments.limit is not None:
        segments = sample_segments(segments, arguments.limit)
    methods = _methods(arguments)
    if arguments.from_mask:
        return _evaluate_corrections(methods, segments, arguments.out)
    records = {method.name: _evaluate(method, segments) for method in methods}
    table = markdown_table([summarise(name, played) for name, played in records.items()])
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text(table + "\n")
    everything = {name: [asdict(record) for record in played] for name, played in records.items()}
    (out / "records.json").write_text(json.dumps(everything))
    draw_plot(records, out / "plot.png")
    shown = methods[len(methods) - 1 if not arguments.baselines else len(methods) - 3]
    by_name = {segment.name: segment for segment in segments}
    draw_sheet(shown, [by_name[name] for name in worst_and_typical(records[shown.name], SHEET_ROWS)], out / "sheet.png")
    print(table)
    print(f"wrote {out}/table.md, records.json, plot.png and sheet.png")
    return 0


def _methods(arguments: argparse.Namespace) -> list[Method]:
    model = load_asked_model(arguments)
    rule = int(arguments.rule) if arguments.rule.isdigit() else arguments.rule
    methods: list[Method] = [ModelMethod(model, rule)]
    if arguments.zoom:
        methods.append(ModelMethod(model, rule, zoom=True))
    if arguments.baselines:
        methods += [GrabCut(), RandomWalker()]
    return methods


def _evaluate_corrections(methods: list[Method], segments: list[Segment], out: Path) -> int:
    out.mkdir(parents=True, exist_ok=True)
    corrections = {
        method.name: list(tqdm(correct_all(method, segments), total=4 * len(segments), desc=method.name, unit="mask"))
        for method in methods
    }
    table = "\n\n".join(corrections_table(name, played) for name, played in corrections.items())
    (out / "corrections.md").write_text(table + "\n")
    (out / "corrections.json").write_text(
        json.dumps({name: [asdict(one) for one in played] for name, played in corrections.items()})
    )
    print(table)
    print(f"wrote {out}/corrections.md and corrections.json")
    return 0


def _evaluate(method: Method, segments: list[Segment]) -> list[Record]:
    return list(tqdm(evaluate(method, segments), total=len(segments), desc=method.name, unit="object"))
