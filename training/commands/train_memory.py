"""Train the memory that lets nano track: make clips of moving cut-outs over moving photos, then train on them."""

from __future__ import annotations

import argparse
from pathlib import Path

from clickmask.decoder.checkpoints import find_device
from training.loop import LoopConfig
from training.pool import PoolPlan, build_pool
from training.video_memory import MemoryTraining, train_nano_memory
from training.video_pool import ClipPlan, build_clips

HELD_OUT_SHARDS = 1
POOL_SHARDS = 12  # made only where there is no pool yet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Material, time, place, outputs."""
    parser.add_argument("--data", type=Path, required=True, help="training pack: manifest.json, photos/, cutouts/")
    parser.add_argument("--minutes", type=float, required=True, help="time to train, all resumed runs together")
    parser.add_argument("--out", type=Path, default=Path("memory-training"), help="folder to write and to resume from")
    parser.add_argument("--pool", type=Path, help="nano's pool, for backgrounds (default: pool/ in the output folder)")
    parser.add_argument("--clips", type=Path, help="folder of the clips (default: clips/ in the output folder)")
    parser.add_argument("--shards", type=int, default=64, help="shards of 16 clips (default: %(default)s)")
    parser.add_argument("--nano", default="nano", help="name or file of the nano it is for (default: the shipped one)")
    parser.add_argument("--device", default="cpu", help="where to train, such as cpu or cuda (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="that train together; one per core on a CPU")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Make what is missing of the clips, then train or go on training."""
    device = find_device(arguments.device)
    pool = arguments.pool or arguments.out / "pool"
    if not any(pool.glob("pseudo_*.npy")):
        build_pool(arguments.data, pool, PoolPlan.of_size(POOL_SHARDS, seed=arguments.seed))
    folder = arguments.clips or arguments.out / "clips"
    plans = [
        ClipPlan(arguments.shards, seed=arguments.seed),
        ClipPlan(HELD_OUT_SHARDS, seed=arguments.seed, held_out=True),
    ]
    clips, held_out = (build_clips(arguments.data, pool, folder, plan, processes=arguments.processes) for plan in plans)
    weights = train_nano_memory(
        arguments.nano,
        clips,
        held_out,
        arguments.out,
        MemoryTraining(
            loop=LoopConfig(minutes=arguments.minutes, rate=1e-3, weight_decay=0.01, averaging=0.995),
            processes=arguments.processes,
            seed=arguments.seed,
        ),
        device=device,
    )
    print(f"wrote {weights}")
    return 0
