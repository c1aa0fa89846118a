"""`make bench`: payments, pages and webhooks a second, each beside its peer in the same run, and Home over much trade.

Prints JSON lines. The peer of wallet payments is pgbench, which calls the payment's own
function with rows of the same size in a loop: what the database alone can do.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from tests.benchmarks.platform_run import WEBHOOK_HOST, running


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    parser.add_argument("--history", type=int, default=100_000, help="payments of the payer with a history")
    parser.add_argument("--lines", type=int, default=200_000, help="order lines behind Home")
    parser.add_argument("--members", type=int, default=20_000, help="members whose points mature and expire")
    parser.add_argument(
        "--columns", type=int, default=int(os.environ.get("COLUMNS_LINES", 10_000_000)), help="order lines in files"
    )
    parser.add_argument("--only", choices=["datasets", "facts"], help="this part alone")
    arguments = parser.parse_args()
    with running() as (port, data_dir):
        os.environ["DATA_DIR"] = str(data_dir)
        for line in (data_dir / "run.env").read_text().splitlines():
            name, _, value = line.partition("=")
            os.environ[name] = value
        os.environ["WEBHOOK_ALLOW_HOSTS"] = WEBHOOK_HOST
        os.environ["DJANGO_SETTINGS_MODULE"] = "merchant_platform.settings"
        import django

        django.setup()
        from tests.benchmarks import cards, datasets, facts, offers, points, wallet_payments, webhooks

        def emit(**line: object) -> None:
            print(json.dumps(line, ensure_ascii=False), flush=True)

        if arguments.only == "datasets":
            return 0 if datasets.measure(lines=arguments.columns, emit=emit) else 1
        if arguments.only == "facts":
            return 0 if facts.measure(lines=arguments.lines, port=port, data_dir=data_dir, emit=emit) else 1
        clean = wallet_payments.measure(
            port=port, seconds=arguments.seconds, history=arguments.history, emit=emit, scratch=Path(data_dir)
        )
        clean = cards.measure(port=port, seconds=arguments.seconds, emit=emit) and clean
        clean = webhooks.measure(port=port, seconds=arguments.seconds, emit=emit) and clean
        clean = offers.measure(emit=emit) and clean
        clean = facts.measure(lines=arguments.lines, port=port, data_dir=data_dir, emit=emit) and clean
        clean = datasets.measure(lines=arguments.columns, emit=emit) and clean
        clean = points.measure(members=arguments.members, emit=emit) and clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
