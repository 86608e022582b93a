"""sipp scenarios as lists of steps:

    script.scenario(script.invite(), script.expect(100, optional=True), script.expect(180),
                    script.expect(200, dialog=True), script.ack(), script.play("speech.ulaw"),
                    script.pause(10), script.bye(), script.expect(200))

Words in [brackets] are sipp's; [number], [domain], [from] … come from `-key` (phones.Sipp)."""

from xml.sax.saxutils import quoteattr

SDP = """v=0
o=lab 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 {address}
t=0 0
m=audio {port} RTP/{profile} {types}
{crypto}a=rtpmap:0 PCMU/8000
{maps}a=ptime:20
a={direction}
"""


def sdp(port="[rtpstream_audio_port]", event=101, direction="sendrecv", version=1,
        address="[media_ip]", crypto=()):
    """`crypto`: lines of SRTP keys."""
    maps = f"a=rtpmap:{event} telephone-event/8000\na=fmtp:{event} 0-16\n" if event else ""
    return SDP.format(version=version, port=port, types=f"0 {event}" if event else "0", maps=maps,
                      direction=direction, address=address, profile="SAVP" if crypto else "AVP",
                      crypto="".join(f"{line}\n" for line in crypto))


def scenario(*steps):
    """Steps may be empty. [invite-branch] becomes the branch of the last INVITE sent before."""
    steps, last = [step for step in steps if step], 0
    for index, step in enumerate(steps):
        steps[index] = step.replace("[invite-branch]", f"[branch-{index - last}]")
        if "\nINVITE " in step:
            last = index
    body = "\n".join(steps)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
            f'<scenario name="lab">\n{body}\n</scenario>\n')


