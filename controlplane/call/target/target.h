#pragma once

// Where a call can go: a carrier's gateway, or a URI. What the two have in common is here: how it is
// found, what is asked of its media, and what it is called when it does not take the call.
// Runs on: control thread.

#include "call/refusal.h"
#include "directory/origination/origination.h"
#include "media/media.h"
#include "sip/message.h"
#include "sip/resolve/resolve.h"

#define TARGET_NAME_SIZE 160
#define TARGET_USER_SIZE 65
#define TARGET_LINES_SIZE DIRECTORY_URI_LINES_SIZE

enum target_kind {
	TARGET_CARRIER,
	TARGET_URI, // of origination, or what one redirected to
	TARGET_KINDS,
};

struct target { // a copy: the directory may change while a call tries it
	enum target_kind kind;
	char sid[DIRECTORY_SID_SIZE]; // of the directory's object; "": of none
	char name[TARGET_NAME_SIZE]; // as records and alerts call it
	struct sip_target place; // what is resolved, and by which transport it is asked
	char user[TARGET_USER_SIZE]; // of its Request-URI; "": the number that was dialled
	char lines[TARGET_LINES_SIZE]; // header lines of its INVITE alone
	const char *
		header; // an alert about it is about that; NULL: about an Origination URI; constant
	char connection[DIRECTORY_EDGE_SIZE]; // an edge too, that comes before the next (ORIG-044)
	char edge[DIRECTORY_EDGE_SIZE]; // we speak to it from there; "": from where the call came
	bool is_listed; // no address will do that is in no IP ACL of the trunk, but
	struct address home; // this one: who named it is there
	bool is_public; // no private address will do: who named it is at a public one
	enum media_security security; // of its media
	unsigned suites; // bits of those its SRTP may have
	bool lacks_prack; // it is not offered 100rel (RFC 3262)
};

// Why targets of a kind do not take a call, by what is seen of them.
struct target_causes {
	enum refusal_cause none; // nothing can be tried at all
	enum refusal_cause unsent, unresolved, unreachable, silent; // D-19
	enum refusal_cause refused; // by an answer without a row of its own
	enum refusal_cause stalled, no_answer; // it tried, or rang, in vain (ORIG-038)
};

const struct target_causes *target_causes(enum target_kind kind);
// By a final answer that is not about the called party.
enum refusal_cause target_refusal(enum target_kind kind, unsigned status);
// What an alert about it shows: which target, and what was seen of it.
void target_refuse(const struct target *target, enum refusal_cause cause, struct text seen,
		   const char *expected, struct refusal *out_refusal);
void target_of_carrier(const struct carrier *carrier, struct target *out_target);
// Names one whose place and user are set by these.
void target_name(struct target *target);
// For a call of a trunk whose media is like that; is_secure: TLS whatever the URI says (ORIG-040).
void target_of_uri(const struct origination_uri *uri, bool is_secure, struct target *out_target);
// Place, user and name of one that a message names; is_secure as above, and sips: means TLS (D-23). False:
// too long, or of a transport we do not speak.
bool target_of_message(const struct sip_uri *uri, bool is_secure, struct target *target);
// "sip:USER@sip.example;transport=tcp", the Request-URI, or without its parameters for To. Without a
// user where that is NULL.
void target_write_uri(const struct target *target, const struct sip_hop *hop, const char *user,
		      bool has_parameters, struct writer *writer);
