#pragma once

// One client transaction: where it stands, and what its parts ask of each other.
// Runs on: control thread. Inside sip/client/ only.

#include <stdbool.h>
#include <stdint.h>

#include "base/wheel.h"
#include "sip/table.h"
#include "sip/write.h"

enum client_state {
	CALLING, // nothing heard yet; Trying of a non-INVITE
	PROCEEDING, // a provisional response heard
	COMPLETED, // a final response heard, other than 2xx to INVITE
	ACCEPTED, // 2xx to INVITE heard (RFC 6026)
	ENDED,
};

struct sip_client {
	struct index_node node;
	struct wheel_timer repeat_timer; // A, E
	struct wheel_timer end_timer; // B, C, D, F, K, M
	struct sip_transactions *transactions;
	void *owner;
	enum client_state state;
	uint32_t interval_ms; // of the repeat timer
	uint64_t start_ms;
	struct sip_client_limits limits;
	unsigned busy; // callbacks running
	bool has_user; // hears of it and may name it
	bool is_cancel_wanted, is_cancel_sent;
	bool is_moved; // to TCP, for its size
	struct sip_waiter waiter; // sent on a connection, nothing heard yet
	struct text octets; // the request as sent, on the heap; gone with a 2xx
	struct sip_request kept; // borrows from octets
	char branch[SIP_BRANCH_SIZE];
};

// Frees it when it has ended, and neither its user nor a callback needs it.
void sip_client_settle(struct sip_client *client);
void sip_client_end_after(struct sip_client *client, uint64_t after_ms);
uint64_t sip_client_longest_ms(const struct sip_client *client); // 64 x T1
// branch NULL: a new one. On success it is in the table, not yet sent.
enum status sip_client_open(struct sip_transactions *transactions,
			    const struct sip_request *request, const char *branch,
			    struct sip_client **out_client);
// Sends it and starts its timers. ERR_SYSTEM: there is no way there.
enum status sip_client_start(struct sip_client *client);
void sip_client_put_cancel(struct sip_client *client); // cancel.c
// Of a final response other than 2xx (RFC 3261 17.1.1.3). ack.c
void sip_client_put_ack(struct sip_client *client, const struct sip_message *response);
