// Messages and figures as lines of text.
// Runs on: one thread of a test.

#include "tests/packet/script.h"

#include <inttypes.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/suite.h"

#define KIND_TEXT(name, text) [name] = text,
static const char *const kinds[] = { MESSAGE_KIND_LIST(KIND_TEXT) };

static unsigned number(struct cursor *cursor, uint64_t max)
{
	cursor_skip_space(cursor);
	return (unsigned)cursor_unsigned(cursor, max);
}

static void read_address(struct cursor *cursor, struct address *out_address)
{
	struct text word = cursor_word(cursor);
	*out_address = (struct address){ 0 };
	if (!text_is_equal(word, TEXT("any")) && !address_parse(word, out_address))
		cursor->failed = true;
}

static void read_mac(struct cursor *cursor, uint8_t out_mac[static 6])
{
	char word[32];
	unsigned octets[6];
	bool is_mac = text_copy(cursor_word(cursor), word, sizeof(word)) &&
		      sscanf(word, "%2x:%2x:%2x:%2x:%2x:%2x", &octets[0], &octets[1], &octets[2],
			     &octets[3], &octets[4], &octets[5]) == 6;
	cursor->failed |= !is_mac;
	for (unsigned i = 0; i < 6 && is_mac; i++)
		out_mac[i] = (uint8_t)octets[i];
}

static void read_open(struct cursor *cursor, struct message *message)
{
	message->kind = MESSAGE_STREAM_OPEN;
	message->stream.index = number(cursor, UINT32_MAX);
	message->stream.generation = number(cursor, UINT32_MAX);
	message->open.out_index = number(cursor, UINT32_MAX);
	read_address(cursor, &message->open.source);
	read_address(cursor, &message->open.destination);
	read_mac(cursor, message->open.next_hop);
	message->open.payload_in = (uint8_t)number(cursor, UINT8_MAX);
	message->open.payload_out = (uint8_t)number(cursor, UINT8_MAX);
	message->flags = (uint8_t)number(cursor, UINT8_MAX);
}

static void read_key(struct cursor *cursor, enum key_form form, struct message *message)
{
	message->kind = MESSAGE_STREAM_KEY;
	message->stream.index = number(cursor, UINT32_MAX);
	message->stream.generation = number(cursor, UINT32_MAX);
	message->key.way = (uint8_t)number(cursor, UINT8_MAX);
	message->key.suite = (uint8_t)suite_of_name(cursor_word(cursor));
	struct text hex = cursor_word(cursor);
	struct text master = cursor_word(cursor);
	if (form == KEY_MASTER)
		hex = master;
	cursor->failed |= hex.size > 2 * sizeof(message->key.octets) || hex.size % 2;
	for (size_t i = 0; !cursor->failed && i < hex.size / 2; i++)
		cursor->failed |= sscanf(hex.data + 2 * i, "%2hhx", &message->key.octets[i]) != 1;
}

static void read_rollover(struct cursor *cursor, struct message *message)
{
	struct message_rollover *rollover = &message->rollover;
	message->kind = MESSAGE_STREAM_ROLLOVER;
	message->stream.index = number(cursor, UINT32_MAX);
	message->stream.generation = number(cursor, UINT32_MAX);
	rollover->ssrc = number(cursor, UINT32_MAX);
	rollover->arrives = number(cursor, UINT32_MAX);
	rollover->arrives_sequence = (uint16_t)number(cursor, UINT16_MAX);
	rollover->leaves = number(cursor, UINT32_MAX);
	rollover->leaves_sequence = (uint16_t)number(cursor, UINT16_MAX);
}

static void read_digits(struct cursor *cursor, struct message *message)
{
	struct message_digits *digits = &message->digits;
	message->kind = MESSAGE_STREAM_DIGITS;
	message->stream.index = number(cursor, UINT32_MAX);
	message->stream.generation = number(cursor, UINT32_MAX);
	digits->duration_ms = (uint16_t)number(cursor, UINT16_MAX);
	digits->gap_ms = (uint16_t)number(cursor, UINT16_MAX);
	struct text text = cursor_word(cursor);
	cursor->failed |= text.size > sizeof(digits->text);
	digits->count = (uint8_t)text.size;
	if (!cursor->failed)
		memcpy(digits->text, text.data, text.size);
}

bool script_parse(struct text line, enum key_form form, struct message *out_message)
{
	struct cursor cursor = cursor_of(line);
	struct message message = { 0 };
	struct text verb = cursor_word(&cursor);
	if (text_is_equal(verb, TEXT("open"))) {
		read_open(&cursor, &message);
	} else if (text_is_equal(verb, TEXT("close"))) {
		message.kind = MESSAGE_STREAM_CLOSE;
		message.stream.index = number(&cursor, UINT32_MAX);
		message.stream.generation = number(&cursor, UINT32_MAX);
	} else if (text_is_equal(verb, TEXT("key"))) {
		read_key(&cursor, form, &message);
	} else if (text_is_equal(verb, TEXT("digits"))) {
		read_digits(&cursor, &message);
	} else if (text_is_equal(verb, TEXT("rollover"))) {
		read_rollover(&cursor, &message);
	} else {
		return false;
	}
	if (cursor.failed)
		return false;
	*out_message = message;
	return true;
}

