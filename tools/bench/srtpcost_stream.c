// The calls: their ports, their keys, and opening them anew for each slice, as a control process would.
// Runs on: main, while the worker's port brings nothing.

#include "srtpcost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/crypto/crypto.h"
#include "dataplane/mailbox.h"
#include "dataplane/shared.h"

#define OPEN_WAIT_MS 5000

const struct cost_mix cost_mixes[] = {
	{ "rtp_rtp", { false, false }, { false, false } },
	{ "rtp_srtp", { false, false }, { true, true } },
	{ "srtp_rtp", { true, true }, { false, false } },
	{ "srtp_srtp", { true, true }, { true, true } },
	// A call between a secure side and a plain one.
	{ "both_ways", { true, false }, { false, true } },
};

uint32_t cost_index(unsigned stream)
{
	unsigned call = stream / 2;
	return call / COST_CALLS_PER_ADDRESS * MEDIA_PORT_COUNT +
	       call % COST_CALLS_PER_ADDRESS * COST_CALL_PORTS + stream % 2 * 2;
}

static bool create_keys(struct cost *cost, unsigned stream)
{
	struct protector_key *keys[] = { &cost->arrives[stream], &cost->leaves[stream],
					 &cost->bare[stream] };
	for (unsigned way = 0; way < KEY_WAYS; way++) {
		uint32_t noise = stream * 2 + way;
		for (unsigned i = 0; i < PROTECTOR_OCTETS_MAX; i++) {
			noise = noise * 1664525 + 1013904223;
			cost->masters[stream][way][i] = (uint8_t)(noise >> 24);
		}
		protector_derive(cost->protector, cost->suite, cost->masters[stream][way], false,
				 cost->sessions[stream][way]);
	}
	for (unsigned i = 0; i < 3; i++)
		if (!protector_set_key(cost->protector, cost->suite,
				       cost->sessions[stream][i == 1 ? KEY_LEAVES : KEY_ARRIVES],
				       keys[i]))
			return false;
	return true;
}

bool cost_create_streams(struct cost *cost)
{
	const size_t count = 2 * COST_CALLS_MAX;
	cost->masters = calloc(count, sizeof(*cost->masters));
	cost->sessions = calloc(count, sizeof(*cost->sessions));
	cost->sent = calloc(count, sizeof(*cost->sent));
	cost->arrives = aligned_alloc(64, count * sizeof(*cost->arrives));
	cost->leaves = aligned_alloc(64, count * sizeof(*cost->leaves));
	cost->bare = aligned_alloc(64, count * sizeof(*cost->bare));
	bool is_good = cost->masters && cost->sessions && cost->sent && cost->arrives &&
		       cost->leaves && cost->bare;
	for (unsigned i = 0; i < count && is_good; i++)
		is_good = create_keys(cost, i);
	return is_good;
}

void cost_destroy_streams(struct cost *cost)
{
	for (unsigned i = 0; i < 2 * COST_CALLS_MAX && cost->bare && cost->suite; i++) {
		protector_clear_key(&cost->arrives[i]);
		protector_clear_key(&cost->leaves[i]);
		protector_clear_key(&cost->bare[i]);
	}
	free(cost->masters);
	free(cost->sessions);
	free(cost->sent);
	free(cost->arrives);
	free(cost->leaves);
	free(cost->bare);
}

static bool put(struct cost *cost, const struct message *message)
{
	for (unsigned i = 0; i < OPEN_WAIT_MS; i++) {
		if (mailbox_put(cost->inbox, message))
			return true;
		usleep(1000); // the worker is slower than we are
	}
	return false;
}

