// The state of carriers. Runs on the control thread: once a second it looks who is due.

#include "call/carrier/health.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/carrier/ping.h"
#include "call/record.h"
#include "config/config.h"

#define TURN_MS 1000
#define ALERT_MS 60000 // between two alerts that one carrier is down, or that it is up
#define NAME_WORDS ((DIRECTORY_NAME_SIZE + 7) / 8)

// What the api thread reads. Odd while it is being written: read again later.
struct shown {
	struct counter turn;
	struct counter state; // 0: nobody's
	struct counter name[NAME_WORDS];
};

struct slot {
	struct health *health;
	struct shown *shown;
	char sid[DIRECTORY_SID_SIZE]; // "": free
	char name[DIRECTORY_NAME_SIZE];
	enum call_carrier_state state;
	unsigned misses; // in a row
	uint64_t since_ms; // wall clock, of the state
	uint64_t due_ms; // of the next ping
	uint64_t alert_ms[2]; // of the last alert that it is down, and up; 0: none
	char cause[96];
	struct ping ping;
};

struct health {
	struct calls *calls;
	struct wheel_timer timer;
	struct slot slots[DIRECTORY_CARRIERS_MAX];
	struct shown shown[DIRECTORY_CARRIERS_MAX];
};

const char *call_carrier_state_text(enum call_carrier_state state)
{
	static const char *const texts[] = { [CALL_CARRIER_NOT_PINGED] = "not pinged",
					     [CALL_CARRIER_UNKNOWN] = "unknown",
					     [CALL_CARRIER_UP] = "up",
					     [CALL_CARRIER_DOWN] = "down" };
	return texts[state];
}

// ---- for the api thread

static void show(const struct slot *slot)
{
	struct shown *shown = slot->shown;
	uint64_t words[NAME_WORDS] = { 0 };
	memcpy(words, slot->name, sizeof slot->name);
	counter_add(&shown->turn, 1);
	atomic_thread_fence(memory_order_release);
	counter_set(&shown->state, slot->sid[0] != '\0' ? slot->state : CALL_CARRIER_NOT_PINGED);
	for (unsigned i = 0; i < NAME_WORDS; i++)
		counter_set(&shown->name[i], words[i]);
	atomic_thread_fence(memory_order_release);
	counter_add(&shown->turn, 1);
}

bool call_carrier_metric(const struct calls *calls, unsigned place,
			 char name[static DIRECTORY_NAME_SIZE], enum call_carrier_state *out_state)
{
	uint64_t words[NAME_WORDS];
	if (place >= DIRECTORY_CARRIERS_MAX)
		return false;
	const struct shown *shown = &calls->health->shown[place];
	uint64_t turn = counter_get(&shown->turn);
	atomic_thread_fence(memory_order_acquire);
	*out_state = (enum call_carrier_state)counter_get(&shown->state);
	for (unsigned i = 0; i < NAME_WORDS; i++)
		words[i] = counter_get(&shown->name[i]);
	atomic_thread_fence(memory_order_acquire);
	if (turn % 2 != 0 || counter_get(&shown->turn) != turn)
		*out_state = CALL_CARRIER_NOT_PINGED; // it is in the next page
	memcpy(name, words, DIRECTORY_NAME_SIZE);
	name[DIRECTORY_NAME_SIZE - 1] = '\0';
	return true;
}

// ---- states

static void alert(struct slot *slot, bool is_up)
{
	struct calls *calls = slot->health->calls;
	struct refusal refusal = { 0 };
	uint64_t now_ms = calls->clock->now_ms;
	log_event(is_up ? LOG_INFO : LOG_WARNING, is_up ? "carrier_up" : "carrier_down", "carrier",
		  slot->name, "seen", slot->cause, NULL);
	uint64_t *last_ms = &slot->alert_ms[is_up];
	if (*last_ms != 0 && now_ms < *last_ms + ALERT_MS)
		return;
	*last_ms = now_ms;
	(void)refusal_set(&refusal, is_up ? REFUSED_CARRIER_UP : REFUSED_CARRIER_DOWN, slot->name,
			  text_of(slot->cause), "an answer to OPTIONS");
	record_node_alert(calls, &refusal);
}

static void change(struct slot *slot, enum call_carrier_state state)
{
	bool was_unknown = slot->state == CALL_CARRIER_UNKNOWN;
	bool is_up = state == CALL_CARRIER_UP;
	slot->state = state;
	slot->since_ms = slot->health->calls->clock->wall_ms;
	if (!was_unknown || !is_up) // that it is up at the start is no news
		alert(slot, is_up);
	show(slot);
}

static void on_done(void *context, bool is_up, const char *seen)
{
	struct slot *slot = context;
	unsigned allowed = slot->health->calls->config->sip.ping_misses;
	text_copy_cut(text_of(seen), slot->cause, sizeof slot->cause);
	slot->misses = is_up ? 0 : slot->misses + 1;
	if (is_up && slot->state != CALL_CARRIER_UP)
		change(slot, CALL_CARRIER_UP);
	else if (slot->misses >= allowed && slot->state != CALL_CARRIER_DOWN)
		change(slot, CALL_CARRIER_DOWN);
}

// ---- who is pinged

