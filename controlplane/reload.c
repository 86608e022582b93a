// Reading the configuration file again. Runs on the control thread.

#include "reload.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "certificates.h"
#include "config/config.h"
#include "control.h"
#include "sip/tls/tls.h"

// All or nothing: what the new options name, such as certificates, must be right as well.
static enum status adopt(struct control *control, const struct config *fresh,
			 struct config_problems *problems)
{
	struct config *before = malloc(sizeof *before);
	struct sip_tls_problem problem;
	if (before == NULL)
		return ERR_MEMORY;
	*before = *control->config;
	enum status status = config_adopt(control->config, fresh, problems);
	if (status == OK) {
		status = certificates_reload(control, before, &problem);
		if (status != OK) {
			*control->config = *before;
			char text[CERTIFICATES_PROBLEM_SIZE];
			certificates_locate(control->config_path, &problem, text);
			text_copy_cut(text_of(text), problems->messages[0],
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
