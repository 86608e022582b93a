// The box of hops that were silent. Runs on the control thread.

#include "sip/resolve/avoid.h"

static bool is_equal(const struct sip_hop *a, const struct sip_hop *b)
{
	return a->protocol == b->protocol && address_is_equal(&a->address, &b->address);
}

// In the place it has, or that of the one whose time is over first.
void avoid_add(struct avoid *avoid, const struct sip_hop *hop, uint64_t until_ms)
{
	unsigned place = 0;
	for (unsigned i = 0; i < AVOID_HOPS_MAX; i++) {
		if (avoid->items[i].until_ms != 0 && is_equal(&avoid->items[i].hop, hop)) {
			place = i;
			break;
		}
		if (avoid->items[i].until_ms < avoid->items[place].until_ms)
			place = i;
	}
	avoid->items[place].hop = *hop;
	avoid->items[place].until_ms = until_ms;
}

void avoid_remove(struct avoid *avoid, const struct sip_hop *hop)
{
	for (unsigned i = 0; i < AVOID_HOPS_MAX; i++) {
		if (avoid->items[i].until_ms != 0 && is_equal(&avoid->items[i].hop, hop))
			avoid->items[i].until_ms = 0;
	}
}

static bool has(const struct avoid *avoid, const struct sip_hop *hop, uint64_t now_ms)
{
	for (unsigned i = 0; i < AVOID_HOPS_MAX; i++) {
		if (avoid->items[i].until_ms > now_ms && is_equal(&avoid->items[i].hop, hop))
			return true;
	}
	return false;
}

unsigned avoid_sort(const struct avoid *avoid, struct sip_hops *hops, uint64_t now_ms)
{
	struct sip_hop last[SIP_HOPS_MAX];
	unsigned first_count = 0, last_count = 0, moved = 0;
	for (unsigned i = 0; i < hops->count; i++) {
		if (has(avoid, &hops->items[i], now_ms)) {
			last[last_count++] = hops->items[i];
			continue;
		}
		moved = last_count;
		hops->items[first_count++] = hops->items[i];
	}
	for (unsigned i = 0; i < last_count; i++)
		hops->items[first_count + i] = last[i];
	return moved;
}
