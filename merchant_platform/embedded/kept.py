"""What DATA_DIR remembers between starts: passwords, port numbers, and who may enter."""

import base64
import json
import os
import secrets
from pathlib import Path


class Damaged(Exception):
    """A kept file cannot be read; the text is one sentence for a person."""


class Kept:
    """A small JSON file that only its owner reads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, str]:
        try:
            values = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Damaged(f"{self.path} is damaged: put back a copy of it.") from error
        if not isinstance(values, dict):
            raise Damaged(f"{self.path} is damaged: put back a copy of it.")
        return values

    def write(self, name: str, value: str) -> str:
        """This will keep the value in one step, so that a power cut leaves the old file or the new one."""
        values = {**self.read(), name: value}
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(values, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
        return value

    def secret(self, name: str) -> str:
        """The password of that name, made at the first use."""
        return self.read().get(name) or self.write(name, secrets.token_urlsafe(48))

    def vault_keys(self) -> str:
        """The card vault's key in the form of VAULT_KEYS, made at the first use: 256 bits under a name."""
        return self.read().get("VAULT_KEYS") or self.write(
            "VAULT_KEYS", f"first:{base64.b64encode(secrets.token_bytes(32)).decode()}"
        )


def prepare_data_dir(data_dir: Path) -> None:
    """This will make DATA_DIR and its folder of logs. As root, the servers' own user may pass through the first."""
    data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    (data_dir / "log").mkdir(mode=0o700, exist_ok=True)
