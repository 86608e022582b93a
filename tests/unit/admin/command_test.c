// Every row of the table of commands, asked as an operator asks.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "admin/request.h"
#include "base/random.h"
#include "dataplane/suite.h"
#include "directory/object.h"
#include "fake.h"

static const char *text_at(json_t *answer, const char *path)
{
	char key[64];
	struct text rest = text_of(path);
	json_t *value = answer;
	while (rest.size > 0 && value) {
		struct text part = text_split(&rest, '.');
		assert_true(text_copy(part, key, sizeof(key)));
		uint64_t index;
		value = text_to_unsigned(part, 1000, &index) ? json_array_get(value, index)
							     : json_object_get(value, key);
	}
	const char *text = json_string_value(value);
	return text ? text : "(none)";
}

static void expect_text(struct fake *fake, const char *line, const char *path, const char *wanted)
{
	json_t *answer = fake_ask(fake, line);
	assert_string_equal(text_at(answer, path), wanted);
	json_decref(answer);
}

static void expect_warning(struct fake *fake, const char *line, const char *wanted)
{
	json_t *answer = fake_ask(fake, line);
	const char *warning = text_at(answer, "warnings.0");
	if (!strstr(warning, wanted))
		fail_msg("%s: %s", line, warning);
	json_decref(answer);
}

static void every_command_has_help_a_handler_and_sane_limits(void **state)
{
	(void)state;
	assert_true(admin_command_count() >= 18);
	for (unsigned i = 0; i < admin_command_count(); i++) {
		const struct admin_command *command = admin_command_row(i);
		assert_non_null(command->run);
		assert_true(command->min <= command->max);
		assert_true(command->max == 0 || command->arguments[0]);
		assert_true(command->max > 0 || !command->arguments[0]);
		size_t size = strlen(command->text);
		assert_true(size > 20 && command->text[size - 1] == '.');
		for (unsigned other = 0; other < i; other++)
			assert_string_not_equal(command->words, admin_command_row(other)->words);
	}
	assert_null(admin_command_row(admin_command_count()));
}

static void the_reference_page_names_every_command_once_and_no_hidden_field(void **state)
{
	(void)state;
	char *page = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&page, &size);
	admin_command_describe(out);
	fclose(out);
	for (unsigned i = 0; i < admin_command_count(); i++)
		assert_non_null(strstr(page, admin_command_row(i)->text));
	assert_non_null(strstr(page, "credential_list"));
	assert_null(strstr(page, "ha1_"));
	free(page);
}

static void status_tells_of_every_part(void **state)
{
	struct fake *fake = *state;
	json_t *answer = fake_ask(fake, "status");
	assert_string_equal(text_at(answer, "status"), "ok");
	assert_string_equal(text_at(answer, "node"), "node-1");
	assert_string_equal(text_at(answer, "dataplane.port"), "af_packet:eth1");
	assert_string_equal(text_at(answer, "dataplane.addresses.0"), "192.0.2.1");
	assert_string_equal(text_at(answer, "dataplane.engine"), "ipsec_mb");
	assert_string_equal(text_at(answer, "dataplane.key_form"), "session");
	assert_string_equal(text_at(answer, "dataplane.steering"), "by hand-over");
	assert_true(json_is_false(json_object_get(json_object_get(answer, "icmp"), "heard")));
	assert_string_equal(text_at(answer, "redis.state"), "ready");
	assert_true(json_is_true(json_object_get(answer, "ready")));
	assert_int_equal(json_integer_value(json_object_get(answer, "uptime_s")), 5);
	json_decref(answer);
	assert_ptr_equal(admin_replace_dataplane(&fake->context, NULL), fake);
	expect_text(fake, "status", "reason", "no dataplane is attached");
	assert_string_equal(fake_code(fake, "show workers"), "ERR_UNAVAILABLE");
}

