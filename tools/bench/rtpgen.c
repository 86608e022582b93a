// rtpgen: sends RTP through a relay at given rates and says in JSON, one line per phase, what came
// back. Phases follow each other without a gap, so overload and recovery are seen on the same flows.
// Runs on: one thread; one core when told which.

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtpgen.h"

#define WARM_UP_S 0.5
#define STALL_NS 500000 // a turn of the loop longer than this was not ours to spend
#define QUIET_NS 150000000
#define STRAGGLERS_NS 2500000000ull

// Sends what is due, at most a burst; the rest waits for the next turn.
static void send_due(struct rtpgen *generator, struct rtpgen_phase *phase, uint64_t now_ns)
{
	struct mmsghdr messages[RTPGEN_BURST];
	struct iovec pieces[RTPGEN_BURST];
	double due = (double)(now_ns - phase->start_ns) * (double)phase->rate / 1e9 + 1;
	uint64_t total = (uint64_t)((double)phase->rate * phase->seconds);
	if (due > (double)total)
		due = (double)total;
	struct rtpgen_flow *flows[RTPGEN_BURST];
	uint8_t room[RTPGEN_BURST][RTPGEN_FRAME_ROOM];
	unsigned count = 0;
	while (count < RTPGEN_BURST && count < generator->flow_count &&
	       phase->sent + count < (uint64_t)due)
		flows[count++] = rtpgen_next(generator, now_ns);
	rtpgen_seal(generator, flows, count, room);
	for (unsigned i = 0; i < count; i++) {
		bool is_sealed = flows[i]->leaves;
		pieces[i].iov_len = RTPGEN_FRAME_SIZE + (is_sealed ? RTPGEN_TAG : 0);
		pieces[i].iov_base = is_sealed ? room[i] : flows[i]->frame;
		messages[i] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &pieces[i], .msg_iovlen = 1 } };
	}
	for (unsigned done = 0; done < count;) {
		int taken = sendmmsg(generator->send_fd, messages + done, count - done, 0);
		if (taken <= 0)
			taken = 1; // this frame the kernel did not take: it is lost and will show
		done += (unsigned)taken;
	}
	phase->sent += count;
}

static void run_phase(struct rtpgen *generator, struct rtpgen_phase *phase)
{
	uint64_t length_ns = (uint64_t)(phase->seconds * 1e9);
	uint64_t now_ns = phase->start_ns = rtpgen_now();
	while (now_ns - phase->start_ns < length_ns) {
		send_due(generator, phase, now_ns);
		rtpgen_receive(generator, 4 * RTPGEN_BURST);
		uint64_t then_ns = now_ns;
		now_ns = rtpgen_now();
		uint64_t turn_ns = now_ns - then_ns;
		phase->stall_ns += turn_ns > STALL_NS ? turn_ns : 0;
		if (turn_ns > phase->stall_longest_ns)
			phase->stall_longest_ns = turn_ns;
	}
	phase->end_ns = now_ns;
}

static void collect_stragglers(struct rtpgen *generator)
{
	uint64_t end_ns = rtpgen_now(), quiet_since_ns = end_ns, now_ns = end_ns;
	while (now_ns - quiet_since_ns < QUIET_NS && now_ns - end_ns < STRAGGLERS_NS) {
		if (rtpgen_receive(generator, 4 * RTPGEN_BURST) > 0)
			quiet_since_ns = now_ns;
		now_ns = rtpgen_now();
	}
	generator->ring_drops = rtpgen_ring_drops(generator);
}

static void report_phase(const struct rtpgen *generator, const struct rtpgen_phase *phase)
{
	double seconds = (double)(phase->end_ns - phase->start_ns) / 1e9;
	uint64_t came = phase->on_time + phase->late;
	double loss = phase->sent ? 1 - (double)phase->on_time / (double)phase->sent : 1;
	printf("{\"rate\":%lu,\"flows\":%u,\"sent\":%lu,\"sent_pps\":%.0f,\"on_time\":%lu,\"late\":"
	       "%lu,"
	       "\"lost\":%lu,\"loss\":%.6f,\"delivered_pps\":%.0f,\"duplicates\":%lu,\"altered\":%"
	       "lu,"
	       "\"verified\":%lu,\"unauthentic\":%lu,\"bad_checksums\":%lu,\"p50_us\":%.1f,\"p99_"
	       "us\":%.1f,\"longest_us\":%.1f,"
	       "\"stall_ms\":%.2f,\"stall_longest_us\":%.0f,\"strange\":%lu,\"sink_drops\":%lu",
	       phase->rate, generator->flow_count, phase->sent, (double)phase->sent / seconds,
	       phase->on_time, phase->late, phase->sent > came ? phase->sent - came : 0, loss,
	       (double)phase->on_time / seconds, phase->duplicates, phase->altered, phase->verified,
	       generator->unauthentic, phase->bad_checksums, histogram_us(&phase->delays, 0.5),
	       histogram_us(&phase->delays, 0.99), (double)phase->delays.longest_ns / 1e3,
	       (double)phase->stall_ns / 1e6, (double)phase->stall_longest_ns / 1e3,
	       generator->strange, generator->ring_drops);
}

