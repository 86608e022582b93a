"""What has broken other stacks: overruns, smuggling, framing, numbers at their bounds. `section` is the
class of fault; where a flaw is public, its name."""

from messages import Message

SDP = "v=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\nm=audio 30000 RTP/AVP 0\n"


def request(method="INVITE", *extra, number=1, via=None, branch=None, line=None, head=None, body=SDP,
            length="{length}", contact="<sip:a@192.0.2.9>", kind="application/sdp", **fields):
    """A sound request but for what is given; a field None is left out."""
    name = fields.pop("name")
    lines = {"Via": via or f"SIP/2.0/UDP 192.0.2.9;branch={branch or 'z9hG4bK' + name}",
             "From": f"<sip:{{from:caller}}@{{host}}>;tag={name}", "To": "<sip:{to:b}@{host}>",
             "Call-ID": f"hostile-{name}", "CSeq": f"{number} {method}", "Max-Forwards": "70",
             "Contact": contact, **{key.replace("_", "-"): value for key, value in fields.items()}}
    text = [line or f"{method} sip:{{to:b}}@{{host}} SIP/2.0"]
    text += [f"{key}: {value}" for key, value in lines.items() if value is not None]
    text += list(extra)
    if kind:
        text.append(f"Content-Type: {kind}")
    if length is not None:
        text.append(f"Content-Length: {length}")
    return "\n".join(text) + "\n\n" + body


def row(name, section, udp, *extra, tcp=None, method="OPTIONS", body="", kind=None, **fields):
    return Message(name, section, request(method, *extra, name=name, body=body, kind=kind, **fields),
                   udp, tcp)


def call(name, section, udp, *extra, tcp=None, **fields):
    return row(name, section, udp, *extra, tcp=tcp, method="INVITE",
               **{"body": SDP, "kind": "application/sdp", **fields})


def response(name, first, udp="malformed", **fields):
    return Message(name, "response", request("INVITE", name=name, line=first, body="", kind=None,
                                             **fields), udp)


def parts(*bodies, boundary="b1"):
    return "".join(f"--{boundary}\n{body}\n" for body in bodies) + f"--{boundary}--\n"


OVERRUNS = [
    row("cseq_long", "CVE-2017-9372", 400, CSeq="1" * 300 + " OPTIONS"),
    row("cseq_method_long", "CVE-2017-9372", 400, CSeq="1 " + "A" * 3000),
    row("branch_long", "CVE-2018-8828", 200, branch="z9hG4bK" + "b" * 1800),
    row("branch_longer", "CVE-2018-8828", 400, branch="z9hG4bK" + "b" * 3000),
    row("tag_long", "CVE-2018-8828", 200, From="<sip:a@{host}>;tag=" + "t" * 1800),
    row("tag_longer", "CVE-2018-8828", 400, From="<sip:a@{host}>;tag=" + "t" * 3000),
    row("accepts", "CVE-2018-7284", 200, *["Accept: a/b"] * 90),
    row("accepts_more", "CVE-2018-7284", 400, *["Accept: a/b"] * 300),
    row("backslash", "CVE-2021-43611", 400, From='"\\" <sip:a@{host}>;tag=1'),
    row("backslashes", "CVE-2021-43611", 200, From='"' + "\\\\" * 500 + '" <sip:a@{host}>;tag=1'),
    row("one_quote", "belle-sip 24", 400, From='"'),
    row("one_quote_in_a_parameter", "belle-sip 24", 400, From='<sip:a@{host}>;tag=1;x="'),
    row("warning_empty", "sngrep 541", 200, "Warning:"),
    row("parameters", "quadratic time", 400, Contact="<sip:a@192.0.2.9>" + ";a" * 14000,
        tcp="large"),
    row("ampersands", "quadratic time", 400, Contact="<sip:a@192.0.2.9?" + "&a=b" * 9000 + ">",
        tcp="large"),
    row("commas", "quadratic time", 400, "Accept: " + "a/b," * 15000, tcp="large"),
    row("headers", "quadratic time", 400, *["a:b"] * 10000, tcp="large"),
    row("vias", "quadratic time", 400, *["v: SIP/2.0/UDP a.example;branch=z9hG4bKx"] * 100),
    row("via_list", "quadratic time", "withheld", "v: " + "SIP/2.0/UDP a," * 3000 +
        "SIP/2.0/UDP a", tcp="large"),
    row("folds", "quadratic time", 513, "Subject: a" + "\n " * 20000),
    row("user_long", "overrun", 414, line="OPTIONS sip:" + "u" * 5000 + "@{host} SIP/2.0"),
    row("name_long", "overrun", 400, "X" * 4000 + ": a"),
    row("head_large", "overrun", 513, *["X-Fill: " + "f" * 1900] * 20),
    row("formats", "format string", 400, From="%n%s%n%s <sip:%n%s@{host}>;tag=%n",
        Subject="%n%n%s%s"),
]

