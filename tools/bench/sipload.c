// sipload: both peers of very many SIP calls through a proxy or B2BUA, at a constant rate; says in one
// line of JSON what became of them and how long they took.
// Runs on: one thread, one core when told which.

#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>

#include "sipload_wire.h"

#define TURN_NS 1000000 // no turn of the loop waits longer
#define CALLS_PER_TURN 32
#define SLOTS_MAX 999999
#define SLOTS_MIN 4096
#define SLOTS_REST_S 6 // how long a slot rests, at least: late repeats find it

// ---- the loop

// When the nth of a rate is due.
static uint64_t due_ns(const struct sipload *load, uint64_t nth, double rate)
{
	return load->start_ns + (uint64_t)((double)nth * 1e9 / rate);
}

static void start_due(struct sipload *load, uint64_t total)
{
	for (unsigned i = 0; i < CALLS_PER_TURN && load->counts.started < total; i++) {
		uint64_t due = due_ns(load, load->counts.started, load->options.rate);
		if (due > load->now_ns)
			return;
		if (load->now_ns - due > load->late_longest_ns)
			load->late_longest_ns = load->now_ns - due;
		sipload_start_call(load, due);
		load->last_start_ns = load->now_ns;
	}
}

static void probe_due(struct sipload *load, uint64_t end_ns)
{
	char room[SIPLOAD_MESSAGE_MAX];
	struct writer writer = writer_of(room, sizeof(room));
	double rate = load->options.probe_rate;
	struct sipload_way *way = load->wire->caller_count ? load->wire->callers[0] : NULL;
	if (rate <= 0 || !way || load->now_ns >= end_ns)
		return;
	uint64_t number = load->counts.probes;
	if (due_ns(load, number, rate) > load->now_ns)
		return;
	load->counts.probes++;
	load->probe_sent_ns[number % 4096] = load->now_ns;
	sipload_write_probe(load, number, &writer);
	sipload_send(load, way, writer_done(&writer));
}

static uint64_t patience_ns(const struct sipload *load, uint64_t total)
{
	if (load->counts.started >= total)
		return TURN_NS;
	uint64_t due = due_ns(load, load->counts.started, load->options.rate);
	if (due <= load->now_ns)
		return 0;
	return due - load->now_ns < TURN_NS ? due - load->now_ns : TURN_NS;
}

static void run(struct sipload *load)
{
	uint64_t total = (uint64_t)(load->options.rate * load->options.seconds + 0.5);
	load->now_ns = load->start_ns = sipload_now();
	uint64_t probe_end_ns = load->start_ns + (uint64_t)(load->options.seconds * 1e9);
	if (load->options.hold_s > 1)
		probe_end_ns += (uint64_t)((load->options.hold_s - 1) * 1e9);
	while (load->counts.started < total || load->active > 0 ||
	       (load->options.probe_rate > 0 && load->now_ns < probe_end_ns)) {
		start_due(load, total);
		probe_due(load, probe_end_ns);
		wheel_run(load->wheel, sipload_ms(load));
		sipload_flush(load);
		sipload_wire_poll(load, patience_ns(load, total));
		sipload_flush(load);
	}
}

// ---- the report

static void report_lengths(const char *name, const struct histogram *histogram)
{
	printf(",\"%s_p50_ms\":%.3f,\"%s_p99_ms\":%.3f,\"%s_max_ms\":%.3f", name,
	       histogram_us(histogram, 0.5) / 1e3, name, histogram_us(histogram, 0.99) / 1e3, name,
	       (double)histogram->longest_ns / 1e6);
}

