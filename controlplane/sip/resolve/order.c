// Sorting and drawing records. Runs on any thread.

#include "sip/resolve/order.h"

#include "base/random.h"

// Sorts by priority, then weight: for SRV those of weight 0 come first of their priority, as the draw
// wants them.
void order_sort(const struct dns_answer *answer, unsigned places[static DNS_RECORDS_MAX])
{
	const struct dns_record *records = answer->records;
	for (unsigned i = 0; i < answer->count; i++) {
		unsigned at = i;
		for (; at > 0; at--) {
			const struct dns_record *before = &records[places[at - 1]];
			if (before->priority < records[i].priority ||
			    (before->priority == records[i].priority &&
			     before->weight <= records[i].weight))
				break;
			places[at] = places[at - 1];
		}
		places[at] = i;
	}
}

// RFC 2782: the first record whose running sum of weights reaches a number from 0 to the sum.
static unsigned draw(const struct dns_record *records, const unsigned *places, unsigned count)
{
	uint32_t sum = 0, running = 0;
	for (unsigned i = 0; i < count; i++)
		sum += records[places[i]].weight;
	uint32_t point = random_below(sum + 1);
	for (unsigned i = 0; i < count; i++) {
		running += records[places[i]].weight;
		if (running >= point)
			return i;
	}
	return 0;
}

void order_draw(const struct dns_answer *answer, unsigned places[static DNS_RECORDS_MAX])
{
	const struct dns_record *records = answer->records;
	order_sort(answer, places);
	for (unsigned first = 0; first < answer->count; first++) {
		unsigned equal = 1;
		while (first + equal < answer->count &&
		       records[places[first + equal]].priority == records[places[first]].priority)
			equal++;
		unsigned chosen = first + draw(records, places + first, equal);
		unsigned winner = places[chosen];
		for (; chosen > first; chosen--) // the others keep their order
			places[chosen] = places[chosen - 1];
		places[first] = winner;
	}
}
