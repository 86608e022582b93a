// siptable: what it takes to find a transaction and a dialog, with a few of them and with very many; one
// line of JSON, ns. The tables are those of the control thread, filled as INVITEs fill them.
// Runs on: one thread.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/wheel.h"
#include "sip/dialog.h"
#include "sip/server.h"

#define FEW 1000u
#define MANY 50000u
#define LOOKUPS 500000u
#define BATCHES 7
#define KEY_SIZE 32
#define GROUP 64 // look-ups whose keys are at hand, as those of a message just read are

static const char invite_text[] = "INVITE sip:+14155550100@office.example SIP/2.0\r\n"
				  "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-0\r\n"
				  "Max-Forwards: 70\r\n"
				  "From: <sip:+14155550199@office.example>;tag=caller\r\n"
				  "To: <sip:+14155550100@office.example>\r\n"
				  "Call-ID: 0\r\n"
				  "CSeq: 1 INVITE\r\n"
				  "Contact: <sip:192.0.2.10:5060>\r\n"
				  "Content-Length: 0\r\n\r\n";

struct tables {
	struct clock clock;
	struct wheel *wheel;
	struct sip_transactions *transactions;
	struct sip_dialogs *dialogs;
	struct sip_message *message;
	unsigned count;
	char (*branches)[KEY_SIZE], (*tags)[KEY_SIZE];
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static enum status send_nothing(void *context, struct text octets, struct sip_flow *flow)
{
	(void)context, (void)octets, (void)flow;
	return OK;
}

struct keys {
	char branch[KEY_SIZE], tag[KEY_SIZE];
};

static void name_transaction(struct tables *tables, const char *branch)
{
	tables->message->via.branch = text_of(branch);
	tables->message->call_id = text_of(branch);
}

static bool fill(struct tables *tables)
{
	for (unsigned i = 0; i < tables->count; i++) {
		struct sip_server *server;
		struct sip_dialog *dialog;
		struct writer branch = writer_of(tables->branches[i], KEY_SIZE);
		struct writer tag = writer_of(tables->tags[i], KEY_SIZE);
		writer_format(&branch, "z9hG4bK-%u", i);
		writer_format(&tag, "%020u", i);
		(void)writer_string_done(&branch);
		(void)writer_string_done(&tag);
		name_transaction(tables, tables->branches[i]);
		tables->message->to.tag = TEXT_NONE;
		if (sip_server_open(tables->transactions, tables->message, &server) != OK ||
		    sip_dialog_open_server(tables->dialogs, tables->message, tables->tags[i], NULL,
					   &dialog) != OK)
			return false;
	}
	return true;
}

static bool create(struct tables *tables, unsigned count)
{
	*tables = (struct tables){ .count = count, .wheel = wheel_create(0) };
	struct sip_transaction_options options = { .clock = &tables->clock,
						   .wheel = tables->wheel,
						   .send = send_nothing,
						   .t1_ms = 500,
						   .t2_ms = 4000,
						   .t4_ms = 5000,
						   .transactions_max = 2 * count,
						   .user_agent = "siptable" };
	tables->transactions = sip_transactions_create(&options);
	tables->dialogs = sip_dialogs_create(1024);
	tables->branches = calloc(count, KEY_SIZE);
	tables->tags = calloc(count, KEY_SIZE);
	tables->message = calloc(1, sizeof(*tables->message));
	struct text text = { invite_text, sizeof(invite_text) - 1 };
	return tables->wheel && tables->transactions && tables->dialogs && tables->branches &&
	       tables->tags && tables->message && sip_message_parse(text, tables->message) &&
	       fill(tables);
}

static bool find_transaction(struct tables *tables, const struct keys *keys)
{
	name_transaction(tables, keys->branch);
	return sip_server_find(tables->transactions, tables->message, SIP_INVITE) != NULL;
}

static bool find_dialog(struct tables *tables, const struct keys *keys)
{
	name_transaction(tables, keys->branch);
	tables->message->to.tag = text_of(keys->tag);
	return sip_dialog_find(tables->dialogs, tables->message) != NULL;
}

static void choose(const struct tables *tables, uint32_t *order, struct keys keys[static GROUP])
{
	for (unsigned i = 0; i < GROUP; i++) {
		*order = *order * 1664525 + 1013904223;
		unsigned nth = (unsigned)((uint64_t)*order * tables->count >> 32);
		memcpy(keys[i].branch, tables->branches[nth], KEY_SIZE);
		memcpy(keys[i].tag, tables->tags[nth], KEY_SIZE);
	}
}

typedef bool (*find_fn)(struct tables *tables, const struct keys *keys);

// The shortest of several batches; each looks up in an order nothing can foresee. 0: one was not found.
static double lookup_ns(struct tables *tables, find_fn find)
{
	uint64_t best_ns = UINT64_MAX;
	uint32_t order = 1;
	struct keys keys[GROUP];
	for (unsigned batch = 0; batch < BATCHES; batch++) {
		uint64_t took_ns = 0, found = 0;
		for (unsigned group = 0; group < LOOKUPS / GROUP; group++) {
			choose(tables, &order, keys);
			uint64_t start_ns = now_ns();
			for (unsigned i = 0; i < GROUP; i++)
				found += find(tables, &keys[i]);
			took_ns += now_ns() - start_ns;
		}
		if (found != LOOKUPS / GROUP * GROUP)
			return 0;
		if (took_ns < best_ns)
			best_ns = took_ns;
	}
	return (double)best_ns / (LOOKUPS / GROUP * GROUP);
}

int main(void)
{
	struct tables few, many; // the process's end frees them
	sip_message_start();
	if (!create(&few, FEW) || !create(&many, MANY)) {
		fprintf(stderr, "siptable: the tables could not be filled\n");
		return 1;
	}
	double transactions[] = { lookup_ns(&few, find_transaction),
				  lookup_ns(&many, find_transaction) };
	double dialogs[] = { lookup_ns(&few, find_dialog), lookup_ns(&many, find_dialog) };
	if (transactions[0] * transactions[1] * dialogs[0] * dialogs[1] == 0) {
		fprintf(stderr, "siptable: one that is there was not found\n");
		return 1;
	}
	printf("{\"lookup_ns\":%.0f,\"lookup_ns_50000\":%.0f,\"dialog_lookup_ns\":%.0f,"
	       "\"dialog_lookup_ns_50000\":%.0f}\n",
	       transactions[0], transactions[1], dialogs[0], dialogs[1]);
	return 0;
}
