"""What is in order and what is not, each with what to do: for ``clickmask doctor`` and the status page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "wrong"]

_CURES: tuple[tuple[str, str], ...] = (
    (
        r"holds code",
        "take the weights as .safetensors, or from Meta's own address: code in weights is not run",
    ),
    (r"does not hold|fits no model", "take the file that belongs to the model: `clickmask models` lists them"),
    (r"cut short|not a whole safetensors|cannot be read as weights", "download the weights again: the file is damaged"),
    (
        r"weights of .* cannot be fetched",
        "set HTTPS_PROXY or HF_ENDPOINT, or fetch the file on another machine and name it with --model /path/to/file",
    ),
    (
        r"does not exist|model .* is unknown",
        "write the whole path of the weights: a relative one begins in the folder the backend was started from",
    ),
    (r"device .* cannot be used", "install the GPU's driver and a PyTorch made for it, or start with --device cpu"),
    (r"wanted an address like", "write Label Studio's address with http:// or https://, as in the browser"),
    (r"answered 404 .*/api/projects/\d", "Label Studio has no project of this number: it stands in the page's address"),
    (
        r"answered (404|30\d)|with no JSON",
        "this is another program's address, or Label Studio lives under a path: write it as http://host/path",
    ),
    (
        r"refused the personal access token|answered 40[13]|refused its own",
        "the token is missing, expired or of another server: copy a new one from Account & Settings into "
        "LABEL_STUDIO_API_KEY",
    ),
    (
        r"reserved network address",
        "start Label Studio with LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false: it refuses private addresses",
    ),
    (r"is not a public address", "name the host in --trusted-hosts if the backend may read from it"),
    (r"cannot be listened on", "stop the program that has the port, or choose another with --port"),
    (r"disk is full|No space left|MB are free", "free space, or name a folder on another disk with --data-dir"),
    (r"[Pp]ermission denied|Not a directory|Read-only", "name a folder that the backend may write to with --data-dir"),
    (r"certificate", "install the certificate's authority on this machine, or name it in SSL_CERT_FILE"),
    (
        r"[Cc]onnection refused|is unknown$|was not found within",
        "start the server, or mend the address: inside a container, localhost is the container itself",
    ),
    (
        r"took longer than|timed out",
        "the server or a proxy before it is slow or closed: the backend itself uses no proxy; raise --fetch-seconds",
    ),
    (r"still loads", "wait until the model is loaded, or choose a smaller one"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        state: "ok", a "note" that may matter, or "wrong".
        what: What was found.
        cure: What to do; "" where nothing is to be done.
    """

    state: State
    what: str
    cure: str = ""

    def line(self) -> str:
        """Write it as one line.

        Example:
            >>> Finding("wrong", "port 9090 is taken", "choose another").line()
            'wrong  port 9090 is taken: choose another'
        """
        text = " ".join(self.what.split())
        return f"{self.state:5}  {text}{': ' if self.cure else ''}{self.cure}"


def from_error(error: BaseException | str) -> Finding:
    """Turn an error into a finding, with the cure for its kind."""
    text = str(error) or type(error).__name__
    return Finding("wrong", text, cure_for(text))


def cure_for(message: str) -> str:
    """Find what helps against an error; "" where its own message has to do.

    Example:
        >>> cure_for("device cuda cannot be used here: no driver")
        "install the GPU's driver and a PyTorch made for it, or start with --device cpu"
    """
    return next((cure for pattern, cure in _CURES if re.search(pattern, message)), "")