static void wrong_words_are_explained(void **state)
{
	static const struct {
		const char *line, *code;
	} cases[] = {
		{ "", "ERR_MALFORMED" },
		{ "   ", "ERR_MALFORMED" },
		{ "dance", "ERR_NOT_FOUND" },
		{ "show", "ERR_NOT_FOUND" },
		{ "show dances", "ERR_NOT_FOUND" },
		{ "show call", "ERR_MALFORMED" },
		{ "show call a b", "ERR_MALFORMED" },
		{ "show call \"open", "ERR_MALFORMED" },
		{ "show call trailing\\", "ERR_MALFORMED" },
		{ "show call \xff\xfe", "ERR_MALFORMED" },
		{ "show call \x01", "ERR_MALFORMED" },
		{ "show call CA404", "ERR_NOT_FOUND" },
		{ "show call CA0123456789012345678901234567890123456789", "ERR_MALFORMED" },
		{ "show history 0", "ERR_MALFORMED" },
		{ "show history 10001", "ERR_MALFORMED" },
		{ "show alerts many", "ERR_MALFORMED" },
		{ "show trunk nowhere", "ERR_NOT_FOUND" },
		{ "hangup CA404", "ERR_NOT_FOUND" },
		{ "log level loud", "ERR_MALFORMED" },
		{ "reload", "ERR_MALFORMED" },
		{ "help dance", "ERR_NOT_FOUND" },
		{ "add account nonsense", "ERR_MALFORMED" },
		{ "add account colour=red", "ERR_NOT_FOUND" },
		{ "add account name=x password=Secret123456", "ERR_NOT_FOUND" },
		{ "change account x name=y", "ERR_NOT_FOUND" },
		{ "remove account x", "ERR_NOT_FOUND" },
	};
	struct fake *fake = *state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(fake_code(fake, cases[i].line), cases[i].code) != 0)
			fail_msg("%s: not %s but %s", cases[i].line, cases[i].code,
				 fake_code(fake, cases[i].line));
	expect_text(fake, "show call", "hint", "usage: show call CALL");
	expect_text(fake, "add", "hint",
		    "next: account trunk acl acl_address credential_list credential number carrier "
		    "origination_uri trigger caller_id blocked_number route");
	expect_text(fake, "reload", "message",
		    "trunkd.yaml:3: sip.prot: unknown option; did you mean sip.port?");
	char line[300] = "check number";
	for (unsigned i = 0; i < 70; i++)
		memcpy(line + 12 + 2 * i, " 1", 3);
	assert_string_equal(fake_code(fake, line), "ERR_TOO_LARGE");
}

static void a_customer_is_set_up_shown_changed_and_removed(void **state)
{
	struct fake *fake = *state;
	assert_string_equal(fake_code(fake, "add account name='Acme Corp'"), "");
	assert_string_equal(fake_code(fake, "add account name=\"Acme Corp\""), "ERR_CONFLICT");
	assert_string_equal(fake_code(fake, "add acl account='Acme Corp' name=offices"), "");
	assert_string_equal(fake_code(fake, "add acl_address acl=offices address=192.0.2.0/24"),
			    "");
	assert_string_equal(fake_code(fake, "add credential_list account='Acme Corp' name=users"),
			    "");
	expect_warning(fake, "add trunk account='Acme Corp' name=office domain=acme",
		       "once an ACL");
	expect_warning(fake, "change trunk office acls=offices", "ACL alone");
	json_t *answer = fake_ask(fake, "change trunk office credential_lists=users cps=5");
	assert_null(json_object_get(answer, "warnings"));
	assert_string_equal(text_at(answer, "trunk.acls_names.0"), "offices");
	assert_string_equal(text_at(answer, "trunk.account_name"), "Acme Corp");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(answer, "trunk"), "cps")), 5);
	json_decref(answer);
	expect_warning(fake, "change trunk office symmetric_rtp=true", "symmetric RTP");
	expect_warning(fake, "change trunk office symmetric_rtp= secure=true", "403");
	expect_warning(fake, "change trunk office secure= srtp=true", "in clear");
	expect_warning(fake, "add carrier name=c address=192.0.2.9 srtp=true", "in clear");
	assert_string_equal(fake_code(fake, "change trunk office srtp= symmetric_rtp=true"), "");
	assert_string_equal(fake_code(fake, "add trunk account='Acme Corp' domain=b"), "");
	assert_string_equal(fake_code(fake, "change trunk office symmetric_rtp= domain=a.b"), "");
	expect_warning(fake, "show trunk office", "dashes");
	assert_string_equal(
		fake_code(fake, "add number account='Acme Corp' trunk=office e164=+442071838750"),
		"");
	expect_text(fake, "check number +442071838750", "numbers.0.trunk", "office");
	expect_text(fake, "check number +442071838750", "numbers.0.country", "GB");
	expect_text(fake, "check number +12462345678", "numbers.0.country_name", "Barbados");
	expect_text(fake, "check number 12", "numbers.0.account", "(none)");
	expect_text(fake, "show numbers", "numbers.0.trunk_name", "office");
	assert_string_equal(fake_code(fake, "remove account 'Acme Corp'"), "ERR_CONFLICT");
	assert_string_equal(fake_code(fake, "remove number +442071838750"), "");
	assert_string_equal(fake_code(fake, "show number +442071838750"), "ERR_NOT_FOUND");
	fake->is_store_away = true;
	assert_string_equal(fake_code(fake, "change trunk office cps=6"), "ERR_UNAVAILABLE");
}