static bool put_key(struct cost *cost, unsigned stream, uint32_t index, enum key_way way)
{
	bool is_master = crypto_key_form(cost->crypto) == KEY_MASTER;
	struct message message = {
		.kind = MESSAGE_STREAM_KEY,
		.flags = index % 2 ? STREAM_IS_RTCP : 0,
		.stream = { index, cost->generation },
		.key = { .suite = (uint8_t)cost->suite, .way = (uint8_t)way },
	};
	const struct suite_facts *facts = suite_facts(cost->suite);
	unsigned size = facts->key_size + facts->salt_size;
	if (!is_master && !suite_is_aead(cost->suite))
		size += SUITE_AUTH_SIZE;
	memcpy(message.key.octets,
	       is_master ? cost->masters[stream][way] : cost->sessions[stream][way], size);
	return put(cost, &message);
}

static bool open_one(struct cost *cost, unsigned stream, bool is_rtcp)
{
	const struct cost_mix *mix = cost->mix;
	unsigned side = stream % 2;
	uint32_t index = cost_index(stream) + is_rtcp, out = cost_index(stream ^ 1) + is_rtcp;
	struct message message = {
		.kind = MESSAGE_STREAM_OPEN,
		.flags = (uint8_t)((is_rtcp ? STREAM_IS_RTCP : 0) |
				   (mix->arrives[side] ? STREAM_SECURE_ARRIVES : 0) |
				   (mix->leaves[side] ? STREAM_SECURE_LEAVES : 0)),
		.stream = { index, cost->generation },
		.open = { .out_index = out,
			  .payload_in = PAYLOAD_TYPE_NONE,
			  .payload_out = PAYLOAD_TYPE_NONE },
	};
	(void)address_parse(text_of("198.18.0.1"), &message.open.source);
	message.open.destination = message.open.source;
	message.open.source.port = (uint16_t)(20000 + index % MEDIA_PORT_COUNT);
	message.open.destination.port = (uint16_t)(20000 + out % MEDIA_PORT_COUNT);
	memset(message.open.next_hop, 2, 6);
	return (!mix->arrives[side] || put_key(cost, stream, index, KEY_ARRIVES)) &&
	       (!mix->leaves[side] || put_key(cost, stream, index, KEY_LEAVES)) &&
	       put(cost, &message);
}

// Nobody reads what the worker tells; a full mailbox would make it try again in every turn.
static void forget_events(struct cost *cost)
{
	struct message message;
	while (mailbox_take(cost->outbox, &message))
		;
}

static bool wait_for_worker(struct cost *cost)
{
	const struct mailbox *mailbox = cost->inbox->mailbox;
	bool is_done = false;
	for (unsigned i = 0; i < OPEN_WAIT_MS && !is_done; i++) {
		usleep(1000);
		forget_events(cost);
		is_done = atomic_load(&mailbox->taken) == atomic_load(&mailbox->put);
	}
	usleep(2000); // the last ones are taken, and then done
	forget_events(cost);
	return is_done;
}

// Nothing reads the generation after this: the next slice's streams have another.
static bool close_all(struct cost *cost)
{
	for (unsigned i = 0; i < 2 * cost->opened; i++) {
		struct message message = {
			.kind = MESSAGE_STREAM_CLOSE,
			.stream = { cost_index(i / 2) + i % 2, cost->generation },
		};
		if (!put(cost, &message))
			return false;
	}
	cost->opened = 0;
	return wait_for_worker(cost);
}

bool cost_open(struct cost *cost)
{
	const struct worker_view *view = &cost->views->workers[0].view;
	uint64_t stale = view->messages_stale;
	if (!close_all(cost))
		return false;
	cost->generation++;
	cost->next_stream = 0;
	memset(cost->sent, 0, 2 * COST_CALLS_MAX * sizeof(*cost->sent));
	for (unsigned i = 0; i < cost->streams; i++)
		if (!open_one(cost, i, false) || !open_one(cost, i, true))
			return false;
	cost->opened = cost->streams;
	bool is_done = wait_for_worker(cost);
	if (view->messages_stale != stale)
		fprintf(stderr, "srtpcost: %lu messages were refused\n",
			view->messages_stale - stale);
	return is_done && view->messages_stale == stale;
}
