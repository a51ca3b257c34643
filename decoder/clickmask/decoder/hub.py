"""Weights from the Hugging Face hub: fetched once, with a quick answer where that cannot be."""

from __future__ import annotations

from pathlib import Path

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.mirrors import SECONDS_TO_ANSWER, within


def fetch(repository: str, file_name: str) -> Path:
    """Return a file of a repository, fetched (with a progress bar) unless it is here already.

    The hub's own client would try again and again, half a minute long; a hub that does not answer is given up at once.

    Raises:
        CheckpointError: If it is not here and cannot be fetched; without a network within seconds.
    """
    here = cached(repository, file_name)
    if here is not None:
        return here
    from huggingface_hub import hf_hub_download  # takes a second to import, and most runs never need it

    try:
        _make_sure_it_answers(repository, file_name)
        return Path(hf_hub_download(repository, file_name))
    except Exception as error:  # its HTTP library changes with its version, and so do the errors it lets through
        raise CheckpointError(_message(repository, file_name, type(error).__name__)) from error


def cached(repository: str, file_name: str) -> Path | None:
    """Where a file of a repository lies on this machine, or None."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, file_name)
    return Path(found) if isinstance(found, str) else None


def _make_sure_it_answers(repository: str, file_name: str) -> None:
    from huggingface_hub import get_hf_file_metadata, get_token, hf_hub_url

    url = hf_hub_url(repository, file_name)
    within(SECONDS_TO_ANSWER, lambda: get_hf_file_metadata(url, token=get_token(), timeout=SECONDS_TO_ANSWER))


def _message(repository: str, file_name: str, reason: str) -> str:
    page = f"https://huggingface.co/{repository}"
    if reason == "GatedRepoError":
        return (
            f"the weights {file_name} are given to those only who agreed to their licence: do so at {page}, "
            "then run `hf auth login` with a token of your own"
        )
    return (
        f"the weights cannot be fetched: wanted {file_name} from {page}, got {reason}. Check the network, set "
        "HF_ENDPOINT to a mirror, or download the file elsewhere and give its path as the model."
    )
