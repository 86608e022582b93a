// Every allocation of a call in turn fails: nothing leaks, nothing crashes, and what could not be done
// is said or left to the peer's next try.

#include "tests/check.h"

#include <string.h>

#include "sip/dialog.h"
#include "sip/digest/digest.h"
#include "tests/fake/allocation.h"
#include "tests/unit/sip/fixture.h"

#define STEPS_MAX 200

static unsigned live(const struct fixture *fixture)
{
	const struct sip_transaction_counters *counters =
		sip_transaction_counters(fixture->transactions);
	return (unsigned)(counter_get(&counters->server_count) +
			  counter_get(&counters->client_count));
}

static void answer_and_release(struct fixture *fixture, struct sip_server *server,
			       const struct sip_message *request)
{
	(void)fixture;
	struct sip_answer answer = { .status = request->method == SIP_INVITE ? 486 : 200 };
	(void)sip_server_reply(server, &answer);
	sip_server_release(server);
}

static void serve_a_call(struct fixture *fixture)
{
	fixture->on_request = answer_and_release;
	fixture_ask(fixture, &(struct fixture_request){ .method = "INVITE",
							.extra = "Subject: a\r\n b\r\n" });
	fixture_ask(fixture, &(struct fixture_request){ .method = "ACK" });
	fixture_ask(fixture, &(struct fixture_request){ .method = "BYE", .to_tag = "x" });
	fixture_wait(fixture, 33000);
	CHECK_NUMBER(live(fixture), 0);
}

static void a_served_request_survives_each_failing_allocation(void **state)
{
	(void)state;
	bool has_failed = true;
	for (unsigned number = 1; has_failed && number < STEPS_MAX; number++) {
		struct fixture *fixture = fixture_create();
		allocation_fail_at(number);
		serve_a_call(fixture);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		fixture_destroy(fixture);
	}
	CHECK_FALSE(has_failed);
}

static void make_a_call(struct sip_dialogs *dialogs, struct sip_transactions *transactions)
{
	struct sip_dialog_call call = { .local = TEXT("<sip:us@192.0.2.1>"),
					.remote = TEXT("<sip:b@192.0.2.9>"),
					.target = TEXT("sip:b@192.0.2.9") };
	struct sip_dialog *dialog;
	struct sip_request request;
	struct sip_client *client;
	CHECK_TRUE(address_parse(TEXT("192.0.2.1:5060"), &call.flow.local));
	CHECK_TRUE(address_parse(TEXT("192.0.2.9:5060"), &call.flow.remote));
	if (sip_dialog_open_client(dialogs, &call, NULL, &dialog) != OK)
		return;
	sip_dialog_request(dialog, SIP_INVITE, 0, &request);
	if (sip_client_send(transactions, &request, (struct sip_client_limits){ 0 }, NULL,
			    &client) == OK)
		sip_client_cancel(client);
	sip_dialog_close(dialog);
}

static void a_made_call_survives_each_failing_allocation(void **state)
{
	(void)state;
	bool has_failed = true;
	for (unsigned number = 1; has_failed && number < STEPS_MAX; number++) {
		struct fixture *fixture = fixture_create();
		struct sip_dialogs *dialogs = sip_dialogs_create(4);
		allocation_fail_at(number);
		make_a_call(dialogs, fixture->transactions);
		if (fixture->sent_count > 0)
			fixture_answer(fixture, 0, 180, "b"); // now the CANCEL goes out
		fixture_wait(fixture, 70000);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		CHECK_NUMBER(live(fixture), 0);
		CHECK_NUMBER(sip_dialogs_count(dialogs), 0);
		sip_dialogs_destroy(dialogs);
		fixture_destroy(fixture);
	}
	CHECK_FALSE(has_failed);
}

static void nothing_half_built_is_left_of_a_failed_start(void **state)
{
	(void)state;
	static const struct clock clock = { .now_ms = 1 };
	bool has_failed = true;
	for (unsigned number = 1; has_failed && number < STEPS_MAX; number++) {
		struct sip_transaction_options options = { .clock = &clock };
		allocation_fail_at(number);
		struct sip_transactions *transactions = sip_transactions_create(&options);
		struct sip_dialogs *dialogs = sip_dialogs_create(4);
		struct sip_digest *digest = sip_digest_create(&clock, TEXT("r"), 60);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		if (!has_failed)
			CHECK_TRUE(transactions != NULL && dialogs != NULL && digest != NULL);
		sip_transactions_destroy(transactions);
		sip_dialogs_destroy(dialogs);
		sip_digest_destroy(digest);
	}
	CHECK_FALSE(has_failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_served_request_survives_each_failing_allocation),
		TEST(a_made_call_survives_each_failing_allocation),
		TEST(nothing_half_built_is_left_of_a_failed_start),
	};
	return RUN_TESTS(tests);
}
