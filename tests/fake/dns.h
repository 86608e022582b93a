#pragma once

// DNS of a test: a zone in memory behind sip/resolve/dns.h's dns_ask_fn, answering by the wheel of the
// fake clock. A name without any record does not exist; one with records of other types has no data.
// Runs on: the thread of the test.

#include "base/clock.h"
#include "base/wheel.h"
#include "sip/resolve/dns.h"

struct fake_dns;

struct fake_dns *fake_dns_create(const struct clock *clock, struct wheel *wheel);
void fake_dns_destroy(struct fake_dns *dns); // questions on their way are forgotten

// "gw.example", "A", "198.51.100.11"; "SRV", "10 20 5060 gw.example" (target "." for none);
// "NAPTR", "10 50 SIP+D2U _sip._udp.gw.example"; "CNAME", "other.example"; "SOA", "60" (the negative TTL
// of the name and all below). TTL in seconds. False: not understood.
bool fake_dns_add(struct fake_dns *dns, const char *name, const char *type, const char *value,
		  uint32_t ttl_s);
void fake_dns_remove(struct fake_dns *dns, const char *name); // all of it
// While it is dead each question fails after the delay; while it is silent none is ever answered.
void fake_dns_set_dead(struct fake_dns *dns, bool is_dead);
void fake_dns_set_silent(struct fake_dns *dns, bool is_silent);
void fake_dns_set_delay(struct fake_dns *dns, uint32_t delay_ms); // 10 at first
unsigned fake_dns_asked(const struct fake_dns *dns); // questions so far

enum status fake_dns_ask(void *dns, const char *name, enum dns_type type, dns_answer_fn done,
			 void *done_context); // a dns_ask_fn
