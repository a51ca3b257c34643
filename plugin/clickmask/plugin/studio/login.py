"""The one account of the local Label Studio, made on first use and kept with its data."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

EMAIL = "clickmask@example.com"


@dataclass(frozen=True, slots=True)
class Login:
    """What a person types to log in, and the token programs use instead."""

    email: str
    password: str
    token: str  # 40 hexadecimal digits


def load_login(path: Path) -> Login:
    """Return the login kept in ``path``; make one that only this user can read if there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        made = Login(email=EMAIL, password=secrets.token_urlsafe(9), token=secrets.token_hex(20))
        path.write_text(json.dumps(asdict(made)))
    return Login(**json.loads(path.read_text()))
