// The worker's own stream table, writing the views of the fake dataplane that control reads.
// Runs on: the thread of the test.

#include "tests/fake/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/stream/stream.h"
#include "tests/fake/dataplane.h"

struct fake_worker {
	struct dataplane *dataplane;
	struct packet_rules rules;
	struct stream_table table;
	unsigned refused;
};

struct fake_worker *fake_worker_create(struct dataplane *dataplane)
{
	const struct dataplane_facts *facts = dataplane_facts(dataplane);
	uint32_t count = dataplane_stream_count(dataplane);
	struct fake_worker *worker = calloc(1, sizeof(*worker));
	assert(worker && facts->worker_count == 1);
	worker->dataplane = dataplane;
	worker->rules.address_count = (uint8_t)facts->address_count;
	for (unsigned i = 0; i < facts->address_count; i++)
		worker->rules.addresses[i] = facts->addresses[i];
	worker->table = (struct stream_table){
		.streams = aligned_alloc(128, count * sizeof(struct stream)),
		.views = fake_dataplane_view(dataplane, 0),
		.count = count,
		.worker_count = 1,
		.rules = &worker->rules,
	};
	assert(worker->table.streams);
	memset(worker->table.streams, 0, count * sizeof(struct stream));
	fake_dataplane_set_alive(dataplane, false); // its own stand-in rests
	return worker;
}

void fake_worker_destroy(struct fake_worker *worker)
{
	free(worker->table.streams);
	free(worker);
}

static bool take(struct fake_worker *worker, const struct message *message)
{
	switch (message->kind) {
	case MESSAGE_STREAM_OPEN:
		return stream_open(&worker->table, message);
	case MESSAGE_STREAM_CLOSE:
		return stream_close(&worker->table, message);
	default:
		return stream_takes_key(&worker->table, message);
	}
}

void fake_worker_poll(struct fake_worker *worker)
{
	struct message message;
	for (unsigned i = 0; i < fake_dataplane_sent_count(worker->dataplane); i++) {
		const struct message *sent = fake_dataplane_sent(worker->dataplane, i);
		worker->refused += !take(worker, sent);
	}
	fake_dataplane_forget_sent(worker->dataplane);
	while (stream_next_event(&worker->table, &message)) {
		fake_dataplane_tell_message(worker->dataplane, &message);
		stream_event_told(&worker->table);
	}
}

unsigned fake_worker_refused(const struct fake_worker *worker)
{
	return worker->refused;
}

unsigned fake_worker_open_count(const struct fake_worker *worker)
{
	return worker->table.open_count;
}

void fake_worker_read(const struct fake_worker *worker, uint32_t index,
		      struct fake_worker_stream *out_stream)
{
	const struct stream *stream = &worker->table.streams[index];
	const struct stream *reverse = stream_reverse(&worker->table, stream);
	*out_stream = (struct fake_worker_stream){
		.is_open = stream->is_open,
		.has_reverse = reverse != NULL,
		.flags = stream->flags,
		.source_port = stream->source_port,
		.destination_port = stream->destination_port,
		.out_port = stream->out_port,
		.reverse_index = reverse ? (uint32_t)(reverse - worker->table.streams) : 0,
	};
}
