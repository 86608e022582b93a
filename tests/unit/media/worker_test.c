// What control sends, against the worker's own stream table: it must accept every message, whenever
// it reads it, and end up doing what the call is about.

#include "tests/unit/media/bench.h"

#include "dataplane/stream.h"

struct worker {
	struct bench bench;
	struct packet_rules rules;
	struct stream_table table;
	unsigned refused;
};

// The table writes the views that control reads; the fake's own worker stands still.
static void begin(struct worker *worker)
{
	struct bench *bench = &worker->bench;
	*worker = (struct worker){ .refused = 0 };
	bench_begin(bench, 1);
	fake_dataplane_set_alive(bench->dataplane, false);
	const struct dataplane_facts *facts = dataplane_facts(bench->dataplane);
	worker->rules.address_count = (uint8_t)facts->address_count;
	for (unsigned i = 0; i < facts->address_count; i++)
		worker->rules.addresses[i] = facts->addresses[i];
	uint32_t count = dataplane_stream_count(bench->dataplane);
	worker->table = (struct stream_table){
		.streams = aligned_alloc(128, count * sizeof(struct stream)),
		.views = fake_dataplane_view(bench->dataplane, 0),
		.count = count,
		.worker_count = 1,
		.rules = &worker->rules,
	};
	assert_non_null(worker->table.streams);
	memset(worker->table.streams, 0, count * sizeof(struct stream));
	CHECK_TRUE(stream_table_init(&worker->table));
}

static void end(struct worker *worker)
{
	stream_table_clear(&worker->table);
	free(worker->table.streams);
	bench_end(&worker->bench);
}

// One poll: messages in, events out.
static void poll(struct worker *worker)
{
	struct dataplane *dataplane = worker->bench.dataplane;
	struct message message;
	for (unsigned i = 0; i < fake_dataplane_sent_count(dataplane); i++) {
		const struct message *sent = fake_dataplane_sent(dataplane, i);
		bool is_taken = sent->kind == MESSAGE_STREAM_OPEN
					? stream_open(&worker->table, sent)
					: stream_close(&worker->table, sent);
		worker->refused += !is_taken;
	}
	fake_dataplane_forget_sent(dataplane);
	while (stream_next_event(&worker->table, &message)) {
		fake_dataplane_tell_message(dataplane, &message);
		stream_event_told(&worker->table);
	}
}

static void a_call_and_its_changes_are_accepted(void **state)
{
	(void)state;
	struct worker worker;
	struct bench_text text;
	begin(&worker);
	struct media *media = bench_call(&worker.bench);
	poll(&worker);
	CHECK_NUMBER(worker.table.open_count, 4);
	const struct stream *stream = &worker.table.streams[media->legs[MEDIA_CALLER].rtp_index];
	CHECK_NUMBER(stream->destination_port, 6000);
	CHECK_NUMBER(stream->source_port, 0);
	CHECK_NUMBER(stream->out_port, media->legs[MEDIA_CALLED].local.port);
	CHECK_TRUE(stream_reverse(&worker.table, stream) ==
		   &worker.table.streams[media->legs[MEDIA_CALLED].rtp_index]);
	bench_offer(media, MEDIA_CALLER, SDP("0.0.0.0", "4000", EVENTS("101"))); // hold
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, SDP("203.0.113.9", "6010", EVENTS("96")));
	media_connect(media);
	poll(&worker);
	CHECK_NUMBER(stream->destination_port, 6010);
	CHECK_TRUE(worker.table.streams[media->legs[MEDIA_CALLED].rtp_index].flags &
		   STREAM_NO_NEXT_HOP);
	media_close(media);
	poll(&worker);
	bench_wait(&worker.bench, 5);
	CHECK_NUMBER(worker.bench.closed, 1);
	CHECK_NUMBER(worker.table.open_count, 0);
	CHECK_NUMBER(worker.refused, 0);
	end(&worker);
}

#define AT_ONCE 100
#define STEPS 20000

static void change(struct media **media)
{
	static const char *const callers[] = {
		CALLER_SDP, SDP("198.51.100.8", "4002", "\r\n"), SDP("0.0.0.0", "4000", "\r\n"),
		"v=0\r\nc=IN IP6 2001:db8:7::7\r\nm=audio 4000 RTP/AVP 0\r\n"
	};
	struct media_problem problem;
	switch (random_below(6)) {
	case 0:
		media_close(*media);
		*media = NULL;
		break;
	case 1:
		(void)media_receive_offer(*media, MEDIA_CALLER, text_of(callers[random_below(4)]),
					  &problem);
		break;
	case 2:
		bench_answer(*media, MEDIA_CALLED, CALLED_SDP);
		media_connect(*media);
		break;
	case 3:
		media_set_symmetric(*media, MEDIA_CALLER, random_below(2));
		media_connect(*media);
		break;
	case 4:
		media_withdraw_offer(*media);
		break;
	case 5:
		media_forget(*media, MEDIA_CALLED);
		break;
	}
}

static void random_calls_are_accepted_however_late_they_are_read(void **state)
{
	(void)state;
	struct worker worker;
	static struct media *calls[AT_ONCE];
	begin(&worker);
	for (unsigned i = 0; i < STEPS; i++) {
		struct media **media = &calls[random_below(AT_ONCE)];
		if (*media)
			change(media);
		else
			*media = bench_open(&worker.bench);
		if (random_below(20) == 0)
			poll(&worker);
		if (random_below(10) == 0)
			bench_wait(&worker.bench, 5);
	}
	for (unsigned i = 0; i < AT_ONCE; i++) {
		if (calls[i])
			media_close(calls[i]);
		calls[i] = NULL;
	}
	poll(&worker);
	bench_wait(&worker.bench, 200);
	CHECK_NUMBER(worker.table.open_count, 0);
	CHECK_NUMBER(worker.refused, 0);
	CHECK_NUMBER(media_ports_count(worker.bench.engine->ports, MEDIA_PORT_FREE), 10000);
	end(&worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_and_its_changes_are_accepted),
		TEST(random_calls_are_accepted_however_late_they_are_read),
	};
	return RUN_TESTS(tests);
}
