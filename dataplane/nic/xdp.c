// The XDP program's object is part of this program; the media addresses are written into a copy.
// Runs on: main, at start. DPDK loads and attaches it, and takes it off when the port closes.

#include "dataplane/nic/xdp.h"

#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/address.h"
#include "dataplane/nic/xdp_media.h"
#include "dataplane/nic/xdp_object.h"
#include "dataplane/options.h"

static void write_addresses(const struct options *options, struct xdp_media *media)
{
	media->port_first = MEDIA_PORT_FIRST;
	media->port_last = MEDIA_PORT_LAST;
	for (unsigned i = 0; i < options->media_count; i++) {
		const struct address *address = &options->media[i];
		if (address->family == ADDRESS_IPV4)
			memcpy(&media->ipv4[media->ipv4_count++], address->octets, 4);
		else
			memcpy(media->ipv6[media->ipv6_count++], address->octets, 16);
	}
}

static int copy_object(const struct options *options)
{
	struct xdp_media media = { .mark = XDP_MEDIA_MARK };
	uint8_t *copy = malloc(xdp_object_size);
	int fd = memfd_create("xdp_media", MFD_CLOEXEC);
	if (!copy || fd < 0)
		goto fail;
	memcpy(copy, xdp_object, xdp_object_size);
	void *place = memmem(copy, xdp_object_size, media.mark, sizeof(media.mark));
	if (!place)
		goto fail;
	write_addresses(options, &media);
	memcpy(place, &media, sizeof(media));
	if (write(fd, copy, xdp_object_size) != (ssize_t)xdp_object_size)
		goto fail;
	free(copy);
	return fd;
fail:
	free(copy);
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool is_ours(uint32_t program_id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(program_id);
	bool is_named = fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 &&
			strcmp(info.name, "xdp_media") == 0;
	if (fd >= 0)
		close(fd);
	return is_named;
}

static bool remove_leftover(const char *interface)
{
	int index = (int)if_nametoindex(interface);
	uint32_t program_id = 0;
	if (index == 0 || bpf_xdp_query_id(index, 0, &program_id) != 0 || program_id == 0)
		return true; // DPDK will say what is wrong with the interface
	if (is_ours(program_id) && bpf_xdp_detach(index, 0, NULL) == 0)
		return true;
	fprintf(stderr,
		"trunkd-dataplane: %s has another XDP program; 'ip link set %s xdp off' "
		"takes it off\n",
		interface, interface);
	return false;
}

bool nic_xdp_prepare(const char *interface, const struct options *options,
		     char out_path[static NIC_XDP_PATH_SIZE], int *out_fd)
{
	if (!remove_leftover(interface))
		return false;
	int fd = copy_object(options);
	if (fd < 0) {
		fprintf(stderr, "trunkd-dataplane: no memory for the XDP program\n");
		return false;
	}
	snprintf(out_path, NIC_XDP_PATH_SIZE, "/proc/self/fd/%d", fd);
	*out_fd = fd;
	return true;
}
