// The port and the TAP as DPDK devices: created, configured alike, started, polled.
// Runs on: main; nic_receive and nic_send on workers, each with queues of its own.

#include "dataplane/nic/nic.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "base/text.h"
#include "dataplane/nic/driver.h"
#include "dataplane/nic/eal.h"
#include "dataplane/nic/ingress.h"
#include "dataplane/nic/link.h"
#include "dataplane/nic/steer.h"
#include "dataplane/nic/xdp.h"
#include "dataplane/options.h"
#include "dataplane/packet.h"

#define DESCRIPTORS 1024
#define BUFFERS_PER_WORKER 8192
#define BUFFER_CACHE 256
#define ARGUMENTS_SIZE 1024
#define PORT_NONE UINT16_MAX

struct nic {
	const struct nic_driver *driver;
	const char *argument; // of --port, behind the colon
	uint16_t ports[NIC_SIDES];
	struct rte_mempool *pool;
	unsigned workers;
	bool has_huge_pages, is_eal_started, is_cut, is_steered;
	char interface[IF_NAMESIZE];
	uint8_t mac[6];
	int program_fd;
};

static bool complain(const char *what, const char *why)
{
	fprintf(stderr, "trunkd-dataplane: %s: %s\n", what, why);
	return false;
}

static bool create_device(const char *device, struct writer *arguments, uint16_t *out_port)
{
	const char *text = writer_string_done(arguments);
	if (!text)
		return complain("--port", "too long");
	int error = rte_vdev_init(device, text);
	if (error == 0 && rte_eth_dev_get_port_by_name(device, out_port) == 0)
		return true;
	return complain(device, rte_strerror(error < 0 ? -error : ENODEV));
}

static bool create_wire(struct nic *nic, const struct options *options)
{
	char room[ARGUMENTS_SIZE], program[NIC_XDP_PATH_SIZE] = "";
	struct writer writer = writer_of(room, sizeof(room));
	if (!nic->driver->device) {
		if (rte_eth_dev_count_avail() == 1)
			nic->ports[NIC_WIRE] = (uint16_t)rte_eth_find_next(0);
		return nic->ports[NIC_WIRE] != PORT_NONE ||
		       complain(options->port, "no such card, or not bound to vfio-pci; "
					       "dpdk-devbind.py --status shows them");
	}
	if (nic->driver->takes_interface && !nic_link_up(nic->argument))
		return complain(options->port, "no such interface, or no right to use it (it takes "
					       "root); 'ip link' lists them");
	if (nic->driver->kernel == NIC_DRIVER_XDP &&
	    !nic_xdp_prepare(nic->argument, options, program, &nic->program_fd))
		return false;
	struct nic_driver_request request = { nic->argument, nic->workers, program };
	if (!nic->driver->write(&request, &writer))
		return complain(options->port, "the argument has another form; --help shows it");
	return create_device(nic->driver->device, &writer, &nic->ports[NIC_WIRE]);
}

