// The table of refusals against what the requirements print. Runs on the thread of the test.

#include "call/refusal.h"

#include <string.h>

#include "call/state.h"
#include "tests/check.h"

// Section B of the requirements, letter by letter (SIP-029).
static void phrases_are_the_documented_ones(void **state)
{
	(void)state;
	static const struct {
		enum refusal_cause cause;
		unsigned status;
		const char *phrase;
	} rows[] = {
		{ REFUSED_SOURCE, 403, "Forbidden" }, // B1-2
		{ REFUSED_CREDENTIALS, 403, "Forbidden" }, // B1-4
		{ REFUSED_CALLED_NUMBER, 400, "Bad Request" }, // B1-5
		{ REFUSED_CALLER_ID, 403, "Invalid Caller ID" }, // B1-7
		{ REFUSED_CALLER_ID_FORM, 403, "Invalid Caller ID" },
		{ REFUSED_UNVERIFIED, 400, "The number is unverified" }, // B1-6
		{ REFUSED_BLACKLISTED, 403,
		  "Phone number is blacklisted for verification" }, // B1-8
		{ REFUSED_COUNTRY, 403, "No International Authorization" }, // B1-9
		{ REFUSED_SUSPENDED, 603, "Decline" },
		{ REFUSED_CODEC, 415, "Unsupported Media Type" }, // B1-10
		{ REFUSED_CPS, 503, "Trunk CPS limit exceeded" }, // B1-11
		{ REFUSED_ACCOUNT_CPS, 503, "Trunk CPS limit exceeded" }, // D-14
		{ REFUSED_ACCOUNT_CALLS, 503, "Trunk concurrent call limit exceeded" }, // B1-12
		{ REFUSED_TRUNK_CALLS, 503, "Trunk concurrent call limit exceeded" },
		{ REFUSED_SRTP_MISSING, 488, "Not Acceptable Here" }, // B1-13
		{ REFUSED_SRTP_OFFERED, 488, "Not Acceptable Here" }, // D-30
		{ REFUSED_SRTP_KEYS, 488, "Not Acceptable Here" }, // D-33
		{ REFUSED_INSECURE, 403, "Forbidden" }, // B1-13: signalling without TLS
		{ REFUSED_TLS_VERSION, 403, "Forbidden" }, // D-4
		{ REFUSED_MEDIA, 488, "Not Acceptable Here" },
		{ REFUSED_MAX_FORWARDS, 483, "Too Many Hops" }, // B1-18
		{ REFUSED_CARRIER_SILENT, 408, "Request Timeout" }, // B.2: final 408 if last
		{ REFUSED_CARRIER_UNRESOLVED, 504, "Server Time-out" }, // D-19
		{ REFUSED_CARRIER_UNREACHABLE, 504, "Server Time-out" }, // D-19
		{ REFUSED_URI_SILENT, 408, "Request Timeout" }, // ORIG-037
		{ REFUSED_URI_UNREACHABLE, 504, "Server Time-out" },
		{ REFUSED_URI_UNRESOLVED, 504, "Server Time-out" },
		{ REFUSED_URI_CODEC, 415, "Unsupported Media Type" }, // MEDIA-004
		{ REFUSED_NO_URI, 480, "Temporarily Unavailable" }, // DR-006 (in part)
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct refusal_row *row = refusal_row(rows[i].cause);
		CHECK_NUMBER(row->status, rows[i].status);
		CHECK_STRING(row->phrase, rows[i].phrase);
	}
}

// Then its label, which every alert has, and its fix tell a cause.
static bool may_share(unsigned a, unsigned b)
{
	const struct refusal_row *one = refusal_row((enum refusal_cause)a);
	const struct refusal_row *other = refusal_row((enum refusal_cause)b);
	assert_string_not_equal(one->label, other->label);
	bool is_attempt = a >= REFUSED_URI_UNRESOLVED && b <= REFUSED_URI_FAILED; // annex F: 32011
	bool is_replaces = a >= REFUSED_REPLACES && b <= REFUSED_REPLACES_MANY; // RFC 3891 3
	if (is_attempt || is_replaces)
		assert_string_not_equal(one->fix, other->fix);
	return is_attempt || is_replaces ||
	       (a == REFUSED_SDP && b == REFUSED_CODEC); // a description nobody can work with
}

// DEBUG-001, DEBUG-002, DEBUG-009: a code tells the cause.
static void alert_codes_tell_causes_apart(void **state)
{
	(void)state;
	for (unsigned a = REFUSED_NOT + 1; a < REFUSAL_COUNT; a++) {
		const struct refusal_row *row = refusal_row((enum refusal_cause)a);
		if (row->alert_code == 0)
			continue;
		bool is_known = row->alert_code == 10004 || // to client libraries; no SIP
				row->alert_code / 1000 == 11 || row->alert_code == 15003;
		if (!is_known)
			assert_in_range(row->alert_code, 32000, 32999);
		for (unsigned b = a + 1; b < REFUSAL_COUNT; b++) {
			if (refusal_row((enum refusal_cause)b)->alert_code == row->alert_code &&
			    !may_share(a, b))
				fail_msg("%s and %s share the code %u", row->label,
					 refusal_row((enum refusal_cause)b)->label,
					 (unsigned)row->alert_code);
		}
	}
}

