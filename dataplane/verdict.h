#pragma once

// What became of a packet. One row gives the enumerator, the counter, the metric's label and the
// reference page, so that every loss has a name.
// Runs on: any thread; constant.

// name, metric label, sentence for the reference page
#define VERDICT_LIST(ROW)                                                                          \
	ROW(FORWARDED, "forwarded", "relayed to the other leg")                                    \
	ROW(PUNT, "punt", "not media: handed to the kernel")                                       \
	ROW(REPORT, "report", "RTCP of our own, for a leg whose other side sends none")            \
	ROW(EVENT, "event", "telephone event of our own, towards a leg that takes them")           \
	ROW(FROM_KERNEL, "from_kernel", "sent by the kernel, put on the wire")                     \
	ROW(DROP_TRUNCATED, "drop_truncated", "shorter than its headers say")                      \
	ROW(DROP_CHAINED, "drop_chained", "spread over several buffers")                           \
	ROW(DROP_FRAGMENT, "drop_fragment", "a fragment of media; it is not reassembled")          \
	ROW(DROP_IP_CHECKSUM, "drop_ip_checksum", "wrong IPv4 header checksum")                    \
	ROW(DROP_UDP_CHECKSUM, "drop_udp_checksum", "wrong UDP checksum")                          \
	ROW(DROP_UDP_LENGTH, "drop_udp_length", "UDP length differs from the IP length")           \
	ROW(DROP_NOT_RTP, "drop_not_rtp", "no RTP or RTCP version 2 header")                       \
	ROW(DROP_NO_STREAM, "drop_no_stream", "no open stream on this port")                       \
	ROW(DROP_TTL, "drop_ttl", "TTL or hop limit too low (MEDIA-016)")                          \
	ROW(DROP_WRONG_SOURCE, "drop_wrong_source", "from an address the stream does not accept")  \
	ROW(DROP_PAYLOAD_TYPE, "drop_payload_type", "a payload type that was not negotiated")      \
	ROW(DROP_AUTHENTICATION, "drop_authentication",                                            \
	    "SRTP with a wrong tag, or without a key yet")                                         \
	ROW(DROP_REPLAY, "drop_replay", "SRTP seen before, or older than the replay window")       \
	ROW(DROP_CRYPTO_FULL, "drop_crypto_full", "the SRTP engine took no more packets")          \
	ROW(DROP_HEARD, "drop_heard",                                                              \
	    "a telephone event for a leg that takes none: control heard it")                       \
	ROW(DROP_REPLACED, "drop_replaced", "a telephone event of our own left in its place")      \
	ROW(DROP_NO_NEXT_HOP, "drop_no_next_hop", "the destination's next hop is not known yet")   \
	ROW(DROP_NO_KERNEL, "drop_no_kernel", "not media, and no way to the kernel here")          \
	ROW(DROP_TX_FULL, "drop_tx_full", "the port or the kernel took no more packets")           \
	ROW(DROP_HAND_OVER_FULL, "drop_hand_over_full", "the owning worker's ring was full")       \
	ROW(HANDED_OVER, "handed_over", "arrived on another worker's queue, passed on")

#define VERDICT_ENUMERATOR(name, label, text) VERDICT_##name,
enum verdict { VERDICT_LIST(VERDICT_ENUMERATOR) VERDICT_COUNT };
#undef VERDICT_ENUMERATOR

const char *verdict_label(enum verdict verdict);
const char *verdict_text(enum verdict verdict);
