#pragma once

// A dialog by RFC 3261 12: who talks to whom, in what order, by which route. It owns copies of all
// its text. Found by our own tag, which no stranger can guess.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/map.h"
#include "base/status.h"
#include "base/text.h"
#include "sip/flow/home.h"
#include "sip/message.h"
#include "sip/transaction.h"

#define SIP_TAG_SIZE 33

struct sip_dialog;
struct sip_dialogs;
struct sip_resolver;

struct sip_dialogs *sip_dialogs_create(unsigned expected);
void sip_dialogs_destroy(struct sip_dialogs *dialogs);
// A peer whose Contact names another transport than it was met by is spoken to from the port of ours for
// that, one whose Contact names an address of ours where it was met. What *home names outlives the dialogs.
void sip_dialogs_place(struct sip_dialogs *dialogs, const struct sip_home *home);
// Peers that are names are looked up from now on; the resolver outlives the dialogs.
void sip_dialogs_follow(struct sip_dialogs *dialogs, struct sip_resolver *resolver);
unsigned sip_dialogs_count(const struct sip_dialogs *dialogs);

// Would an INVITE be enough for sip_dialog_open_server?
bool sip_dialog_can_open(const struct sip_message *invite);
// As the called side, from an INVITE; local_tag is the To tag we answer with (sip_server_to_tag).
enum status sip_dialog_open_server(struct sip_dialogs *dialogs, const struct sip_message *invite,
				   const char *local_tag, void *owner,
				   struct sip_dialog **out_dialog);

struct sip_dialog_call { // what a new outgoing call needs
	struct text local; // From without tag: "\"name\" <sip:…>"
	struct text remote; // To
	struct text target; // Request-URI
	struct sip_flow flow; // from which address of ours, by what, to where
};
// As the calling side: makes Call-ID and From tag.
enum status sip_dialog_open_client(struct sip_dialogs *dialogs, const struct sip_dialog_call *call,
				   void *owner, struct sip_dialog **out_dialog);
// Who it is that our requests go to, when a connection has to be made (struct sip_flow). Of a dialog that
// was asked for; the other kind says it in its flow.
void sip_dialog_name_peer(struct sip_dialog *dialog, const char *name);
void sip_dialog_close(struct sip_dialog *dialog); // NULL is harmless

// Remote tag, target (Contact) and route set from a 1xx or 2xx with a To tag; from a target refresh
// (re-INVITE, its 2xx) only the target. ERR_MALFORMED: a 2xx without Contact or tag.
enum status sip_dialog_update(struct sip_dialog *dialog, const struct sip_message *message);
// The dialog a request in a dialog or a response belongs to, by our tag, the Call-ID and the peer's tag.
struct sip_dialog *sip_dialog_find(const struct sip_dialogs *dialogs,
				   const struct sip_message *message);
// By what a header such as Replaces names it: our tag and the peer's. NULL: none.
struct sip_dialog *sip_dialog_find_tags(const struct sip_dialogs *dialogs, struct text call_id,
					struct text local_tag, struct text remote_tag);
void *sip_dialog_owner(const struct sip_dialog *dialog);
// Is the request's CSeq in order (12.2.2)? ACK and CANCEL are exempt. Remembers it when it is.
bool sip_dialog_accepts(struct sip_dialog *dialog, const struct sip_message *request);

struct text sip_dialog_call_id(const struct sip_dialog *dialog);
struct text sip_dialog_remote_target(const struct sip_dialog *dialog);
bool sip_dialog_is_confirmed(const struct sip_dialog *dialog); // has a remote tag
// Where the next request goes: the connection the peer was met on, while it lives (SIP-028), else the
// address of its target or first route.
const struct sip_flow *sip_dialog_flow(const struct sip_dialog *dialog);
uint32_t sip_dialog_local_cseq(const struct sip_dialog *dialog); // of the last request made

// Fills a request of this dialog: target, parties, Call-ID, routes, addresses, the next CSeq (ACK
// and CANCEL: `cseq` of the INVITE). Borrowed from the dialog: use it before the dialog changes.
void sip_dialog_request(struct sip_dialog *dialog, enum sip_method method, uint32_t cseq,
			struct sip_request *out_request);
