// The parts of parsing and rewriting that stand alone: sums, and the whole way of a header out.

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/packet.h"
#include "dataplane/rewrite.h"
#include "dataplane/stream/stream.h"
#include "dataplane/suite.h"

// RFC 1071 word by word.
static uint16_t checksum_of(const uint8_t *octets, size_t size)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? octets[i] : (uint32_t)octets[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint16_t in_host_order(uint16_t folded)
{
	uint8_t octets[2];
	memcpy(octets, &folded, 2);
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

static void the_sum_is_that_of_rfc_1071_at_every_size(void **state)
{
	uint8_t octets[257];
	(void)state;
	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 151 + 17);
	for (size_t size = 0; size <= sizeof(octets); size++)
		CHECK_NUMBER(in_host_order(packet_fold(packet_sum(octets, size, 0))),
			     checksum_of(octets, size));
}

static void the_sum_does_not_overflow(void **state)
{
	uint8_t octets[2000];
	(void)state;
	memset(octets, 0xff, sizeof(octets));
	CHECK_NUMBER(packet_fold(packet_sum(octets, sizeof(octets), 0)), 0);
	CHECK_NUMBER(packet_fold(packet_sum(octets, 4, UINT32_MAX)), 0);
}

static void a_sum_goes_on_where_another_ended(void **state)
{
	uint8_t octets[64];
	(void)state;
	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(200 - i);
	for (size_t cut = 0; cut <= sizeof(octets); cut += 2) {
		uint64_t first = packet_sum(octets, cut, 0);
		CHECK_NUMBER(packet_fold(packet_sum(octets + cut, sizeof(octets) - cut, first)),
			     packet_fold(packet_sum(octets, sizeof(octets), 0)));
	}
}

static struct packet_rules rules_of(void)
{
	struct packet_rules rules = { .mac = { 2, 0, 0, 0, 0, 1 },
				      .verifies_udp_checksum = true,
				      .address_count = 2 };
	CHECK_TRUE(address_parse(TEXT("198.51.100.1"), &rules.addresses[0]));
	CHECK_TRUE(address_parse(TEXT("2001:db8::1"), &rules.addresses[1]));
	return rules;
}

// What we write to ourselves, we accept; over many payloads, so that every checksum comes up.
static void what_is_written_is_accepted(uint8_t family)
{
	struct packet_rules rules = rules_of();
	struct stream stream = { .destination_family = family,
				 .out_address = family == ADDRESS_IPV6,
				 .out_port = 10000,
				 .destination_port = 10000 };
	memcpy(stream.next_hop, rules.mac, 6);
	memcpy(&stream.destination_ipv4, rules.addresses[0].octets, 4);
	memcpy(stream.destination_ipv6, rules.addresses[1].octets, 16);
	uint8_t frame[128] = { 0 }, *payload = frame + 64;
	payload[0] = 0x80;
	for (unsigned i = 0; i < 70000; i++) {
		struct packet packet;
		memcpy(payload + 2, &(uint16_t){ (uint16_t)i }, 2);
		rewrite_headers(&stream, &rules, payload, 12);
		size_t size = rewrite_size(&stream);
		CHECK_NUMBER(packet_parse(payload - size, size + 12, &rules, &packet),
			     VERDICT_FORWARDED);
		CHECK_NUMBER(packet.offset, size);
		CHECK_NUMBER(packet.kind, PACKET_RTP);
		assert_true(payload[-2] || payload[-1]); // a checksum of zero would say none
	}
}

static void what_is_written_on_ipv4_is_accepted(void **state)
{
	(void)state;
	what_is_written_is_accepted(ADDRESS_IPV4);
}

static void what_is_written_on_ipv6_is_accepted(void **state)
{
	(void)state;
	what_is_written_is_accepted(ADDRESS_IPV6);
}

static void padding_is_believed_where_it_leaves_something(void **state)
{
	uint8_t media[32] = { 0xa0 };
	(void)state;
	for (unsigned padding = 0; padding < 256; padding++) {
		struct packet packet = { .kind = PACKET_RTP, .size = 32, .media_size = 20 };
		media[31] = (uint8_t)padding;
		bool is_right = padding > 0 && padding <= 20;
		CHECK_NUMBER(packet_check_clear(media, &packet), is_right);
		CHECK_NUMBER(packet.media_size, is_right ? 20 - padding : 20);
	}
	struct packet empty = { .kind = PACKET_RTP, .size = 12, .media_size = 0 };
	CHECK_FALSE(packet_check_clear(media, &empty)); // its last octet is the SSRC's
}

static void a_compound_is_whole_or_nothing(void **state)
{
	// A receiver report of 8 octets, then a goodbye of 8, padded by 4 of them.
	uint8_t media[16] = { 0x80, 201, 0, 1, 0, 0, 0, 0, 0xa0, 203, 0, 1, 0, 0, 0, 4 };
	(void)state;
	for (uint16_t size = 0; size <= 16; size++) {
		struct packet packet = { .kind = PACKET_RTCP, .size = size };
		CHECK_NUMBER(packet_check_clear(media, &packet), size % 8 == 0);
	}
	struct packet packet = { .kind = PACKET_RTCP, .size = 16 };
	media[8] = 0x40; // version 1
	CHECK_FALSE(packet_check_clear(media, &packet));
	media[8] = 0x80;
	media[0] = 0xa0; // padding before the end
	CHECK_FALSE(packet_check_clear(media, &packet));
	media[0] = 0x80;
	media[11] = 2; // longer than what is there
	CHECK_FALSE(packet_check_clear(media, &packet));
}

static void what_may_come_in_still_fits_a_frame_sealed_on_ipv6(void **state)
{
	(void)state;
	CHECK_NUMBER(PACKET_PAYLOAD_MAX, 1432);
	CHECK_NUMBER(PACKET_PAYLOAD_MAX + PACKET_GROWTH_MAX + PACKET_UDP_SIZE + PACKET_IPV6_SIZE,
		     1500);
	for (enum suite suite = 0; suite < SUITE_COUNT; suite++) {
		CHECK_TRUE(suite_facts(suite)->tag_size <= PACKET_GROWTH_MAX);
		CHECK_TRUE(suite_facts(suite)->rtcp_tag_size + 4 <= PACKET_GROWTH_MAX);
	}
}

static void every_verdict_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		assert_true(verdict_label(i)[0] && verdict_text(i)[0]);
	CHECK_STRING(verdict_label(VERDICT_DROP_TTL), "drop_ttl");
	CHECK_STRING(verdict_label(VERDICT_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_sum_is_that_of_rfc_1071_at_every_size),
		TEST(the_sum_does_not_overflow),
		TEST(a_sum_goes_on_where_another_ended),
		TEST(what_is_written_on_ipv4_is_accepted),
		TEST(what_is_written_on_ipv6_is_accepted),
		TEST(padding_is_believed_where_it_leaves_something),
		TEST(a_compound_is_whole_or_nothing),
		TEST(what_may_come_in_still_fits_a_frame_sealed_on_ipv6),
		TEST(every_verdict_has_a_name_and_a_sentence),
	};
	return RUN_TESTS(tests);
}
