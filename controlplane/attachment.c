// Finding, starting, losing and finding again the dataplane. Runs on the control thread.

#include "attachment.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "dataplane/dataplane.h"
#include "launcher.h"

#define FIRST_WAIT_MS 20000
#define RETRY_MS 50
#define ORDER_AGAIN_MS 3000 // a dataplane that failed to start is ordered again after this

struct attachment {
	struct attachment_options options;
	struct dataplane *dataplane;
	struct event *gone;
	uint64_t next_try_ms, next_order_ms;
	bool has_ordered; // one started by us, not found
};

static void lost(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct attachment *attachment = context;
	struct dataplane *dataplane = attachment->dataplane;
	log_event(LOG_ERROR, "dataplane_lost", "does", "looking for another", NULL);
	attachment->dataplane = NULL;
	event_free(attachment->gone);
	attachment->gone = NULL;
	attachment->options.changed(attachment->options.context, NULL);
	dataplane_detach(dataplane);
	attachment->next_try_ms = attachment->next_order_ms = 0;
}

static bool serves(const struct dataplane_facts *facts, const struct address *address)
{
	for (unsigned i = 0; i < facts->address_count; i++) {
		if (address_is_same_host(&facts->addresses[i], address))
			return true;
	}
	return false;
}

// Of a card the facts have the engine's name alone. What "auto" came to is no difference.
static bool does_srtp_with(const struct dataplane_facts *facts, const char *crypto)
{
	struct text rest = text_of(crypto);
	struct text name = text_split(&rest, ':');
	return text_is_equal(name, TEXT("auto")) || text_is_equal(name, text_of(facts->engine));
}

// One that was found running may have been started with other options than the file has now. Its
// calls are worth more than the change: it is used, and the operator told what to do.
static void compare(const struct dataplane_facts *facts, const struct config *config)
{
	const char *option = NULL;
	if (strcmp(facts->port, config->dataplane.port) != 0)
		option = "dataplane.port";
	else if (facts->worker_count != config->dataplane.workers)
		option = "dataplane.workers";
	else if (!does_srtp_with(facts, config->dataplane.crypto))
		option = "dataplane.crypto";
	for (unsigned i = 0; option == NULL && i < config->media.addresses.count; i++) {
		if (!serves(facts, &config->media.addresses.items[i]))
			option = "media.addresses";
	}
	if (option != NULL)
		log_event(LOG_WARNING, "dataplane_differs", "option", option, "fix",
			  "the dataplane runs with older options: stop trunkd and it, start again",
			  NULL);
}

static enum status attach(struct attachment *attachment)
{
	const struct attachment_options *options = &attachment->options;
	enum status status =
		dataplane_attach(options->config->dataplane.socket, &attachment->dataplane);
	if (status != OK) {
		attachment->dataplane = NULL;
		return status;
	}
	const struct dataplane_facts *facts = dataplane_facts(attachment->dataplane);
	struct log_value process, workers;
	attachment->gone = event_new(options->loop, dataplane_fd(attachment->dataplane), EV_READ,
				     lost, attachment);
	if (attachment->gone != NULL)
		(void)event_add(attachment->gone, NULL);
	log_event(LOG_INFO, "dataplane_attached", "process",
		  log_number(&process, facts->process_id), "port", facts->port, "workers",
		  log_number(&workers, facts->worker_count), NULL);
	compare(facts, options->config);
	return OK;
}

static void order(struct attachment *attachment, uint64_t now_ms)
{
	if (!attachment->options.config->dataplane.start || now_ms < attachment->next_order_ms)
		return;
	attachment->next_order_ms = now_ms + ORDER_AGAIN_MS;
	attachment->has_ordered = true;
	log_event(LOG_INFO, "dataplane_starting", "port",
		  attachment->options.config->dataplane.port, NULL);
	if (launcher_order(attachment->options.launcher) != OK)
		log_event(LOG_ERROR, "dataplane_start_failed", "problem", "the launcher is gone",
			  NULL);
}

enum status attachment_start(const struct attachment_options *options,
			     struct attachment **out_attachment)
{
	struct attachment *attachment = calloc(1, sizeof *attachment);
	if (attachment == NULL)
		return ERR_MEMORY;
	attachment->options = *options;
	enum status status = attach(attachment);
	if (status == ERR_UNAVAILABLE) {
		attachment->next_order_ms = 0;
		order(attachment, options->clock->now_ms);
	}
	unsigned waited_ms = 0;
	for (; status == ERR_UNAVAILABLE && waited_ms < FIRST_WAIT_MS; waited_ms += RETRY_MS) {
		(void)usleep(RETRY_MS * 1000);
		status = attach(attachment);
	}
	if (status != OK) {
		log_event(LOG_ERROR, "dataplane_missing", "socket",
			  options->config->dataplane.socket, "problem", status_text(status), "fix",
			  options->config->dataplane.start
				  ? "see the lines of trunkd-dataplane above: it says what it needs"
				  : "start trunkd-dataplane, or set dataplane.start to true",
			  NULL);
		free(attachment);
		return status;
	}
	*out_attachment = attachment;
	return OK;
}

void attachment_tick(struct attachment *attachment)
{
	uint64_t now_ms = attachment->options.clock->now_ms;
	if (attachment->dataplane != NULL || now_ms < attachment->next_try_ms)
		return;
	attachment->next_try_ms = now_ms + RETRY_MS;
	if (attach(attachment) == OK)
		attachment->options.changed(attachment->options.context, attachment->dataplane);
	else
		order(attachment, now_ms);
}

struct dataplane *attachment_dataplane(const struct attachment *attachment)
{
	return attachment->dataplane;
}

bool attachment_has_ordered(const struct attachment *attachment)
{
	return attachment != NULL && attachment->has_ordered;
}

void attachment_stop(struct attachment *attachment, bool ends_dataplane)
{
	if (attachment == NULL)
		return;
	if (attachment->gone != NULL)
		event_free(attachment->gone);
	if (attachment->dataplane != NULL && ends_dataplane)
		dataplane_end(attachment->dataplane);
	else
		dataplane_detach(attachment->dataplane);
	free(attachment);
}
