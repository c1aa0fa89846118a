"""The embedded default: Postgres and Valkey from the wheels' own programs, and the sandbox acquirer, kept in DATA_DIR.

We drive initdb, postgres and valkey-server ourselves, because a server must survive what a
supervisor does not: kill -9, a long crash recovery, a second start, a clone in /root.
Nothing here reads Django's settings: the tests start their servers before those load.
"""

from merchant_platform.embedded.acquirer import Acquirer
from merchant_platform.embedded.postgres import Postgres
from merchant_platform.embedded.servers import ServerTrouble
from merchant_platform.embedded.valkey import Valkey

__all__ = ["Acquirer", "Postgres", "ServerTrouble", "Valkey"]
