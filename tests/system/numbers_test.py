"""A number's life: into stock by a file, found, bought, on a trunk, moved, off it, released; and charged each
month."""

import json
import time

import pytest
from conftest import Site, said
from lab import script
from lab.appliance import Refused

COUNTRIES = (
    "AD AE AF AL AM AO AR AT AU AZ BA BD BE BF BG BH BI BJ BN BO BR BT BW BY BZ CA CD CF CG CH "
    "CI CL CM CN CO CR CU CV CY CZ DE DJ DK DZ EC EE EG ER ES ET FI FJ FM FR GA GB GE GH GM GN "
    "GQ GR GT GW GY HK HN HR HT HU ID IE IL IN IQ IR IS IT JO KE KG KH KI KM KP KR KW LA LB LI "
    "LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO").split()


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    made = Site(build, tmp_path_factory.mktemp("numbers"), name="numbers")
    try:
        yield made.start()
    finally:
        made.stop()


def wait(what, timeout=20):
    end = time.monotonic() + timeout
    while not (found := what()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def bring(site, *lines):
    file = site.work / "numbers.csv"
    file.write_text("\n".join(lines) + "\n")
    return site.trunkd.host_run_trunkctl(["import", "numbers", str(file)], None, True)


def find(site, **criteria):
    return site.trunkd.trunkctl("find", "numbers", *[f"{key}={value}" for key, value in criteria.items()])


def numbers_of(site, owner):
    return [row["e164"] for row in site.trunkd.trunkctl("show", "numbers", "of", owner)["numbers"]]


def number(site, e164):
    return site.trunkd.trunkctl("show", "number", e164)["number"]


def stock(site, e164, **fields):
    return site.trunkd.add("number", e164=e164, country="US", **fields)


def refused_whole(site, *words):
    with pytest.raises(Refused) as caught:
        site.trunkd.trunkctl(*words)
    return caught.value.answer


def refused(site, *words):
    return refused_whole(site, *words)["message"]


def test_a_file_with_a_wrong_row_brings_nothing(site):
    done = bring(site, "e164,country,type,capabilities,monthly_price", "+14155550001,US,local,voice;sms,1.15",
                 "4155550002,US,local,voice,1", "+14155550003,USA,local,voice,1",
                 "+14155550004,US,local,voice;fax,1", "+14155550005,US,local,voice,one",
                 "+14155550001,US,local,voice,1", "+819012345678,JP,mobile,voice;sms,2", "",
                 "+14155550199,US,local,voice,1")
    assert done.returncode == 1, done
    for words in ("line 3: e164: '4155550002' is not allowed", "line 4: country: 'USA' is not allowed",
                  "line 5: capabilities: is not known", "line 6: monthly_price: is no price",
                  "line 7: e164: stands in the file twice", "line 8: sms: a Japanese number",
                  "line 10: e164: '+14155550199' is taken", "nothing was imported"):
        assert words in done.stderr, done.stderr
    assert find(site)["in_stock"] == 0
    assert "no column" in bring(site, "phone", "+1").stderr
    assert "nothing to import" in bring(site, "e164").stderr


def test_thousands_are_imported_and_found_by_country_and_digits(site):
    """NUM-001: of more than 100 countries. NUM-002: by country and any digits. NUM-015."""
    rows = [f'"+1415{n:07}",US,local,"voice;sms;mms",1.15' for n in range(3000)]
    rows += [f"+8150{n:08},JP,mobile,voice,4.50" for n in range(200)]
    rows += [f"+99{n:03}0000,{country},national,voice,2" for n, country in enumerate(COUNTRIES)]
    done = bring(site, "e164,country,type,capabilities,monthly_price", *rows)
    assert done.returncode == 0 and f"{len(rows)} numbers imported" in done.stdout, done
    wait(lambda: find(site)["in_stock"] == len(rows))
    assert sum(find(site, country=country)["fit"] for country in COUNTRIES) == len(COUNTRIES) > 100
    found = find(site, country="US", pattern="+1415000123")
    assert [row["e164"] for row in found["numbers"]] == [f"+1415000123{n}" for n in range(10)]
    assert find(site, pattern="2*77$", max=1)["fit"] == 10 and len(find(site, max=1)["numbers"]) == 1
    assert find(site, sms="true")["fit"] == 3000
    first = found["numbers"][0]
    assert first["sms"] and first["mms"] and first["voice"] and first["price_micro"] == 1150000, first
    japanese = find(site, country="JP")
    assert japanese["fit"] == 200 and not any(row["sms"] for row in japanese["numbers"])
    assert "criterion" in refused(site, "find", "numbers", "pattern=41a")
    assert "number of Japan" in refused(site, "change", "number", "+815000000000", "country=US")
    assert "Japanese" in refused(site, "change", "number", "+815000000000", "sms=true")


def test_a_number_is_bought_moved_and_taken_off(site):
    """NUM-003 to -006, NUM-008, NUM-009 to -011."""
    e164, account = "+12125550001", site.sids["account"]
    stock(site, e164)
    assert "in stock" in refused(site, "change", "number", e164, f"account={account}")
    bought = site.trunkd.trunkctl("buy", "number", e164, account)["number"]
    assert bought["account"] == account and bought["voice_handler"] == "none" and bought["bought_s"]
    assert "belongs to an account" in refused(site, "buy", "number", e164, account)
    site.trunkd.trunkctl("associate", "number", e164, site.sids["fast"])
    assert numbers_of(site, "fast") == [e164] and number(site, e164)["voice_handler"] == "sip_trunking"
    site.trunkd.trunkctl("associate", "number", e164, "slow")  # moves
    assert numbers_of(site, "fast") == [] and numbers_of(site, "slow") == [e164]
    site.trunkd.change("number", e164, voice_url="https://example.com/voice")
    moved = number(site, e164)
    assert moved["voice_handler"] == "url" and moved["trunk"] is None and numbers_of(site, "slow") == []
    application = "AP" + 32 * "a"
    assert "AP and 32" in refused(site, "change", "number", e164, "voice_application=AP" + 32 * "x")
    site.trunkd.change("number", e164, voice_application=application)
    moved = number(site, e164)
    assert (moved["voice_handler"], moved["voice_url"], moved["voice_application"]) == ("application", None, application)
    site.trunkd.change("number", e164, trunk="fast")
    assert number(site, e164)["voice_application"] is None and numbers_of(site, "fast") == [e164]
    site.trunkd.change("number", e164, voice_application=application)
    assert numbers_of(site, "fast") == []
    site.trunkd.trunkctl("change", "number", e164, "trunk=slow", "name=Front desk")
    moved = number(site, e164)
    assert moved["voice_url"] is None and moved["name"] == "Front desk" and numbers_of(site, "slow") == [e164]
    site.trunkd.trunkctl("disassociate", "number", e164)
    assert numbers_of(site, "slow") == [] and e164 in numbers_of(site, account)
    assert "only release" in refused(site, "change", "number", e164, "account=")


def test_what_answers_a_number_is_one_of_four_choices(site):
    """NUM-007: SIP Trunking as a radio button in the Voice section, and the trunks to choose from; JSON gives an enum."""
    e164, account = "+12125550004", site.sids["account"]
    stock(site, e164)
    site.trunkd.trunkctl("buy", "number", e164, account)
    other = site.trunkd.add("account", name="Somebody Else")
    site.trunkd.add("trunk", account=other, name="theirs", domain="theirs")

    def section():
        shown = site.trunkd.host_run_trunkctl(["show", "number", e164], raw=True).stdout
        return [line.split(None, 2)[2] for line in shown.partition("\nVoice\n")[2].splitlines() if "handler" in line][0]

    def complete(word, *before):
        done = site.trunkd.host_run_trunkctl(["--complete", "change", "number", e164, *before, word], raw=True)
        return done.stdout.splitlines()
    choices = site.trunkd.trunkctl("show", "number", e164)["voice_handlers"]
    assert choices == ["sip_trunking", "url", "application", "none"]
    assert section() == "( ) SIP Trunking  ( ) URL  ( ) Application  (*) None"
    assert "voice_handler=" in complete("voice_h")
    assert complete("voice_handler=") == [f"voice_handler={choice}" for choice in choices]
    trunks = complete("", "voice_handler=sip_trunking")
    assert {"trunk=fast", "trunk=slow"} <= set(trunks) and all(word.startswith("trunk=") for word in trunks)
    assert "trunk=theirs" not in trunks and complete("trunk=f") == ["trunk=fast"]
    answer = refused_whole(site, "change", "number", e164, "voice_handler=fax")
    assert answer["field"] == "voice_handler" and answer["message"] == \
        "'fax' is not allowed; allowed: sip_trunking, url, application, none"
    answer = refused_whole(site, "change", "number", e164, "voice_handler=sip_trunking")
    assert answer["field"] == "trunk" and "fast" in answer["message"] and "slow" in answer["message"]
    assert "theirs" not in answer["message"]
    assert refused_whole(site, "change", "number", e164, "voice_handler=url")["field"] == "voice_url"
    assert "none has" in refused(site, "change", "number", e164, "voice_handler=none", "trunk=fast")
    assert number(site, e164)["voice_handler"] == "none"
    site.trunkd.change("number", e164, voice_handler="sip_trunking", trunk="fast")
    assert number(site, e164)["voice_handler"] == "sip_trunking" and numbers_of(site, "fast") == [e164]
    assert section() == "(*) SIP Trunking  ( ) URL  ( ) Application  ( ) None"
    site.trunkd.change("number", e164, voice_url="https://example.com/voice", voice_handler="url")
    assert section() == "( ) SIP Trunking  (*) URL  ( ) Application  ( ) None" and not numbers_of(site, "fast")
    site.trunkd.change("number", e164, voice_handler="none")
    assert number(site, e164)["voice_handler"] == "none" and number(site, e164)["voice_url"] is None


def test_the_list_of_numbers_shows_what_each_can_do(site):
    """NUM-014: flags for calls, SMS and MMS; a sign for SMS on a terminal of UTF-8, the plain word elsewhere; a filter."""
    account = site.trunkd.add("account", name="Texting Ltd")
    can = {"+12125550021": {"sms": "true", "mms": "true"}, "+12125550022": {"sms": "true"}, "+12125550023": {},
           "+12125550024": {"voice": "false", "sms": "true"}}
    for e164, abilities in can.items():
        stock(site, e164, **abilities)
        site.trunkd.trunkctl("buy", "number", e164, account)

    def shown(environment):
        text = site.trunkd.on_terminal("show", "numbers", "of", account, LC_ALL=environment)
        rows = [line.split() for line in text.splitlines() if line.startswith("+1212")]
        return {row[0]: row[2:6] if "\u2709" in row else row[2:5] for row in rows}
    assert shown("C.UTF-8") == {
        "+12125550021": ["Voice", "\u2709", "SMS", "MMS"], "+12125550022": ["Voice", "\u2709", "SMS", "-"],
        "+12125550023": ["Voice", "-", "-"], "+12125550024": ["-", "\u2709", "SMS", "-"]}
    assert shown("C")["+12125550021"] == ["Voice", "SMS", "MMS"] and shown("C")["+12125550023"] == ["Voice", "-", "-"]
    piped = site.trunkd.host_run_trunkctl(["show", "numbers", "of", account], raw=True,
                                          environment={"LC_ALL": "C.UTF-8"}).stdout
    assert "SMS" in piped and "\u2709" not in piped
    row = number(site, "+12125550024")
    assert (row["voice"], row["sms"], row["mms"]) == (False, True, False)

    def able(**wanted):
        words = [f"{ability}={value}" for ability, value in wanted.items()]
        rows = site.trunkd.trunkctl("show", "numbers", "of", account, *words)["numbers"]
        return {row["e164"][-1] for row in rows}
    assert able() == set("1234") and able(sms="true") == set("124") and able(mms="true") == set("1")
    assert able(sms="true", voice="true") == set("12") and able(sms="false") == set("1234")
    assert "sms=true" in refused_whole(site, "show", "numbers", "of", account, "fax=true")["hint"]


def test_a_released_number_rests_before_it_is_sold_again(site):
    """NUM-012: only by explicit action. Its trunk goes with it. NUM-020: its calls hear 404."""
    e164, account = "+12125550002", site.sids["account"]
    stock(site, e164)
    site.trunkd.trunkctl("buy", "number", e164, account, "fast")
    assert numbers_of(site, "fast") == [e164]
    site.trunkd.trunkctl("release", "number", e164)
    free = number(site, e164)
    assert free["in_stock"] and free["trunk"] is None and free["rests_until_s"] > time.time() + 29 * 86400
    assert e164 not in numbers_of(site, account) and find(site, pattern="2125550002")["fit"] == 0
    assert "rests" in refused(site, "buy", "number", e164, account)
    assert "in stock already" in refused(site, "release", "number", e164)
    gateway = site.caller(
        script.scenario(script.invite(), script.expect(404), script.ack_failure()), host="carrier",
        name="gateway", keys={"number": e164, "domain": site.net["appliance"].address,
                              "from": "+14155550142", "from_host": site.net["carrier"].address})
    assert gateway.run(10), said(gateway)
    assert json.dumps(site.trunkd.trunkctl("check", "number", e164)).find(account) < 0


def test_the_operator_asks_whether_a_number_is_active_and_able(site):
    """NUM-019: whether an account has it and it can have calls and messages, and why not."""
    e164 = "+12125550003"
    stock(site, e164, sms="true")

    def able():
        row = site.trunkd.trunkctl("check", "number", e164)["numbers"][0]
        return row["active"], row["voice"], row["sms"], row["mms"]
    assert able() == (False, False, False, False)
    site.trunkd.trunkctl("buy", "number", e164, site.sids["account"])
    assert able() == (True, True, True, False)

    def calls():
        row = site.trunkd.trunkctl("check", "number", e164)["numbers"][0]
        return row["takes_calls"], row["why_not"]
    assert calls() == (False, "it is on no trunk: its calls go nowhere")
    site.trunkd.trunkctl("associate", "number", e164, "fast")
    assert calls() == (True, None)
    site.trunkd.change("account", site.sids["account"], status="suspended")
    assert able() == (False, False, False, False) and "suspended" in calls()[1]
    site.trunkd.change("account", site.sids["account"], status="active")
    assert able()[0]


def months_charged(site, account):
    return sum(row["quantity"] for row in site.trunkd.trunkctl("show", "usage")["usage"]
               if row["category"] == "number" and row["account"] == account)


def test_numbers_are_charged_by_the_month_associated_or_not(site):
    """NUM-013: from purchase to release, once a month, also over a kill."""
    account = site.trunkd.add("account", name="Months Ltd")
    for nth in range(3):
        stock(site, f"+1212555010{nth}")
        site.trunkd.trunkctl("buy", "number", f"+1212555010{nth}", account)
    wait(lambda: months_charged(site, account) == 3)
    site.trunkd.trunkctl("release", "number", "+12125550100")
    site.trunkd.kill()
    site.trunkd.start()
    time.sleep(2)  # all claims of this node are written again
    assert months_charged(site, account) == 3
