"""The same reports by pandas, by three processes of Dask, and by the plainest pandas there is."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from distributed import LocalCluster

from analytics.datasets import engine, files
from analytics.datasets.frames import Frame, Partition, Window
from analytics.datasets.reports import REPORTS
from tests.analytics.datasets import made

MONTHS, ROWS = 10, 2_000
EVERYTHING = Window(0, 2**62)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("datasets")


@pytest.fixture(scope="module")
def tables():
    chance = np.random.default_rng(5)
    return [made.month(chance, date(2025, 1 + each, 1), ROWS, customers=3_000) for each in range(MONTHS)]


@pytest.fixture(scope="module")
def partitions(folder, tables):
    """Months in files, and the last one as what is in no file yet."""
    for number, table in enumerate(tables[:-1]):
        files.write(table, folder / f"{number}.arrow")
    written = [Partition(str(folder / f"{number}.arrow")) for number in range(MONTHS - 1)]
    return [*written, Partition(files.packed(tables[-1]))]


@pytest.fixture(scope="module")
def whole(tables):
    return pd.concat([table.to_pandas() for table in tables])


class TestCompute:
    @pytest.mark.requirement("A32")
    def test_is_the_same_on_three_processes(self, partitions, settings):
        here = {name: engine.compute(name, partitions, EVERYTHING) for name in REPORTS}

        with LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster:
            settings.DASK_SCHEDULER = cluster.scheduler_address
            there = {name: engine.compute(name, partitions, EVERYTHING) for name in REPORTS}

        for name in REPORTS:
            pd.testing.assert_frame_equal(here[name], there[name], check_exact=False, rtol=0, atol=1e-9)
            whole_numbers = here[name].select_dtypes("integer")
            assert whole_numbers.equals(there[name][whole_numbers.columns])
            assert len(here[name]) > 1

    def test_is_what_plain_pandas_says(self, partitions, whole):
        charges, refunds = whole[whole.kind == "charge"], whole[whole.kind == "refund"]

        found = engine.compute("sales_by_method", partitions, EVERYTHING).set_index(["currency", "method", "brand"])

        keys = ["currency", "method", "brand"]
        pd.testing.assert_series_equal(
            found["net_minor"].sort_index(),
            charges.groupby(keys)["amount_minor"].sum() - refunds.groupby(keys)["amount_minor"].sum(),
            check_names=False,
        )
        assert found["fees_minor"].sum() == whole["fee_minor"].sum()

    def test_ranks_products_and_loses_none(self, partitions, whole):
        found = engine.compute("sales_by_product", partitions, EVERYTHING)

        best = whole[(whole.kind == "charge") & (whole.currency == "CNY")].groupby("product")["items_milli"].sum()
        yuan = found[found.currency == "CNY"]
        assert list(yuan["rank"]) == [*range(1, 101), 0]
        assert yuan["items_milli"].sum() == best.sum()
        assert yuan["share"].sum() == pytest.approx(1)
        assert yuan["net_minor"].iloc[:100].is_monotonic_decreasing

    def test_tells_new_customers_from_those_who_came_before(self, partitions, whole):
        since = int(pd.Timestamp("2025-03-01").timestamp() * 1000)
        before = [Partition(each.source, is_before=True) for each in partitions[:2]]

        found = engine.compute("customers", [*before, *partitions[2:4]], Window(since, 2**62))

        charges = whole[(whole.kind == "charge") & (whole["at"] < pd.Timestamp("2025-05-01").timestamp() * 1000)]
        paying = charges[(charges["at"] >= since) & (charges.currency == "EUR")]
        counted = paying.groupby("customer")["count"].sum()
        seen = set(charges[charges["at"] < since]["customer"])
        euros = found[found.currency == "EUR"].set_index("kind")
        named = set(counted[counted > 0].index) - {""}
        assert euros.loc["new", "customers_count"] == len(named - seen)
        assert euros.loc["returning", "customers_count"] == len(named & seen)

    @pytest.mark.parametrize("name", REPORTS)
    def test_has_its_columns_where_nothing_was_sold(self, name, partitions):
        empty, full = engine.compute(name, [], EVERYTHING), engine.compute(name, partitions, EVERYTHING)

        assert len(empty) == 0
        assert list(empty.columns) == list(full.columns)

    def test_keeps_sums_that_no_float_would_hold(self, tables):
        table = tables[0]
        huge = np.full(table.num_rows, 2**53 // 1_000 + 1)
        table = table.set_column(table.schema.get_field_index("amount_minor"), "amount_minor", [huge])

        found = Frame(Partition(files.packed(table))).sums(["hour"], ["collected_minor"]).to_pandas()

        charges = table.column("kind").to_pandas().eq("charge").sum()
        assert found["collected_minor"].sum() == int(charges) * (2**53 // 1_000 + 1)


class TestWrite:
    def test_keeps_what_it_is_given_for_this_user_alone(self, tmp_path, tables):
        path = Path(tmp_path) / "one.arrow"

        written = files.write(tables[0], path)

        columns = list(files.COLUMNS)
        assert path.stat().st_mode & 0o777 == 0o600
        assert written.bytes_count == path.stat().st_size
        assert [each.name for each in Path(tmp_path).iterdir()] == ["one.arrow"]
        kept, given = (
            each.to_pandas().sort_values(columns, ignore_index=True) for each in (files.read(path), tables[0])
        )
        assert kept.equals(given[columns].sort_values(columns, ignore_index=True))
