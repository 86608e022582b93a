// Finds or starts a crypto device and takes the memory its engine will need.
// Runs on: main. Says on stderr why a device cannot be used.

#include "dataplane/crypto/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_malloc.h>

#include "dataplane/crypto/cryptodev.h"

#define DEVICES_MAX 64

void crypto_device_stop(void *state)
{
	struct crypto_device *device = state;
	if (!device)
		return;
	if (device->is_started)
		rte_cryptodev_stop(device->id);
	for (unsigned i = 0; i < device->queue_count; i++)
		rte_free(device->queues[i].slots);
	if (device->is_created)
		(void)rte_vdev_uninit(device->name);
	rte_mempool_free(device->sessions);
	free(device);
}

// Drivers in software are started here unless the command line of DPDK did; hardware was found at its
// start, or is not there.
static bool find_device(const struct crypto_engine *self, struct crypto_device *device)
{
	uint8_t devices[DEVICES_MAX];
	char arguments[64];
	if (rte_cryptodev_devices_get(self->name, devices, DEVICES_MAX) > 0) {
		device->id = devices[0];
		return true;
	}
	if (self == &crypto_cryptodev_qat) {
		fprintf(stderr,
			"trunkd-dataplane: --crypto %s: no such device; it has to be bound to "
			"vfio-pci and known to DPDK\n",
			self->name);
		return false;
	}
	snprintf(arguments, sizeof(arguments), "max_nb_queue_pairs=%u", device->queue_count);
	device->is_created = rte_vdev_init(self->name, arguments) == 0;
	int id = device->is_created ? rte_cryptodev_get_dev_id(self->name) : -1;
	if (id < 0) {
		fprintf(stderr, "trunkd-dataplane: --crypto %s: DPDK does not start its driver\n",
			self->name);
		return false;
	}
	device->id = (uint8_t)id;
	return true;
}

static bool can_do(const struct crypto_device *device)
{
	struct rte_cryptodev_info info;
	struct rte_cryptodev_sym_capability_idx cipher = { .type = RTE_CRYPTO_SYM_XFORM_CIPHER,
							   .algo.cipher =
								   RTE_CRYPTO_CIPHER_AES_CTR };
	struct rte_cryptodev_sym_capability_idx hash = { .type = RTE_CRYPTO_SYM_XFORM_AUTH,
							 .algo.auth = RTE_CRYPTO_AUTH_SHA1_HMAC };
	struct rte_cryptodev_sym_capability_idx aead = { .type = RTE_CRYPTO_SYM_XFORM_AEAD,
							 .algo.aead = RTE_CRYPTO_AEAD_AES_GCM };
	rte_cryptodev_info_get(device->id, &info);
	if (info.max_nb_queue_pairs < device->queue_count) {
		fprintf(stderr, "trunkd-dataplane: %s has %u queues, %u workers want one each\n",
			info.driver_name, info.max_nb_queue_pairs, device->queue_count);
		return false;
	}
	bool has_all = rte_cryptodev_sym_capability_get(device->id, &cipher) &&
		       rte_cryptodev_sym_capability_get(device->id, &hash) &&
		       rte_cryptodev_sym_capability_get(device->id, &aead);
	if (!has_all)
		fprintf(stderr, "trunkd-dataplane: %s lacks what SRTP needs\n", info.driver_name);
	return has_all;
}

static bool create_sessions(struct crypto_device *device, const struct crypto_plan *plan)
{
	int socket = rte_cryptodev_socket_id(device->id);
	uint32_t count = plan->stream_count * CRYPTO_PLACES + // and one for any job of odd AAD
			 plan->worker_count * CRYPTO_JOBS_MAX;
	uint32_t size = rte_cryptodev_sym_get_private_session_size(device->id);
	char name[RTE_MEMPOOL_NAMESIZE];
	snprintf(name, sizeof(name), "crypto_sessions_%u", device->id);
	device->sessions = rte_cryptodev_sym_session_pool_create(name, count, size, 0, 0, socket);
	if (!device->sessions)
		fprintf(stderr,
			"trunkd-dataplane: no memory for %u keys of %u octets (--memory-mb)\n",
			count, size);
	return device->sessions;
}

static bool create_slots(struct crypto_device *device, struct crypto_queue *queue)
{
	int socket = rte_cryptodev_socket_id(device->id);
	queue->slots =
		rte_zmalloc_socket("crypto_slots", CRYPTO_JOBS_MAX * sizeof(struct crypto_slot),
				   RTE_CACHE_LINE_SIZE, socket);
	if (!queue->slots)
		return false;
	for (unsigned i = 0; i < CRYPTO_JOBS_MAX; i++) {
		struct crypto_slot *slot = &queue->slots[i];
		slot->operation.type = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
		slot->operation.sess_type = RTE_CRYPTO_OP_WITH_SESSION;
		slot->operation.phys_addr = crypto_device_address(slot);
		slot->symmetric.m_src = &slot->packet;
		slot->packet.nb_segs = 1;
		rte_mbuf_refcnt_set(&slot->packet, 1);
		queue->free[queue->free_count++] = slot;
	}
	return true;
}

static bool start_device(struct crypto_device *device)
{
	struct rte_cryptodev_config config = {
		.socket_id = rte_cryptodev_socket_id(device->id),
		.nb_queue_pairs = (uint16_t)device->queue_count,
		.ff_disable = RTE_CRYPTODEV_FF_ASYMMETRIC_CRYPTO | RTE_CRYPTODEV_FF_SECURITY,
	};
	struct rte_cryptodev_qp_conf queue = { .nb_descriptors = 2 * CRYPTO_JOBS_MAX,
					       .mp_session = device->sessions };
	if (rte_cryptodev_configure(device->id, &config) != 0)
		return false;
	for (unsigned i = 0; i < device->queue_count; i++)
		if (rte_cryptodev_queue_pair_setup(device->id, (uint16_t)i, &queue,
						   config.socket_id) != 0)
			return false;
	device->is_started = rte_cryptodev_start(device->id) == 0;
	return device->is_started;
}

enum status crypto_device_start(const struct crypto_engine *self, const struct crypto_plan *plan,
				void **out_engine)
{
	enum status status = ERR_MEMORY;
	size_t size =
		sizeof(struct crypto_device) + plan->worker_count * sizeof(struct crypto_queue);
	struct crypto_device *device = aligned_alloc(_Alignof(struct crypto_device), size);
	if (!device)
		return status;
	memset(device, 0, size);
	device->name = self->name;
	device->queue_count = plan->worker_count;
	status = ERR_UNAVAILABLE;
	if (!find_device(self, device) || !can_do(device))
		goto fail;
	status = ERR_MEMORY;
	if (!create_sessions(device, plan))
		goto fail;
	for (unsigned i = 0; i < plan->worker_count; i++) {
		device->queues[i].device = device;
		device->queues[i].number = (uint16_t)i;
		if (!create_slots(device, &device->queues[i]))
			goto fail;
	}
	status = ERR_UNAVAILABLE;
	if (!start_device(device)) {
		fprintf(stderr, "trunkd-dataplane: --crypto %s: its queues do not start\n",
			self->name);
		goto fail;
	}
	*out_engine = device;
	return OK;
fail:
	crypto_device_stop(device);
	return status;
}
