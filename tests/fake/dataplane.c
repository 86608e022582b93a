// The dataplane's door in memory. dataplane_detach destroys it; dataplane_attach makes one of one
// worker and one address.
// Runs on: the thread of the test.

#include "tests/fake/dataplane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/suite.h"
#include "tests/fake/memory.h"

struct messages {
	struct message *values;
	unsigned count, room;
};

struct dataplane {
	struct dataplane_facts facts;
	struct messages sent, told;
	unsigned room;
	bool is_alive;
	unsigned open_count, unkeyed_count;
	struct stream_view *views;
	struct fake_key (*keys)[KEY_WAYS]; // by stream
};

static void append(struct messages *messages, const struct message *message)
{
	if (messages->count == messages->room) {
		messages->room = messages->room ? messages->room * 2 : 64;
		messages->values =
			memory_grow(messages->values, messages->room * sizeof(*messages->values));
	}
	messages->values[messages->count++] = *message;
}

struct dataplane *fake_dataplane_create(unsigned worker_count, const char *const *addresses)
{
	struct dataplane *dataplane = memory_take(sizeof(*dataplane));
	struct dataplane_facts *facts = &dataplane->facts;
	*facts = (struct dataplane_facts){ .process_id = 1,
					   .worker_count = worker_count,
					   .port = "fake:0",
					   .interface = "fake0",
					   .engine = "fake" };
	for (; *addresses; addresses++) {
		assert(facts->address_count < MEDIA_ADDRESSES_MAX);
		bool is_parsed = address_parse(text_of(*addresses),
					       &facts->addresses[facts->address_count++]);
		assert(is_parsed);
		(void)is_parsed;
	}
	dataplane->room = FAKE_ROOM_ENDLESS;
	dataplane->is_alive = true;
	size_t count = (size_t)facts->address_count * MEDIA_PORT_COUNT;
	dataplane->views = memory_take(count * sizeof(*dataplane->views));
	dataplane->keys = memory_take(count * sizeof(*dataplane->keys));
	return dataplane;
}

enum status dataplane_attach(const char *socket_path, struct dataplane **out_dataplane)
{
	(void)socket_path;
	*out_dataplane = fake_dataplane_create(1, (const char *const[]){ "192.0.2.1", NULL });
	return OK;
}

void dataplane_detach(struct dataplane *dataplane)
{
	if (!dataplane)
		return;
	free(dataplane->sent.values);
	free(dataplane->told.values);
	free(dataplane->views);
	free(dataplane->keys);
	free(dataplane);
}

void dataplane_end(struct dataplane *dataplane)
{
	dataplane_detach(dataplane);
}

int dataplane_fd(const struct dataplane *dataplane)
{
	(void)dataplane;
	return -1;
}

const struct dataplane_facts *dataplane_facts(const struct dataplane *dataplane)
{
	return &dataplane->facts;
}

// Pairs of ports go round the workers.
unsigned dataplane_worker_of(const struct dataplane *dataplane, uint32_t stream_index)
{
	return stream_index % MEDIA_PORT_COUNT / 2 % dataplane->facts.worker_count;
}

static bool has_key(const struct dataplane *dataplane, const struct stream_id *stream,
		    enum key_way way)
{
	return dataplane->keys[stream->index][way].generation == stream->generation;
}

// As the door to crypto promises: another generation's keys are gone, a new key starts afresh.
static void set_key(struct dataplane *dataplane, const struct message *message)
{
	struct fake_key *keys = dataplane->keys[message->stream.index];
	struct fake_key *key = &keys[message->key.way];
	assert(message->key.way < KEY_WAYS);
	assert(message->key.suite > SUITE_NONE && message->key.suite < SUITE_COUNT);
	for (unsigned way = 0; way < KEY_WAYS; way++)
		if (keys[way].generation != message->stream.generation)
			keys[way] = (struct fake_key){ .generation = 0 };
	*key = (struct fake_key){ .generation = message->stream.generation,
				  .count = key->count + 1,
				  .key = message->key };
}