static void a_password_is_hashed_and_never_shown(void **state)
{
	struct fake *fake = *state;
	assert_string_equal(fake_code(fake, "add account name=acme"), "");
	assert_string_equal(fake_code(fake, "add credential_list account=acme name=users"), "");
	assert_string_equal(fake_code(fake, "add credential list=users user=pbx"), "ERR_MALFORMED");
	expect_text(fake, "add credential list=users user=pbx password=short", "field", "password");
	expect_text(fake, "add credential list=users user=pbx ha1_md5=00", "code", "ERR_FORBIDDEN");
	expect_text(fake, "add credential list=users password=Correct9Horse", "field", "user");
	json_t *answer =
		fake_ask(fake, "add credential list=users user=pbx password=Correct9Horse");
	char *text = json_dumps(answer, 0);
	assert_string_equal(text_at(answer, "status"), "ok");
	assert_null(strstr(text, "Correct9Horse"));
	assert_null(strstr(text, "ha1"));
	free(text);
	json_decref(answer);
	const struct directory_object *object =
		directory_next(fake->context.directory, DIRECTORY_CREDENTIAL, NULL);
	assert_non_null(object);
	// printf 'pbx:trunks.example:Correct9Horse' | md5sum
	assert_true(text_is_equal(directory_object_get(object, "ha1_md5"),
				  TEXT("afd134f55afa5984ced6402022427412")));
	assert_true(text_is_equal(directory_object_get(object, "realm"), TEXT("trunks.example")));
	assert_string_equal(fake_code(fake, "change credential pbx password=Another8Horse"), "");
	answer = fake_ask(fake, "show credentials");
	text = json_dumps(answer, 0);
	assert_non_null(strstr(text, "pbx"));
	assert_null(strstr(text, "ha1"));
	assert_null(strstr(text, "realm"));
	free(text);
	json_decref(answer);
}

static void a_live_call_is_told_and_hung_up(void **state)
{
	struct fake *fake = *state;
	fake_add_call(fake, "CA01");
	fake_add_call(fake, "CA02");
	struct history_alert alert = { .call_sid = "CA01", .code = 32201, .text = "fix it" };
	assert_true(history_alert_write(fake->context.history, &alert));
	json_t *answer = fake_ask(fake, "show call CA01");
	assert_string_equal(text_at(answer, "call.state"), "up");
	assert_string_equal(text_at(answer, "call.ladder.0.leg"), "caller");
	assert_string_equal(text_at(answer, "call.ladder.0.direction"), "in");
	assert_string_equal(text_at(answer, "call.ladder.3.what"), "180");
	assert_string_equal(text_at(answer, "call.media.0.codec"), "PCMU/8000");
	assert_string_equal(text_at(answer, "call.alerts.0.text"), "fix it");
	json_t *media =
		json_array_get(json_object_get(json_object_get(answer, "call"), "media"), 0);
	assert_true(json_real_value(json_object_get(media, "loss_percent")) == 25.0);
	assert_true(json_real_value(json_object_get(media, "jitter_ms")) == 1.5);
	assert_int_equal(json_integer_value(json_object_get(media, "ttl_lowest")), 61);
	json_decref(answer);
	expect_text(fake, "show calls", "calls.1.sid", "CA02");
	expect_text(fake, "show streams", "streams.3.call", "CA02");
	expect_text(fake, "show alerts 1", "alerts.0.call", "CA01");
	assert_string_equal(fake_code(fake, "hangup CA02"), "");
	assert_int_equal(fake->calls[0].state, CALL_UP);
	assert_int_equal(fake->calls[1].state, CALL_ENDING);
	assert_string_equal(fake_code(fake, "hangup all"), "");
	assert_int_equal(fake->calls[0].state, CALL_ENDING);
}

