// From usage.rates_file to the history, which prices what it meters. Runs on the control thread, at the
// start and at a reload.

#include "rates.h"

#include <stdio.h>

#include "base/log.h"
#include "config/config.h"
#include "control.h"
#include "history/history.h"
#include "history/rate.h"

// *out_rates is NULL when there is no file.
static enum status load(const struct config *config, struct history_rates **out_rates,
			char problem[static RATES_PROBLEM_MAX])
{
	struct history_rate_problem wrong = { 0, "" };
	const char *file = config->usage.rates_file;
	*out_rates = NULL;
	if (file[0] == '\0')
		return OK;
	enum status status = history_rates_load(file, out_rates, &wrong);
	if (status != OK)
		(void)snprintf(problem, RATES_PROBLEM_MAX, "%s:%u: %s", file, wrong.line,
			       wrong.text[0] != '\0' ? wrong.text : status_text(status));
	return status;
}

static void tell(const struct config *config, const struct history_rates *rates)
{
	struct log_value count;
	if (rates != NULL)
		log_event(LOG_INFO, "usage_rates", "file", config->usage.rates_file, "rows",
			  log_number(&count, history_rates_count(rates)), NULL);
}

enum status rates_start(struct control *control)
{
	char problem[RATES_PROBLEM_MAX] = "";
	enum status status = load(control->config, &control->rates, problem);
	if (status != OK)
		log_event(LOG_ERROR, "usage_rates_refused", "problem", problem, NULL);
	else
		tell(control->config, control->rates);
	return status;
}

void rates_stop(struct control *control)
{
	history_rates_destroy(control->rates);
}

enum status rates_check(const struct config *config, char problem[static RATES_PROBLEM_MAX])
{
	struct history_rates *rates;
	enum status status = load(config, &rates, problem);
	history_rates_destroy(rates);
	return status;
}

enum status rates_reload(struct control *control, char problem[static RATES_PROBLEM_MAX])
{
	struct history_rates *fresh;
	enum status status = load(control->config, &fresh, problem);
	if (status != OK)
		return status;
	history_set_rates(control->history, fresh);
	history_rates_destroy(control->rates);
	control->rates = fresh;
	tell(control->config, fresh);
	return OK;
}
