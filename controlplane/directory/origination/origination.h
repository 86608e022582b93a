#pragma once

// Origination URIs: where the calls of a trunk's numbers go, and how such a URI is read when it is set.
// It is the customer's text: checked once here, piece by piece, so that calls only copy (ORIG-007).
// Runs on: control thread; reading a URI on any.

#include "directory/directory.h"

#define DIRECTORY_ORIGINATION_MAX 10 // per trunk (ORIG-017)
#define DIRECTORY_URI_MAX 512 // octets of one
#define DIRECTORY_URI_LINES_SIZE 513 // of the header lines it brings along
#define DIRECTORY_URI_HEADERS_MAX 10

struct directory_uri { // its pieces, ready for use
	char user[DIRECTORY_NAME_SIZE]; // "": the number that was dialled (ORIG-003)
	char host[DIRECTORY_HOST_SIZE]; // name or IP address, no brackets
	uint16_t port; // 0: none given
	enum directory_transport transport; // never AUTO (ORIG-008)
	bool is_sips; // as it was written: means TLS, and nothing more (ORIG-011)
	char edge[DIRECTORY_EDGE_SIZE]; // or region; "": none
	char tnx[DIRECTORY_NAME_SIZE]; // an Interconnect connection, before edge (ORIG-044); "": none
	char lines[DIRECTORY_URI_LINES_SIZE]; // "X-a: b\r\n…" (ORIG-006)
};

struct origination_uri { // OU…
	char sid[DIRECTORY_SID_SIZE];
	char trunk_sid[DIRECTORY_SID_SIZE];
	uint16_t priority; // lower first
	uint16_t weight; // share among equal priority, 1..65535
	bool is_enabled;
	struct directory_uri uri;
};

// NULL: it is one, and its pieces are filled. Else what is allowed where it differs.
const char *directory_uri_read(struct text text, struct directory_uri *out_uri);
const struct origination_uri *directory_origination_uri(const struct directory *directory,
							const char *sid);
// All enabled ones of a trunk in order of priority; returns how many.
unsigned
directory_origination_uris(const struct directory *directory, const char *trunk_sid,
			   const struct origination_uri *out_uris[DIRECTORY_ORIGINATION_MAX]);
