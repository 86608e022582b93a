// Bounds of deliveries: how many wait, how many are under way, and no account has it all.

#include "notify/notify.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wheel.h"
#include "config/notify.h"
#include "tests/check.h"

struct world {
	struct event_base *loop;
	struct clock clock;
	struct wheel *wheel;
	struct notify_config config;
	struct notify *notify;
	struct notify_content content;
	unsigned outcomes[NOTIFY_OUTCOME_COUNT];
	char problem[128]; // of the last
	int listener; // which takes connections and answers nothing
	char url[64];
};

static void done(void *context, const struct notify_end *end)
{
	struct world *world = context;
	world->outcomes[end->outcome]++;
	(void)snprintf(world->problem, sizeof(world->problem), "%s", end->problem);
}

static void listen_silently(struct world *world)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	world->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(world->listener >= 0);
	assert_int_equal(bind(world->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(world->listener, 64), 0);
	assert_int_equal(getsockname(world->listener, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u/",
		       ntohs(address.sin_port));
}

static int set_up(void **state)
{
	static struct world world;
	memset(&world, 0, sizeof(world));
	world.loop = event_base_new();
	clock_update(&world.clock);
	world.wheel = wheel_create(world.clock.now_ms);
	world.content.size = 1;
	world.config = (struct notify_config){ .connect_timeout_ms = 5000,
					       .timeout_ms = 5000,
					       .in_flight_max = 8,
					       .queue_max = 40,
					       .mail_every_s = 60 };
	listen_silently(&world);
	const struct notify_options options = { world.loop, &world.clock, world.wheel,
						&world.config };
	assert_int_equal(notify_start(&options, &world.notify), OK);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	notify_stop(world->notify);
	wheel_destroy(world->wheel);
	event_base_free(world->loop);
	close(world->listener);
	return 0;
}

static void send_many(struct world *world, const char *account, unsigned count, bool is_trusted)
{
	const struct notify_order order = { .way = NOTIFY_WEBHOOK,
					    .account_sid = account,
					    .target = world->url,
					    .is_trusted = is_trusted,
					    .content = &world->content,
					    .done = done,
					    .context = world };
	for (unsigned i = 0; i < count; i++)
		notify_send(world->notify, &order);
}

static void no_account_takes_it_all(void **state)
{
	struct world *world = *state;
	const struct notify_counters *counters = notify_counters(world->notify);
	send_many(world, "AC1", 30, true);
	assert_int_equal(counter_get(&counters->in_flight), 2); // a quarter of 8
	assert_int_equal(counter_get(&counters->waiting), 8); // a quarter of 40 in all
	assert_int_equal(world->outcomes[NOTIFY_DROPPED], 20);
	send_many(world, "AC2", 3, true);
	assert_int_equal(counter_get(&counters->in_flight), 4);
	send_many(world, "AC3", 30, true);
	send_many(world, "AC4", 30, true);
	send_many(world, "AC5", 30, true);
	assert_int_equal(counter_get(&counters->in_flight), 8);
	assert_int_equal(counter_get(&counters->in_flight) + counter_get(&counters->waiting), 40);
	unsigned dropped = world->outcomes[NOTIFY_DROPPED];
	assert_int_equal(dropped, 123 - 40);
	notify_stop(world->notify);
	assert_int_equal(world->outcomes[NOTIFY_STOPPED], 40); // each has one end
	world->notify = NULL;
}

static void a_strangers_url_does_not_reach_this_host(void **state)
{
	struct world *world = *state;
	send_many(world, "AC1", 1, false);
	for (unsigned i = 0; i < 1000 && world->outcomes[NOTIFY_FAILED] == 0; i++) {
		(void)event_base_loop(world->loop, EVLOOP_NONBLOCK);
		(void)usleep(10000);
	}
	assert_int_equal(world->outcomes[NOTIFY_FAILED], 1);
	assert_int_equal(recv(world->listener, NULL, 0, MSG_DONTWAIT), -1);
	assert_non_null(strstr(world->problem, "notify.allowed_targets")); // what would change that
}

// What could not be written for want of memory is not sent as nothing.
static void nothing_is_not_sent(void **state)
{
	struct world *world = *state;
	world->content.size = 0;
	send_many(world, "AC1", 1, true);
	assert_int_equal(world->outcomes[NOTIFY_DROPPED], 1);
	assert_string_equal(world->problem, "out of memory");
	assert_int_equal(counter_get(&notify_counters(world->notify)->waiting), 0);
}

static void without_a_mail_server_mail_is_dropped(void **state)
{
	struct world *world = *state;
	const struct notify_order order = { .way = NOTIFY_MAIL,
					    .account_sid = "",
					    .target = "a@b.example",
					    .content = &world->content,
					    .done = done,
					    .context = world };
	assert_false(notify_has_mail(world->notify));
	notify_send(world->notify, &order);
	assert_int_equal(world->outcomes[NOTIFY_DROPPED], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_account_takes_it_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_strangers_url_does_not_reach_this_host, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_not_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_mail_server_mail_is_dropped, set_up,
						tear_down),
	};
	return RUN_TESTS(tests);
}
