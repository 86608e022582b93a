#pragma once

// What a DNS server answered to one question, out of its message and bounded: a few records of the
// type asked for, or why there are none and for how long that holds.
// Runs on: any thread; pure.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"
#include "sip/flow.h"

#define DNS_NAME_SIZE 254 // RFC 1035 2.3.4, as text with its zero
#define DNS_RECORDS_MAX 16 // of one answer; more are left out

enum dns_type { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 }; // as on the wire

enum dns_outcome {
	DNS_FOUND,
	DNS_NO_DATA, // the name is there, but no such records
	DNS_NO_NAME, // NXDOMAIN
	DNS_FAILED, // nothing was learned: no answer, or one that is no use
	DNS_OUTCOMES
};

struct dns_record { // by type: the fields it has not are 0
	struct address address; // A, AAAA; port 0
	uint16_t priority; // SRV; NAPTR: order
	uint16_t weight; // SRV; NAPTR: preference
	uint16_t port; // SRV
	enum sip_protocol protocol; // NAPTR: the service
	char name
		[DNS_NAME_SIZE]; // SRV: target, "" for "none here"; NAPTR: where its SRV records are
};

struct dns_answer {
	enum dns_outcome outcome;
	const char *problem; // static; why it failed
	uint32_t ttl_s; // the lowest of all that was used; of a negative answer, its zone's word
	char alias[DNS_NAME_SIZE]; // not found here, but this CNAME may lead there
	unsigned count;
	struct dns_record records[DNS_RECORDS_MAX];
};

// Fills an answer from a whole message. Octets of any kind are taken: at worst the outcome is DNS_FAILED.
void dns_answer_parse(struct text octets, const char *name, enum dns_type type,
		      struct dns_answer *out_answer);
void dns_answer_fail(struct dns_answer *out_answer, const char *problem); // static text

// Is it a name that may be asked for: 1 to 253 letters, digits, '-', '_', in labels of 1 to 63?
bool dns_answer_is_name(struct text name);
const char *dns_type_name(enum dns_type type); // "SRV"
const char *dns_outcome_name(enum dns_outcome outcome); // "no_data"