// DEBUG-022 to -025: one code by annex F, and a cause of its own for each way in which a PBX fails.
static void failures_of_a_pbx_have_causes_of_their_own(void **state)
{
	(void)state;
	static const struct {
		enum refusal_cause cause;
		const char *label, *fix;
	} rows[] = {
		{ REFUSED_URI_CHALLENGED, "uri_challenged", "the PBX take calls" },
		{ REFUSED_URI_PROXY_CHALLENGED, "uri_proxy_challenged", "the proxy before" },
		{ REFUSED_URI_SILENT, "uri_silent", "answered nothing" },
		{ REFUSED_URI_STALLED, "uri_stalled", "said that it tries" },
		{ REFUSED_URI_UNREACHABLE, "uri_unreachable", "no connection" },
		{ REFUSED_URI_UNRESOLVED, "uri_unresolved", "its DNS" },
		{ REFUSED_URI_SESSION_INTERVAL, "uri_session_interval", "session timers" },
		{ REFUSED_URI_CODEC, "uri_codec", "PCMU" },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct refusal_row *row = refusal_row(rows[i].cause);
		CHECK_NUMBER(row->alert_code, 32011);
		CHECK_STRING(row->label, rows[i].label);
		assert_non_null(strstr(row->fix, rows[i].fix));
	}
}

static void every_row_is_complete(void **state)
{
	(void)state;
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
	for (unsigned a = REFUSED_NOT + 1; a < REFUSAL_COUNT; a++) {
		const struct refusal_row *row = refusal_row((enum refusal_cause)a);
		CHECK_NUMBER(strspn(row->label, letters), strlen(row->label));
		assert_true(row->label[0] != '\0' && row->fix[0] != '\0' && row->phrase[0] != '\0');
		assert_true(row->status == 0 || (row->status >= 400 && row->status < 700));
		CHECK_STRING(call_refusal_label(a - 1), row->label);
		for (unsigned b = a + 1; b < REFUSAL_COUNT; b++)
			assert_string_not_equal(row->label,
						refusal_row((enum refusal_cause)b)->label);
	}
	assert_null(call_refusal_label(REFUSAL_COUNT - 1));
}

// The counters and the bits of a call's alerts have room for every row.
static void every_row_has_a_counter_and_a_bit(void **state)
{
	(void)state;
	struct call_counters counters;
	assert_true(REFUSAL_COUNT <= sizeof(counters.troubles) / sizeof(counters.troubles[0]));
	assert_true(REFUSAL_COUNT <= 8 * sizeof(((struct call *)0)->alerted));
}

// DEBUG-027 to -030: the causes of one-way audio have their rows here, each with its own code.
static void causes_of_one_way_audio_are_rows(void **state)
{
	(void)state;
	for (unsigned i = DIAGNOSIS_NONE + 1; i < DIAGNOSIS_COUNT; i++) {
		const struct diagnosis_facts *facts = diagnosis_facts((enum diagnosis)i);
		const struct refusal_row *row = refusal_row(refusal_of_audio((enum diagnosis)i));
		CHECK_NUMBER(row->status, 0);
		CHECK_NUMBER(row->alert_code, facts->code);
		CHECK_STRING(row->label + strlen("audio_"), facts->name);
		CHECK_STRING(row->fix, facts->fix);
	}
	CHECK_NUMBER(refusal_of_audio(DIAGNOSIS_TTL), REFUSED_AUDIO_TTL);
}

// What an offer is refused for, by what media says of it.
static void objections_to_media_have_rows_of_their_own(void **state)
{
	(void)state;
	static const struct {
		enum status status;
		enum media_objection objection;
		enum refusal_cause cause;
	} rows[] = {
		{ ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_SECURE, REFUSED_SRTP_OFFERED },
		{ ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_PLAIN, REFUSED_SRTP_MISSING },
		{ ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_KEYS, REFUSED_SRTP_KEYS },
		{ ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_NONE, REFUSED_MEDIA },
		{ ERR_MALFORMED, MEDIA_OBJECTION_NONE, REFUSED_SDP },
		{ ERR_UNSUPPORTED, MEDIA_OBJECTION_NONE, REFUSED_CODEC },
		{ ERR_LIMIT, MEDIA_OBJECTION_NONE, REFUSED_PORTS },
		{ ERR_UNAVAILABLE, MEDIA_OBJECTION_NONE, REFUSED_DATAPLANE },
		{ ERR_BUSY, MEDIA_OBJECTION_NONE, REFUSED_DATAPLANE },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_NUMBER(refusal_of_media(rows[i].status, rows[i].objection), rows[i].cause);
}

static void long_texts_are_cut_not_lost(void **state)
{
	(void)state;
	char text[400];
	struct refusal refusal;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	enum refusal_cause cause = refusal_set(&refusal, REFUSED_CPS, text, text_of(text), text);
	CHECK_NUMBER(cause, REFUSED_CPS);
	CHECK_NUMBER(refusal.cause, REFUSED_CPS);
	CHECK_NUMBER(strlen(refusal.header), sizeof(refusal.header) - 1);
	CHECK_NUMBER(strlen(refusal.seen), sizeof(refusal.seen) - 1);
	CHECK_NUMBER(strlen(refusal.expected), sizeof(refusal.expected) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(phrases_are_the_documented_ones),
		TEST(alert_codes_tell_causes_apart),
		TEST(failures_of_a_pbx_have_causes_of_their_own),
		TEST(every_row_is_complete),
		TEST(every_row_has_a_counter_and_a_bit),
		TEST(causes_of_one_way_audio_are_rows),
		TEST(objections_to_media_have_rows_of_their_own),
		TEST(long_texts_are_cut_not_lost),
	};
	return RUN_TESTS(tests);
}
