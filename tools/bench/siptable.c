// siptable: what it takes to find a transaction and a dialog, with a few of them and with very many; one
// line of JSON, ns. The tables are those of the control thread, filled as INVITEs fill them. What memory
// itself takes is told beside it: the step of a chase from object to object over as many octets.
// Runs on: one thread.

#include <malloc.h>
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
	size_t octets; // of the heap that these take
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
	struct mallinfo2 before = mallinfo2();
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
	if (!tables->wheel || !tables->transactions || !tables->dialogs || !tables->branches ||
	    !tables->tags || !tables->message || !sip_message_parse(text, tables->message) ||
	    !fill(tables))
		return false;
	tables->octets = mallinfo2().uordblks - before.uordblks;
	return true;
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

static uint32_t draw(uint32_t *order, uint32_t below)
{
	*order = *order * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)*order * below >> 32);
}

static void choose(const struct tables *tables, uint32_t *order, struct keys keys[static GROUP])
{
	for (unsigned i = 0; i < GROUP; i++) {
		unsigned nth = draw(order, tables->count);
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

// One ring through all of them in an order nothing can foresee (Sattolo 1986).
static void **chain(char *room, size_t stride, unsigned count)
{
	uint32_t order = 1;
	uint32_t *turns = malloc(count * sizeof(*turns));
	if (turns == NULL)
		return NULL;
	for (unsigned i = 0; i < count; i++)
		turns[i] = i;
	for (unsigned i = count - 1; i > 0; i--) {
		unsigned other = draw(&order, i);
		uint32_t kept = turns[i];
		turns[i] = turns[other];
		turns[other] = kept;
	}
	for (unsigned i = 0; i < count; i++)
		*(void **)(room + turns[i] * stride) = room + turns[(i + 1) % count] * stride;
	free(turns);
	return (void **)room;
}

// The step from one object to the next when they take so much memory; the shortest of several. 0: no memory.
static double chase_ns(const struct tables *tables)
{
	size_t stride = tables->octets / tables->count / sizeof(void *) * sizeof(void *);
	char *room = calloc(tables->count, stride);
	void **volatile at = room != NULL ? chain(room, stride, tables->count) : NULL;
	uint64_t best_ns = UINT64_MAX;
	for (unsigned batch = 0; at != NULL && batch < BATCHES; batch++) {
		void **step = at;
		uint64_t start_ns = now_ns();
		for (unsigned i = 0; i < LOOKUPS; i++)
			step = *step;
		uint64_t took_ns = now_ns() - start_ns;
		at = step;
		best_ns = took_ns < best_ns ? took_ns : best_ns;
	}
	free(room);
	return best_ns == UINT64_MAX ? 0 : (double)best_ns / LOOKUPS;
}

struct costs { // ns, of few and of many
	double transaction[2], dialog[2], chase[2];
};

// What a look-up takes longer among many, in steps of the chase: how often it waits for far memory.
static double waits(const double ns[static 2], const double chase[static 2])
{
	return (ns[1] - ns[0]) / chase[1];
}

static void print(const struct costs *costs)
{
	const double *transaction = costs->transaction, *dialog = costs->dialog;
	printf("{\"lookup_ns\":%.0f,\"lookup_ns_50000\":%.0f,\"lookup_growth\":%.2f,"
	       "\"lookup_waits\":%.2f,",
	       transaction[0], transaction[1], transaction[1] / transaction[0],
	       waits(transaction, costs->chase));
	printf("\"dialog_lookup_ns\":%.0f,\"dialog_lookup_ns_50000\":%.0f,"
	       "\"dialog_lookup_growth\":%.2f,\"dialog_lookup_waits\":%.2f,",
	       dialog[0], dialog[1], dialog[1] / dialog[0], waits(dialog, costs->chase));
	printf("\"chase_ns\":%.1f,\"chase_ns_50000\":%.1f}\n", costs->chase[0], costs->chase[1]);
}

int main(void)
{
	struct tables few, many; // the process's end frees them
	sip_message_start();
	if (!create(&few, FEW) || !create(&many, MANY)) {
		fprintf(stderr, "siptable: the tables could not be filled\n");
		return 1;
	}
	const struct costs costs = {
		.transaction = { lookup_ns(&few, find_transaction),
				 lookup_ns(&many, find_transaction) },
		.dialog = { lookup_ns(&few, find_dialog), lookup_ns(&many, find_dialog) },
		.chase = { chase_ns(&few), chase_ns(&many) },
	};
	if (costs.transaction[0] * costs.transaction[1] * costs.dialog[0] * costs.dialog[1] *
		    costs.chase[0] * costs.chase[1] ==
	    0) {
		fprintf(stderr, "siptable: one that is there was not found, or no memory\n");
		return 1;
	}
	print(&costs);
	return 0;
}
