// Reading the configuration file again. Runs on the control thread.

#include "reload.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "certificates.h"
#include "config/config.h"
#include "control.h"
#include "rates.h"
#include "sip/tls/tls.h"

// What the new options name, such as certificates, must be right as well.
static enum status read_files(struct control *control, const struct config *before,
			      char problem[static RATES_PROBLEM_MAX])
{
	struct sip_tls_problem wrong;
	enum status status = rates_check(control->config, problem);
	if (status != OK)
		return status;
	status = certificates_reload(control, before, &wrong);
	if (status != OK) {
		char text[CERTIFICATES_PROBLEM_SIZE];
		certificates_locate(control->config_path, &wrong, text);
		text_copy_cut(text_of(text), problem, RATES_PROBLEM_MAX);
		return status;
	}
	return rates_reload(control, problem);
}

// All or nothing.
static enum status adopt(struct control *control, const struct config *fresh,
			 struct config_problems *problems)
{
	struct config *before = malloc(sizeof *before);
	if (before == NULL)
		return ERR_MEMORY;
	*before = *control->config;
	enum status status = config_adopt(control->config, fresh, problems);
	if (status == OK) {
		char problem[RATES_PROBLEM_MAX] = "";
		status = read_files(control, before, problem);
		if (status != OK) {
			*control->config = *before;
			text_copy_cut(text_of(problem), problems->messages[0],
				      sizeof problems->messages[0]);
			problems->count = 1;
		}
	}
	free(before);
	return status;
}

enum status reload_run(void *context, char *room, unsigned room_size)
{
	struct control *control = context;
	struct config *fresh = NULL;
	struct config_problems *problems = calloc(1, sizeof *problems);
	if (problems == NULL)
		return ERR_MEMORY;
	enum status status = config_load(control->config_path, &fresh, problems);
	if (status == OK)
		status = adopt(control, fresh, problems);
	struct writer writer = writer_of(room, room_size);
	for (unsigned i = 0; i < problems->count; i++) {
		writer_string(&writer, i > 0 ? "\n" : "");
		writer_string(&writer, problems->messages[i]);
		log_event(LOG_ERROR, "reload_refused", "problem", problems->messages[i], NULL);
	}
	if (status == OK)
		certificates_check_carriers(control, &writer);
	if (writer_string_done(&writer) == NULL && room_size > 0)
		room[0] = '\0';
	if (status == OK) {
		log_set_level(control->config->log.level);
		log_event(LOG_INFO, "reloaded", "file", control->config_path, NULL);
	}
	config_destroy(fresh);
	free(problems);
	return status;
}
