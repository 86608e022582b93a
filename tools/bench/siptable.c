// siptable: what it takes to find a transaction and a dialog, with a few of them and with very many; one
// line of JSON, ns. The tables are those of the control thread, filled as INVITEs fill them. What memory
// itself takes is told beside it: the step of a chase from object to object over as many octets. And what a
// look-up takes when nothing of the table is in a cache, as after the work of many other messages.
// Runs on: one thread.

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/wheel.h"
#include "sip/dialog.h"
#include "sip/server.h"

#define FEW 1000u
#define MANY 50000u
#define LOOKUPS 500000u
#define BATCHES 7
#define KEY_SIZE 32
#define GROUP 64 // look-ups whose keys are at hand, as those of a message just read are
#define COLD_LOOKUPS 255
#define EVICTED                                                                                    \
	((size_t)96                                                                                \
	 << 20) // octets read to empty the caches: three times the last one of many machines

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

// Made and not kept: to read them from a table of thousands would empty the caches that are measured.
static void make_keys(unsigned nth, struct keys *keys)
{
	struct writer branch = writer_of(keys->branch, KEY_SIZE);
	struct writer tag = writer_of(keys->tag, KEY_SIZE);
	writer_format(&branch, "z9hG4bK-%u", nth);
	writer_format(&tag, "%020u", nth);
	(void)writer_string_done(&branch);
	(void)writer_string_done(&tag);
}

static void name_transaction(struct tables *tables, const struct keys *keys)
{
	tables->message->via.branch = text_of(keys->branch);
	tables->message->call_id = text_of(keys->branch);
}

static bool fill(struct tables *tables)
{
	for (unsigned i = 0; i < tables->count; i++) {
		struct sip_server *server;
		struct sip_dialog *dialog;
		struct keys keys;
		make_keys(i, &keys);
		name_transaction(tables, &keys);
		tables->message->to.tag = TEXT_NONE;
		if (sip_server_open(tables->transactions, tables->message, &server) != OK ||
		    sip_dialog_open_server(tables->dialogs, tables->message, keys.tag, NULL,
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
	tables->message = calloc(1, sizeof(*tables->message));
	struct text text = { invite_text, sizeof(invite_text) - 1 };
	if (!tables->wheel || !tables->transactions || !tables->dialogs || !tables->message ||
	    !sip_message_parse(text, tables->message) || !fill(tables))
		return false;
	tables->octets = mallinfo2().uordblks - before.uordblks;
	return true;
}

static const void *find_transaction(struct tables *tables, const struct keys *keys)
{
	name_transaction(tables, keys);
	return sip_server_find(tables->transactions, tables->message, SIP_INVITE);
}

static const void *find_dialog(struct tables *tables, const struct keys *keys)
{
	name_transaction(tables, keys);
	tables->message->to.tag = text_of(keys->tag);
	return sip_dialog_find(tables->dialogs, tables->message);
}

static uint32_t draw(uint32_t *order, uint32_t below)
{
	*order = *order * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)*order * below >> 32);
}

static void choose(const struct tables *tables, uint32_t *order, struct keys keys[static GROUP])
{
	for (unsigned i = 0; i < GROUP; i++)
		make_keys(draw(order, tables->count), &keys[i]);
}

typedef const void *(*find_fn)(struct tables *tables, const struct keys *keys);

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
				found += find(tables, &keys[i]) != NULL;
			took_ns += now_ns() - start_ns;
		}
		if (found != LOOKUPS / GROUP * GROUP)
			return 0;
		if (took_ns < best_ns)
			best_ns = took_ns;
	}
	return (double)best_ns / (LOOKUPS / GROUP * GROUP);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;
	return *one < *other ? -1 : *one > *other;
}

// Reads every line of it, and with its pages fills the TLB.
static void evict(volatile const char *room)
{
	for (size_t i = 0; i < EVICTED; i += MEMORY_LINE)
		(void)room[i];
}

// Nothing of the table is near: neither its lines nor the tables of its pages. The look-up of another one
// goes first, for what every look-up has near: code, message and the table's head. The median of many,
// less what reading the clock takes. 0: one was not found, or no memory.
static double cold_lookup_ns(struct tables *tables, find_fn find)
{
	uint64_t took_ns[COLD_LOOKUPS], clock_ns[COLD_LOOKUPS];
	uint32_t order = 1;
	struct keys keys[GROUP];
	char *room = malloc(EVICTED);
	bool is_found = room != NULL;
	memory_touch(room, EVICTED);
	for (unsigned i = 0; i < COLD_LOOKUPS && is_found; i++) {
		choose(tables, &order, keys);
		evict(room);
		clock_ns[i] = now_ns();
		clock_ns[i] = now_ns() - clock_ns[i];
		const void *before = find(tables, &keys[0]);
		uint64_t start_ns = now_ns();
		const void *found = find(tables, &keys[1]);
		took_ns[i] = now_ns() - start_ns;
		is_found = before != NULL && found != NULL;
	}
	free(room);
	if (!is_found)
		return 0;
	qsort(took_ns, COLD_LOOKUPS, sizeof(took_ns[0]), by_size);
	qsort(clock_ns, COLD_LOOKUPS, sizeof(clock_ns[0]), by_size);
	return (double)(took_ns[COLD_LOOKUPS / 2] - clock_ns[COLD_LOOKUPS / 2]);
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
	double cold_transaction[2], cold_dialog[2];
};

// What a look-up takes longer among many, in steps of the chase: how often it waits for far memory.
static double waits(const double ns[static 2], const double chase[static 2])
{
	return (ns[1] - ns[0]) / chase[1];
}

static void print_cold(const char *what, const double ns[static 2])
{
	printf("\"%slookup_cold_ns\":%.0f,\"%slookup_cold_ns_50000\":%.0f,"
	       "\"%slookup_cold_growth\":%.2f,",
	       what, ns[0], what, ns[1], what, ns[1] / ns[0]);
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
	print_cold("", costs->cold_transaction);
	print_cold("dialog_", costs->cold_dialog);
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
		.cold_transaction = { cold_lookup_ns(&few, find_transaction),
				      cold_lookup_ns(&many, find_transaction) },
		.cold_dialog = { cold_lookup_ns(&few, find_dialog),
				 cold_lookup_ns(&many, find_dialog) },
	};
	double all[sizeof(costs) / sizeof(double)];
	bool is_whole = true;
	memcpy(all, &costs, sizeof(all));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		is_whole = is_whole && all[i] > 0;
	if (!is_whole) {
		fprintf(stderr, "siptable: one that is there was not found, or no memory\n");
		return 1;
	}
	print(&costs);
	return 0;
}