def send(text, body="", lost=None, retransmit=True, **attributes):
    """A message: header lines, then an optional SDP body."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append("Content-Length: [len]")
    if retransmit:
        attributes.setdefault("retrans", 500)
    if lost is not None:
        attributes["lost"] = lost
    extra = "".join(f' {name}="{value}"' for name, value in attributes.items())
    content = "\n".join(lines) + "\n\n" + (body or "")
    return f"<send{extra}><![CDATA[\n\n{content}\n]]></send>"


# ---- the caller's side

def request(method, target, cseq, to_tag=True, headers="", **options):
    peer = "[peer_tag_param]" if to_tag else ""
    return send(f"""{method} {target} SIP/2.0
        Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
        {'[routes]' if to_tag else ''}
        From: "Lab" <sip:[from]@[from_host]>;tag=[pid]T[call_number]
        To: <sip:[number]@[domain]>{peer}
        Call-ID: [call_id]
        CSeq: {cseq} {method}
        Contact: <sip:[from]@[local_ip]:[local_port]>
        Max-Forwards: 70
        {headers}""".replace("\n        \n", "\n"), **options)


def invite(body=None, cseq=1, headers="", credentials=False, **options):
    if credentials:
        headers += "[authentication]"  # sipp's options -au and -ap
    return request("INVITE", "sip:[number]@[domain]", cseq, False, headers,
                   body=sdp() if body is None else body, **options)


def reinvite(body, cseq=2):
    return request("INVITE", "[next_url]", cseq, body=body)


def ack(cseq=1):
    return request("ACK", "[next_url]", cseq, retransmit=False)


def ack_failure(cseq=1):
    """Of a final response from 300 on: same branch as the INVITE (RFC 3261 17.1.1.3)."""
    return send(f"""ACK sip:[number]@[domain] SIP/2.0
        Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[invite-branch];rport
        From: "Lab" <sip:[from]@[from_host]>;tag=[pid]T[call_number]
        To: <sip:[number]@[domain]>[peer_tag_param]
        Call-ID: [call_id]
        CSeq: {cseq} ACK
        Max-Forwards: 70""", retransmit=False)


def cancel():
    return send("""CANCEL sip:[number]@[domain] SIP/2.0
        Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[invite-branch];rport
        From: "Lab" <sip:[from]@[from_host]>;tag=[pid]T[call_number]
        To: <sip:[number]@[domain]>
        Call-ID: [call_id]
        CSeq: 1 CANCEL
        Max-Forwards: 70""")


def bye(cseq=9):
    return request("BYE", "[next_url]", cseq)


def options_request(target="sip:[domain]"):
    return request("OPTIONS", target, 1, False)


def expect(status, optional=False, dialog=False, auth=False, timeout=None, action=""):
    extra = ' optional="true"' if optional else ""
    extra += ' rrs="true"' if dialog else ""
    extra += ' auth="true"' if auth else ""
    extra += f' timeout="{timeout}"' if timeout else ""
    return f'<recv response="{status}"{extra}>{action}</recv>'


# ---- the called side

def wait_for(method, optional=False, dialog=None, timeout=None, action=""):
    dialog = method == "INVITE" if dialog is None else dialog
    extra = ' optional="true"' if optional else ""
    extra += ' rrs="true"' if dialog else ""
    extra += f' timeout="{timeout}"' if timeout else ""
    return f'<recv request="{method}"{extra}>{action}</recv>'


def answer(status, phrase, body="", retransmit=None, headers=""):
    """Of the last request received."""
    tagged = "" if status == 100 else ";tag=[pid]U[call_number]"
    if retransmit is None:
        retransmit = status >= 300 or bool(body) and status == 200
    return send(f"""SIP/2.0 {status} {phrase}
        [last_Via:]
        [last_From:]
        [last_To:]{tagged}
        [last_Call-ID:]
        [last_CSeq:]
        [last_Record-Route:]
        Contact: <sip:[local_ip]:[local_port];transport=[transport]>
        {headers}""", body, retransmit=retransmit)


def answer_in_dialog(status=200, phrase="OK", body=""):
    """Of a request whose To has our tag already."""
    return send(f"""SIP/2.0 {status} {phrase}
        [last_Via:]
        [last_From:]
        [last_To:]
        [last_Call-ID:]
        [last_CSeq:]
        Contact: <sip:[local_ip]:[local_port];transport=[transport]>""", body,
                retransmit=bool(body))


def called_bye(cseq=1):
    """The called party hangs up: From and To change places; sipp keeps neither, so the two header
    lines were saved by `remember`."""
    return send(f"""BYE [next_url] SIP/2.0
        Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
        [routes]
        From: [$to];tag=[pid]U[call_number]
        To: [$from]
        Call-ID: [call_id]
        CSeq: {cseq} BYE
        Max-Forwards: 70""")


def remember():
    """An action for wait_for("INVITE"): keeps From and To for a BYE of our own."""
    return ('<action><ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>'
            '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/></action>')


# ---- both

def play(file, loops=1):
    """Sends a file of µ-law octets, one packet in 20 ms."""
    return (f'<nop><action><exec rtp_stream={quoteattr(f"{file},{loops},0")}/>'
            "</action></nop>")


def pause(seconds):
    return f'<pause milliseconds="{int(seconds * 1000)}"/>'


def caller_talks(file, seconds, credentials=False, body=None):
    """A whole call from the caller's side."""
    first = [invite(body)]
    if credentials:
        first += [expect(100, optional=True), expect(407, auth=True), ack_failure(),
                  invite(body, cseq=2, credentials=True)]
    last = 2 if credentials else 1
    return scenario(*first, expect(100, optional=True), expect(180, optional=True),
                    expect(183, optional=True), expect(200, dialog=True), ack(last),
                    play(file) if file else "", pause(seconds), bye(last + 1), expect(200))


def called_talks(file, ring=0.2, body=None, reinvites=0):
    """A whole call from the called side, until the other hangs up, after so many offers more."""
    again = []
    for version in range(2, 2 + reinvites):
        again += [wait_for("INVITE"), answer_in_dialog(body=sdp(version=version)), wait_for("ACK")]
    return scenario(wait_for("INVITE"), answer(180, "Ringing"), pause(ring),
                    answer(200, "OK", sdp() if body is None else body), wait_for("ACK"),
                    play(file) if file else "", *again, wait_for("BYE"), answer_in_dialog())
