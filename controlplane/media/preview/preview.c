// Offers judged and written as for a call, by the same code. Runs on the control thread.

#include "media/preview/preview.h"

#include <stdlib.h>

#include "base/secret.h"
#include "dataplane/dataplane.h"
#include "media/engine.h"

enum status media_preview_take(struct media_preview *preview, const struct media_rules *rules,
			       struct text sdp, struct media_problem *out_problem)
{
	enum status status = media_offer_parse(sdp, rules, &preview->offer, out_problem);
	return status == OK ? media_offer_check(&preview->offer, out_problem) : status;
}

void media_preview_write(const struct media_preview *preview, struct writer *writer)
{
	struct media *media = calloc(1, sizeof(*media));
	struct media_leg *leg = media != NULL ? &media->legs[MEDIA_CALLED] : NULL;
	if (media == NULL) {
		writer->failed = true;
		return;
	}
	media->pending = preview->offer;
	media->has_pending = preview->offer.line_count > 0;
	media->offerer = MEDIA_CALLER;
	leg->security = preview->called;
	leg->suites = preview->suites;
	leg->local = preview->local;
	media_session_init(&leg->session);
	media_write_offer(media, MEDIA_CALLED, writer);
	secret_wipe(media, sizeof(*media));
	free(media);
}

bool media_preview_is_secure(const struct media_engine *engine)
{
	return media_engine_is_secure(engine);
}

unsigned media_preview_calls(const struct media_engine *engine)
{
	const struct media_counters *counters = &engine->counters;
	uint64_t total = counter_get(&counters->ports_total);
	uint64_t taken =
		counter_get(&counters->ports_used) + counter_get(&counters->ports_quarantined);
	if (engine->options.dataplane == NULL || taken >= total)
		return 0;
	return (unsigned)(total - taken) / MEDIA_SIDES;
}
