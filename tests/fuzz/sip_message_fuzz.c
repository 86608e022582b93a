// Fuzz target: any datagram through the scan, the pieces, the tables and the answers they make. Two
// transactions of the stage's own wait for it, so that responses and ACKs find something too.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/wheel.h"
#include "sip/dialog.h"
#include "sip/scan.h"
#include "sip/transaction.h"

// A tenth of what it is: the turns of the wheel between two timers were a third of each run.
#define T1_MS 50

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

struct stage {
	struct clock clock;
	struct wheel *wheel;
	struct sip_transactions *transactions;
	struct sip_dialogs *dialogs;
	struct sip_dialog *dialog;
	struct sip_server *servers[16];
	unsigned server_count;
	uint8_t choice;
};

// Whatever we send must pass our own scan.
static enum status check_sent(void *context, struct text octets, struct sip_flow *flow)
{
	struct sip_message message;
	struct sip_scan_refusal refusal;
	(void)context, (void)flow;
	enum sip_scan_verdict verdict = sip_scan_message(octets, &message, &refusal);
	if (verdict == SIP_SCAN_KEEPALIVE || verdict == SIP_SCAN_FOLDED)
		abort();
	return OK;
}

static bool is_known(void *context, const struct sip_message *request)
{
	(void)request;
	return (((struct stage *)context)->choice & 1) == 0;
}

static void on_request(void *context, struct sip_server *server, const struct sip_message *request)
{
	struct stage *stage = context;
	struct sip_dialog *dialog;
	if (sip_dialog_open_server(stage->dialogs, request, sip_server_to_tag(server), NULL,
				   &dialog) == OK) {
		struct sip_request made;
		sip_dialog_request(dialog, SIP_BYE, 0, &made);
		(void)sip_dialog_update(dialog, request);
		sip_dialog_request(dialog, SIP_BYE, 0, &made);
		if (made.target.size == 0 || made.to.size == 0)
			abort();
		sip_dialog_close(dialog);
	}
	static const unsigned answers[4] = { 180, 200, 486, 407 };
	(void)sip_server_reply(server,
			       &(struct sip_answer){ .status = answers[stage->choice >> 1 & 3] });
	if (stage->server_count < 16 && (stage->choice & 8) != 0)
		stage->servers[stage->server_count++] = server;
	else
		sip_server_release(server);
}

static void on_cancelled(void *context, struct sip_server *server, const struct sip_message *cancel)
{
	(void)context, (void)cancel;
	(void)sip_server_reply(server, &(struct sip_answer){ .status = 487 });
}

static void on_message(void *context, const struct sip_message *message)
{
	struct stage *stage = context;
	(void)sip_dialog_find(stage->dialogs, message);
	if (!message->is_request)
		(void)sip_dialog_update(stage->dialog, message);
}

static void on_response(void *context, struct sip_client *client, void *owner,
			const struct sip_message *response)
{
	(void)owner;
	on_message(context, response);
	if (response->method == SIP_INVITE && response->status / 100 == 2)
		sip_client_forget(client);
}

static void on_failed(void *context, struct sip_client *client, void *owner,
		      enum sip_failure failure)
{
	(void)context, (void)client, (void)owner, (void)failure;
}

static void open_stage(struct stage *stage)
{
	struct sip_transaction_options options = {
		.clock = &stage->clock,
		.user = { stage, is_known, on_request, on_cancelled, on_message, on_response,
			  on_failed, on_message },
		.send = check_sent,
		.t1_ms = T1_MS,
		.t2_ms = 8 * T1_MS,
		.t4_ms = 10 * T1_MS,
		.transactions_max = 64,
		.user_agent = "fuzz",
	};
	stage->dialogs = sip_dialogs_create(4);
	options.wheel = stage->wheel;
	stage->transactions = sip_transactions_create(&options);
	if (stage->wheel == NULL || stage->dialogs == NULL || stage->transactions == NULL)
		abort();
}

static void invite(struct stage *stage)
{
	struct sip_dialog_call call = { .local = TEXT("<sip:us@192.0.2.1>"),
					.remote = TEXT("<sip:b@192.0.2.9>"),
					.target = TEXT("sip:b@192.0.2.9") };
	struct sip_request request;
	struct sip_client *client;
	call.flow.local = (struct address){ ADDRESS_IPV4, 0, 5060, { 192, 0, 2, 1 } };
	call.flow.remote = (struct address){ ADDRESS_IPV4, 0, 5060, { 192, 0, 2, 9 } };
	if (sip_dialog_open_client(stage->dialogs, &call, NULL, &stage->dialog) != OK)
		abort();
	sip_dialog_request(stage->dialog, SIP_INVITE, 0, &request);
	if (sip_client_send(stage->transactions, &request, (struct sip_client_limits){ 0 }, NULL,
			    &client) != OK)
		abort();
}

static void close_stage(struct stage *stage)
{
	for (unsigned i = 0; i < stage->server_count; i++)
		sip_server_release(stage->servers[i]);
	for (unsigned i = 0; i < 12; i++) {
		stage->clock.now_ms += 10 * T1_MS;
		wheel_run(stage->wheel, stage->clock.now_ms);
	}
	sip_transactions_destroy(stage->transactions);
	sip_dialogs_destroy(stage->dialogs);
}

// The first octet chooses what the user does; the rest is one datagram, or several, parted by 0xff,
// which no UTF-8 holds.
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static struct wheel *wheel; // made once: it is large
	static struct clock clock = { .now_ms = 1000 };
	struct stage stage = { 0 };
	static const struct sip_flow flow = { .local = { ADDRESS_IPV4, 0, 5060, { 192, 0, 2, 1 } },
					      .remote = {
						      ADDRESS_IPV4, 0, 5060, { 192, 0, 2, 9 } } };
	if (wheel == NULL) {
		sip_message_start();
		log_set_level(LOG_ERROR);
		wheel = wheel_create(clock.now_ms);
	}
	if (size == 0)
		return 0;
	stage.wheel = wheel;
	stage.clock = clock;
	stage.choice = octets[0];
	open_stage(&stage);
	invite(&stage);
	struct text rest = { (const char *)octets + 1, size - 1 };
	while (rest.size > 0) {
		struct text datagram = text_split(&rest, (char)0xff);
		sip_transaction_receive(stage.transactions, datagram, &flow);
		stage.clock.now_ms += 7 * T1_MS / 5;
		wheel_run(stage.wheel, stage.clock.now_ms);
	}
	close_stage(&stage);
	clock = stage.clock;
	return 0;
}
