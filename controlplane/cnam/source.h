#pragma once

// The thread that asks where names are: a web service, or a file.
// Runs on: started and stopped by the control thread; everything else is a thread of its own (fetch/fetch.h).

#include <stdint.h>

#include "base/ring.h"
#include "base/status.h"
#include "cnam/name.h"

struct cnam_config;
struct cnam_source;

#define CNAM_SOURCE_ASKED_MAX 256 // questions at a time

struct cnam_source_question { // control to source
	uint64_t id;
	char number[17];
};

struct cnam_source_answer { // source to control
	uint64_t id;
	bool is_good; // the database answered, perhaps that there is no name (D-39)
	char name[CNAM_NAME_SIZE];
	char problem[96]; // when it is not
};

// Both rings have room for CNAM_SOURCE_ASKED_MAX. The configuration outlives it.
enum status cnam_source_start(const struct cnam_config *config, struct ring *questions,
			      struct ring *answers, struct cnam_source **out_source);
void cnam_source_stop(struct cnam_source *source); // what is under way is given up
void cnam_source_wake(struct cnam_source *source); // after a question was put
