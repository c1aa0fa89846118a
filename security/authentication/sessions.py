"""What a session holds, sealed at rest: codes that were sent, numbers that wait to be proved, seeds to be confirmed."""

import json
from typing import Any

from security.authentication import secrets


class Sealed:
    """The serializer of sessions (settings.SESSION_SERIALIZER). One that cannot be opened is an empty session."""

    def dumps(self, held: Any) -> bytes:
        return secrets.seal(json.dumps(held, separators=(",", ":"))).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(secrets.unseal(data.decode()))
