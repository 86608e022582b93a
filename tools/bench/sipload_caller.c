// The calling party: INVITE, perhaps with credentials at the second attempt, ACK, a while, BYE. Over
// UDP it repeats what is not answered (RFC 3261 17.1), and acknowledges every repeated 200 again.
// Runs on the generator's thread; never allocates.

#include <string.h>

#include "sipload_wire.h"

#define T1_MS 500
#define T2_MS 4000

static void send_invite(struct sipload_call *call)
{
	char room[SIPLOAD_MESSAGE_MAX];
	struct writer writer = writer_of(room, sizeof(room));
	sipload_write_invite(call->load, call, &writer);
	sipload_send(call->load, call->way, writer_done(&writer));
}

static void send_in_dialog(struct sipload_call *call, char kind)
{
	char room[SIPLOAD_MESSAGE_MAX];
	struct writer writer = writer_of(room, sizeof(room));
	sipload_write_in_dialog(call->load, call, kind, &writer);
	sipload_send(call->load, call->way, writer_done(&writer));
}

static void send_refused_ack(struct sipload_call *call, struct sipload_message *response)
{
	char room[SIPLOAD_MESSAGE_MAX];
	struct writer writer = writer_of(room, sizeof(room));
	sipload_read_lines(response);
	sipload_write_refused_ack(call->load, call, response, &writer);
	sipload_send(call->load, call->way, writer_done(&writer));
}

// The timer fires at the next repeat, or when patience ends.
static void time_step(struct sipload_call *call)
{
	struct sipload *load = call->load;
	uint64_t next_ms = sipload_ms(load) + call->interval_ms;
	bool repeats = load->options.transport == SIPLOAD_UDP && !call->is_heard;
	wheel_start(load->wheel, &call->timer,
		    repeats && next_ms < call->deadline_ms ? next_ms : call->deadline_ms);
}

static void begin_step(struct sipload_call *call)
{
	struct sipload *load = call->load;
	call->interval_ms = T1_MS;
	call->is_heard = false;
	call->deadline_ms = sipload_ms(load) + (uint64_t)(load->options.patience_s * 1e3);
	call->sent_ns = load->now_ns;
	time_step(call);
}

// What still comes for this call finds it until its slot is taken again: slots go round.
static void finish(struct sipload_call *call)
{
	struct sipload *load = call->load;
	load->counts.up -= call->caller_state == CALLER_UP || call->caller_state == CALLER_ENDING;
	call->caller_state = CALLER_IDLE;
	wheel_stop(&call->timer);
	sipload_way_give(load, call);
	load->active--;
	call->next_free = NULL;
	if (load->free_last)
		load->free_last->next_free = call;
	else
		load->free_first = call;
	load->free_last = call;
}

static struct sipload_call *take_slot(struct sipload *load)
{
	struct sipload_call *call = load->free_first;
	if (!call)
		return NULL;
	load->free_first = call->next_free;
	if (!load->free_first)
		load->free_last = NULL;
	wheel_stop(&call->called_timer);
	call->called_state = CALLED_IDLE;
	call->called_way = NULL;
	call->contact = TEXT_NONE;
	call->generation = (call->generation + 1) % 1000000;
	struct writer digits = writer_of(call->digits, sizeof(call->digits));
	writer_format(&digits, "%06u%06u", (unsigned)(call - load->calls), call->generation);
	(void)writer_string_done(&digits);
	return call;
}

void sipload_start_call(struct sipload *load, uint64_t due_ns)
{
	struct sipload_call *call = take_slot(load);
	load->counts.started++;
	if (!call) {
		load->counts.broken++;
		return;
	}
	load->active++;
	call->way = sipload_way_take(load, call);
	if (!call->way) {
		load->counts.broken++;
		finish(call);
		return;
	}
	call->attempt = 'i';
	call->due_ns = due_ns;
	call->credentials = TEXT_NONE;
	call->caller_state = CALLER_INVITED;
	begin_step(call);
	send_invite(call);
}

void sipload_call_broken(struct sipload *load, struct sipload_call *call)
{
	if (call->caller_state == CALLER_IDLE)
		return;
	load->counts.broken++;
	finish(call);
}

void sipload_caller_timer(struct wheel_timer *timer, void *context)
{
	struct sipload_call *call = context;
	struct sipload *load = call->load;
	(void)timer;
	if (call->caller_state == CALLER_UP) {
		call->caller_state = CALLER_ENDING;
		begin_step(call);
		send_in_dialog(call, 'b');
		return;
	}
	if (sipload_ms(load) >= call->deadline_ms) {
		load->counts.timeouts++;
		finish(call);
		return;
	}
	load->counts.repeats_sent++;
	if (call->caller_state == CALLER_ENDING)
		send_in_dialog(call, 'b');
	else
		send_invite(call);
	call->interval_ms *= 2;
	if (call->caller_state == CALLER_ENDING && call->interval_ms > T2_MS)
		call->interval_ms = T2_MS;
	time_step(call);
}