static struct slot *find(const struct health *health, const char *sid)
{
	for (unsigned i = 0; i < DIRECTORY_CARRIERS_MAX; i++) {
		if (strcmp(health->slots[i].sid, sid) == 0)
			return (struct slot *)&health->slots[i];
	}
	return NULL;
}

static void leave(struct slot *slot)
{
	ping_stop(&slot->ping);
	slot->sid[0] = '\0';
	show(slot);
}

static void enter(struct slot *slot, const struct carrier *carrier)
{
	const struct calls *calls = slot->health->calls;
	(void)text_copy(text_of(carrier->sid), slot->sid, sizeof slot->sid);
	slot->state = CALL_CARRIER_UNKNOWN;
	slot->since_ms = calls->clock->wall_ms;
	slot->misses = 0;
	slot->due_ms = slot->alert_ms[false] = slot->alert_ms[true] = 0;
	slot->cause[0] = '\0';
	ping_init(&slot->ping, slot->health->calls, on_done, slot);
}

static void look_at(struct slot *slot, const struct carrier *carrier)
{
	uint64_t now_ms = slot->health->calls->clock->now_ms;
	if (strcmp(slot->name, carrier->name) != 0) {
		(void)text_copy(text_of(carrier->name), slot->name, sizeof slot->name);
		show(slot);
	}
	if (slot->ping.is_running || now_ms < slot->due_ms)
		return;
	slot->due_ms = now_ms + carrier->options_ping_s * 1000ull;
	ping_start(&slot->ping, carrier);
}

static bool is_pinged(const struct carrier *carrier)
{
	return carrier != NULL && carrier->is_enabled && carrier->options_ping_s > 0;
}

static void on_turn(struct wheel_timer *timer, void *context)
{
	struct health *health = context;
	const struct calls *calls = health->calls;
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	unsigned count = directory_carriers(calls->directory, carriers);
	for (unsigned i = 0; i < DIRECTORY_CARRIERS_MAX; i++) {
		struct slot *slot = &health->slots[i];
		if (slot->sid[0] != '\0' &&
		    !is_pinged(directory_carrier(calls->directory, slot->sid)))
			leave(slot);
	}
	for (unsigned i = 0; i < count; i++) {
		if (!is_pinged(carriers[i]))
			continue;
		struct slot *slot = find(health, carriers[i]->sid);
		if (slot == NULL && (slot = find(health, "")) != NULL)
			enter(slot, carriers[i]);
		if (slot != NULL)
			look_at(slot, carriers[i]);
	}
	wheel_start(calls->wheel, timer, calls->clock->now_ms + TURN_MS);
}

// ---- life

struct health *health_create(struct calls *calls)
{
	struct health *health = calloc(1, sizeof *health);
	if (health == NULL)
		return NULL;
	health->calls = calls;
	wheel_timer_init(&health->timer, on_turn, health);
	for (unsigned i = 0; i < DIRECTORY_CARRIERS_MAX; i++) {
		health->slots[i].health = health;
		health->slots[i].shown = &health->shown[i];
	}
	return health;
}

void health_start(struct health *health)
{
	const struct calls *calls = health->calls;
	wheel_start(calls->wheel, &health->timer, calls->clock->now_ms + TURN_MS);
}

void health_stop(struct health *health)
{
	wheel_stop(&health->timer);
	for (unsigned i = 0; i < DIRECTORY_CARRIERS_MAX; i++) {
		if (health->slots[i].sid[0] != '\0')
			leave(&health->slots[i]);
	}
}

void health_destroy(struct health *health)
{
	if (health == NULL)
		return;
	health_stop(health);
	free(health);
}

// ---- what others ask

void health_filter(const struct health *health, struct route *route)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < route->count; i++) {
		const struct slot *slot = find(health, route->targets[i].sid);
		kept += slot == NULL || slot->state != CALL_CARRIER_DOWN;
	}
	if (kept == 0 || kept == route->count)
		return;
	kept = 0;
	for (unsigned i = 0; i < route->count; i++) {
		const struct slot *slot = find(health, route->targets[i].sid);
		if (slot == NULL || slot->state != CALL_CARRIER_DOWN)
			route->targets[kept++] = route->targets[i];
	}
	route->count = kept;
}

void call_carrier_read(const struct calls *calls, const char *sid,
		       struct call_carrier_facts *out_facts)
{
	const struct slot *slot = sid[0] != '\0' ? find(calls->health, sid) : NULL;
	*out_facts = (struct call_carrier_facts){ .state = CALL_CARRIER_NOT_PINGED };
	if (slot == NULL)
		return;
	*out_facts = (struct call_carrier_facts){ .state = slot->state,
						  .since_ms = slot->since_ms,
						  .misses = slot->misses,
						  .seen = slot->cause };
}

static struct ping *ping_of(struct health *health, const void *owner)
{
	for (unsigned i = 0; i < DIRECTORY_CARRIERS_MAX; i++) {
		if (owner == &health->slots[i].ping)
			return &health->slots[i].ping;
	}
	return NULL;
}

bool health_response(struct health *health, void *owner, const struct sip_message *response)
{
	struct ping *ping = ping_of(health, owner);
	if (ping != NULL)
		ping_response(ping, response);
	return ping != NULL;
}

bool health_failed(struct health *health, void *owner, enum sip_failure failure)
{
	struct ping *ping = ping_of(health, owner);
	if (ping != NULL)
		ping_failed(ping, failure);
	return ping != NULL;
}