static bool create_tap(struct nic *nic, const struct options *options)
{
	char room[ARGUMENTS_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	const uint8_t *mac = nic->mac;
	writer_format(&writer, "iface=%s,mac=%02x:%02x:%02x:%02x:%02x:%02x", options->interface,
		      mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (if_nametoindex(options->interface))
		return complain(options->interface,
				"exists already; name another with --interface");
	(void)text_copy(text_of(options->interface), nic->interface, sizeof(nic->interface));
	return create_device("net_tap0", &writer, &nic->ports[NIC_KERNEL]);
}

static bool create_kernel(struct nic *nic, const struct options *options)
{
	char room[ARGUMENTS_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	switch (nic->driver->kernel) {
	case NIC_DRIVER_TAP:
	case NIC_DRIVER_TAP_CUT:
		return create_tap(nic, options);
	case NIC_DRIVER_XDP:
		(void)text_copy(text_of(nic->argument), nic->interface, sizeof(nic->interface));
		return true;
	case NIC_DRIVER_FILES:
		if (!nic_driver_write_kernel_files(nic->argument, nic->workers, &writer))
			return true;
		return create_device("net_pcap1", &writer, &nic->ports[NIC_KERNEL]);
	default:
		return true;
	}
}

static bool set_up_queues(struct nic *nic, uint16_t port)
{
	uint16_t receive = DESCRIPTORS, send = DESCRIPTORS;
	int error = rte_eth_dev_adjust_nb_rx_tx_desc(port, &receive, &send);
	for (uint16_t i = 0; i < nic->workers && error == 0; i++) {
		error = rte_eth_rx_queue_setup(port, i, receive, SOCKET_ID_ANY, NULL, nic->pool);
		if (error == 0)
			error = rte_eth_tx_queue_setup(port, i, send, SOCKET_ID_ANY, NULL);
	}
	return error == 0 || complain("queues of the port", rte_strerror(-error));
}

static bool start_port(struct nic *nic, uint16_t port)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = { 0 };
	if (port == PORT_NONE)
		return true;
	int error = rte_eth_dev_info_get(port, &info);
	if (error)
		return complain("port", rte_strerror(-error));
	if (info.max_rx_queues < nic->workers || info.max_tx_queues < nic->workers)
		return complain("--workers", "the port has fewer queues; 'ethtool -L' may give a "
					     "kernel interface more, or take fewer workers");
	if (nic->workers > 1 && info.flow_type_rss_offloads) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP);
	}
	error = rte_eth_dev_configure(port, (uint16_t)nic->workers, (uint16_t)nic->workers, &conf);
	if (error)
		return complain("port does not take its configuration", rte_strerror(-error));
	if (!set_up_queues(nic, port))
		return false;
	error = rte_eth_dev_start(port);
	return error == 0 || complain("port does not start", rte_strerror(-error));
}

// The TAP takes what the cable does, and no more than our buffers do.
static bool match_mtu(struct nic *nic)
{
	uint32_t mtu = nic->driver->takes_interface ? nic_link_mtu(nic->argument) : 0;
	if (nic->ports[NIC_KERNEL] == PORT_NONE || mtu == 0 || mtu >= RTE_ETHER_MTU)
		return true;
	return nic_link_set_mtu(nic->interface, mtu) ||
	       complain("MTU of the kernel interface", strerror(errno));
}

static bool configure_interface(struct nic *nic, const struct options *options)
{
	if (!nic->interface[0])
		return true;
	if (!match_mtu(nic))
		return false;
	if (!nic_link_up(nic->interface))
		return complain(nic->interface, strerror(errno));
	for (unsigned i = 0; i < options->address_count; i++)
		if (!nic_link_add_address(nic->interface, &options->addresses[i]))
			return complain("--address: the kernel refuses it", strerror(errno));
	for (unsigned i = 0; i < options->gateway_count; i++)
		if (!nic_link_add_gateway(nic->interface, &options->gateways[i]))
			return complain("--gateway: the kernel refuses it; is it within an "
					"--address?",
					strerror(errno));
	return true;
}

static bool start_all(struct nic *nic, const struct options *options)
{
	unsigned buffers = nic->workers * BUFFERS_PER_WORKER - 1;
	nic->pool = rte_pktmbuf_pool_create("packets", buffers, BUFFER_CACHE, 0,
					    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!nic->pool)
		return complain("--memory-mb: too little for the packet buffers",
				rte_strerror(rte_errno));
	if (!create_wire(nic, options))
		return false;
	struct rte_ether_addr mac;
	if (rte_eth_macaddr_get(nic->ports[NIC_WIRE], &mac) != 0)
		return complain("port", "has no MAC");
	memcpy(nic->mac, mac.addr_bytes, sizeof(nic->mac));
	struct packet_rules rules;
	nic_rules(nic, options, &rules);
	if (!create_kernel(nic, options) || !start_port(nic, nic->ports[NIC_WIRE]) ||
	    !start_port(nic, nic->ports[NIC_KERNEL]) || !configure_interface(nic, options))
		return false;
	nic->is_steered =
		nic->workers > 1 && steer_install(nic->ports[NIC_WIRE], nic->workers, &rules);
	if (nic->driver->kernel != NIC_DRIVER_TAP_CUT)
		return true;
	nic_link_stop_merging(nic->argument);
	nic->is_cut = nic_ingress_cut(nic->argument);
	return nic->is_cut;
}

