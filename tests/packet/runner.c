// Runs real workers over files: the messages of a script, then every packet of the capture files that
// --port names, and prints what became of all that. One process per case, without root.
//   packet_runner SCRIPT options of trunkd-dataplane…
// Besides messages a script may say: "hold N", worker N is not started; "stop kernel", the way to the
// kernel takes nothing; "tx N", the wire takes N packets in all; "show INDEX", print this stream;
// "after N", what follows waits until N packets in all have come in and are through, no more come in
// meanwhile; "sleep MS"; "said N", wait until N digits of ours have left.
// Runs on: main of a test, and the workers it starts.

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_ethdev.h>

#include "base/text.h"
#include "dataplane/attach.h"
#include "dataplane/crypto/crypto.h"
#include "dataplane/nic/nic.h"
#include "dataplane/options.h"
#include "dataplane/shared.h"
#include "dataplane/worker.h"
#include "tests/packet/script.h"

#define QUIET_POLLS 300 // nothing new for so many of every worker: each packet is through
#define WIRE_PORT 0
#define KERNEL_PORT 1
#define SHOWN_MAX 16
#define ENDLESS UINT32_MAX
#define SAID_MAX_MS 20000
#define HELD_MAX 4096 // packets that have come in and wait

struct run {
	struct options options;
	struct packet_rules rules;
	struct nic *nic;
	struct attach *attach;
	struct crypto *crypto;
	struct worker **workers;
	bool is_held[OPTIONS_WORKERS_MAX], is_launched;
	uint32_t shown[SHOWN_MAX];
	unsigned shown_count;
	uint32_t tx_left; // of the wire; read and written by the workers' callback
	_Atomic uint32_t rx_allowed; // packets from the wire, in all
	struct rte_mbuf *held[HELD_MAX]; // what came in and may not yet; the callback's
	unsigned held_count, given;
	FILE *script;
	atomic_bool stop;
};

// Stands between the worker and the wire: what it lets through is all the wire takes.
static uint16_t limit_tx(uint16_t port, uint16_t queue, struct rte_mbuf **packets, uint16_t count,
			 void *context)
{
	struct run *run = context;
	(void)port, (void)queue, (void)packets;
	uint16_t taken = count < run->tx_left ? count : (uint16_t)run->tx_left;
	run->tx_left -= taken;
	return taken;
}

// Stands between the wire and the worker: what it may not have yet waits here.
static uint16_t hold_rx(uint16_t port, uint16_t queue, struct rte_mbuf **packets, uint16_t count,
			uint16_t max, void *context)
{
	struct run *run = context;
	uint32_t allowed = atomic_load(&run->rx_allowed);
	unsigned left = allowed - run->given, taken = run->held_count + count;
	(void)port, (void)queue;
	for (unsigned i = 0; i < count && run->held_count < HELD_MAX; i++)
		run->held[run->held_count++] = packets[i];
	taken = taken < left ? taken : left;
	taken = taken < max ? taken : max;
	memcpy(packets, run->held, taken * sizeof(*packets));
	run->held_count -= taken;
	memmove(run->held, run->held + taken, run->held_count * sizeof(*packets));
	run->given += taken;
	return (uint16_t)taken;
}

static bool send_message(struct run *run, const struct message *message)
{
	uint32_t index = message->stream.index;
	unsigned owner = shared_worker_of(run->options.workers, index);
	struct mailbox_end inbox = mailbox_producer(&attach_mailboxes(run->attach)[owner].inbox);
	return mailbox_put(&inbox, message);
}

static bool wait_for_digits(const struct run *run, uint64_t count)
{
	const struct timespec tick = { 0, 1000000 };
	for (unsigned waited_ms = 0; waited_ms < SAID_MAX_MS; waited_ms++) {
		uint64_t said = 0;
		for (unsigned i = 0; i < run->options.workers; i++)
			said += attach_views(run->attach)->workers[i].view.digits_sent;
		if (said >= count)
			return true;
		nanosleep(&tick, NULL);
	}
	return false;
}

static bool obey(struct run *run, struct text line)
{
	struct message message;
	if (script_parse(line, crypto_key_form(run->crypto), &message))
		return send_message(run, &message);
	struct cursor cursor = cursor_of(line);
	struct text verb = cursor_word(&cursor);
	cursor_skip_space(&cursor);
	if (text_is_equal(line, TEXT("stop kernel")))
		return rte_eth_dev_stop(KERNEL_PORT) == 0;
	uint64_t number = cursor_unsigned(&cursor, UINT32_MAX);
	if (cursor.failed)
		return false;
	if (text_is_equal(verb, TEXT("tx"))) {
		run->tx_left = (uint32_t)number;
		return rte_eth_add_tx_callback(WIRE_PORT, 0, limit_tx, run);
	}
	if (text_is_equal(verb, TEXT("hold")) && number < OPTIONS_WORKERS_MAX)
		return run->is_held[number] = true;
	if (text_is_equal(verb, TEXT("sleep"))) {
		const struct timespec pause = { (time_t)(number / 1000),
						(long)(number % 1000) * 1000000 };
		return nanosleep(&pause, NULL) == 0;
	}
	if (text_is_equal(verb, TEXT("said")))
		return wait_for_digits(run, number);
	if (text_is_equal(verb, TEXT("show")) && run->shown_count < SHOWN_MAX) {
		run->shown[run->shown_count++] = (uint32_t)number;
		return true;
	}
	return false;
}