static void report(const struct sipload *load)
{
	const struct sipload_counts *counts = &load->counts;
	double took_s = (double)(sipload_now() - load->start_ns) / 1e9;
	double starting_s = (double)(load->last_start_ns - load->start_ns) / 1e9;
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	double used_us = (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
	uint64_t failed = counts->timeouts + counts->refused + counts->broken;
	printf("{\"rate\":%.1f,\"calls\":%lu,\"calls_per_s\":%.1f,\"ok\":%lu,\"failed\":%lu,"
	       "\"timeouts\":%lu,\"refused\":%lu,\"broken\":%lu,\"refused_4xx\":%lu,"
	       "\"refused_5xx\":%lu,\"repeats_sent\":%lu,\"repeats_received\":%lu,\"strange\":%lu,"
	       "\"up_most\":%lu,\"handshakes\":%lu,\"resumed\":%lu,\"probes\":%lu,"
	       "\"probes_answered\":%lu,\"in_time_per_s\":%.1f",
	       load->options.rate, counts->started,
	       starting_s > 0 ? (double)(counts->started - 1) / starting_s : 0, counts->ok, failed,
	       counts->timeouts, counts->refused, counts->broken, counts->refused_with[4],
	       counts->refused_with[5], counts->repeats_sent, counts->repeats_received,
	       counts->strange, counts->up_most, counts->handshakes, counts->resumed,
	       counts->probes, counts->probes_answered,
	       (double)counts->in_time / (load->options.seconds - load->options.warm_s));
	report_lengths("to_100", &load->to_100);
	report_lengths("setup", &load->setup);
	report_lengths("probe", &load->probe);
	printf(",\"late_ms\":%.2f,\"cpu_us_per_call\":%.1f,\"cpu_share\":%.2f}\n",
	       (double)load->late_longest_ns / 1e6,
	       used_us / (double)(counts->started ? counts->started : 1), used_us / 1e6 / took_s);
}

// ---- arguments

static int usage(void)
{
	fprintf(stderr,
		"sipload --target IP:PORT --caller IP:PORT --called IP:PORT --domain NAME --from "
		"NUMBER\n"
		"        [--called-target IP:PORT: where calls come from; as --target]\n"
		"        [--rate CALLS-PER-S=100] [--seconds 5] [--hold 0.1] [--ring 0] "
		"[--patience "
		"8]\n"
		"        [--bound 1: seconds until the 200 of a call in time] [--warm 0: seconds "
		"not counted]\n"
		"        [--transport udp|tcp|tls] [--called-transport udp|tcp|tls]\n"
		"        [--connections 8: of the caller; 0: a new one for each call] [--resume]\n"
		"        [--user NAME: answers a challenge, password in SIPLOAD_PASSWORD]\n"
		"        [--certificate FILE --key FILE: of the called party] [--probe "
		"OPTIONS-PER-S]\n"
		"        [--cpu N] [--media IP: in every SDP]\n");
	return 2;
}

static bool set_transport(enum sipload_transport *transport, const char *name)
{
	static const char *const names[] = { "udp", "tcp", "tls" };
	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(name, names[i]) == 0) {
			*transport = (enum sipload_transport)i;
			return true;
		}
	}
	return false;
}

static bool set_address(char room[static SIPLOAD_ADDRESS], const char *text)
{
	struct sockaddr_storage address;
	return sipload_address(text, &address) > 0 &&
	       text_copy(text_of(text), room, SIPLOAD_ADDRESS);
}

static const struct option words[] = {
	{ "target", 1, NULL, 't' },
	{ "caller", 1, NULL, 'a' },
	{ "called", 1, NULL, 'b' },
	{ "called-target", 1, NULL, 'e' },

	{ "domain", 1, NULL, 'd' },
	{ "from", 1, NULL, 'f' },
	{ "user", 1, NULL, 'u' },
	{ "rate", 1, NULL, 'r' },
	{ "seconds", 1, NULL, 's' },
	{ "hold", 1, NULL, 'h' },
	{ "ring", 1, NULL, 'g' },
	{ "patience", 1, NULL, 'p' },
	{ "bound", 1, NULL, 'L' },
	{ "warm", 1, NULL, 'W' },
	{ "probe", 1, NULL, 'o' },
	{ "transport", 1, NULL, 'T' },
	{ "called-transport", 1, NULL, 'B' },
	{ "connections", 1, NULL, 'c' },
	{ "resume", 0, NULL, 'R' },
	{ "certificate", 1, NULL, 'C' },
	{ "key", 1, NULL, 'K' },
	{ "cpu", 1, NULL, 'n' },
	{ "media", 1, NULL, 'm' },
	{ NULL, 0, NULL, 0 },
};

static bool set_option(struct sipload_options *options, int option)
{
	struct {
		int option;
		const char **text;
		double *number;
	} const rows[] = {
		{ 'd', &options->domain, NULL },     { 'f', &options->from, NULL },
		{ 'u', &options->user, NULL },       { 'C', &options->certificate, NULL },
		{ 'K', &options->key, NULL },        { 'm', &options->media, NULL },
		{ 'r', NULL, &options->rate },       { 's', NULL, &options->seconds },
		{ 'h', NULL, &options->hold_s },     { 'g', NULL, &options->ring_s },
		{ 'o', NULL, &options->probe_rate }, { 'p', NULL, &options->patience_s },
		{ 'L', NULL, &options->bound_s },    { 'W', NULL, &options->warm_s },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].option != option)
			continue;
		if (rows[i].text)
			*rows[i].text = optarg;
		else
			*rows[i].number = strtod(optarg, NULL);
		return true;
	}
	switch (option) {
	case 't':
		return set_address(options->target, optarg);
	case 'a':
		return set_address(options->caller, optarg);
	case 'b':
		return set_address(options->called, optarg);
	case 'e':
		return set_address(options->called_target, optarg);
	case 'T':
		options->called_transport = SIPLOAD_UDP;
		return set_transport(&options->transport, optarg);
	case 'B':
		return set_transport(&options->called_transport, optarg);
	case 'c':
		options->connections = (unsigned)strtoul(optarg, NULL, 10);
		return true;
	case 'R':
		return options->resumes = true;
	case 'n':
		options->cpu = (int)strtol(optarg, NULL, 10);
		return true;
	default:
		return false;
	}
}

