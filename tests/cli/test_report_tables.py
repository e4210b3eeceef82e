"""What stands in the tables of the report: numbers in the JSON, a price basis beside every dollar, dates that say what they are."""

import io
import numbers

import pytest
from rich.console import Console
from typer.testing import CliRunner

import nvscale as nv
from nvscale.cli import output
from nvscale.cli.application import application
from nvscale.report import Report, build_report
from nvscale.report.tables import Table


@pytest.fixture(scope="module")
def report() -> Report:
    return build_report()


def _money(table: Table) -> bool:
    return any("USD" in name or "dollar" in name or "price" in name or "cost" in name for name in table.headings())


def test_every_table_with_dollars_says_which_price_it_is(report: Report) -> None:
    shown = [table for table in report.tables if _money(table)]
    assert len(shown) >= 5
    for table in shown:
        text = " ".join([*table.notes, *(cell for row in table.text() for cell in row)])
        assert "list 2016" in text and "build cost 2026" in text, table.key


def test_factors_intervals_and_shares_are_numbers_in_the_json(report: Report) -> None:
    tables = report.to_dict()["tables"]
    for row in tables["growth_system"]["rows"]:
        assert isinstance(row["factor"], numbers.Real)
        assert row["interval"] is None or [isinstance(end, numbers.Real) for end in row["interval"]] == [True, True]
        assert isinstance(row["remarks"], list)
    assert sum(
        row["log share"] for row in tables["decomposition"]["rows"] if row["gain"] == "performance" and row["factor"] != "total"
    ) == pytest.approx(1.0)


def test_no_yearly_rate_over_less_than_a_year(report: Report) -> None:
    short = build_report(["dgx-b200", "gb200-nvl72"])
    table = next(table for table in short.tables if table.key == "growth_by_format")
    assert all(row["performance a year"] is None for row in table.records())


def test_announcements_are_called_so() -> None:
    undated = nv.system("dgx-h100").replace(shipped=None)
    table = next(table for table in build_report([undated, "gb200-nvl72"]).tables if table.key == "systems")
    assert next(row[1] for row in table.text()).endswith("announced")
    assert any("announcement" in remark for remark in nv.curves([undated, "gb200-nvl72"]).growth().remarks)


def test_estimates_behind_a_ratio_show_their_range() -> None:
    remarks = " ".join(nv.curves().growth("performance per dollar").remarks)
    assert "7.8 MUSD" in remarks and "5 MUSD to 9.1 MUSD" in remarks


def test_a_format_that_the_old_systems_lack_leaves_them_out_of_the_lineage() -> None:
    curves = nv.curves(precision="fp8")
    assert curves.skipped == ("dgx-1-p100", "dgx-1-v100", "dgx-2", "dgx-a100")
    assert next(point.name for point in curves.points) == "dgx-h100"


@pytest.mark.parametrize("width", [80, 100, 220])
def test_no_cell_is_cut_however_narrow_the_terminal(report: Report, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = io.StringIO()
    monkeypatch.setattr(output, "console", lambda: Console(file=drawn, width=width, highlight=False))
    for table in report.tables:
        drawn.seek(0)
        drawn.truncate()
        output.print_table(table)
        lines = drawn.getvalue().splitlines()
        assert all(len(line) <= width for line in lines), table.key
        seen = "".join(drawn.getvalue().split())
        for row in table.text():
            for cell in row:
                assert "".join(cell.split()) in seen or len(cell) >= output.longest_unfolded(width), (table.key, cell)


def test_the_default_pue_keeps_its_source_in_a_site_of_given_power() -> None:
    shown = CliRunner().invoke(application, ["system", "dgx-h100", "--power", "1 MW"]).output
    assert f"PUE {nv.views.default_pue()[0]:g}: 1.15 <- " in shown
    given = CliRunner().invoke(application, ["system", "dgx-h100", "--power", "1 MW", "--pue", "1.3"]).output
    assert "PUE 1.3: given by the caller" in given


def test_the_terms_of_a_system_are_options() -> None:
    shown = CliRunner().invoke(
        application, ["system", "dgx-h100", "--energy-price", "0.03 USD/kWh", "--life", "3 year", "--discount-rate", "0.1"]
    )
    assert shown.exit_code == 0
    assert "energy price: 0.03 USD/kWh, given by the caller" in shown.output
    assert "life: 3 year, given by the caller" in shown.output