static json_int_t number_at(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

// Both legs of one: SRTP towards the caller, RTP towards the called party, who is not heard.
static void a_live_call_tells_all_of_its_streams(void **state)
{
	struct fake *fake = *state;
	fake_add_call(fake, "CA01");
	struct call_facts *facts = &fake->calls[0];
	struct media_figures *caller = &facts->media[MEDIA_CALLER];
	struct media_figures *called = &facts->media[MEDIA_CALLED];
	caller->suite = SUITE_AES_CM_32;
	caller->rtp.arrives_rollover = 3;
	called->rtp.leaves_rollover = 2;
	caller->rtp.drops[STREAM_DROP_AUTHENTICATION] = 5;
	caller->rtcp.drops[STREAM_DROP_AUTHENTICATION] = 1;
	caller->rtp.silent = 75;
	caller->mos = 437;
	(void)address_parse(TEXT("203.0.113.9:4000"), &caller->refused);
	facts->learned_ms[MEDIA_CALLER] = 1700000000000;
	facts->verdicts[MEDIA_CALLED] = facts->causes[MEDIA_CALLED] = DIAGNOSIS_UNREACHABLE;
	caller->unreachable = 9;
	called->rtcp.reports = 4;
	called->rtcp.peer_lost = -2;
	called->rtcp.peer_jitter = 80;
	json_t *answer = fake_ask(fake, "show call CA01");
	json_t *media = json_object_get(json_object_get(answer, "call"), "media");
	json_t *first = json_array_get(media, 0), *second = json_array_get(media, 1);
	assert_string_equal(text_at(first, "suite"), "AES_CM_128_HMAC_SHA1_32");
	assert_string_equal(text_at(first, "verdict"), "none");
	assert_string_equal(text_at(first, "refused"), "203.0.113.9:4000");
	assert_string_equal(text_at(first, "learned_at"), "2023-11-14T22:13:20.000Z");
	assert_int_equal(number_at(first, "rollover"), 3);
	assert_int_equal(number_at(first, "icmp_errors"), 9);
	assert_int_equal(number_at(json_object_get(first, "srtp"), "rollover_out"), 2);
	assert_int_equal(number_at(json_object_get(first, "srtp"), "not_authentic"), 6);
	assert_true(json_real_value(json_object_get(first, "silence_percent")) == 50.0);
	assert_true(json_real_value(json_object_get(first, "mos")) == 4.37);
	assert_string_equal(text_at(second, "suite"), "none");
	assert_true(json_is_null(json_object_get(second, "srtp")));
	assert_true(json_is_null(json_object_get(second, "mos")));
	assert_string_equal(text_at(second, "verdict"), "unreachable");
	assert_non_null(strstr(text_at(second, "fix"), "firewall"));
	assert_int_equal(number_at(json_object_get(second, "rtcp"), "peer_lost"), -2);
	assert_true(json_real_value(json_object_get(json_object_get(second, "rtcp"),
						    "peer_jitter_ms")) == 10.0);
	json_decref(answer);
	answer = fake_ask(fake, "status");
	assert_int_equal(number_at(json_object_get(answer, "legs"), "srtp"), 1);
	assert_int_equal(number_at(json_object_get(answer, "legs"), "rtp"), 1);
	json_decref(answer);
}

static void the_connections_are_told(void **state)
{
	struct fake *fake = *state;
	json_t *answer = fake_ask(fake, "show connections");
	assert_int_equal(number_at(answer, "count"), 2);
	assert_int_equal(json_array_size(json_object_get(answer, "connections")), 2);
	assert_string_equal(text_at(answer, "connections.0.peer"), "192.0.2.1:5060");
	assert_string_equal(text_at(answer, "connections.0.protocol"), "tls");
	assert_string_equal(text_at(answer, "connections.0.tls"), "1.3");
	assert_string_equal(text_at(answer, "connections.0.cipher"), "TLS_AES_256_GCM_SHA384");
	assert_string_equal(text_at(answer, "connections.0.opened_by"), "peer");
	json_t *other = json_array_get(json_object_get(answer, "connections"), 1);
	assert_int_equal(number_at(other, "age_s"), 1);
	assert_int_equal(number_at(other, "waiting_bytes"), 77);
	assert_true(json_is_null(json_object_get(other, "tls")));
	assert_true(json_is_null(json_object_get(other, "heard_s")));
	json_decref(answer);
}

// LIMIT-013: listed, ordered and lifted by the operator.
static void bans_are_listed_ordered_and_lifted(void **state)
{
	struct fake *fake = *state;
	json_t *answer = fake_ask(fake, "show bans");
	assert_int_equal(json_array_size(json_object_get(answer, "bans")), 0);
	json_decref(answer);
	json_decref(fake_ask(fake, "ban 203.0.113.5"));
	json_decref(fake_ask(fake, "ban 2001:db8::1 90"));
	answer = fake_ask(fake, "show bans");
	json_t *bans = json_object_get(answer, "bans");
	assert_int_equal(json_array_size(bans), 2);
	bool is_first = strcmp(text_at(answer, "bans.0.address"), "203.0.113.5") == 0;
	json_t *four = json_array_get(bans, is_first ? 0 : 1);
	json_t *six = json_array_get(bans, is_first ? 1 : 0);
	assert_int_equal(number_at(four, "left_s"), 3600);
	assert_int_equal(number_at(six, "left_s"), 90);
	assert_string_equal(json_string_value(json_object_get(four, "cause")), "operator");
	assert_string_equal(json_string_value(json_object_get(four, "holds_for")), "all");
	assert_string_equal(json_string_value(json_object_get(six, "address")), "2001:db8::/64");
	json_decref(answer);
	assert_string_equal(fake_code(fake, "unban 203.0.113.0/64"), "ERR_MALFORMED");
	assert_string_equal(fake_code(fake, "unban 2001:db8::/64"), "");
	assert_string_equal(fake_code(fake, "unban 2001:db8::2"), "ERR_NOT_FOUND");
	assert_string_equal(fake_code(fake, "unban 203.0.113.5"), "");
	assert_string_equal(fake_code(fake, "unban 203.0.113.5"), "ERR_NOT_FOUND");
	assert_string_equal(fake_code(fake, "unban all"), "");
	assert_string_equal(fake_code(fake, "unban all"), "");
	assert_string_equal(fake_code(fake, "ban nobody"), "ERR_MALFORMED");
	assert_string_equal(fake_code(fake, "ban 203.0.113.5 0"), "ERR_MALFORMED");
	assert_string_equal(fake_code(fake, "ban 203.0.113.5 soon"), "ERR_MALFORMED");
}

// Who holds which port since when, and which nobody gives back.
static void the_ledger_of_ports_is_told_and_asked_by_call(void **state)
{
	struct fake *fake = *state;
	uint32_t indexes[2];
	fake_add_call(fake, "CA01");
	struct media_port_user user = { fake, "CA01", fake->clock.now_ms - 7000 };
	assert_int_equal(media_ports_take(fake->ports, ADDRESS_IPV4, &user, indexes), OK);
	user.call_sid = "CA99"; // is no more
	assert_int_equal(media_ports_take(fake->ports, ADDRESS_IPV4, &user, indexes), OK);
	media_ports_give(fake->ports, indexes[1], fake->clock.now_ms);
	json_t *answer = fake_ask(fake, "show ports"), *pairs = json_object_get(answer, "pairs");
	assert_int_equal(json_array_size(pairs), 4);
	assert_string_equal(text_at(answer, "pairs.0.call"), "CA01");
	assert_string_equal(text_at(answer, "pairs.0.state"), "held");
	assert_string_equal(text_at(answer, "pairs.0.why"), "call is up");
	assert_true(json_is_false(json_object_get(json_array_get(pairs, 0), "leaked")));
	assert_int_equal(number_at(json_array_get(pairs, 0), "age_s"), 7);
	assert_string_equal(text_at(answer, "pairs.2.call"), "CA99");
	assert_string_equal(text_at(answer, "pairs.2.why"), "its call is gone");
	assert_true(json_is_true(json_object_get(json_array_get(pairs, 2), "leaked")));
	assert_string_equal(text_at(answer, "pairs.3.state"), "resting");
	assert_int_equal(number_at(json_object_get(answer, "ports"), "total"), 5000);
	json_decref(answer);
	answer = fake_ask(fake, "show ports CA01");
	assert_int_equal(json_array_size(json_object_get(answer, "pairs")), 2);
	json_decref(answer);
}

static void an_ended_call_is_told_from_the_history(void **state)
{
	struct fake *fake = *state;
	struct history_call *call = history_call_open(fake->context.history);
	snprintf(call->sid, sizeof(call->sid), "CA77");
	snprintf(call->from, sizeof(call->from), "M\xfcller"); // Latin-1, as strangers send it
	snprintf(call->ladder, sizeof(call->ladder),
		 "0 caller> INVITE\ngarbage\n900 caller> BYE\n");
	call->start_ms = 1700000000000;
	call->answer_ms = call->start_ms + 500;
	call->end_ms = call->start_ms + 2500;
	call->sip_status = 200;
	call->ended_by = HISTORY_END_CALLER;
	call->caller.packets = 100;
	call->called.is_recovered = 1;
	snprintf(call->called.verdict, sizeof(call->called.verdict), "stopped");
	snprintf(call->caller.suite, sizeof(call->caller.suite), "AES_CM_128_HMAC_SHA1_80");
	call->caller.mos = 441;
	call->caller.drops_replay = 3;
	history_call_close(fake->context.history, call);
	json_t *answer = fake_ask(fake, "show call CA77");
	assert_string_equal(text_at(answer, "call.state"), "ended");
	assert_string_equal(text_at(answer, "call.from"), "M?ller");
	assert_string_equal(text_at(answer, "call.ended_by"), "caller");
	assert_string_equal(text_at(answer, "call.ended_at"), "2023-11-14T22:13:22.500Z");
	assert_string_equal(text_at(answer, "call.media.0.suite"), "AES_CM_128_HMAC_SHA1_80");
	assert_string_equal(text_at(answer, "call.media.0.verdict"), "none");
	assert_string_equal(text_at(answer, "call.media.1.suite"), "none");
	assert_string_equal(text_at(answer, "call.media.1.verdict"), "none"); // heard again
	assert_string_equal(text_at(answer, "call.media.1.last_verdict"), "stopped");
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(answer, "call"), "ladder")), 2);
	assert_true(json_real_value(json_object_get(json_object_get(answer, "call"), "talk_s")) ==
		    2.0);
	json_decref(answer);
	expect_text(fake, "show history", "calls.0.sid", "CA77");
}

