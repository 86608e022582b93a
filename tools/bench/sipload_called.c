// The called party: rings, answers with 200 and repeats it until its ACK comes, takes the BYE.
// Also whatever else the system under test asks of either party. Runs on the generator's thread.

#include "sipload_wire.h"

#define T1_MS 500
#define T2_MS 4000

static void send_answer(struct sipload *load, struct sipload_way *way,
			const struct sipload_message *request, unsigned status)
{
	char room[SIPLOAD_MESSAGE_MAX];
	struct writer writer = writer_of(room, sizeof(room));
	sipload_write_answer(load, request, status, &writer);
	sipload_send(load, way, writer_done(&writer));
}

static void send_200(struct sipload_call *call)
{
	struct sipload *load = call->load;
	sipload_send(load, call->called_way, call->answer);
	wheel_start(load->wheel, &call->called_timer, sipload_ms(load) + call->called_interval_ms);
}

// 2xx are repeated over any transport, until 64 x T1 (RFC 3261 13.3.1.4).
void sipload_called_timer(struct wheel_timer *timer, void *context)
{
	struct sipload_call *call = context;
	(void)timer;
	if (call->called_state == CALLED_RINGING) {
		call->called_state = CALLED_ANSWERED;
		call->called_interval_ms = T1_MS;
		send_200(call);
		return;
	}
	if (call->called_state != CALLED_ANSWERED || call->called_interval_ms == 64 * T1_MS)
		return;
	call->load->counts.repeats_sent++;
	call->called_interval_ms *= 2;
	if (call->called_interval_ms > T2_MS)
		call->called_interval_ms = T2_MS;
	send_200(call);
}

static void take_invite(struct sipload *load, struct sipload_way *way,
			struct sipload_message *invite)
{
	struct sipload_call *call = invite->call;
	if (call->called_state != CALLED_IDLE) {
		load->counts.repeats_received++;
		if (call->called_state == CALLED_ANSWERED)
			sipload_send(load, way, call->answer);
		else if (call->called_state == CALLED_RINGING)
			send_answer(load, way, invite, 180);
		return;
	}
	struct writer writer = writer_of(call->called_room, sizeof(call->called_room));
	sipload_write_answer(load, invite, 200, &writer);
	call->answer = writer_done(&writer);
	call->called_way = way;
	call->called_state = CALLED_RINGING;
	send_answer(load, way, invite, 180);
	if (load->options.ring_s > 0)
		wheel_start(load->wheel, &call->called_timer,
			    sipload_ms(load) + (uint64_t)(load->options.ring_s * 1e3));
	else
		sipload_called_timer(&call->called_timer, call);
}

static void take_ack(struct sipload_call *call)
{
	if (call->called_state == CALLED_ANSWERED)
		call->called_state = CALLED_UP;
	wheel_stop(&call->called_timer);
}

static void take_bye(struct sipload *load, struct sipload_way *way,
		     const struct sipload_message *bye)
{
	struct sipload_call *call = bye->call;
	if (bye->is_for_caller) { // nobody here wanted that
		send_answer(load, way, bye, 200);
		sipload_call_broken(load, call);
		return;
	}
	load->counts.repeats_received += call->called_state == CALLED_OVER;
	wheel_stop(&call->called_timer);
	call->called_state = CALLED_OVER;
	send_answer(load, way, bye, 200);
}

void sipload_take_request(struct sipload *load, struct sipload_way *way,
			  struct sipload_message *request)
{
	if (request->method == 'A') {
		if (request->call)
			take_ack(request->call);
		return;
	}
	sipload_read_lines(request);
	if (request->call && request->method == 'I' && !request->is_for_caller)
		take_invite(load, way, request);
	else if (request->call && request->method == 'B')
		take_bye(load, way, request);
	else {
		load->counts.strange += request->method != 'O';
		send_answer(load, way, request, request->method == 'O' ? 200 : 481);
	}
}
