#pragma once

// One trunkd without sockets, disk or cores: the real control plane over a fake clock, wire, history
// and dataplane, with an account, a trunk, a number and a carrier provisioned.
// Runs on: the thread of the test.

#include "base/clock.h"
#include "base/wheel.h"
#include "call/engine.h"
#include "config/config.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "fake/dns.h"
#include "fake/wire.h"
#include "sip/dialog.h"
#include "scenario/talk.h"
#include "sip/digest/digest.h"
#include "sip/guard/guard.h"
#include "sip/resolve/resolve.h"
#include "sip/transaction.h"

#define NODE_BASE_DOMAIN "pstn.example.com"
#define NODE_DOMAIN "acme." NODE_BASE_DOMAIN
#define NODE_ADDRESS "192.0.2.1:5060"
#define NODE_MEDIA_ADDRESS "192.0.2.2"
#define NODE_NUMBER "+14155550100"
#define NODE_START_MS 5000 // of the clock when a story begins

struct node {
	struct clock clock;
	struct wheel *wheel;
	struct config config;
	struct wire wire;
	struct directory *directory;
	struct history *history;
	struct dataplane *dataplane; // fake; NULL while it is away
	struct media_engine *media;
	struct fake_dns *dns;
	struct store_limits *limits; // fake; of this node alone until a story joins others
	struct sip_resolver *resolver;
	struct sip_dialogs *dialogs;
	struct sip_digest *digest;
	struct sip_guard *guard;
	struct sip_transactions *transactions;
	struct calls *calls;
	struct talks talks;
	struct media **hoard; // ports taken away from calls
	unsigned hoard_count;
	uint64_t late_us; // by how much each turn of the loop is late
};

struct node *node_create(void);
void node_destroy(struct node *node);
// Time goes on in ticks of 10 ms, or coarser ones for hours; timers fire, media is looked after.
void node_wait(struct node *node, uint64_t ms);
// Nobody says anything any more, until all that has a lifetime must be gone: in coarser ticks.
void node_outlive(struct node *node);
// Provisioning as the operator does it: "carrier", { "name=carrier2", "priority=20" }. References may
// be names. False: the problem tells.
bool node_add(struct node *node, const char *kind, char *const *pairs, unsigned count,
	      struct directory_problem *out_problem);
bool node_set(struct node *node, const char *kind, const char *word, char *const *pairs,
	      unsigned count, struct directory_problem *out_problem);
bool node_remove(struct node *node, const char *kind, const char *word);
// So that the fake dataplane asks for no memory while a story is told.
void node_make_room(struct node *node);
// This node is at that edge too; before there are calls. False: no such edge or address.
bool node_add_edge(struct node *node, const char *name, const char *signalling, const char *media);
bool node_open_edge(struct node *node, const char *name, const char *account);
void node_lose_dataplane(struct node *node); // its process is gone
void node_regain_dataplane(struct node *node); // an empty one is there
void node_take_all_ports(struct node *node);
void node_give_all_ports(struct node *node);
