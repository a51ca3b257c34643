"""Several processes that train one network: each on its own batches, gradients averaged once per step.

On a CPU, processes of one thread each are faster than one process of many threads, and a busy machine slows
them less: they wait for each other once per step instead of at every operation.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn


def run_parallel(work: Callable[[int], None], processes: int) -> None:
    """Call ``work(rank)`` in this many processes, which find each other; one process just calls it.

    ``work`` must be picklable: a module's function, or a partial of one.
    """
    if processes == 1:
        work(0)
        return
    port = _free_port()
    spawn(_run_one, args=(work, processes, port), nprocs=processes)  # type: ignore[no-untyped-call]


def average_step(parameters: Iterable[nn.Parameter], seconds: float) -> float:
    """Average the gradients over all processes, in place, and the seconds a step took, so that all clocks agree.

    Returns:
        The mean seconds; with one process, those given.
    """
    if not distributed.is_initialized():
        return seconds
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([*(gradient.flatten() for gradient in gradients), gradients[0].new_tensor([seconds])])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    means = torch.split(flat[:-1], [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))
    return float(flat[-1])


def share_from_first(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors with those of the first process."""
    if distributed.is_initialized():
        for tensor in tensors:
            distributed.broadcast(tensor, 0)


def _run_one(rank: int, work: Callable[[int], None], processes: int, port: int) -> None:
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))
    distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", world_size=processes, rank=rank)
    try:
        work(rank)
    finally:
        distributed.destroy_process_group()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
