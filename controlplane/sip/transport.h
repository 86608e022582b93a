#pragma once

// Where SIP enters and leaves: UDP, and the connections of TCP and TLS, on every signalling address.
// Runs on: control thread; never blocks.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/status.h"
#include "base/text.h"
#include "sip/flow.h"

struct event_base;
struct sip_guard;
struct sip_tls;
struct sip_transport;
struct wheel;

// Why a connection ended: enumerator, metric label.
#define SIP_CLOSE_LIST(ROW)                                                                        \
	ROW(PEER, "peer") /* it closed */                                                          \
	ROW(RESET, "reset") /* the network or the peer broke it */                                 \
	ROW(CONNECT, "connect") /* it could not be made */                                         \
	ROW(HANDSHAKE, "handshake") /* of TLS, failed or too slow */                               \
	ROW(SILENT, "silent") /* no whole message in its first time */                             \
	ROW(IDLE, "idle")                                                                          \
	ROW(SLOW_SENDER, "slow_sender") /* of one message */                                       \
	ROW(SLOW_READER, "slow_reader") /* of what we send */                                      \
	ROW(MALFORMED, "malformed") /* no sure end of a message; answered */                       \
	ROW(ALIEN, "alien") /* no SIP */                                                           \
	ROW(REFUSED, "refused") /* what it brought was, and nothing else will do */                \
	ROW(NO_ROOM, "no_room") /* went for another */                                             \
	ROW(STOPPED, "stopped")
#define SIP_CLOSE_ENUMERATOR(name, label) SIP_CLOSE_##name,
enum sip_close { SIP_CLOSE_LIST(SIP_CLOSE_ENUMERATOR) SIP_CLOSE_COUNT };
#undef SIP_CLOSE_ENUMERATOR

struct sip_transport_counters {
	struct counter received, sent; // messages
	struct counter received_octets, sent_octets;
	struct counter send_failures;
	struct counter keepalives; // CRLF pings
	struct counter malformed; // answered with 400, or dropped where no answer can be built
	struct counter too_large;
	struct counter kernel_drops; // SO_RXQ_OVFL
	struct counter door_received; // by sip/door's thread, which writes this and the next three
	struct counter door_let_in; // put into its queue
	struct counter door_refused; // 503 sent
	struct counter door_lost; // SO_RXQ_OVFL of its sockets, and what waited there for too long
	struct counter connections; // now
	struct counter accepted, opened;
	struct counter refused_source; // connections beyond the limit of their source
	struct counter refused_user; // by may_connect
	struct counter refused_full; // beyond the limit of all, and nobody to go for them
	struct counter accept_pauses; // for want of descriptors or memory
	struct counter closed[SIP_CLOSE_COUNT];
};

// Every message, from every socket. The memory is valid until it returns.
typedef void (*sip_transport_receive_fn)(void *context, struct text octets,
					 const struct sip_flow *flow);

// Sends one message: a datagram, or on the flow's connection while that lives, else on a live one to
// the remote address, else on a new one; flow->connection tells which. Never blocks: what cannot be
// written yet is kept, within bounds. ERR_BUSY is as good as a lost packet; ERR_SYSTEM says that there
// is no way there. That a connection could not be made, or ended, comes later by
// sip_transactions_broken. A scenario test replaces it.
typedef enum status (*sip_transport_send_fn)(void *context, struct text octets,
					     struct sip_flow *flow);

struct sip_transport_user {
	void *context;
	sip_transport_receive_fn receive;
	// The head of a message whose end nobody can be sure of: may be answered with that status before
	// its connection is closed. NULL: closed without a word.
	void (*refuse)(void *context, struct text head, const struct sip_flow *flow,
		       unsigned status, const char *reason);
	void (*broken)(void *context, uint64_t connection); // from the loop, never inside a send
	bool (*may_connect)(void *context, const struct address *remote); // NULL: anybody may
	struct sip_guard *guard; // judges messages and hands them on itself; NULL: all are received
};

struct sip_transport_limits {
	unsigned connections_max; // 0: no TCP and no TLS
	unsigned per_source_max; // accepted from one host (IPv6: one /64)
	unsigned queue_max; // octets to be sent that one connection may keep waiting
	uint32_t connect_ms;
	uint32_t message_ms; // from a message's first octet to its last
	uint32_t silent_ms; // from the start of a connection to its first message
	uint32_t idle_ms; // of one that had messages
};

struct sip_transport_options {
	const struct clock *clock;
	struct wheel *wheel;
	const struct address *addresses; // to listen on, with the port of UDP and TCP
	unsigned address_count;
	uint16_t tls_port;
	struct sip_tls *tls; // NULL: no TLS
	unsigned receive_buffer_bytes; // of UDP
	struct sip_transport_limits limits;
	struct sip_transport_user user;
};

enum status sip_transport_start(struct event_base *loop,
				const struct sip_transport_options *options,
				struct sip_transport **out_transport);
void sip_transport_stop(struct sip_transport *transport);
// Listens by TLS from now on when options.tls has a certificate, and no more when it has none; connections go
// on. ERR_SYSTEM: an address is taken (logged); nothing listens by TLS then.
enum status sip_transport_follow_tls(struct sip_transport *transport);
enum status sip_transport_send(void *transport, struct text octets, struct sip_flow *flow);
// In overload new calls by UDP come by the door (sip/door), or no more.
void sip_transport_steer(struct sip_transport *transport, bool is_to_door);
// This connection's peer has had a call or the like: no newcomer takes its place any more.
void sip_transport_trust(void *transport, uint64_t connection);
// It is closed once the message that is being read from it is done with, and its answer sent.
void sip_transport_dismiss(void *transport, uint64_t connection);
// The nth address listened on with that protocol, with the port the kernel gave when 0 was asked for;
// NULL past the last.
const struct address *sip_transport_address(const struct sip_transport *transport,
					    enum sip_protocol protocol, unsigned nth);
const struct sip_transport_counters *sip_transport_counters(const struct sip_transport *transport);
const char *sip_close_label(unsigned reason); // NULL past the last

struct sip_connection_facts {
	struct sip_flow flow; // with its id
	const char *state, *rank; // constant words
	const char *cipher; // constant; NULL: not TLS, or not yet
	bool is_outgoing;
	uint64_t since_ms, heard_ms; // of the clock; heard 0: never
	uint64_t received, sent; // messages
	uint64_t queued; // octets waiting to be sent
};
// One of them, by its id. False: it is gone.
bool sip_transport_find(const struct sip_transport *transport, uint64_t connection,
			struct sip_connection_facts *out_facts);
// Walks the connections: begin with position 0; false at the end.
bool sip_transport_next(const struct sip_transport *transport, unsigned *position,
			struct sip_connection_facts *out_facts);