static bool read_options(struct sipload_options *options, int count, char **arguments)
{
	for (int option; (option = getopt_long(count, arguments, "", words, NULL)) != -1;)
		if (!set_option(options, option))
			return false;
	bool needs_key = options->called_transport == SIPLOAD_TLS;
	options->password = getenv("SIPLOAD_PASSWORD");
	if (!options->called_target[0])
		(void)set_address(options->called_target, options->target);
	return optind == count && options->target[0] && options->caller[0] && options->called[0] &&
	       options->domain && options->from && options->rate > 0 && options->seconds > 0 &&
	       options->seconds > options->warm_s && options->patience_s > 0 &&
	       (!needs_key || (options->certificate && options->key));
}

// ---- life

static bool create_calls(struct sipload *load)
{
	const struct sipload_options *options = &load->options;
	double wanted = options->rate * (options->hold_s + options->ring_s + SLOTS_REST_S);
	double all = options->rate * options->seconds + 1;
	wanted = wanted < SLOTS_MIN ? SLOTS_MIN : wanted > SLOTS_MAX ? SLOTS_MAX : wanted;
	load->call_count = (unsigned)(wanted < all ? wanted : all);
	load->calls = calloc(load->call_count, sizeof(*load->calls));
	if (!load->calls)
		return false;
	// The last run's digits are still in the transactions of the system under test.
	uint32_t generation = 0;
	if (getrandom(&generation, sizeof(generation), 0) != sizeof(generation))
		return false;
	for (unsigned i = 0; i < load->call_count; i++) {
		struct sipload_call *call = &load->calls[i];
		call->generation = generation % 1000000;
		call->load = load;
		wheel_timer_init(&call->timer, sipload_caller_timer, call);
		wheel_timer_init(&call->called_timer, sipload_called_timer, call);
		call->next_free = i + 1 < load->call_count ? call + 1 : NULL;
	}
	load->free_first = load->calls;
	load->free_last = &load->calls[load->call_count - 1];
	return true;
}

static bool create(struct sipload *load)
{
	const struct sipload_options *options = &load->options;
	bool has_tls =
		options->transport == SIPLOAD_TLS || options->called_transport == SIPLOAD_TLS;
	sipload_prepare_sdp(load);
	load->wheel = wheel_create(sipload_now() / 1000000);
	if (options->user)
		load->digest = sipload_digest_create(options);
	if (has_tls)
		load->tls = sipload_tls_create(options);
	return load->wheel && (!options->user || load->digest) && (!has_tls || load->tls) &&
	       create_calls(load) && sipload_wire_open(load);
}

static void destroy(struct sipload *load)
{
	sipload_wire_close(load);
	sipload_tls_destroy(load->tls);
	sipload_digest_destroy(load->digest);
	wheel_destroy(load->wheel); // timers of calls may still run
	free(load->calls);
	free(load);
}

int main(int count, char **arguments)
{
	struct sipload *load = calloc(1, sizeof(*load));
	if (!load)
		return 1;
	load->options = (struct sipload_options){ .rate = 100,
						  .seconds = 5,
						  .hold_s = 0.1,
						  .patience_s = 8,
						  .bound_s = 1,
						  .connections = 8,
						  .media = "192.0.2.10",
						  .cpu = -1 };
	if (!read_options(&load->options, count, arguments))
		return usage();
	cpu_set_t cores;
	CPU_ZERO(&cores);
	if (load->options.cpu >= 0) {
		CPU_SET((unsigned)load->options.cpu, &cores);
		if (sched_setaffinity(0, sizeof(cores), &cores) != 0)
			perror("sipload: --cpu");
	}
	(void)signal(SIGPIPE, SIG_IGN); // TLS writes to connections that may be gone
	(void)prctl(PR_SET_TIMERSLACK, 1); // ns; the usual 50 us would be felt at such rates
	bool is_good = create(load);
	if (is_good) {
		run(load);
		report(load);
	}
	destroy(load);
	return is_good ? 0 : 1;
}