static void help_and_completion_follow_the_table(void **state)
{
	struct fake *fake = *state;
	fake_add_call(fake, "CA01");
	assert_string_equal(fake_code(fake, "add account name=acme"), "");
	expect_text(fake, "help add trunk", "fields.0.field", "account");
	expect_text(fake, "help log", "commands.0.command", "log level");
	expect_text(fake, "complete stat", "candidates.0", "status");
	expect_text(fake, "complete show call ''", "candidates.0", "CA01");
	expect_text(fake, "complete hangup a", "candidates.0", "all");
	expect_text(fake, "complete show account a", "candidates.0", "acme");
	expect_text(fake, "complete token account a", "candidates.0", "acme");
	expect_text(fake, "complete verify caller_id +14155550199 a", "candidates.0", "acme");
	expect_text(fake, "complete change account acme st", "candidates.0", "status=");
	expect_text(fake, "complete add credential pass", "candidates.0", "password=-");
	// NUM-007: what may answer a number's calls, and the trunks it may be on. Five values of a choice.
	assert_string_equal(fake_code(fake, "add trunk account=acme name=office domain=o"), "");
	expect_text(fake, "complete show numbers of off", "candidates.0", "office");
	expect_text(fake, "complete buy number +14155550199 acme off", "candidates.0", "office");
	expect_text(fake, "complete change number +14155550100 trunk=", "candidates.0",
		    "trunk=office");
	expect_text(fake, "complete change number + voice_h", "candidates.0", "voice_handler=");
	expect_text(fake, "complete change number + voice_handler=", "candidates.0",
		    "voice_handler=sip_trunking");
	expect_text(fake, "complete change number + voice_handler=sip_trunking ''", "candidates.0",
		    "trunk=office");
	expect_text(fake, "complete change trunk office recording=record-from-a", "candidates.1",
		    "recording=record-from-answer-dual");
	expect_text(fake, "complete log level w", "candidates.0", "warning");
	expect_text(fake, "complete help add tr", "candidates.0", "trunk");
	json_t *answer = fake_ask(fake, "commands");
	assert_int_equal(json_array_size(json_object_get(answer, "commands")),
			 admin_command_count());
	assert_int_equal(json_array_size(json_object_get(answer, "kinds")), DIRECTORY_KIND_COUNT);
	json_decref(answer);
}

