"""Trains nano on a pool: batches, views, steps, files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from clickmask.decoder.checkpoints import read_weights
from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.modeling.config import NanoConfig
from clickmask.decoder.modeling.nano import Nano
from training.curves import Curves, draw_curves
from training.interactive import Start, StepReport, interactive_loss, plain_start
from training.loop import LoopConfig, Trainer
from training.parallel import run_parallel
from training.pasting import MOST_PASTED, paste_objects
from training.pool import check_pool
from training.sampler import Sampler
from training.targets import choose_targets
from training.views import random_colours, random_windows, render
from training.zoom import zoom_start

WEIGHTS_NAME = "nano.safetensors"
LOOK_EVERY = 50  # steps, for new shards in the pool
ATTENTION = ("mask_decoder.transformer", "click_tokens")  # learns slower than the rest, see LoopConfig.slow_parts


@dataclass(frozen=True)
class NanoTraining:
    """What a run of nano's training is made of.

    Args:
        loop: Time and rates.
        images: Per step and process.
        prompts: Per image.
        paste_share: Share of the steps whose images get objects of others.
        zoom_from: Share of the time after which zooms are trained too.
        zoom_share: Share of the steps from then on that are zooms.
        start: Weights to go on from, None to begin anew.
    """

    loop: LoopConfig
    network: NanoConfig = field(default_factory=NanoConfig)
    images: int = 6
    prompts: int = 6
    paste_share: float = 0.3
    zoom_from: float = 0.5
    zoom_share: float = 0.3
    seed: int = 0
    processes: int = 1
    start: Path | None = None


def train_nano(pool: Path, output: Path, training: NanoTraining, *, device: torch.device) -> Path:
    """Train until the time is up, going on from ``output/last.pt`` if there is one.

    Writes ``last.pt`` (to resume from), ``nano.safetensors`` (averaged weights, float16), ``curves.csv`` and
    ``curves.png`` into ``output``, every few minutes and at the end.

    Returns:
        The weights' path.

    Raises:
        DatasetError: If the pool lacks a kind of image.
        CheckpointError: If ``last.pt`` or the weights to start from are broken or of another network.
    """
    output.mkdir(parents=True, exist_ok=True)
    check_pool(pool)
    run_parallel(partial(_train, pool, output, training, device), training.processes)
    return output / WEIGHTS_NAME


def _train(pool: Path, output: Path, training: NanoTraining, device: torch.device, rank: int) -> None:
    """One process's share of the training; the first one writes the files."""
    torch.manual_seed(training.seed)
    network = _network(training.network, device)
    if training.start is not None:
        _start_from(network, training.start)
    trainer = Trainer(network, _network(training.network, device), training.loop)
    if (output / "last.pt").exists():
        trainer.resume(output / "last.pt")
    seed = training.seed + 1_000 * rank + trainer.progress.step  # other prompts than those already seen
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    sampler = Sampler(pool, generator, device)
    with torch.backends.cudnn.flags(enabled=True, benchmark=True):
        _train_on(trainer, sampler, training, generator, device, output if rank == 0 else None)


def _train_on(
    trainer: Trainer,
    sampler: Sampler,
    training: NanoTraining,
    generator: torch.Generator,
    device: torch.device,
    output: Path | None,
) -> None:
    """Take steps until the time is up; write what has come of them where there is a place to."""
    curves = Curves(output / "curves.csv") if output else None
    done = trainer.progress
    saved_at = done.seconds
    while trainer.share_done < 1:
        report = _step(trainer, sampler, training, generator, device)
        if done.step % LOOK_EVERY == 0:
            sampler.look_again()
        if output is None or curves is None:
            continue
        seen = done.step * training.images * training.processes
        curves.add(report, minutes=done.seconds / 60, step=done.step, images=seen)
        if done.seconds - saved_at > training.loop.save_every_s or trainer.share_done == 1:
            saved_at = done.seconds
            curves.flush()
            _write(trainer, output)
            print(f"{done.seconds / 60:.1f} min, {seen:,} images, {len(sampler):,} different ones", flush=True)


def export_weights(network: nn.Module, path: Path) -> None:
    """Write a network's weights as float16 safetensors."""
    state = {key: value.half() if value.is_floating_point() else value for key, value in network.state_dict().items()}
    save_file({key: value.contiguous() for key, value in state.items()}, path)


def _start_from(network: Nano, weights: Path) -> None:
    try:
        network.load_state_dict(read_weights(weights))
    except RuntimeError as error:
        raise CheckpointError(f"training cannot start from {weights}: {error}") from error


def _network(config: NanoConfig, device: torch.device) -> Nano:
    return Nano(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _write(trainer: Trainer, output: Path) -> None:
    trainer.save(output / "last.pt")
    export_weights(trainer.average, output / WEIGHTS_NAME)
    draw_curves(output / "curves.csv", output / "curves.png")


def _step(
    trainer: Trainer, sampler: Sampler, training: NanoTraining, generator: torch.Generator, device: torch.device
) -> StepReport:
    network = trainer.network
    assert isinstance(network, Nano)
    reports = []

    def loss() -> torch.Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            start = _start(network, sampler, training, trainer.share_done, generator, device)
            value, report = interactive_loss(network, start, generator)
        reports.append(report)
        return value

    network.train()
    trainer.step(loss)
    return reports[0]


def _start(
    network: Nano,
    sampler: Sampler,
    training: NanoTraining,
    share_done: float,
    generator: torch.Generator,
    device: torch.device,
) -> Start:
    images = sampler.draw(training.images)
    if float(torch.rand((), generator=generator)) < training.paste_share:
        images = paste_objects(images, 1 + int(torch.randint(MOST_PASTED, (), generator=generator)), generator)
    maps = random_windows(len(images), generator).to(device)
    colour = random_colours(len(images), generator).to(device)
    views = render(images, maps, training.network.image_side, colour=colour)
    zooms = share_done > training.zoom_from and float(torch.rand((), generator=generator)) < training.zoom_share
    if zooms:
        return zoom_start(network, images, maps, views, training.prompts, colour, generator)
    return plain_start(views, choose_targets(views.labels, training.prompts, generator), generator)
