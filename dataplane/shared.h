#pragma once

// The layout of the two memory files a control process gets when it attaches: the mailboxes, which
// both sides write, and the views, which only the dataplane can write. And the words of attaching.
// Runs on: any thread; pure.

#include <stddef.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "dataplane/mailbox.h"

#define SHARED_MAGIC 0x31507464u // "dtP1"
#define SHARED_VERSION 3u
#define SHARED_WORKERS_MAX 64

#define SHARED_END 'q' // the one word a control process may say: end with us

enum shared_answer { SHARED_WELCOME, SHARED_TAKEN, SHARED_FORBIDDEN };

// The one message on the socket, with the two descriptors: mailboxes, views.
struct shared_greeting {
	uint32_t magic, version;
	uint32_t answer; // enum shared_answer
	uint32_t worker_count, stream_count;
	uint32_t worker_view_size, stream_view_size,
		facts_size; // a client built otherwise is refused
};

struct shared_worker_view {
	_Alignas(64) struct worker_view view;
};

struct shared_mailboxes { // one worker's
	struct mailbox inbox; // control to worker
	struct mailbox outbox; // worker to control
};

struct shared_views {
	struct dataplane_facts facts;
	_Alignas(128) struct shared_worker_view workers[SHARED_WORKERS_MAX];
	_Alignas(128) struct stream_view streams[]; // stream_count of them
};

static inline size_t shared_mailboxes_size(uint32_t worker_count)
{
	return worker_count * sizeof(struct shared_mailboxes);
}

static inline size_t shared_views_size(uint32_t stream_count)
{
	return sizeof(struct shared_views) + stream_count * sizeof(struct stream_view);
}

// RTP and its RTCP are a pair of ports; the pairs are cut into one contiguous part per worker.
static inline unsigned shared_worker_of(unsigned worker_count, uint32_t stream_index)
{
	const uint32_t pairs = (MEDIA_PORT_COUNT + 1) / 2;
	return stream_index % MEDIA_PORT_COUNT / 2 * worker_count / pairs;
}
