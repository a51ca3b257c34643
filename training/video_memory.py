"""Trains nano's memory on clips; nano itself stays as it is."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.checkpoints import load_model
from clickmask.decoder.errors import CheckpointError, DatasetError
from clickmask.decoder.learning.losses import mask_losses, true_iou
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.modeling.nano_memory import MemoryOutput, NanoMemory, NanoMemoryConfig, Remembered
from clickmask.decoder.track import appearance
from clickmask.decoder.track.matching import RULE, guess
from clickmask.decoder.track.nano_propagation import settle
from clickmask.decoder.track.nano_weights import nano_digest, read_metadata, save_nano_memory
from training.curves import Curves, draw_curves
from training.loop import LoopConfig, Trainer
from training.parallel import run_parallel
from training.video_frames import ClipSet, Excerpt, visible

WEIGHTS_NAME = "nano-memory.safetensors"
PASSED = RULE.maps - 1  # frames just passed that are looked at
LENGTH = 5  # frames of an excerpt, the first one given
READ_WEIGHT = 0.3
SCORE_WEIGHT = 0.3
IOU_WEIGHT = 0.3
SEEN = 2.0  # stride-4 cells from which an object counts as seen
WRONG_FIRST = 0.3  # share of the given masks that are a cell too fat or too thin
STRENGTH = 0.5  # of corrections, in use; as strong as in training they did worse on other clips than no corrections
FIELDS = ("loss", "iou", "read_iou", "object_accuracy", "held_out_iou")


@dataclass(frozen=True)
class MemoryTraining:
    """What a run is made of.

    Args:
        loop: Time and rates.
        memory: Sizes of what is trained.
        clips: Per step and process.
        objects: Per clip.
        judged: Held-out clips that decide which weights are the best.
    """

    loop: LoopConfig
    memory: NanoMemoryConfig = field(default_factory=NanoMemoryConfig)
    clips: int = 2
    objects: int = 3
    judged: int = 16
    seed: int = 0
    processes: int = 1


@dataclass(frozen=True)
class MemoryReport:
    """Means over a step."""

    loss: float
    iou: float  # of what was found, where the object is seen
    read_iou: float  # of what places that look alike say, before the decoder
    object_accuracy: float
    held_out_iou: float  # of the averaged weights, as last measured


def train_nano_memory(
    nano: str, clips: list[Path], held_out: list[Path], output: Path, training: MemoryTraining, *, device: torch.device
) -> Path:
    """Train until the time is up, going on from ``output/last.pt`` if there is one.

    Writes into ``output`` every few minutes and at the end: ``last.pt`` to resume from, ``nano-memory.safetensors``
    (averaged weights, tempered, float16, those that did best on held-out clips so far), ``curves.csv``, ``curves.png``.

    Args:
        nano: The name or file of the nano whose maps are looked at.
        clips: Shards, at least one per process.
        held_out: Shards to measure on.
        output: Folder to write to.
        training: What to do.
        device: Where.

    Raises:
        DatasetError: If there are fewer shards than processes.
        CheckpointError: If the model is not a nano, or ``last.pt`` is broken.
    """
    if len(clips) < training.processes or not held_out:
        raise DatasetError(
            f"{len(clips)} shards of clips and {len(held_out)} held out, wanted at least {training.processes} and 1"
        )
    output.mkdir(parents=True, exist_ok=True)
    run_parallel(partial(_train, nano, clips, held_out, output, training, device), training.processes)
    return output / WEIGHTS_NAME


def load_frozen_nano(name: str, device: torch.device) -> Nano:
    """Load the nano to look through.

    Raises:
        CheckpointError: If the model is another one.
    """
    network = load_model(name, device=device).network
    if not isinstance(network, Nano):
        raise CheckpointError(f"the memory is trained for nano, got the model {name}")
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _train(
    nano_name: str,
    clips: list[Path],
    held_out: list[Path],
    output: Path,
    training: MemoryTraining,
    device: torch.device,
    rank: int,
) -> None:
    """One process's share of the training, on its own clips; the first one measures and writes the files."""
    torch.manual_seed(training.seed)
    nano = load_frozen_nano(nano_name, device)
    trainer = Trainer(NanoMemory(training.memory).to(device), NanoMemory(training.memory).to(device), training.loop)
    if (output / "last.pt").exists():
        trainer.resume(output / "last.pt")
    seed = training.seed + 1_000 * rank + trainer.progress.step  # other excerpts than those already seen
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    seen = ClipSet(clips[rank :: training.processes], nano, device)
    writer = _Writer(output, ClipSet(held_out, nano, device), training, nano_digest(nano)) if rank == 0 else None
    saved_at = trainer.progress.seconds
    while trainer.share_done < 1:
        report = _step(trainer, seen, training, generator)
        if writer:
            writer.add(report, trainer)
        if trainer.progress.seconds - saved_at > training.loop.save_every_s:
            saved_at = trainer.progress.seconds
            if writer:
                writer.write(trainer)
    if writer:
        writer.write(trainer)