static void set_rollover(struct dataplane *dataplane, const struct message *message)
{
	struct fake_key *keys = dataplane->keys[message->stream.index];
	bool is_taken = false;
	for (unsigned way = 0; way < KEY_WAYS; way++) {
		if (!has_key(dataplane, &message->stream, (enum key_way)way))
			continue;
		keys[way].has_rollover = is_taken = true;
		keys[way].rollover = message->rollover;
	}
	dataplane->unkeyed_count += !is_taken;
}

static void check_keys(struct dataplane *dataplane, const struct message *message)
{
	bool lacks_one = (message->flags & STREAM_SECURE_ARRIVES &&
			  !has_key(dataplane, &message->stream, KEY_ARRIVES)) ||
			 (message->flags & STREAM_SECURE_LEAVES &&
			  !has_key(dataplane, &message->stream, KEY_LEAVES));
	dataplane->unkeyed_count += lacks_one;
}

static void open_stream(struct dataplane *dataplane, const struct message *message)
{
	struct stream_view *view = &dataplane->views[message->stream.index];
	bool is_new = view->generation != message->stream.generation;
	if (view->is_open == is_new) // as a worker does: taken by another, or closed already
		return;
	if (!view->is_open)
		dataplane->open_count++;
	if (is_new)
		*view = (struct stream_view){ .generation = message->stream.generation,
					      .ttl_lowest = UINT8_MAX };
	view->is_open = 1;
	view->out_index = message->open.out_index;
	if (is_new || !view->source_is_learned || (message->flags & STREAM_RELEARN)) {
		view->source = message->open.source;
		view->source_is_learned = 0;
	}
}

static void close_stream(struct dataplane *dataplane, const struct message *message)
{
	struct stream_view *view = &dataplane->views[message->stream.index];
	if (!view->is_open || view->generation != message->stream.generation)
		return;
	view->is_open = 0;
	dataplane->open_count--;
	fake_dataplane_tell(dataplane, MESSAGE_STREAM_CLOSED, message->stream.index, NULL);
}

static void obey(struct dataplane *dataplane, const struct message *message)
{
	switch (message->kind) {
	case MESSAGE_STREAM_OPEN:
		check_keys(dataplane, message);
		open_stream(dataplane, message);
		break;
	case MESSAGE_STREAM_CLOSE:
		close_stream(dataplane, message);
		break;
	case MESSAGE_STREAM_KEY:
		set_key(dataplane, message);
		break;
	case MESSAGE_STREAM_ROLLOVER:
		set_rollover(dataplane, message);
		break;
	default:
		assert(message->kind == MESSAGE_STREAM_DIGITS); // control sends no other
	}
}

enum status dataplane_send(struct dataplane *dataplane, const struct message *message)
{
	assert(message->stream.index < dataplane_stream_count(dataplane));
	assert(message->stream.generation != 0);
	if (dataplane->room == 0)
		return ERR_BUSY;
	if (dataplane->room != FAKE_ROOM_ENDLESS)
		dataplane->room--;
	append(&dataplane->sent, message);
	if (dataplane->is_alive)
		obey(dataplane, message);
	return OK;
}

unsigned dataplane_room(const struct dataplane *dataplane, uint32_t stream_index)
{
	(void)stream_index;
	return dataplane->room;
}

unsigned dataplane_collect(struct dataplane *dataplane, struct message *out_messages, unsigned max)
{
	struct messages *told = &dataplane->told;
	unsigned count = told->count < max ? told->count : max;
	if (count == 0)
		return 0;
	memcpy(out_messages, told->values, count * sizeof(*out_messages));
	told->count -= count;
	memmove(told->values, told->values + count, told->count * sizeof(*told->values));
	return count;
}

enum status dataplane_stream_read(const struct dataplane *dataplane, uint32_t index,
				  struct stream_view *out_view)
{
	if (index >= dataplane_stream_count(dataplane))
		return ERR_NOT_FOUND;
	*out_view = dataplane->views[index];
	return OK;
}

