"""Train the model in the box: make a pool of training images, then train on it for a given time."""

from __future__ import annotations

import argparse
from pathlib import Path

from decoder.checkpoints import find_device
from decoder.training.loop import LoopConfig
from decoder.training.nano import ATTENTION, NanoTraining, train_nano
from decoder.training.pool import PoolPlan, build_pool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Material, time, place, outputs."""
    parser.add_argument("--data", type=Path, required=True, help="training pack: manifest.json, photos/, cutouts/")
    parser.add_argument("--minutes", type=float, required=True, help="time to train, all resumed runs together")
    parser.add_argument("--out", type=Path, default=Path("nano-training"), help="folder to write and to resume from")
    parser.add_argument("--pool", type=Path, help="folder of the pool (default: pool/ in the output folder)")
    parser.add_argument("--shards", type=int, default=184, help="size of the pool, in shards of 128 images")
    parser.add_argument("--device", default="cpu", help="where to train, such as cpu or cuda (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="that train together; one per core on a CPU")
    parser.add_argument("--images", type=int, default=6, help="per step and process (default: %(default)s)")
    parser.add_argument("--start", type=Path, metavar="WEIGHTS", help="go on from these weights instead of anew")
    parser.add_argument("--teacher", type=Path, metavar="WEIGHTS", help="a nano that labels photos: self-training")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Make what is missing of the pool, then train or go on training."""
    device = find_device(arguments.device)
    pool = arguments.pool or arguments.out / "pool"
    build_pool(arguments.data, pool, PoolPlan.of_size(arguments.shards, seed=arguments.seed, teacher=arguments.teacher))
    weights = train_nano(
        pool,
        arguments.out,
        NanoTraining(
            loop=LoopConfig(minutes=arguments.minutes, slow_parts=ATTENTION),
            images=arguments.images,
            processes=arguments.processes,
            seed=arguments.seed,
            start=arguments.start,
        ),
        device=device,
    )
    print(f"wrote {weights}")
    return 0
