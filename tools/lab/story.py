"""One call told in lines of text, from what `trunkctl show call` says of it."""

LADDER_WIDTH = 26


def arrow(text, points_right):
    body = f" {text} ".center(LADDER_WIDTH - 1, "-")
    return body + ">" if points_right else "<" + body


def ladder(call):
    """Three columns: caller, trunkd, called."""
    blank = " " * LADDER_WIDTH
    lines = [f"   {'ms':>7}   caller{'trunkd':^{2 * LADDER_WIDTH - 6}}called"]
    for step in call["ladder"]:
        is_caller = step["leg"] == "caller"
        points_right = (step["direction"] == "in") == is_caller
        drawn = arrow(step["what"][:LADDER_WIDTH - 4], points_right)
        left, right = (drawn, blank) if is_caller else (blank, drawn)
        lines.append(f"   {step['ms']:>7}   |{left}|{right}|".rstrip())
    return lines


def media(call):
    lines = []
    for side in call["media"]:
        drops = ", ".join(f"{count} for {cause}" for cause, count in side["drops"].items() if count)
        lines.append(
            f"   from {side['from']:7} {side.get('remote') or '?':>21} to {side.get('local') or '?'}: "
            f"{side['codec'] or 'no codec'}, {side['packets']} packets, {side['octets']} octets")
        lines.append(
            f"        lost {side['lost']} ({side['loss_percent']:.2f} %), jitter "
            f"{side['jitter_ms']:.2f} ms, lowest TTL {side['ttl_lowest']}, telephone events "
            f"{side['events']}, dropped {drops or 'none'}")
    return lines


def record(call):
    """The row of the call's history."""
    lines = [f"   {call['sid']}  {call['from']} -> {call['to']}",
             f"   trunk {call['trunk']}, carrier {call['carrier']}"
             f" (attempt {call.get('attempts', 1)})"]
    if "sip_status" in call:
        lines.append(f"   answered {call.get('answered_at') or 'never'}, ended by "
                     f"{call['ended_by'] or 'nobody'}: {call['sip_status']} {call['reason']}; "
                     f"{call['duration_s']} s in all, {call['talk_s'] or 0} s of talk")
    for alert in call.get("alerts", []):
        lines.append(f"   alert {alert['code']}: {alert['header']}: saw {alert['seen']}, expected "
                     f"{alert['expected']}. {alert['text']}")
    return lines


def tell(call):
    return ["The ladder", *ladder(call), "", "The media, as the worker core counted it", *media(call),
            "", "The call's record", *record(call)]