static void fail(struct sipload_call *call, const struct sipload_message *response)
{
	call->load->counts.refused++;
	call->load->counts.refused_with[response->status / 100]++;
	finish(call);
}

static void answer_challenge(struct sipload_call *call, const struct sipload_message *response)
{
	struct sipload *load = call->load;
	char target[160];
	struct writer uri = writer_of(target, sizeof(target));
	struct writer writer = writer_of(call->room, sizeof(call->room));
	writer_format(&uri, "sip:+49%s@%s", call->digits, load->options.domain);
	if (!sipload_digest_answer(load->digest, response->challenge, writer_done(&uri), &writer)) {
		fail(call, response);
		return;
	}
	call->credentials = writer_done(&writer);
	call->attempt = 'j';
	begin_step(call);
	send_invite(call);
}

static struct text keep(struct writer *writer, struct text text)
{
	size_t start = writer->used;
	writer_text(writer, text);
	return (struct text){ writer->room + start, writer->used - start };
}

// The route set of a caller is the Record-Route of the answer, last first (RFC 3261 12.1.2).
static bool keep_dialog(struct sipload_call *call, const struct sipload_message *response)
{
	struct writer writer = writer_of(call->room, sizeof(call->room));
	call->contact = keep(&writer, response->contact);
	call->to = keep(&writer, response->to);
	size_t start = writer.used;
	for (unsigned i = response->route_count; i > 0; i--) {
		writer_string(&writer, "Route: ");
		writer_text(&writer, response->routes[i - 1]);
		writer_string(&writer, "\r\n");
	}
	call->routes = (struct text){ writer.room + start, writer.used - start };
	return !writer.failed && call->contact.size > 0;
}

// Those that come after the last was offered are what a queue still held: they are no rate.
static void note_set_up(struct sipload_call *call)
{
	struct sipload *load = call->load;
	const struct sipload_options *options = &load->options;
	double at_s = (double)(load->now_ns - load->start_ns) / 1e9;
	double took_s = (double)(load->now_ns - call->due_ns) / 1e9;
	histogram_add(&load->setup, load->now_ns - call->due_ns);
	load->counts.in_time +=
		took_s <= options->bound_s && at_s >= options->warm_s && at_s <= options->seconds;
}

static void accepted(struct sipload_call *call, struct sipload_message *response)
{
	struct sipload *load = call->load;
	sipload_read_lines(response);
	if (!keep_dialog(call, response)) {
		fail(call, response);
		return;
	}
	note_set_up(call);
	call->caller_state = CALLER_UP;
	if (++load->counts.up > load->counts.up_most)
		load->counts.up_most = load->counts.up;
	send_in_dialog(call, 'a');
	wheel_start(load->wheel, &call->timer,
		    sipload_ms(load) + (uint64_t)(load->options.hold_s * 1e3));
}

static void invite_answered(struct sipload_call *call, struct sipload_message *response)
{
	if (!call->is_heard && response->status == 100)
		histogram_add(&call->load->to_100, call->load->now_ns - call->sent_ns);
	call->is_heard = true;
	if (response->status < 200) {
		time_step(call);
		return;
	}
	if (response->status < 300) {
		accepted(call, response);
		return;
	}
	send_refused_ack(call, response);
	if (response->status == 407 && call->attempt == 'i' && call->load->digest)
		answer_challenge(call, response);
	else
		fail(call, response);
}

// A final answer that has been dealt with: it is acknowledged again, or is a late 200 to BYE.
static void repeated(struct sipload_call *call, struct sipload_message *response)
{
	if (response->status < 200)
		return;
	call->load->counts.repeats_received++;
	if (response->kind == 'b' || !call->way)
		return;
	if (response->status >= 300)
		send_refused_ack(call, response);
	else if (call->contact.size > 0)
		send_in_dialog(call, 'a');
}

static void probe_answered(struct sipload *load, const struct sipload_message *response)
{
	uint64_t *sent_ns = &load->probe_sent_ns[response->number % 4096];
	if (*sent_ns == 0)
		return;
	histogram_add(&load->probe, load->now_ns - *sent_ns);
	load->counts.probes_answered += response->status == 200;
	*sent_ns = 0;
}

void sipload_take_response(struct sipload *load, struct sipload_message *response)
{
	struct sipload_call *call = response->call;
	if (response->kind == 'o' && response->has_number)
		probe_answered(load, response);
	else if (!call)
		load->counts.strange++;
	else if (call->caller_state == CALLER_INVITED && response->kind == call->attempt)
		invite_answered(call, response);
	else if (call->caller_state == CALLER_ENDING && response->kind == 'b') {
		if (response->status < 200)
			return;
		if (response->status >= 300) {
			fail(call, response);
			return;
		}
		load->counts.ok++;
		finish(call);
	} else
		repeated(call, response);
}
