// Next hops from a real kernel: two network namespaces joined by a cable, in this process and a child
// of it. Needs the right to make namespaces; without it each test is skipped by name.

#include "tests/check.h"

#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "media/neighbour.h"

struct bench {
	bool is_ready;
	pid_t peer; // a process that only holds the other namespace
	struct event_base *loop;
	struct neighbours *neighbours;
	unsigned changes;
};

static const uint8_t first_mac[6] = { 2, 0, 0, 0, 0, 0x02 };
static const uint8_t second_mac[6] = { 2, 0, 0, 0, 0, 0x22 };
static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0, 0x33 };

static void changed(void *context, const struct address *destination)
{
	struct bench *bench = context;
	CHECK_NUMBER(destination->port, 0);
	bench->changes++;
}

static bool run(const char *command)
{
	return system(command) == 0;
}

static bool run_at_peer(const struct bench *bench, const char *command)
{
	char line[256];
	int size = snprintf(line, sizeof(line), "nsenter -t %d -n %s", (int)bench->peer, command);
	return size > 0 && (size_t)size < sizeof(line) && run(line);
}

static bool lay_cable(struct bench *bench)
{
	char move[64];
	int pipes[2];
	char octet;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0 || pipe(pipes) != 0)
		return false;
	bench->peer = fork();
	if (bench->peer == 0) {
		if (unshare(CLONE_NEWNET) != 0 || write(pipes[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	bool has_peer = bench->peer > 0 && read(pipes[0], &octet, 1) == 1;
	close(pipes[0]);
	close(pipes[1]);
	snprintf(move, sizeof(move), "ip link set far netns %d", (int)bench->peer);
	return has_peer && run("ip link add near type veth peer name far") && run(move) &&
	       run("ip link set lo up") && run("ip addr add 192.0.2.1/24 dev near") &&
	       run("ip addr add 2001:db8::1/64 dev near nodad") && run("ip link set near up") &&
	       run_at_peer(bench, "ip link set far address 02:00:00:00:00:02") &&
	       run_at_peer(bench, "ip addr add 192.0.2.2/24 dev far") &&
	       run_at_peer(bench, "ip addr add 192.0.2.4/24 dev far") &&
	       run_at_peer(bench, "ip addr add 2001:db8::2/64 dev far nodad") &&
	       run_at_peer(bench, "ip link set far up");
}

static int begin(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	*state = bench;
	if (!bench || !lay_cable(bench))
		return bench ? 0 : -1;
	bench->loop = event_base_new();
	bench->is_ready = bench->loop && neighbours_start(bench->loop, "near", changed, bench,
							  &bench->neighbours) == OK;
	return bench->is_ready ? 0 : -1;
}

static int end(void **state)
{
	struct bench *bench = *state;
	neighbours_stop(bench->neighbours);
	if (bench->loop)
		event_base_free(bench->loop);
	if (bench->peer > 0) {
		kill(bench->peer, SIGKILL);
		waitpid(bench->peer, NULL, 0);
	}
	free(bench);
	return 0;
}

static struct bench *bench_of(void **state)
{
	struct bench *bench = *state;
	if (!bench->is_ready)
		skip();
	return bench;
}

static struct address address_of(const char *text)
{
	struct address address;
	CHECK_TRUE(address_parse(text_of(text), &address));
	return address;
}

// Runs the loop until the destination has this Ethernet address (NULL: none); false after 8 s.
static bool becomes(struct bench *bench, const struct address *destination, const uint8_t *wanted)
{
	struct timeval step = { .tv_usec = 20000 };
	for (unsigned i = 0; i < 400; i++) {
		uint8_t mac[6];
		bool is_known = neighbour_find(bench->neighbours, destination, mac);
		if (wanted ? is_known && memcmp(mac, wanted, sizeof(mac)) == 0 : !is_known)
			return true;
		event_base_loopexit(bench->loop, &step);
		event_base_dispatch(bench->loop);
	}
	return false;
}

static void a_neighbour_is_resolved_and_told(void **state)
{
	struct bench *bench = bench_of(state);
	const char *const texts[] = { "192.0.2.2:4000", "[2001:db8::2]:4000" };
	for (unsigned i = 0; i < 2; i++) {
		struct address address = address_of(texts[i]);
		uint8_t mac[6];
		bench->changes = 0;
		CHECK_FALSE(neighbour_take(bench->neighbours, &address,
					   mac)); // ARP, ND: not waited for
		CHECK_TRUE(becomes(bench, &address, first_mac));
		CHECK_NUMBER(bench->changes, 1);
		CHECK_TRUE(neighbour_take(bench->neighbours, &address, mac));
		assert_memory_equal(mac, first_mac, 6);
		neighbour_give(bench->neighbours, &address);
		CHECK_TRUE(neighbour_find(bench->neighbours, &address, mac));
		neighbour_give(bench->neighbours, &address);
		CHECK_FALSE(neighbour_find(bench->neighbours, &address, mac)); // nobody uses it
		neighbour_give(bench->neighbours, &address); // too often: harmless
	}
}

static void a_change_of_ethernet_address_is_followed(void **state)
{
	struct bench *bench = bench_of(state);
	struct address address = address_of("192.0.2.2");
	uint8_t mac[6];
	(void)neighbour_take(bench->neighbours, &address, mac);
	CHECK_TRUE(becomes(bench, &address, first_mac));
	CHECK_TRUE(run_at_peer(bench, "ip link set far down"));
	CHECK_TRUE(run_at_peer(bench, "ip link set far address 02:00:00:00:00:22"));
	// Meanwhile the last known one stays: it may be right still.
	CHECK_TRUE(neighbour_find(bench->neighbours, &address, mac));
	CHECK_TRUE(run_at_peer(bench, "ip link set far up"));
	CHECK_TRUE(becomes(bench, &address, second_mac));
	neighbour_give(bench->neighbours, &address);
}

static void a_change_of_route_is_followed(void **state)
{
	struct bench *bench = bench_of(state);
	struct address far = address_of("198.51.100.7"), far6 = address_of("2001:db8:7::7");
	uint8_t mac[6];
	CHECK_TRUE(run("ip neigh add 192.0.2.3 lladdr 02:00:00:00:00:33 dev near nud permanent"));
	CHECK_FALSE(neighbour_take(bench->neighbours, &far, mac)); // no route at all
	CHECK_FALSE(neighbour_take(bench->neighbours, &far6, mac));
	CHECK_TRUE(run("ip route add 198.51.100.0/24 via 192.0.2.2"));
	CHECK_TRUE(becomes(bench, &far, first_mac));
	CHECK_TRUE(run("ip route replace 198.51.100.0/24 via 192.0.2.3"));
	CHECK_TRUE(becomes(bench, &far, other_mac));
	CHECK_TRUE(run("ip route replace 198.51.100.0/24 dev lo")); // not our interface
	CHECK_TRUE(becomes(bench, &far, NULL));
	CHECK_TRUE(run("ip -6 route add 2001:db8:7::/64 via 2001:db8::2"));
	CHECK_TRUE(becomes(bench, &far6, first_mac));
	CHECK_TRUE(run("ip route replace 198.51.100.0/24 via inet6 2001:db8::2 dev near"));
	CHECK_TRUE(becomes(bench, &far, first_mac));
	CHECK_TRUE(run("ip link set near down")); // takes IPv4 routes away without a word
	CHECK_TRUE(becomes(bench, &far, NULL));
	neighbour_give(bench->neighbours, &far);
	neighbour_give(bench->neighbours, &far6);
}

static void our_own_address_is_no_next_hop(void **state)
{
	struct bench *bench = bench_of(state);
	struct address own = address_of("192.0.2.1");
	uint8_t mac[6];
	CHECK_FALSE(neighbour_take(bench->neighbours, &own, mac));
	struct timeval while_it_would_be_resolved = { .tv_usec = 200000 };
	event_base_loopexit(bench->loop, &while_it_would_be_resolved);
	event_base_dispatch(bench->loop);
	CHECK_FALSE(neighbour_find(bench->neighbours, &own, mac));
	CHECK_NUMBER(bench->changes, 0);
	neighbour_give(bench->neighbours, &own);
}

static void many_destinations_follow_one_gateway(void **state)
{
	struct bench *bench = bench_of(state);
	struct address address = address_of("198.51.100.0");
	uint8_t mac[6];
	CHECK_TRUE(run("ip route add 198.51.100.0/24 via 192.0.2.2"));
	for (unsigned i = 1; i < 250; i++) {
		address.octets[3] = (uint8_t)i;
		(void)neighbour_take(bench->neighbours, &address, mac);
	}
	CHECK_TRUE(becomes(bench, &address, first_mac));
	CHECK_NUMBER(bench->changes, 249);
	CHECK_TRUE(run("ip neigh add 192.0.2.3 lladdr 02:00:00:00:00:33 dev near nud permanent"));
	CHECK_TRUE(run("ip route replace 198.51.100.0/24 via 192.0.2.3"));
	for (unsigned i = 1; i < 250; i++) {
		address.octets[3] = (uint8_t)i;
		CHECK_TRUE(becomes(bench, &address, other_mac));
		neighbour_give(bench->neighbours, &address);
	}
}

static void an_absent_interface_is_an_error(void **state)
{
	struct bench *bench = bench_of(state);
	struct neighbours *neighbours;
	CHECK_STATUS(neighbours_start(bench->loop, "absent", changed, bench, &neighbours),
		     ERR_NOT_FOUND);
}

// The last one: this process has no rights afterwards.
static void a_neighbour_is_resolved_without_rights(void **state)
{
	struct bench *bench = bench_of(state);
	struct address address = address_of("192.0.2.4");
	uint8_t mac[6];
	CHECK_NUMBER(seteuid(65534), 0);
	CHECK_FALSE(neighbour_take(bench->neighbours, &address, mac));
	CHECK_TRUE(becomes(bench, &address, first_mac));
	neighbour_give(bench->neighbours, &address);
	CHECK_NUMBER(seteuid(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_neighbour_is_resolved_and_told, begin, end),
		cmocka_unit_test_setup_teardown(a_change_of_ethernet_address_is_followed, begin,
						end),
		cmocka_unit_test_setup_teardown(a_change_of_route_is_followed, begin, end),
		cmocka_unit_test_setup_teardown(many_destinations_follow_one_gateway, begin, end),
		cmocka_unit_test_setup_teardown(our_own_address_is_no_next_hop, begin, end),
		cmocka_unit_test_setup_teardown(an_absent_interface_is_an_error, begin, end),
		cmocka_unit_test_setup_teardown(a_neighbour_is_resolved_without_rights, begin, end),
	};
	return RUN_TESTS(tests);
}
