"""The secret of this installation: made at the first start, kept in ``instance/``, mode 600; or,
where several machines serve it, ``CLAUSEWAY_SECRET``, the same on each."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from lti_tool.config import Config

NAME = "secret.key"


def write_private(path: Path, content: bytes) -> bool:
    """Write a file that only its owner may read; false where somebody was quicker."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return True


def derived_secret(config: Config, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, derived from the installation's secret."""
    secret = config.secret.encode()
    if not secret:
        path = config.instance / NAME
        if not path.exists():
            write_private(path, secrets.token_bytes(32))
        secret = path.read_bytes()
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()
