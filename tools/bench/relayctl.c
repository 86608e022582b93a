// relayctl: opens the streams of many calls in a running trunkd-dataplane, as trunkd would, and reads
// the workers' counters on request. The bench's stand-in for a control plane. Given keys, the first side
// of every call is SRTP and the second is not.
// Runs on: one thread. It must never touch SIP or DPDK: it knows the dataplane by its door alone.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "dataplane/dataplane.h"
#include "protector.h"

#define CALL_PORTS 4 // of the media address: RTP and RTCP for each side
#define CALLS_MAX (MEDIA_PORT_COUNT / CALL_PORTS)
#define MASTER_SIZE 30

struct plan {
	struct address generator;
	uint8_t mac[6];
	unsigned calls;
	uint16_t first_port; // the generator's: 2 per call, 4 apart
	bool is_secure;
	uint8_t masters[CALLS_MAX][KEY_WAYS][MASTER_SIZE]; // of the first side: arrives, leaves
};

static bool send_message(struct dataplane *dataplane, const struct message *message)
{
	struct message events[64];
	struct timespec pause = { .tv_nsec = 1000000 };
	for (unsigned i = 0; i < 2000; i++) {
		(void)dataplane_collect(dataplane, events, 64);
		if (dataplane_send(dataplane, message) == OK)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

// Control derives session keys where the engine wants them so.
static bool send_key(struct dataplane *dataplane, struct protector *protector, uint32_t index,
		     enum key_way way, const uint8_t *master)
{
	struct message message = {
		.kind = MESSAGE_STREAM_KEY,
		.flags = index % 2 ? STREAM_IS_RTCP : 0,
		.stream = { .index = index, .generation = 1 },
		.key = { .suite = SUITE_AES_CM_80, .way = (uint8_t)way },
	};
	if (dataplane_facts(dataplane)->key_form == KEY_MASTER)
		memcpy(message.key.octets, master, MASTER_SIZE);
	else
		protector_derive(protector, SUITE_AES_CM_80, master, index % 2, message.key.octets);
	return send_message(dataplane, &message);
}

// One direction: what the generator sends from `from` to local port index `in` leaves from `out`.
static bool open_stream(struct dataplane *dataplane, const struct plan *plan, uint32_t in,
			uint32_t out, unsigned flags)
{
	struct message message = {
		.kind = MESSAGE_STREAM_OPEN,
		.flags = (uint8_t)flags,
		.stream = { .index = in, .generation = 1 },
		.open = { .source = plan->generator,
			  .destination = plan->generator,
			  .out_index = out,
			  .payload_in = PAYLOAD_TYPE_NONE,
			  .payload_out = PAYLOAD_TYPE_NONE },
	};
	message.open.source.port = (uint16_t)(plan->first_port + in);
	message.open.destination.port = (uint16_t)(plan->first_port + out);
	memcpy(message.open.next_hop, plan->mac, 6);
	return send_message(dataplane, &message);
}

static bool open_call(struct dataplane *dataplane, const struct plan *plan,
		      struct protector *protector, uint32_t call)
{
	for (uint32_t a = call * CALL_PORTS; a < call * CALL_PORTS + 2; a++) { // RTP, RTCP
		uint32_t b = a + 2;
		unsigned flags = a % 2 ? STREAM_IS_RTCP : 0;
		unsigned arrives = plan->is_secure ? STREAM_SECURE_ARRIVES : 0;
		unsigned leaves = plan->is_secure ? STREAM_SECURE_LEAVES : 0;
		bool has_keys = !plan->is_secure || (send_key(dataplane, protector, a, KEY_ARRIVES,
							      plan->masters[call][KEY_ARRIVES]) &&
						     send_key(dataplane, protector, b, KEY_LEAVES,
							      plan->masters[call][KEY_LEAVES]));
		if (!has_keys || !open_stream(dataplane, plan, a, b, flags | arrives) ||
		    !open_stream(dataplane, plan, b, a, flags | leaves))
			return false;
	}
	return true;
}

static bool open_calls(struct dataplane *dataplane, const struct plan *plan)
{
	struct protector *protector = protector_create();
	bool is_good = protector;
	for (uint32_t i = 0; i < plan->calls && is_good; i++)
		is_good = open_call(dataplane, plan, protector, i);
	protector_destroy(protector);
	return is_good;
}

// A line per call: what arrives from its first side, what leaves to it; 30 octets each, in hex.
static bool read_keys(struct plan *plan, const char *path)
{
	FILE *file = fopen(path, "r");
	bool is_good = file;
	for (unsigned i = 0; i < plan->calls && is_good; i++)
		for (unsigned k = 0; k < KEY_WAYS * MASTER_SIZE && is_good; k++)
			is_good = fscanf(file, k == MASTER_SIZE ? " %2hhx" : "%2hhx",
					 &plan->masters[i][k / MASTER_SIZE][k % MASTER_SIZE]) == 1;
	if (file)
		fclose(file);
	return is_good;
}

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// One line of JSON: all workers together.
static void print_counters(struct dataplane *dataplane)
{
	const struct dataplane_facts *facts = dataplane_facts(dataplane);
	struct worker_view sum = { 0 };
	for (unsigned i = 0; i < facts->worker_count; i++) {
		struct worker_view view;
		dataplane_worker_read(dataplane, i, &view);
		for (unsigned k = 0; k < VERDICT_COUNT; k++)
			sum.verdicts[k] += view.verdicts[k];
		sum.polls += view.polls;
		sum.idle_polls += view.idle_polls;
		sum.busy_cycles += view.busy_cycles;
		sum.cycles += view.cycles;
		sum.streams_open += view.streams_open;
	}
	printf("{\"time_ns\":%lu,\"streams_open\":%u,\"polls\":%lu,\"idle_polls\":%lu,\"busy_"
	       "cycles\":%lu,"
	       "\"cycles\":%lu",
	       now_ns(), sum.streams_open, sum.polls, sum.idle_polls, sum.busy_cycles, sum.cycles);
	for (unsigned k = 0; k < VERDICT_COUNT; k++)
		printf(",\"%s\":%lu", verdict_label(k), sum.verdicts[k]);
	printf("}\n");
	fflush(stdout);
}

static bool parse(int count, char **arguments, struct plan *plan)
{
	uint8_t *mac = plan->mac;
	uint64_t calls = 0, port = 0;
	bool is_good = (count == 6 || count == 7) &&
		       address_parse(text_of(arguments[2]), &plan->generator) &&
		       sscanf(arguments[3], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2,
			      mac + 3, mac + 4, mac + 5) == 6 &&
		       text_to_unsigned(text_of(arguments[4]), CALLS_MAX, &calls) &&
		       text_to_unsigned(text_of(arguments[5]), 65535 - MEDIA_PORT_COUNT, &port);
	plan->calls = (unsigned)calls;
	plan->first_port = (uint16_t)port;
	plan->is_secure = count == 7;
	return is_good && (count == 6 || read_keys(plan, arguments[6]));
}

int main(int count, char **arguments)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	struct dataplane *dataplane = NULL;
	char line[16];
	if (!plan || !parse(count, arguments, plan)) {
		fprintf(stderr,
			"relayctl SOCKET GENERATOR-IP GENERATOR-MAC CALLS FIRST-PORT [KEYS]\n"
			"Opens the calls, prints counters for each line it reads, ends with its "
			"input.\n");
		return 2;
	}
	enum status status = dataplane_attach(arguments[1], &dataplane);
	if (status != OK || !open_calls(dataplane, plan)) {
		fprintf(stderr, "relayctl: %s: %s\n", arguments[1],
			status == OK ? "its rings stay full" : status_text(status));
		dataplane_detach(dataplane);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		print_counters(dataplane);
	dataplane_detach(dataplane);
	free(plan);
	return 0;
}