class _Writer:
    """Measures the average on held-out clips and keeps the best."""

    def __init__(self, output: Path, held_out: ClipSet, training: MemoryTraining, digest: str) -> None:
        self._output, self._held_out, self._training, self._digest = output, held_out, training, digest
        self._curves = Curves(output / "curves.csv", fields=FIELDS)
        self._best = _best_so_far(output / WEIGHTS_NAME, digest)
        self._latest = self._best

    def add(self, report: MemoryReport, trainer: Trainer) -> None:
        done = trainer.progress
        images = done.step * self._training.clips * LENGTH * self._training.processes
        report = MemoryReport(report.loss, report.iou, report.read_iou, report.object_accuracy, self._latest)
        self._curves.add(report, minutes=done.seconds / 60, step=done.step, images=images)

    def write(self, trainer: Trainer) -> None:
        trainer.save(self._output / "last.pt")
        assert isinstance(trainer.average, NanoMemory)
        memory = tempered(trainer.average)
        self._latest = held_out_iou(memory, self._held_out, self._training)
        if self._latest >= self._best:
            self._best = self._latest
            metadata = {"nano": self._digest, "held_out_iou": f"{self._latest:.4f}"}
            save_nano_memory(memory, self._output / WEIGHTS_NAME, metadata)
        self._curves.flush()
        draw_curves(self._output / "curves.csv", self._output / "curves.png", ("iou", "read_iou", "held_out_iou"))
        spent = f"{trainer.progress.seconds / 60:.1f} min, step {trainer.progress.step}"
        print(f"{spent}: held-out IoU {self._latest:.4f}, best {self._best:.4f}", flush=True)


def _best_so_far(path: Path, digest: str) -> float:
    """The held-out IoU of the weights already there; 0 where there are none for this nano."""
    metadata = read_metadata(path) if path.exists() else {}
    return float(metadata["held_out_iou"]) if metadata.get("nano") == digest else 0.0


def tempered(memory: NanoMemory) -> NanoMemory:
    """The same with corrections ``STRENGTH`` times as strong: what it is too sure of on the clips it was trained on."""
    milder = copy.deepcopy(memory)
    with torch.no_grad():
        for parameter in milder.out.parameters():
            parameter.mul_(STRENGTH)
    return milder


def held_out_iou(memory: NanoMemory, clips: ClipSet, training: MemoryTraining) -> float:
    """Mean IoU over all followed frames of the first held-out clips, from the true first mask."""
    generator = torch.Generator().manual_seed(7)
    ious = []
    with torch.no_grad(), torch.autocast(next(memory.parameters()).device.type, torch.bfloat16):
        for index in range(min(training.judged, len(clips))):
            clip = clips[index]
            frames = tuple(range(len(clip.colours)))
            excerpt = Excerpt(clip, frames, visible(clip, frames, training.objects, generator))
            if len(excerpt.objects):
                ious += [
                    true_iou(found.logits.float(), truth[:, 0])[_area(truth) >= SEEN]
                    for found, truth in follow(memory, excerpt, excerpt.clip.masks(0, excerpt.objects))
                ]
    return float(torch.cat(ious).mean()) if ious else 0.0


def follow(memory: NanoMemory, excerpt: Excerpt, first: Tensor) -> list[tuple[MemoryOutput, Tensor]]:
    """Follow objects from their masks (B, 1, 64, 64) on the first frame; what is found and the truth per later frame.

    What is remembered of a found mask teaches nothing to the frame it was found on.
    """
    (features, colours, _), *rest = excerpt.steps()
    prompted = _Passed(colours, memory.remember(features, memory.looks(features, colours), first))
    passed: list[_Passed] = []
    answers = []
    for features, colours, truth in rest:
        looks = memory.looks(features, colours)
        guesses = _guesses(colours, prompted, passed)
        learned = [frame.learned for frame in passed]
        found = memory.correct(features, looks, guesses, [prompted.learned], learned)
        answers.append((found, truth))
        shares = settle(MemoryOutput(*(value.detach() for value in found)))[1]
        passed = [_Passed(colours, memory.remember(features, looks, shares)), *passed][:PASSED]
    return answers


