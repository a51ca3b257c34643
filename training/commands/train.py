"""Train the model in the box: make a pool of training images and train on it for a given time.

On a GPU both go on at once, the pool on all cores but two; on a CPU one after the other.
"""

from __future__ import annotations

import argparse
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from clickmask.decoder.checkpoints import find_device
from training.loop import LoopConfig
from training.nano import FURTHER_SHARES, SHARES, NanoTraining, train_nano
from training.outlined import build_outlined
from training.pool import PoolPlan, build_pool, growing_pool

IMAGES, GPU_IMAGES = 6, 128  # per step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Material, time, place, outputs."""
    parser.add_argument("--data", type=Path, required=True, help="training pack: manifest.json, photos/, cutouts/")
    parser.add_argument("--minutes", type=float, required=True, help="time to train, all resumed runs together")
    parser.add_argument("--out", type=Path, default=Path("nano-training"), help="folder to write and to resume from")
    parser.add_argument("--pool", type=Path, help="folder of the pool (default: pool/ in the output folder)")
    parser.add_argument("--shards", type=int, default=184, help="size of the pool, in shards of 128 images")
    parser.add_argument("--device", default="cpu", help="where to train, such as cpu or cuda (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="that train together; one per core on a CPU")
    parser.add_argument("--images", type=int, help="per step and process (default: 6 on a CPU, 128 on a GPU)")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate (default: %(default)s)")
    parser.add_argument("--start", type=Path, metavar="WEIGHTS", help="go on from these weights instead of anew")
    parser.add_argument("--teacher", type=Path, metavar="WEIGHTS", help="a nano that labels photos: self-training")
    parser.add_argument("--lite", type=Path, metavar="WEIGHTS", help="published weights of EfficientNet-Lite0, a .pth")
    parser.add_argument("--masks", type=Path, help="photos that people outlined: masks.json, images/, masks/")
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="SOURCE", help="leave out sources of those, such as caltech"
    )
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Make what is missing of the pool, and train or go on training."""
    device = find_device(arguments.device)
    pool = arguments.pool or arguments.out / "pool"
    if arguments.masks is not None:
        build_outlined(arguments.masks, pool, without=arguments.without)
    shares = SHARES if arguments.start is None else FURTHER_SHARES
    training = NanoTraining(
        loop=LoopConfig(minutes=arguments.minutes, rate=arguments.rate, shares=shares),
        images=arguments.images or (IMAGES if device.type == "cpu" else GPU_IMAGES),
        zoom_from=0.5 if arguments.start is None else 0.0,
        processes=arguments.processes,
        seed=arguments.seed,
        start=arguments.start,
        lite=arguments.lite,
    )
    with _pool_for(device, arguments, pool):
        weights = train_nano(pool, arguments.out, training, device=device)
    print(f"wrote {weights}")
    return 0


def _pool_for(device: torch.device, arguments: argparse.Namespace, pool: Path) -> AbstractContextManager[None]:
    """What to train inside of: with the pool made before, or beside."""
    plan = PoolPlan.of_size(arguments.shards, seed=arguments.seed, teacher=arguments.teacher)
    cores = os.cpu_count() or 1
    if device.type != "cpu":
        return growing_pool(arguments.data, pool, plan, processes=max(1, cores - 2))
    build_pool(arguments.data, pool, plan, processes=cores)
    return nullcontext()
