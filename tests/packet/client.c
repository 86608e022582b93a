// A control process in miniature: attaches to a running dataplane and does what its input says, so
// that a script can try the real program: "open …", "close …" (see script.h), "show INDEX", "worker N",
// "events", "sleep MS". Prints what it is told.
// Runs on: main of a test.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/dataplane.h"
#include "tests/packet/script.h"

static void show_facts(const struct dataplane *dataplane)
{
	const struct dataplane_facts *facts = dataplane_facts(dataplane);
	printf("dataplane process=%u workers=%u addresses=%u port=%s interface=%s huge_pages=%d "
	       "engine=%s "
	       "mac=%02x:%02x:%02x:%02x:%02x:%02x\n",
	       facts->process_id, facts->worker_count, facts->address_count, facts->port,
	       facts->interface, facts->has_huge_pages, facts->engine, facts->mac[0], facts->mac[1],
	       facts->mac[2], facts->mac[3], facts->mac[4], facts->mac[5]);
}

static void show_events(struct dataplane *dataplane)
{
	struct message events[64];
	unsigned count;
	while ((count = dataplane_collect(dataplane, events, 64)) > 0)
		for (unsigned i = 0; i < count; i++)
			script_print_event(stdout, &events[i]);
}

static void show(struct dataplane *dataplane, struct text verb, uint64_t number)
{
	struct stream_view stream;
	struct worker_view worker;
	if (text_is_equal(verb, TEXT("show"))) {
		if (dataplane_stream_read(dataplane, (uint32_t)number, &stream) == OK)
			script_print_view(stdout, (uint32_t)number, &stream);
	} else if (text_is_equal(verb, TEXT("worker"))) {
		dataplane_worker_read(dataplane, (unsigned)number, &worker);
		script_print_worker(stdout, &worker);
	} else if (text_is_equal(verb, TEXT("sleep"))) {
		struct timespec pause = { (time_t)(number / 1000),
					  (long)(number % 1000) * 1000000 };
		nanosleep(&pause, NULL);
	}
}

static bool obey(struct dataplane *dataplane, struct text line)
{
	struct message message;
	if (script_parse(line, dataplane_facts(dataplane)->key_form, &message)) {
		enum status status = dataplane_send(dataplane, &message);
		printf("sent %s\n", status_name(status));
		return status == OK;
	}
	struct cursor cursor = cursor_of(line);
	struct text verb = cursor_word(&cursor);
	if (text_is_equal(verb, TEXT("events"))) {
		show_events(dataplane);
		return true;
	}
	cursor_skip_space(&cursor);
	uint64_t number = cursor_unsigned(&cursor, UINT32_MAX);
	if (cursor.failed)
		return false;
	show(dataplane, verb, number);
	return true;
}

int main(int count, char **arguments)
{
	struct dataplane *dataplane;
	char line[512];
	enum status status = dataplane_attach(count > 1 ? arguments[1] : "", &dataplane);
	if (status != OK) {
		printf("attach %s\n", status_name(status));
		return EXIT_FAILURE;
	}
	show_facts(dataplane);
	fflush(stdout);
	bool is_good = true, is_end = false;
	while (is_good && !is_end && fgets(line, sizeof(line), stdin)) {
		struct text text = { line, strcspn(line, "\n") };
		is_end = text_is_equal(text, TEXT("end"));
		is_good = text.size == 0 || is_end || obey(dataplane, text);
		fflush(stdout);
	}
	if (is_end)
		dataplane_end(dataplane);
	else
		dataplane_detach(dataplane);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
