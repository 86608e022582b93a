"""What calls cost, and that it is counted once, whatever dies: OTHER-003 (in part)."""

import csv
import io

import pytest
from conftest import said
from lab import script
from lab.appliance import Refused
from survival_test import Talk

RATES = "# prices of a test\ntermination,*,0.6,60,60\ntermination,+1415,0.12,1,1\ncnam,*,0.01\n"


def call_once(site, seconds=0.3):
    called = site.called(script.called_talks(None, ring=0))
    caller = site.caller(script.caller_talks(None, seconds))
    assert caller.run(10), said(caller)
    assert called.wait(5), said(called)


def total(site, category="termination"):
    rows = [row for row in site.trunkd.trunkctl("show", "usage")["usage"] if row["category"] == category]
    return {key: sum(float(row[key]) for row in rows) for key in ("count", "quantity", "price", "unpriced")}


def gained(before, after):
    return {key: round(after[key] - before[key], 6) for key in before}


@pytest.fixture(name="rates")
def rates_of(site, tmp_path):
    file = tmp_path / "rates.csv"
    tmp_path.chmod(0o755)
    file.write_text(RATES)
    site.trunkd.write_config(usage__rates_file=str(file), usage__currency="EUR")
    site.trunkd.trunkctl("reload")
    yield file
    site.trunkd.write_config(usage__rates_file="")
    site.trunkd.trunkctl("reload")


def test_a_call_is_billed_by_the_price_of_its_number(site, rates):
    before = total(site)
    with site.watch() as seen:
        call_once(site, 1.2)
        row = seen.row()
    assert row["rate_prefix"] == "+1415" and row["billed_s"] == 2 and row["price"] == "0.004000", row
    assert gained(before, total(site)) == {"count": 1, "quantity": 2, "price": 0.004, "unpriced": 0}
    assert site.trunkd.metrics()["trunkd_usage_items_total"]['category="termination"'] >= 1


def test_wrong_prices_are_refused_by_line_and_the_former_ones_stay(site, rates):
    rates.write_text(RATES + "termination,+1,free\n")
    with pytest.raises(Refused) as refusal:
        site.trunkd.trunkctl("reload")
    assert f"{rates}:5" in str(refusal.value.answer) and "price" in str(refusal.value.answer)
    with site.watch() as seen:
        call_once(site)
        row = seen.row()
    assert row["price"] == "0.002000", row
    rates.write_text(RATES)


def test_sums_are_those_of_the_rows_after_trunkd_was_killed(site):
    """kill -9 with a call up and one just over: each is one row, and the sums grow by just these."""
    before, known = total(site), {row["sid"] for row in site.trunkd.history(1000)}
    talk = Talk(site, seconds=2, hangs_up=False)
    site.trunkd.kill()
    site.trunkd.start()
    rows = site.trunkd.wait_history(known, 1)
    row = site.trunkd.call(rows[0]["sid"])
    assert row["ended_by"] == "lost" and row["billed_s"] >= 1, row
    assert gained(before, total(site))["count"] == 1
    assert gained(before, total(site))["quantity"] == row["billed_s"]
    talk.caller.stop()
    talk.called.stop()
    site.trunkd.kill()  # and again: what is in the database already is not metered twice
    site.trunkd.start()
    assert gained(before, total(site))["count"] == 1
    call_once(site)


def test_the_call_log_is_exported_for_a_spreadsheet(site):
    """DEBUG-006, OTHER-005: a line of names, then a row a call."""
    call_once(site)
    text = site.trunkd.trunkctl("--csv", "show", "history", "status=200", 5, raw=True)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert 0 < len(rows) <= 5 and rows[0]["sid"].startswith("CA"), text
    assert rows[0]["sip_status"] == "200" and rows[0]["to"].startswith("+1415"), rows[0]
    bundle = site.trunkd.trunkctl("support", rows[0]["sid"])["bundle"]
    assert bundle["calls"][0]["sid"] == rows[0]["sid"] and bundle["objects"]["trunk"]["sid"]
    assert bundle["calls"][0]["ladder"] and "password" not in str(bundle).lower()