// How long after the last phase began each flow was heard again.
static void report_recovery(const struct rtpgen *generator)
{
	const struct rtpgen_phase *last = &generator->phases[generator->phase_count - 1];
	uint64_t longest_ns = 0;
	uint32_t silent = 0, next = 0;
	for (uint32_t i = 0; i < generator->flow_count; i++) {
		uint64_t back_ns = generator->flows[i].back_ns;
		silent += back_ns == 0;
		if (generator->flows[i].sent > next)
			next = generator->flows[i].sent;
		if (back_ns > last->start_ns && back_ns - last->start_ns > longest_ns)
			longest_ns = back_ns - last->start_ns;
	}
	printf(",\"back_ms\":%.1f,\"silent_flows\":%u,\"next_number\":%u", (double)longest_ns / 1e6,
	       silent, next);
}

static bool parse_phases(struct rtpgen *generator, char *text)
{
	generator->phases[0] = (struct rtpgen_phase){ .seconds = WARM_UP_S };
	generator->phase_count = 1;
	for (char *one; (one = strsep(&text, ","));) {
		unsigned long rate;
		double seconds;
		if (generator->phase_count == RTPGEN_PHASES_MAX ||
		    sscanf(one, "%lu:%lf", &rate, &seconds) != 2 || rate == 0 || seconds <= 0)
			return false;
		generator->phases[generator->phase_count++] =
			(struct rtpgen_phase){ .rate = rate, .seconds = seconds };
	}
	generator->phases[0].rate = generator->phases[1].rate;
	return generator->phase_count > 1;
}

static int usage(void)
{
	fprintf(stderr,
		"rtpgen -i INTERFACE -m RELAY-MAC -f FLOWS -r RATE:SECONDS[,RATE:SECONDS…]\n"
		"       [-l LATE-MS=50] [-c CPU] [-b FIRST-NUMBER=0] [-u: write UDP checksums]\n"
		"FLOWS: lines of FROM TO BACK, each IP:PORT, and perhaps two SRTP keys: of what "
		"is\n"
		"sent and of what comes back, 30 octets in hex, or '-'\n");
	return 2;
}

static bool parse_arguments(struct rtpgen *generator, int count, char **arguments,
			    const char **out_flows)
{
	uint8_t *mac = generator->relay_mac;
	bool has_mac = false;
	cpu_set_t cores;
	CPU_ZERO(&cores);
	for (int option; (option = getopt(count, arguments, "i:m:f:r:l:c:b:u")) != -1;) {
		if (option == 'i')
			generator->interface = optarg;
		else if (option == 'm')
			has_mac = sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1,
					 mac + 2, mac + 3, mac + 4, mac + 5) == 6;
		else if (option == 'f')
			*out_flows = optarg;
		else if (option == 'r' && !parse_phases(generator, optarg))
			return false;
		else if (option == 'l')
			generator->late_ms = strtod(optarg, NULL);
		else if (option == 'b')
			generator->first_number = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'u')
			generator->writes_checksums = true;
		else if (option == 'c')
			CPU_SET(strtoul(optarg, NULL, 10), &cores);
		else if (option == '?')
			return false;
	}
	if (CPU_COUNT(&cores) && sched_setaffinity(0, sizeof(cores), &cores) != 0)
		perror("rtpgen: -c");
	return generator->interface && has_mac && *out_flows && generator->phase_count > 1;
}

int main(int count, char **arguments)
{
	struct rtpgen *generator = calloc(1, sizeof(*generator));
	const char *flows = NULL;
	if (!generator)
		return 1;
	generator->late_ms = 50;
	generator->protector = protector_create();
	if (!parse_arguments(generator, count, arguments, &flows))
		return usage();
	if (!generator->protector || !rtpgen_load(generator, flows) || !rtpgen_open(generator))
		return 1;
	rtpgen_prepare(generator);
	for (unsigned i = 0; i < generator->phase_count; i++) {
		generator->phase_current = i;
		run_phase(generator, &generator->phases[i]);
	}
	collect_stragglers(generator);
	for (unsigned i = 1; i < generator->phase_count; i++) {
		report_phase(generator, &generator->phases[i]);
		if (i + 1 == generator->phase_count)
			report_recovery(generator);
		printf("}\n");
	}
	rtpgen_close(generator);
	for (uint32_t i = 0; i < generator->flow_count; i++)
		rtpgen_clear_keys(&generator->flows[i]);
	protector_destroy(generator->protector);
	free(generator->flows);
	free(generator->flow_by_port);
	free(generator);
	return 0;
}