class _Passed(NamedTuple):
    """A frame as it is remembered while following."""

    colours: Tensor  # (1, 12, 64, 64)
    learned: Remembered

    def of(self, row: int) -> appearance.Remembered:
        """One object's share of it, on the CPU."""
        return appearance.Remembered(self.colours[0].cpu(), self.learned.shares[row, 0].cpu())


def _guesses(colours: Tensor, prompted: _Passed, passed: list[_Passed]) -> Tensor:
    """Where the objects may be by their colours, (B, 1, 64, 64)."""
    found = []
    for row in range(len(prompted.learned.shares)):
        latest = (passed or [prompted])[0].of(row).labels
        found.append(guess(colours[0].cpu(), [frame.of(row) for frame in passed], [prompted.of(row)], latest))
    return torch.stack(found)[:, None].to(colours.device)


def follow_loss(answers: list[tuple[MemoryOutput, Tensor]]) -> tuple[Tensor, MemoryReport]:
    """Mean loss over objects and frames, and what it is made of."""
    found = MemoryOutput(*(torch.cat(values).float() for values in zip(*(a for a, _ in answers), strict=True)))
    truth = torch.cat([masks for _, masks in answers])  # (M, 1, 64, 64)
    present = (_area(truth) >= SEEN).float()
    masks = mask_losses(found.logits, truth[:, 0])[:, 0]
    shares = found.read_shares.clamp(1e-4, 1 - 1e-4)
    reads = F.binary_cross_entropy(shares, truth.expand_as(shares))
    with torch.no_grad():
        iou = true_iou(found.logits, truth[:, 0])[:, 0]
        read_iou = true_iou(found.read_shares - 0.5, truth[:, 0]).mean(dim=1)
    score = F.binary_cross_entropy_with_logits(found.object_score, present)
    rating = (found.predicted_iou.sigmoid() - iou).abs().mul(present).sum() / present.sum().clamp(min=1)
    loss = masks.mean() + READ_WEIGHT * reads + SCORE_WEIGHT * score + IOU_WEIGHT * rating
    seen = present / present.sum().clamp(min=1)
    right = ((found.object_score > 0) == (present > 0)).float().mean()
    return loss, MemoryReport(
        float(loss.detach()), float((iou * seen).sum()), float((read_iou * seen).sum()), float(right), 0.0
    )


def _step(trainer: Trainer, clips: ClipSet, training: MemoryTraining, generator: torch.Generator) -> MemoryReport:
    memory = trainer.network
    assert isinstance(memory, NanoMemory)
    reports = []

    def loss() -> Tensor:
        answers = []
        for _ in range(training.clips):
            excerpt = _draw(clips, training, generator)
            with torch.autocast(excerpt.clip.image.device.type, torch.bfloat16):
                answers += follow(memory, excerpt, _first_masks(excerpt, generator))
        value, report = follow_loss(answers)
        reports.append(report)
        return value

    trainer.step(loss)
    return reports[0]


def _draw(clips: ClipSet, training: MemoryTraining, generator: torch.Generator) -> Excerpt:
    """An excerpt with something to follow."""
    while True:
        excerpt = clips.draw(LENGTH, training.objects, generator)
        if len(excerpt.objects):
            return excerpt


def _first_masks(excerpt: Excerpt, generator: torch.Generator) -> Tensor:
    """The masks to start from; people and networks draw some of them a little too fat or too thin."""
    first = excerpt.clip.masks(excerpt.frames[0], excerpt.objects)
    kind = float(torch.rand((), generator=generator)) / WRONG_FIRST
    if kind < 0.5:
        return F.max_pool2d(first, 3, 1, 1)
    return -F.max_pool2d(-first, 3, 1, 1) if kind < 1 else first


def _area(masks: Tensor) -> Tensor:
    """Of masks (B, 1, h, w) [cells]: (B,)."""
    return masks.flatten(1).sum(dim=1)