SMUGGLING = [
    row("space_before_colon", "CVE-2020-28361", 200, "X-Foo : bar"),
    row("length_twice_by_space", "CVE-2020-28361", 400, "Content-Length : 5", tcp="close"),
    row("control_before_colon", "AST-2016-009", 400, "Contact{hex:01}: <sip:evil@192.0.2.66>"),
    row("nul_before_colon", "AST-2016-009", 400, "Contact{hex:00}: <sip:evil@192.0.2.66>"),
    row("bare_lf", "smuggling", 400, "X-A: b{hex:0a}Route: <sip:evil.example>", tcp="close"),
    row("bare_cr", "smuggling", 400, "X-A: b{hex:0d}Route: <sip:evil.example>"),
    row("nul_line", "smuggling", 400, "{hex:00}", "Route: <sip:evil.example>"),
    row("nul_in_a_value", "smuggling", 400, "Subject: a{hex:00}b"),
    row("cr_in_a_quoted_pair", "smuggling", 400, From='"a\\{hex:0d}b" <sip:a@{host}>;tag=1'),
    row("line_in_an_escape", "smuggling", 400, Contact="<sip:a%0d%0aRoute:x@192.0.2.9>"),
    row("nul_in_the_target", "identity spoof", 400, line="OPTIONS sip:a%00@{host} SIP/2.0"),
    row("two_tags", "ambiguity", 400, From="<sip:a@{host}>;tag=1;tag=2"),
    row("two_branches", "ambiguity", 400, branch="z9hG4bKtwo;branch=z9hG4bKother"),
    row("two_max_forwards", "ambiguity", 400, "Max-Forwards: 5"),
    row("two_froms", "ambiguity", 400, "f: <sip:b@{host}>;tag=2"),
    row("two_call_ids", "ambiguity", 400, "i: other"),
    row("maddr", "amplification", 200, via="SIP/2.0/UDP 192.0.2.9;maddr=192.0.2.77;ttl=1;"
        "branch=z9hG4bKmaddr"),
    row("received_lies", "amplification", 200, via="SIP/2.0/UDP 192.0.2.9;received=192.0.2.77;"
        "branch=z9hG4bKreceived"),
]

FRAMING = [
    call("length_" + name, "framing", 400, tcp="large" if "of" in name or "32" in name else "close",
         length=value) for name, value in {
        "negative": "-1", "signed": "+5", "digits_and_letters": "5abc", "hexadecimal": "0x5",
        "beyond_32_bits": "4294967297", "of_20_digits": "18446744073709551617", "empty": "",
        "spaced": "1 2"}.items()
] + [
    call("length_twice", "framing", 400, "l: 0", tcp="close"),
    row("end_missing", "framing", 400, tcp="wait", length=None, body="{end}"),
    row("body_without_a_type", "framing", 200, body="anything"),
]
# The text of request() ends its head: this one's must not.
FRAMING[-2] = Message("end_missing", "framing", FRAMING[-2].text.removesuffix("\n\n{end}"), 400, "wait")

