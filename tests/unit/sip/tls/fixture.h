#pragma once

// One side of TLS under test, and a real peer of the library at the other end of a socket pair; both in
// one thread, turn by turn.
// Runs on: the thread of the test.

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "maker.h"
#include "sip/tls/peer.h"

struct fixture {
	char folder[MAKER_PATH_SIZE];
	char paths[8][MAKER_PATH_SIZE];
	struct sip_tls_files files;
	struct sip_tls_user user;
	struct sip_tls *tls;
	struct event_base *loop;
	SSL_CTX *client; // of peers, without certificate and without demands
	bool allows_deprecated; // what our policy answers
	char asked_name[SIP_TLS_NAME_SIZE]; // what it was asked about last
	unsigned asked;
	struct sip_tls_peer peer; // whom find_peer finds
	unsigned failed;
	struct sip_tls_failure failure; // the last that was told
	char failure_name[SIP_TLS_NAME_SIZE], failure_detail[SIP_TLS_NAME_SIZE];
};

struct meeting { // a connection between a peer and us
	SSL *ssl; // the peer's; NULL: both ends are ours
	struct bufferevent *ours, *theirs;
	int fd; // of the peer
	bool is_open[2], has_ended[2]; // of ours, of theirs or of the peer
	int peer_reason; // of its error, 0: none
	char received[64]; // by ours
};

// A CA, an RSA and an ECDSA certificate for *.pstn.example, on one side that accepts.
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_start(struct fixture *fixture); // with what its files and user say
void fixture_restart(struct fixture *fixture);
SSL *fixture_peer(struct fixture *fixture); // with the default name in its SNI
void fixture_meet(struct fixture *fixture, SSL *peer, struct meeting *out_meeting);
void fixture_meet_ourselves(struct fixture *fixture, struct meeting *out_meeting);
void fixture_turn(struct fixture *fixture, struct meeting *meeting, unsigned turns);
void fixture_part(struct meeting *meeting); // both sides close
// Meets, and says whether both ends are open; parts when they are not.
bool fixture_is_met(struct fixture *fixture, SSL *peer, struct meeting *out_meeting);
uint64_t fixture_failures(const struct fixture *fixture, enum sip_tls_reason reason);
