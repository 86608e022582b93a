// Notifications in the database: one row each, which their deliveries bring up to date.

#include <string.h>

#include "base/text.h"
#include "history/find.h"
#include "tests/check.h"
#include "world.h"

static void write(struct world *world, uint32_t revision, const char *outcome)
{
	struct history_notification notification = { .trigger_sid = "TR1",
						     .sid = "NO1",
						     .revision = revision,
						     .webhook = { .status = revision * 100 },
						     .alert = { .code = 32001, .at_ms = 5 } };
	text_copy_cut(text_of(outcome), notification.webhook.outcome,
		      sizeof(notification.webhook.outcome));
	assert_true(history_notification_write(world->history, &notification));
}

static void found(void *context, const struct history_notification *notification)
{
	struct history_notification *out = context;
	if (notification)
		*out = *notification;
	else
		out->held_back++; // the end
}

// DEBUG-003, DEBUG-004: whatever the order in which its revisions come to the database.
static void a_notification_is_brought_up_to_date(void **state)
{
	struct world world;
	struct history_filter filter = { .code = 32001 };
	struct history_notification seen = { .revision = 0 };
	(void)state;
	world_make(&world, 16);
	assert_int_equal(world_start(&world), OK);
	write(&world, 0, "waiting");
	write(&world, 2, "delivered");
	write(&world, 1, "failed");
	assert_true(world_wait_written(&world, 3, 3000));
	world_stop(&world);
	assert_int_equal(world_start(&world), OK);
	assert_int_equal(history_find_notifications(world.history, &filter, found, &seen), OK);
	for (unsigned i = 0; i < 2000 && seen.held_back == 0; i++)
		world_turn(&world, 5);
	assert_int_equal(seen.revision, 2);
	assert_string_equal(seen.sid, "NO1");
	assert_string_equal(seen.trigger_sid, "TR1");
	assert_string_equal(seen.webhook.outcome, "delivered");
	assert_int_equal(seen.webhook.status, 200);
	assert_string_equal(seen.mail.outcome, "");
	world_stop(&world);
	assert_int_equal(world_ask(&world, "SELECT count(*) FROM notifications"), 1);
	world_remove(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(a_notification_is_brought_up_to_date) };
	return RUN_TESTS(tests);
}