VALUES = [
    row("no_via", "mandatory", "malformed", Via=None),
    row("no_cseq", "mandatory", "malformed", CSeq=None),
    row("no_from", "mandatory", 400, From=None),
    row("no_to", "mandatory", 400, To=None),
    row("no_call_id", "mandatory", 400, Call_ID=None),
    row("cseq_negative", "number", 400, CSeq="-1 OPTIONS"),
    row("cseq_letters", "number", 400, CSeq="abc OPTIONS"),
    row("cseq_2_31", "number", 400, CSeq="2147483648 OPTIONS"),
    row("cseq_largest", "number", 200, CSeq="2147483647 OPTIONS"),
    row("hops_256", "number", 400, Max_Forwards="256"),
    row("port_99999", "number", 400, line="OPTIONS sip:b@{host}:99999 SIP/2.0"),
    row("port_letters", "number", 400, line="OPTIONS sip:b@{host}:abc SIP/2.0"),
    row("via_port_0", "number", 400, via="SIP/2.0/UDP 192.0.2.9:0;branch=z9hG4bKport"),
    row("method_bracket", "grammar", "malformed", line="OPT(IONS sip:b@{host} SIP/2.0"),
    row("version_3", "grammar", 505, line="OPTIONS sip:b@{host} SIP/3.0"),
    row("version_huge", "grammar", 505, line="OPTIONS sip:b@{host} SIP/4294967295.0"),
    row("escape_cut", "grammar", 400, line="OPTIONS sip:b%4@{host} SIP/2.0"),
    row("utf8_broken", "grammar", 200, "Subject: {hex:c328a0a1e228a1}"),
    row("utf8_overlong", "grammar", 200, "Subject: {hex:c0afe080af}"),
    call("sdp_huge_numbers", "overrun", 400, body="v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\n"
         "c=IN IP4 192.0.2.9\nt=0 0\nm=audio 99999999999 RTP/AVP 0\n"),
    call("sdp_many_lines", "overrun", 400, body=SDP + "a=x\n" * 4000),
    call("sdp_ends_oddly", "libosip2 over-read", 400, body="v=0\r\nm="),
    call("sdp_empty_lines", "overrun", 400, body="\n\n\n"),
]

RESPONSES = [
    response("status_negative", "SIP/2.0 -200 OK"),
    response("status_99", "SIP/2.0 99 Low"),
    response("status_700", "SIP/2.0 700 High"),
    response("status_letters", "SIP/2.0 200x OK"),
    response("status_alone", "SIP/2.0 200"),
    response("response_of_version_3", "SIP/3.0 200 OK"),
    response("response_to_nothing", "SIP/2.0 200 OK", "wrong_via"),
]

MULTIPART = [
    call("part_type_repeated", "libosip2 leak", 400, kind='multipart/mixed;boundary=b1',
         body=parts("Content-Type: a/b\n" * 1000 + "\nx")),
    call("part_without_end", "CVE-2022-41550", 400, kind='multipart/mixed;boundary=b1',
         body="--b1\nContent-Type: application/sdp\n"),
    call("part_boundary_missing", "CVE-2022-21723", 400, kind="multipart/mixed", body=parts(SDP)),
    call("part_boundary_long", "CVE-2022-21723", 400, kind="multipart/mixed;boundary=" + "b" * 200,
         body=parts("\n" + SDP, boundary="b" * 200)),
    call("parts_many", "overrun", 400, kind="multipart/mixed;boundary=b1", body=parts(*["\nx"] * 3000)),
    call("parts_nested", "overrun", 400, kind="multipart/mixed;boundary=b1",
         body=parts("Content-Type: multipart/mixed;boundary=b2\n\n" +
                    parts("Content-Type: application/sdp\n\n" + SDP, boundary="b2"))),
    call("parts_two_descriptions", "ambiguity", 400, kind="multipart/mixed;boundary=b1",
         body=parts(*["Content-Type: application/sdp\n\n" + SDP] * 2)),
    call("part_description", "", "call", kind='multipart/mixed;boundary="b1"',
         body=parts("Content-Type: text/plain\n\nhello",
                    "Content-Type: application/sdp\n\n" + SDP)),
]

MESSAGES = OVERRUNS + SMUGGLING + FRAMING + VALUES + RESPONSES + MULTIPART
