// From the partition of ports among workers to flow rules of the card.
// Runs on: main. A card that refuses one rule gets none: half a steering is hard to understand.

#include "dataplane/nic/steer.h"

#include <arpa/inet.h>
#include <string.h>

#include <rte_flow.h>

#include "dataplane/packet.h"
#include "dataplane/shared.h"

static unsigned owner_of(unsigned workers, unsigned port)
{
	return shared_worker_of(workers, port - MEDIA_PORT_FIRST);
}

// The largest aligned power of two that begins at `first` and does not go beyond `last`.
static unsigned block_size(unsigned first, unsigned last)
{
	unsigned size = 1;
	while (first % (size * 2) == 0 && first + size * 2 - 1 <= last)
		size *= 2;
	return size;
}

unsigned steer_blocks(unsigned workers, struct steer_block out_blocks[static STEER_BLOCKS_MAX])
{
	unsigned count = 0;
	for (unsigned first = MEDIA_PORT_FIRST; first <= MEDIA_PORT_LAST;) {
		const unsigned worker = owner_of(workers, first);
		unsigned last = first;
		while (last < MEDIA_PORT_LAST && owner_of(workers, last + 1) == worker)
			last++;
		while (first <= last && count < STEER_BLOCKS_MAX) {
			unsigned size = block_size(first, last);
			out_blocks[count++] =
				(struct steer_block){ (uint16_t)first, (uint16_t)-size,
						      (uint16_t)worker };
			first += size;
		}
		if (count == STEER_BLOCKS_MAX)
			break;
	}
	return count;
}

static bool install(uint16_t port, const struct address *address, const struct steer_block *block)
{
	struct rte_flow_item_ipv4 ipv4 = { 0 }, ipv4_mask = { .hdr.dst_addr = UINT32_MAX };
	struct rte_flow_item_ipv6 ipv6 = { 0 }, ipv6_mask = { 0 };
	memcpy(&ipv4.hdr.dst_addr, address->octets, 4);
	memcpy(ipv6.hdr.dst_addr, address->octets, 16);
	memset(ipv6_mask.hdr.dst_addr, 0xff, 16);
	const struct rte_flow_item_udp udp = { .hdr.dst_port = htons(block->port) },
				       udp_mask = { .hdr.dst_port = htons(block->mask) };
	const bool is_v4 = address->family == ADDRESS_IPV4;
	const struct rte_flow_item pattern[] = {
		{ .type = RTE_FLOW_ITEM_TYPE_ETH },
		is_v4 ? (struct rte_flow_item){ .type = RTE_FLOW_ITEM_TYPE_IPV4,
						.spec = &ipv4,
						.mask = &ipv4_mask }
		      : (struct rte_flow_item){ .type = RTE_FLOW_ITEM_TYPE_IPV6,
						.spec = &ipv6,
						.mask = &ipv6_mask },
		{ .type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &udp, .mask = &udp_mask },
		{ .type = RTE_FLOW_ITEM_TYPE_END },
	};
	const struct rte_flow_action_queue queue = { .index = block->worker };
	const struct rte_flow_action actions[] = {
		{ .type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue },
		{ .type = RTE_FLOW_ACTION_TYPE_END },
	};
	const struct rte_flow_attr attributes = { .ingress = 1 };
	struct rte_flow_error error;
	return rte_flow_create(port, &attributes, pattern, actions, &error);
}

bool steer_install(uint16_t port, unsigned workers, const struct packet_rules *rules)
{
	struct steer_block blocks[STEER_BLOCKS_MAX];
	struct rte_flow_error error;
	unsigned count = steer_blocks(workers, blocks);
	for (unsigned i = 0; i < rules->address_count * count; i++) {
		if (install(port, &rules->addresses[i / count], &blocks[i % count]))
			continue;
		(void)rte_flow_flush(port, &error);
		return false;
	}
	return count > 0;
}