struct nic *nic_start(const struct options *options)
{
	struct nic *nic = calloc(1, sizeof(*nic));
	if (!nic)
		return NULL;
	nic->ports[NIC_WIRE] = nic->ports[NIC_KERNEL] = PORT_NONE;
	nic->program_fd = -1;
	nic->workers = options->workers;
	nic->driver = nic_driver_find(options->port, &nic->argument);
	if (!nic->driver)
		goto fail;
	nic->is_eal_started =
		nic_eal_start(options, nic->driver, nic->argument, &nic->has_huge_pages);
	if (!nic->is_eal_started)
		goto fail;
	bool is_started = start_all(nic, options);
	nic_eal_release_log(!is_started);
	if (is_started)
		return nic;
fail:
	nic_stop(nic);
	return NULL;
}

void nic_stop(struct nic *nic)
{
	if (!nic)
		return;
	for (unsigned side = NIC_SIDES; side-- > 0;) {
		if (nic->ports[side] == PORT_NONE)
			continue;
		(void)rte_eth_dev_stop(nic->ports[side]);
		(void)rte_eth_dev_close(nic->ports[side]);
	}
	if (nic->is_cut)
		nic_ingress_restore(nic->argument);
	if (nic->program_fd >= 0)
		close(nic->program_fd);
	if (nic->is_eal_started)
		nic_eal_stop();
	free(nic);
}

void nic_rules(const struct nic *nic, const struct options *options, struct packet_rules *out_rules)
{
	bool is_ours = options->verify_udp_checksum == OPTION_AUTO;
	*out_rules = (struct packet_rules){
		.verifies_udp_checksum = is_ours ? nic->driver->verifies_udp_checksum
						 : options->verify_udp_checksum == OPTION_ON,
		.address_count = options->media_count,
	};
	memcpy(out_rules->mac, nic->mac, sizeof(out_rules->mac));
	memcpy(out_rules->addresses, options->media, sizeof(out_rules->addresses));
}

const char *nic_interface(const struct nic *nic)
{
	return nic->interface;
}

bool nic_has_kernel(const struct nic *nic)
{
	return nic->ports[NIC_KERNEL] != PORT_NONE;
}

bool nic_has_huge_pages(const struct nic *nic)
{
	return nic->has_huge_pages;
}

bool nic_is_steered(const struct nic *nic)
{
	return nic->is_steered;
}

bool nic_launch(struct nic *nic, unsigned worker, int (*run)(void *), void *argument)
{
	(void)nic;
	int error = rte_eal_remote_launch(run, argument, worker + 1);
	return error == 0 || complain("a worker does not start", rte_strerror(-error));
}

void nic_join(struct nic *nic)
{
	(void)nic;
	rte_eal_mp_wait_lcore();
}

struct rte_mbuf *nic_take_buffer(const struct nic *nic)
{
	return rte_pktmbuf_alloc(nic->pool);
}

unsigned nic_receive(struct nic *nic, enum nic_side side, unsigned queue,
		     struct rte_mbuf **out_buffers, unsigned max)
{
	return rte_eth_rx_burst(nic->ports[side], (uint16_t)queue, out_buffers, (uint16_t)max);
}

unsigned nic_send(struct nic *nic, enum nic_side side, unsigned queue, struct rte_mbuf **buffers,
		  unsigned count)
{
	return rte_eth_tx_burst(nic->ports[side], (uint16_t)queue, buffers, (uint16_t)count);
}
