// What the XDP program is told, and how it is found in its object file: shared by the program, which
// is compiled for the kernel, and by its loader.
#pragma once

#define XDP_MEDIA_ADDRESSES 16
#define XDP_MEDIA_MARK "trunkd media v1" // 16 octets with its zero

struct xdp_media {
	char mark[16];
	unsigned int ipv4_count, ipv6_count;
	unsigned int ipv4[XDP_MEDIA_ADDRESSES]; // network order
	unsigned char ipv6[XDP_MEDIA_ADDRESSES][16];
	unsigned int port_first, port_last;
};
