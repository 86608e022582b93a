#pragma once

// Sockets of the SIP load generator: two UDP sockets, or connections with or without TLS. What is sent
// in one turn of the loop leaves together at its end.
// Runs on: the generator's thread.

#include "sipload.h"

struct epoll_event;
struct ssl_st;

#define SIPLOAD_BATCH 64 // datagrams of one system call
#define SIPLOAD_OUT_MAX (1u << 22) // octets of a connection that waits to write

struct sipload_way {
	int fd;
	enum sipload_transport transport;
	bool is_called; // the called party's
	bool is_listener, is_ready, is_closed, is_private; // private: of one call
	bool is_dirty, has_waited; // out has octets; the kernel was asked to say when to go on
	struct ssl_st *ssl;
	char *in, *out;
	size_t in_used, out_used, out_size, out_done;
	unsigned datagrams;
	uint16_t sizes[SIPLOAD_BATCH];
	struct sipload_call *call; // of a private one
	struct sipload_way *next_dirty, *next;
};

struct sipload_wire {
	int epoll_fd;
	struct sipload_way *called, *dirty, *all;
	struct sipload_way **callers; // one UDP socket, or the persistent connections
	unsigned caller_count, caller_next;
	struct batch *batch;
};

bool sipload_wire_open(struct sipload *load); // false: said on stderr
void sipload_wire_close(struct sipload *load);
// Takes what has come, waiting for it no longer than this.
void sipload_wire_poll(struct sipload *load, uint64_t patience_ns);
void sipload_send(struct sipload *load, struct sipload_way *way, struct text message);
void sipload_flush(struct sipload *load);
// The way of a new call: the socket, the next connection, or one of its own. NULL: can't be.
struct sipload_way *sipload_way_take(struct sipload *load, struct sipload_call *call);
void sipload_way_give(struct sipload *load, struct sipload_call *call);

// sipload_stream.c
struct sipload_way *sipload_stream_connect(struct sipload *load);
struct sipload_way *sipload_stream_listen(struct sipload *load);
void sipload_stream_event(struct sipload *load, struct sipload_way *way, uint32_t events);
void sipload_stream_flush(struct sipload *load, struct sipload_way *way);
void sipload_stream_close(struct sipload *load, struct sipload_way *way);
void sipload_take(struct sipload *load, struct sipload_way *way, struct text message);
struct sipload_way *sipload_way_create(struct sipload *load, int fd,
				       enum sipload_transport transport);
bool sipload_way_watch(struct sipload *load, struct sipload_way *way, bool for_writing);
socklen_t sipload_address(const char *text, struct sockaddr_storage *out_address);

// sipload_tls.c
enum sipload_io { SIPLOAD_IO_DONE, SIPLOAD_IO_WAIT_READ, SIPLOAD_IO_WAIT_WRITE, SIPLOAD_IO_FAILED };
struct sipload_tls *sipload_tls_create(const struct sipload_options *options);
void sipload_tls_destroy(struct sipload_tls *tls);
bool sipload_tls_open(struct sipload *load, struct sipload_way *way); // before its handshake
enum sipload_io sipload_tls_handshake(struct sipload *load, struct sipload_way *way);
enum sipload_io sipload_tls_read(struct sipload_way *way, size_t room, size_t *out_size);
enum sipload_io sipload_tls_write(struct sipload_way *way, size_t *out_size);
void sipload_tls_close(struct sipload_way *way);