void script_print_event(FILE *file, const struct message *event)
{
	char room[ADDRESS_TEXT_SIZE];
	const char *kind = event->kind > 0 && event->kind < MESSAGE_KIND_COUNT ? kinds[event->kind]
									       : "unknown";
	fprintf(file, "event %s index=%" PRIu32 " generation=%" PRIu32, kind, event->stream.index,
		event->stream.generation);
	if (event->kind == MESSAGE_STREAM_LEARNED || event->kind == MESSAGE_STREAM_REFUSED ||
	    event->kind == MESSAGE_STREAM_UNAUTHENTIC)
		fprintf(file, " %s=%s",
			event->kind == MESSAGE_STREAM_LEARNED ? "learned" : "source",
			address_string(&event->learned, room));
	if (event->kind == MESSAGE_STREAM_DIGIT)
		fprintf(file, " digit=%.*s duration_ms=%u", event->digits.count, event->digits.text,
			event->digits.duration_ms);
	fprintf(file, "\n");
}

void script_print_view(FILE *file, uint32_t index, const struct stream_view *view)
{
	char room[ADDRESS_TEXT_SIZE];
	fprintf(file, "stream index=%" PRIu32 " generation=%" PRIu32 " is_open=%u learned=%u ",
		index, view->generation, view->is_open, view->source_is_learned);
	fprintf(file, "packets=%" PRIu64 " octets=%" PRIu64 " expected=%" PRIu32 " ", view->packets,
		view->octets, view->expected);
	fprintf(file, "duplicates=%" PRIu32 " reordered=%" PRIu32 " jitter=%" PRIu32 " ",
		view->duplicates, view->reordered, view->jitter);
	fprintf(file, "ssrc=%08" PRIx32 " ssrc_changes=%u events=%u ttl_lowest=%u payload=%u ",
		view->ssrc, view->ssrc_changes, view->events, view->ttl_lowest, view->payload_last);
	fprintf(file, "drop_ttl=%" PRIu32 " drop_source=%" PRIu32 " drop_malformed=%" PRIu32 " ",
		view->drops[STREAM_DROP_TTL], view->drops[STREAM_DROP_SOURCE],
		view->drops[STREAM_DROP_MALFORMED]);
	fprintf(file,
		"drop_payload_type=%" PRIu32 " drop_no_next_hop=%" PRIu32 " drop_tx=%" PRIu32
		" drop_authentication=%" PRIu32 " drop_replay=%" PRIu32 " ",
		view->drops[STREAM_DROP_PAYLOAD_TYPE], view->drops[STREAM_DROP_NO_NEXT_HOP],
		view->drops[STREAM_DROP_TX], view->drops[STREAM_DROP_AUTHENTICATION],
		view->drops[STREAM_DROP_REPLAY]);
	fprintf(file, "sequence=%u arrives_rollover=%u leaves_sequence=%u leaves_rollover=%u ",
		view->sequence, view->arrives_rollover, view->leaves_sequence,
		view->leaves_rollover);
	fprintf(file, "silent=%" PRIu32 " payload_changes=%u out_index=%" PRIu32 " source=%s",
		view->silent, view->payload_changes, view->out_index,
		view->source.family ? address_string(&view->source, room) : "any");
	if (index % MEDIA_PORT_COUNT % 2)
		fprintf(file,
			" arrives_index=%" PRIu32 " leaves_index=%" PRIu32 " reports=%" PRIu32
			" peer_lost=%" PRId32 " peer_fraction=%u generated=%" PRIu32,
			view->arrives_index, view->leaves_index, view->reports, view->peer_lost,
			view->peer_fraction, view->generated);
	fprintf(file, "\n");
}

void script_print_worker(FILE *file, const struct worker_view *view)
{
	fprintf(file,
		"worker messages=%" PRIu64 " stale=%" PRIu64 " streams_open=%" PRIu32
		" handed_over=%" PRIu64 " outbox_full=%" PRIu64 " polls=%" PRIu64
		" idle_polls=%" PRIu64 " busy_cycles=%" PRIu64 " cycles=%" PRIu64
		" digits_heard=%" PRIu64 " digits_dropped=%" PRIu64 " digits_ignored=%" PRIu64
		" digits_sent=%" PRIu64 "\n",
		view->messages, view->messages_stale, view->streams_open, view->handed_over,
		view->outbox_full, view->polls, view->idle_polls, view->busy_cycles, view->cycles,
		view->digits_heard, view->digits_dropped, view->digits_ignored, view->digits_sent);
	for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++)
		if (view->verdicts[verdict])
			fprintf(file, "verdict %s %" PRIu64 "\n", verdict_label(verdict),
				view->verdicts[verdict]);
}