static void an_answer_that_comes_after_the_asker_left_is_dropped(void **state)
{
	struct fake *fake = *state;
	struct admin_peer peer = { 0, 1 };
	fake->is_store_silent = true;
	struct admin_request *request =
		admin_request_run(&fake->context, TEXT("add account name=late"), peer, NULL, NULL);
	assert_non_null(request);
	admin_request_detach(request);
	fake_release_store();
}

static void random_lines_have_one_answer_each(void **state)
{
	static const char *const WORDS[] = { "show",     "add",    "change", "trunk",    "account",
					     "calls",    "call",   "help",   "check",    "number",
					     "complete", "log",    "level",  "\"",       "'",
					     "\\",       "name=",  "=",      "\xc3\xa4", "\xff",
					     "history",  "remove", "hangup", "CA01" };
	struct fake *fake = *state;
	for (unsigned i = 0; i < 20000; i++) {
		char line[256];
		struct writer writer = writer_of(line, sizeof(line));
		for (unsigned count = random_below(8); count > 0; count--) {
			writer_string(&writer,
				      WORDS[random_below(sizeof(WORDS) / sizeof(WORDS[0]))]);
			if (random_below(4) > 0)
				writer_char(&writer,
					    (char)(random_below(8) ? ' ' : random_below(256)));
		}
		const char *text = writer_string_done(&writer);
		json_t *answer = fake_ask(fake, text ? text : "");
		assert_true(json_is_object(answer));
		json_decref(answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)
		TEST(every_command_has_help_a_handler_and_sane_limits),
		TEST(the_reference_page_names_every_command_once_and_no_hidden_field),
		TEST(status_tells_of_every_part),
		TEST(wrong_words_are_explained),
		TEST(a_customer_is_set_up_shown_changed_and_removed),
		TEST(a_password_is_hashed_and_never_shown),
		TEST(a_live_call_is_told_and_hung_up),
		TEST(a_live_call_tells_all_of_its_streams),
		TEST(the_connections_are_told),
		TEST(bans_are_listed_ordered_and_lifted),
		TEST(the_ledger_of_ports_is_told_and_asked_by_call),
		TEST(an_ended_call_is_told_from_the_history),
		TEST(help_and_completion_follow_the_table),
		TEST(an_answer_that_comes_after_the_asker_left_is_dropped),
		TEST(random_lines_have_one_answer_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
