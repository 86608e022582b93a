#pragma once

// What stands for calls, store, media, SIP and dataplane in the tests of the operator's side. The
// directory and the history are the real ones.

#include <jansson.h>

#include "admin/admin.h"
#include "call/call.h"
#include "config/config.h"
#include "history/history.h"
#include "media/ports.h"

#define FAKE_CALLS_MAX 4

struct fake {
	struct admin_context context;
	struct clock clock;
	struct config config;
	struct event_base *loop;
	unsigned call_count;
	struct call_facts calls[FAKE_CALLS_MAX];
	struct media_ports *ports;
	unsigned hung_up;
	bool is_store_away, is_store_silent; // silent: takes a change and never calls back
	char directory[64]; // of the history's files
};

void fake_make(struct fake *fake);
void fake_remove(struct fake *fake);
int fake_set_up(void **state); // as cmocka wants them
int fake_tear_down(void **state);
void fake_add_call(struct fake *fake, const char *sid);
// Runs one line and waits for its answer.
json_t *fake_ask(struct fake *fake, const char *line);
// The text at a path such as "calls.1.sid"; "(none)" where there is none.
const char *fake_text(json_t *answer, const char *path);
json_int_t fake_number(json_t *object, const char *key);
void fake_expect(struct fake *fake, const char *line, const char *path, const char *wanted);
const char *fake_code(struct fake *fake, const char *line); // of the error; "" when it is ok
void fake_release_store(void); // calls back what a silent store holds