unsigned dataplane_stream_count(const struct dataplane *dataplane)
{
	return dataplane->facts.address_count * MEDIA_PORT_COUNT;
}

void dataplane_worker_read(const struct dataplane *dataplane, unsigned worker,
			   struct worker_view *out_view)
{
	*out_view = (struct worker_view){ .lcore = worker, .streams_open = dataplane->open_count };
}

void fake_dataplane_set_engine(struct dataplane *dataplane, const char *name, enum key_form form)
{
	(void)text_copy(text_of(name), dataplane->facts.engine, sizeof(dataplane->facts.engine));
	dataplane->facts.key_form = (uint8_t)form;
}

const struct fake_key *fake_dataplane_key(const struct dataplane *dataplane, uint32_t index,
					  enum key_way way)
{
	struct stream_id stream = { index, dataplane->views[index].generation };
	bool is_there = dataplane->views[index].is_open && has_key(dataplane, &stream, way);
	return is_there ? &dataplane->keys[index][way] : NULL;
}

unsigned fake_dataplane_unkeyed_count(const struct dataplane *dataplane)
{
	return dataplane->unkeyed_count;
}

void fake_dataplane_set_room(struct dataplane *dataplane, unsigned room)
{
	dataplane->room = room;
}

void fake_dataplane_set_alive(struct dataplane *dataplane, bool is_alive)
{
	dataplane->is_alive = is_alive;
}

unsigned fake_dataplane_sent_count(const struct dataplane *dataplane)
{
	return dataplane->sent.count;
}

const struct message *fake_dataplane_sent(const struct dataplane *dataplane, unsigned number)
{
	return number < dataplane->sent.count ? &dataplane->sent.values[number] : NULL;
}

void fake_dataplane_forget_sent(struct dataplane *dataplane)
{
	dataplane->sent.count = 0;
}

unsigned fake_dataplane_take_digits(struct dataplane *dataplane, uint32_t index, char *room,
				    size_t room_size)
{
	unsigned duration_ms = 0;
	size_t used = 0;
	for (unsigned i = 0; i < dataplane->sent.count; i++) {
		struct message *message = &dataplane->sent.values[i];
		if (message->kind != MESSAGE_STREAM_DIGITS || message->stream.index != index)
			continue;
		assert(message->stream.generation == dataplane->views[index].generation);
		assert(used + message->digits.count < room_size);
		memcpy(room + used, message->digits.text, message->digits.count);
		used += message->digits.count;
		duration_ms = message->digits.duration_ms;
		message->kind = MESSAGE_NONE;
	}
	room[used] = 0;
	return duration_ms;
}

const struct message *fake_dataplane_last_open(const struct dataplane *dataplane, uint32_t index)
{
	for (unsigned i = dataplane->sent.count; i > 0; i--) {
		const struct message *message = &dataplane->sent.values[i - 1];
		if (message->kind == MESSAGE_STREAM_OPEN && message->stream.index == index)
			return message;
	}
	return NULL;
}

struct stream_view *fake_dataplane_view(struct dataplane *dataplane, uint32_t index)
{
	assert(index < dataplane_stream_count(dataplane));
	return &dataplane->views[index];
}

unsigned fake_dataplane_open_count(const struct dataplane *dataplane)
{
	return dataplane->open_count;
}

void fake_dataplane_tell(struct dataplane *dataplane, enum message_kind kind, uint32_t index,
			 const struct address *learned)
{
	struct message message = {
		.kind = (uint8_t)kind,
		.stream = { index, dataplane->views[index].generation },
	};
	if (learned) {
		message.learned = *learned;
		dataplane->views[index].source = *learned;
		dataplane->views[index].source_is_learned = 1;
	}
	append(&dataplane->told, &message);
}

void fake_dataplane_tell_message(struct dataplane *dataplane, const struct message *message)
{
	append(&dataplane->told, message);
}