static bool take_number_after(struct text line, uint32_t *out_number)
{
	struct cursor cursor = cursor_of(line);
	if (!text_is_equal(cursor_word(&cursor), TEXT("after")))
		return false;
	cursor_skip_space(&cursor);
	*out_number = (uint32_t)cursor_unsigned(&cursor, UINT32_MAX);
	return !cursor.failed;
}

// Up to the next "after", whose number of packets may then come in, or the end.
static bool read_script(struct run *run, uint32_t *out_allowed)
{
	char line[1024];
	while (fgets(line, sizeof(line), run->script)) {
		struct text text = { line, strcspn(line, "\n") };
		if (take_number_after(text, out_allowed))
			return true;
		if (text.size > 0 && !obey(run, text)) {
			fprintf(stderr, "not understood: %s", line);
			return false;
		}
	}
	fclose(run->script);
	run->script = NULL;
	*out_allowed = ENDLESS;
	return true;
}

static bool open_script(struct run *run, const char *path)
{
	run->script = fopen(path, "re");
	return run->script && rte_eth_add_rx_callback(WIRE_PORT, 0, hold_rx, run);
}

static bool start(struct run *run)
{
	struct dataplane_facts facts = { .worker_count = run->options.workers };
	run->nic = nic_start(&run->options);
	if (!run->nic)
		return false;
	nic_rules(run->nic, &run->options, &run->rules);
	uint32_t stream_count = run->rules.address_count * MEDIA_PORT_COUNT;
	const struct crypto_plan crypto = { .engine = run->options.crypto,
					    .worker_count = run->options.workers,
					    .stream_count = stream_count };
	if (crypto_start(&crypto, &run->crypto) != OK)
		return false;
	run->attach = attach_create(&facts, stream_count);
	if (!run->attach)
		return false;
	struct worker_plan plan = {
		.count = run->options.workers,
		.stream_count = stream_count,
		.polls_busy = run->options.polls_busy,
		.min_ttl = (uint8_t)run->options.min_ttl,
		.rules = &run->rules,
		.nic = run->nic,
		.views = attach_views(run->attach),
		.mailboxes = attach_mailboxes(run->attach),
		.crypto = run->crypto,
		.stop = &run->stop,
	};
	run->workers = worker_create_all(&plan);
	return run->workers;
}

static bool launch(struct run *run)
{
	for (unsigned i = 0; i < run->options.workers; i++)
		if (!run->is_held[i] && !nic_launch(run->nic, i, worker_run, run->workers[i]))
			return false;
	return true;
}

// Everything a worker does moves one of these.
static uint64_t work_done(const struct run *run)
{
	uint64_t done = 0;
	for (unsigned i = 0; i < run->options.workers; i++) {
		const struct worker_view *view = &attach_views(run->attach)->workers[i].view;
		done += view->messages + view->polls - view->idle_polls;
		for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++)
			done += view->verdicts[verdict];
	}
	return done;
}

// Turns, not time: a busy machine may keep a worker waiting for any time.
static uint64_t fewest_polls(const struct run *run)
{
	uint64_t fewest = UINT64_MAX;
	for (unsigned i = 0; i < run->options.workers; i++) {
		uint64_t polls = attach_views(run->attach)->workers[i].view.polls;
		if (!run->is_held[i] && polls < fewest)
			fewest = polls;
	}
	return fewest;
}

static uint64_t most_polls(const struct run *run)
{
	uint64_t most = 0;
	for (unsigned i = 0; i < run->options.workers; i++) {
		uint64_t polls = attach_views(run->attach)->workers[i].view.polls;
		most = polls > most ? polls : most;
	}
	return most;
}

static void wait_until_quiet(const struct run *run)
{
	const struct timespec tick = { 0, 1000000 };
	uint64_t before = UINT64_MAX, since = most_polls(run);
	while (fewest_polls(run) < since + QUIET_POLLS) {
		nanosleep(&tick, NULL);
		if (work_done(run) == before)
			continue;
		before = work_done(run);
		since = most_polls(run);
	}
}

static void print_all(const struct run *run)
{
	struct message event;
	const struct shared_views *views = attach_views(run->attach);
	for (unsigned i = 0; i < run->shown_count; i++)
		script_print_view(stdout, run->shown[i], &views->streams[run->shown[i]]);
	for (unsigned i = 0; i < run->options.workers; i++) {
		struct mailbox_end outbox =
			mailbox_consumer(&attach_mailboxes(run->attach)[i].outbox);
		while (mailbox_take(&outbox, &event))
			script_print_event(stdout, &event);
		script_print_worker(stdout, &views->workers[i].view);
	}
}

static void stop(struct run *run)
{
	crypto_stop(run->crypto); // before the workers, whose packets it may still hold
	worker_destroy_all(run->workers, run->options.workers);
	attach_destroy(run->attach);
	nic_stop(run->nic);
}

// One part of the script and the packets behind it: messages are between two packets, not among them.
static bool run_part(struct run *run)
{
	uint32_t allowed;
	if (!read_script(run, &allowed) || (!run->is_launched && !launch(run)))
		return false;
	run->is_launched = true;
	wait_until_quiet(run);
	atomic_store(&run->rx_allowed, allowed);
	wait_until_quiet(run);
	return true;
}

int main(int count, char **arguments)
{
	static struct run run = { .tx_left = ENDLESS };
	if (count < 2 || options_parse(count - 1, arguments + 1, &run.options) != OPTIONS_RUN)
		return 2;
	bool is_good = start(&run) && open_script(&run, arguments[1]);
	while (is_good && run.script)
		is_good = run_part(&run);
	atomic_store(&run.stop, true);
	if (run.nic)
		nic_join(run.nic);
	if (is_good)
		print_all(&run);
	stop(&run); // writes the capture files out
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
