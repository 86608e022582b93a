#pragma once

// The INVITE to one address of one carrier.
// Runs on: control thread.

#include "call/state.h"
#include "sip/resolve/resolve.h"

struct carrier_facts { // a copy: the directory may change while the call tries it
	char sid[DIRECTORY_SID_SIZE];
	char name[DIRECTORY_NAME_SIZE];
	struct sip_target target;
	bool has_srtp, has_aead; // its media
};

void offer_copy_carrier(const struct carrier *carrier, struct carrier_facts *out_facts);
void offer_note_carrier(struct call *call, const struct carrier_facts *carrier); // in the record
// Makes the called leg and sends our INVITE there. On failure the leg may be there: give it up.
enum status offer_send(struct call *call, const struct carrier_facts *carrier,
		       const struct sip_hop *hop);
// From where we speak to that hop. False: we have no address of its family.
bool offer_flow(const struct calls *calls, const struct sip_hop *hop, struct sip_flow *out_flow);
// "sip:USER@sip.example;transport=tcp", the Request-URI, or without its parameters for To. Without a
// user where that is NULL.
void offer_write_uri(const struct sip_target *target, const struct sip_hop *hop, const char *user,
		     bool has_parameters, struct writer *writer);
