"""Trains nano on a pool: batches, views, steps, files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.modeling.config import NanoConfig
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.weight_files import read_weight_file
from training.curves import Curves, draw_curves
from training.flaws import flawed_start
from training.interactive import Start, StepReport, interactive_loss, plain_start
from training.lite_weights import read_lite
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
SHARES = (  # of the rate, see LoopConfig.shares
    ("mask_decoder.transformer", 0.4),
    ("click_tokens", 0.4),
    ("trunk.lite.", 0.1),  # it has seen a million pictures; what is shown here must not make it forget them
)
FURTHER_SHARES = (  # where a run goes on from weights: what is there learns slower than what is new
    ("", 0.3),
    ("mask_decoder.transformer", 0.12),
    ("click_tokens", 0.12),
    ("trunk", 0.2),
    ("trunk.lite.", 0.1),
    ("trunk.lite_", 1.0),
    ("trunk.to_context", 1.0),
    ("trunk.merge", 1.0),
    ("judge", 1.0),
    ("mask_decoder.iou_prediction_head", 1.0),
)


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
        flawed_share: Share of the other steps that begin with flawed masks to be corrected.
        start: Weights to go on from, None to begin anew. Parts that they lack begin anew too. Norms keep their
            statistics then, and learn only their scales: those of a few images would be worse.
        lite: Published weights of the lite trunk to begin with, see ``lite_weights``.
        lite_from: Share of the time after which the lite trunk learns too; until then steps are cheaper.
    """

    loop: LoopConfig
    network: NanoConfig = field(default_factory=NanoConfig)
    images: int = 6
    prompts: int = 6
    paste_share: float = 0.3
    zoom_from: float = 0.5
    zoom_share: float = 0.3
    flawed_share: float = 0.25
    seed: int = 0
    processes: int = 1
    start: Path | None = None
    lite: Path | None = None
    lite_from: float = 0.2


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
        start_from(network, training.start)
    if training.lite is not None:
        network.trunk.lite.load_state_dict(read_lite(training.lite, training.network.lite)[0])
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


def start_from(network: Nano, weights: Path) -> list[str]:
    """Give a network the weights that fit it, by name and shape.

    Returns:
        The names of what was not there, which stays as it was.

    Raises:
        CheckpointError: If the file is broken, or most of the network is not in it.
    """
    state = network.state_dict()
    given = read_weight_file(weights).weights
    fitting = {key: value for key, value in given.items() if key in state and state[key].shape == value.shape}
    missing = sorted(state.keys() - fitting.keys() - {key for key in state if key.startswith("trunk.lite.")})
    if len(missing) > len(state) / 2 or not fitting:
        raise CheckpointError(f"training cannot start from {weights}: it lacks {len(missing)} of {len(state)} tensors")
    network.load_state_dict(fitting, strict=False)
    return missing


def keep_norms(network: nn.Module) -> None:
    """Make batch norms use and keep the statistics they have."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


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
    if training.start is not None:
        keep_norms(network)
    network.trunk.lite.requires_grad_(trainer.share_done >= training.lite_from)
    if trainer.share_done < training.lite_from:
        keep_norms(network.trunk.lite)
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
    targets = choose_targets(views.labels, training.prompts, generator)
    if float(torch.rand((), generator=generator)) < training.flawed_share:
        return flawed_start(views, targets, training.network.geometry.mask_side)
    return plain_start(views, targets, generator)
