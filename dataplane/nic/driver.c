// The forms a port can have, and what DPDK wants to hear for each.
// Runs on: main; constant.

#include "dataplane/nic/driver.h"

#include <stdio.h>

// Frames of 2,048 octets hold what an Ethernet of 1,500 brings; 4,096 of them are 13 ms at 300,000
// packets a second (DPDK's own 512 overflow in under 2 ms). The three sizes must divide.
static bool write_af_packet(const struct nic_driver_request *request, struct writer *writer)
{
	writer_format(writer,
		      "iface=%s,qpairs=%u,blocksz=65536,framesz=2048,framecnt=4096,qdisc_bypass=1",
		      request->argument, request->queues);
	return true;
}

static bool write_af_xdp(const struct nic_driver_request *request, struct writer *writer)
{
	writer_format(writer, "iface=%s,start_queue=0,queue_count=%u,xdp_prog=%s",
		      request->argument, request->queues, request->program);
	return true;
}

static bool write_nothing(const struct nic_driver_request *request, struct writer *writer)
{
	(void)writer;
	return request->argument[0] == 0;
}

// A second worker's files have the same names with ".1" behind them, and so on.
static bool write_files(struct text first, struct text second, unsigned queues,
			struct writer *writer)
{
	for (unsigned i = 0; i < queues; i++) {
		char suffix[16] = "";
		if (i > 0)
			snprintf(suffix, sizeof(suffix), ".%u", i);
		writer_format(writer, "%srx_pcap=%.*s%s,tx_pcap=%.*s%s", i ? "," : "",
			      TEXT_FORMAT(first), suffix, TEXT_FORMAT(second), suffix);
	}
	return first.size > 0 && second.size > 0;
}

static bool write_pcap(const struct nic_driver_request *request, struct writer *writer)
{
	struct text rest = text_of(request->argument);
	struct text first = text_split(&rest, ',');
	struct text second = text_split(&rest, ',');
	return write_files(first, second, request->queues, writer);
}

bool nic_driver_write_kernel_files(const char *argument, unsigned queues, struct writer *writer)
{
	struct text rest = text_of(argument);
	(void)text_split(&rest, ',');
	(void)text_split(&rest, ',');
	struct text first = text_split(&rest, ',');
	return write_files(first, rest, queues, writer);
}

// clang-format off
static const struct nic_driver rows[] = {
	{ "pci", NULL, NIC_DRIVER_TAP, true, false, NULL },
	{ "af_xdp", "net_af_xdp0", NIC_DRIVER_XDP, false, true, write_af_xdp },
	{ "af_packet", "net_af_packet0", NIC_DRIVER_TAP_CUT, false, true, write_af_packet },
	{ "pcap", "net_pcap0", NIC_DRIVER_FILES, true, false, write_pcap },
	{ "ring", "net_ring0", NIC_DRIVER_NOTHING, false, false, write_nothing },
	{ "null", "net_null0", NIC_DRIVER_NOTHING, false, false, write_nothing },
};
// clang-format on

const struct nic_driver *nic_driver_find(const char *port, const char **out_argument)
{
	struct text rest = text_of(port);
	struct text name = text_split(&rest, ':');
	bool has_argument = name.size < text_of(port).size;
	for (unsigned i = 0; has_argument && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!text_is_equal(name, text_of(rows[i].name)))
			continue;
		*out_argument = port + name.size + 1;
		return &rows[i];
	}
	fprintf(stderr,
		"trunkd-dataplane: --port %s: no such form; one of pci:ADDRESS (of the card, as "
		"lspci -D prints it), af_xdp:INTERFACE, af_packet:INTERFACE, "
		"pcap:RX,TX[,KERNEL_RX,KERNEL_TX], ring:, null:\n",
		port);
	return NULL;
}
