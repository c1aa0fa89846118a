"""Where a report is computed: here, by pandas, or on the machines of a Dask scheduler. The functions are the same.

A task carries the report's name and a partition, never code or rows but those that are in
no file yet. Workers of Dask run this same release and see the same folder of datasets.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial as bound

import pandas as pd
import pyarrow as pa
from django.conf import settings

from analytics.datasets.files import COLUMNS, packed
from analytics.datasets.frames import Partition, Window
from analytics.datasets.reports import REPORTS, combine, partial

# Partial sums that one task of Dask combines, so that no machine ever holds all of them.
_AT_ONCE = 8
_CONNECT_SECONDS = 10
_NOTHING = Partition(packed(pa.schema(COLUMNS).empty_table()))


def compute(name: str, partitions: Sequence[Partition], window: Window) -> pd.DataFrame:
    """A report over partitions of the window. Raises OSError where the scheduler does not answer."""
    asked = partitions or [_NOTHING]
    whole = _on_dask(name, asked) if settings.DASK_SCHEDULER else _here(name, asked)
    return REPORTS[name].finish(whole.to_pandas(), window)


def _here(name: str, partitions: Sequence[Partition]) -> pa.Table:
    # Sums over arrays let other threads run; a book has about a file a month.
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        return combine(name, list(threads.map(bound(partial, name), partitions)))


def _on_dask(name: str, partitions: Sequence[Partition]) -> pa.Table:
    # Takes half a second to import, and most installations never need it.
    from distributed import Client

    with Client(settings.DASK_SCHEDULER, timeout=_CONNECT_SECONDS, set_as_default=False) as client:
        found = [client.submit(partial, name, each, pure=False) for each in partitions]
        while True:
            found = [
                client.submit(combine, name, found[at : at + _AT_ONCE], pure=False)
                for at in range(0, len(found), _AT_ONCE)
            ]
            if len(found) == 1:
                return found[0].result()
