// Headers on their way from leg to leg. Runs on the control thread; writes only whole lines.

#include "call/header/header.h"

#include "call/header/place.h"
#include "call/header/value.h"
#include "sip/value.h"

struct crossing {
	enum header_way way;
	const struct header_policy *policy;
	struct header_counters *counters;
	struct places places;
	struct writer *writer;
	size_t start; // of the writer, when it began
	unsigned lines;
};

const char *header_fate_label(unsigned fate)
{
#define HEADER_FATE_LABEL(name, label) label,
	static const char *const labels[] = { HEADER_FATE_LIST(HEADER_FATE_LABEL) };
#undef HEADER_FATE_LABEL
	return fate < HEADER_FATE_COUNT ? labels[fate] : NULL;
}

static void count(const struct crossing *crossing, enum header_fate fate)
{
	if (crossing->counters != NULL)
		counter_add(&crossing->counters->fates[fate], 1);
}

// The scan lets no such octet in; whoever writes a line makes sure of it once more.
static bool is_one_line(struct text value)
{
	for (size_t i = 0; i < value.size; i++)
		if (sip_value_octets[(uint8_t)value.data[i]] == SIP_OCTET_FORBIDDEN)
			return false;
	return true;
}

static bool has_timer(struct text value)
{
	while (value.size > 0)
		if (text_is_same(text_trim(text_split(&value, ',')), TEXT("timer")))
			return true;
	return false;
}

static bool is_of_family(const struct header_row *row)
{
	return row->name.data[row->name.size - 1] == '*';
}

// The name as the table has it; of a family of names, as it came.
static struct text name_of(const struct header_row *row, const struct sip_header *header)
{
	return is_of_family(row) ? header->name : row->name;
}

// False: nothing of it passes. What a form has made of a value is looked at once more, as a whole.
static bool write_line(const struct crossing *crossing, const struct header_row *row,
		       const struct sip_header *header, struct writer *line)
{
	const struct places *places = &crossing->places;
	struct text name = name_of(row, header);
	if (!is_one_line(header->value) || (is_of_family(row) && places_are_in(places, name)))
		return false;
	writer_text(line, name);
	writer_text(line, TEXT(": "));
	size_t start = line->used;
	if (!header_value_write(row->form, header->value, places, line) || line->failed)
		return false;
	struct text written = { line->room + start, line->used - start };
	if (written.size == 0 || places_are_in(places, written))
		return false;
	writer_text(line, TEXT("\r\n"));
	return true;
}

static void cross(struct crossing *crossing, const struct header_row *row,
		  const struct sip_header *header)
{
	struct writer line = *crossing->writer;
	size_t limit = crossing->start + HEADER_ROOM;
	if (line.size > limit)
		line.size = limit;
	if (row->form == HEADER_OPTIONS && has_timer(header->value))
		count(crossing, HEADER_FATE_TIMER);
	if (row->form == HEADER_TIMER && !crossing->policy->keeps_timers) {
		count(crossing, HEADER_FATE_TIMER);
		return;
	}
	if (header->value.size > HEADER_VALUE_MAX || crossing->lines == HEADER_LINES_MAX) {
		count(crossing, HEADER_FATE_CUT);
		return;
	}
	const struct header_claims *claims = crossing->places.claims;
	unsigned dropped = claims != NULL ? claims->dropped : 0;
	bool does_pass = write_line(crossing, row, header, &line);
	for (; claims != NULL && dropped < claims->dropped; dropped++)
		count(crossing, HEADER_FATE_FOREIGN);
	if (line.failed) {
		count(crossing, HEADER_FATE_CUT);
		return;
	}
	if (!does_pass) {
		if (row->form != HEADER_OPTIONS)
			count(crossing, HEADER_FATE_HIDDEN);
		return;
	}
	crossing->writer->used = line.used;
	crossing->lines++;
	count(crossing, HEADER_FATE_PASSED);
}

// Headers that have a row of their own come first: whatever else there is cannot push them out.
static void cross_all(struct crossing *crossing, const struct sip_message *message,
		      const struct header_row *const *rows, bool is_family)
{
	for (unsigned i = 0; i < message->header_count; i++) {
		const struct sip_header *header = &message->headers[i];
		const struct header_row *row = rows[i];
		bool stays = row->is_personal && crossing->policy->is_private;
		if (row->actions[crossing->way] == HEADER_PASS && is_of_family(row) == is_family &&
		    !stays)
			cross(crossing, row, header);
	}
}

void header_write(const struct sip_message *message, enum header_way way,
		  const struct header_policy *policy, struct writer *writer,
		  struct header_counters *counters)
{
	struct crossing crossing = { .way = way,
				     .policy = policy,
				     .counters = counters,
				     .writer = writer,
				     .start = writer->used };
	if (writer->failed)
		return;
	const struct header_row *rows[SIP_HEADERS_MAX];
	for (unsigned i = 0; i < message->header_count; i++)
		rows[i] = header_row_of(message->headers[i].name);
	places_read(message, policy->domain, &crossing.places);
	crossing.places.claims = policy->claims;
	cross_all(&crossing, message, rows, false);
	cross_all(&crossing, message, rows, true);
}

bool header_may_tell_body(const struct sip_message *message, const char *domain)
{
	struct places places;
	places_read(message, domain, &places);
	return !places_are_in(&places, message->body);
}

bool header_may_tell(const struct sip_message *message, const char *domain, struct text value)
{
	struct places places;
	if (value.size > HEADER_VALUE_MAX || !is_one_line(value))
		return false;
	places_read(message, domain, &places);
	return !places_are_in(&places, value);
}
