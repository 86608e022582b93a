// A request, its answer, its refusal.

#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "wire.h"

json_t *ask_trunkd(const char *socket, struct text line, int *out_status)
{
	char problem[512] = "no answer of trunkd's";
	char *raw = wire_ask(socket, line, problem, sizeof(problem));
	json_t *answer = raw ? json_loads(raw, 0, NULL) : NULL;
	const char *status = json_string_value(json_object_get(answer, "status"));
	free(raw);
	if (status && strcmp(status, "ok") == 0)
		return answer;
	*out_status = answer ? EXIT_REFUSED : EXIT_USAGE;
	if (answer)
		show_refusal(answer, stderr);
	else
		fprintf(stderr, "trunkctl: %s\n", problem);
	json_decref(answer);
	return NULL;
}
