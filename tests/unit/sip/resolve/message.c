// Writing DNS messages. Runs on the thread of the test.

#include "message.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void message_put(struct message_room *message, const void *octets, size_t size)
{
	assert(message->size + size <= sizeof(message->octets));
	memcpy(message->octets + message->size, octets, size);
	message->size += size;
}

static void put16(struct message_room *message, unsigned value)
{
	message_put(message, (const uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

static void put32(struct message_room *message, uint32_t value)
{
	put16(message, value >> 16);
	put16(message, value & 0xffff);
}

void message_put_name(struct message_room *message, const char *name)
{
	struct text rest = text_of(strcmp(name, ".") == 0 ? "" : name);
	while (rest.size > 0) {
		struct text label = text_split(&rest, '.');
		message_put(message, &(uint8_t){ (uint8_t)label.size }, 1);
		message_put(message, label.data, label.size);
	}
	message_put(message, "", 1);
}

static void put_string(struct message_room *message, const char *string)
{
	message_put(message, &(uint8_t){ (uint8_t)strlen(string) }, 1);
	message_put(message, string, strlen(string));
}

void message_start(struct message_room *message, uint16_t id, const char *name, unsigned type,
		   unsigned rcode)
{
	message->size = 0;
	put16(message, id);
	put16(message, 0x8180 | rcode);
	put16(message, 1);
	put16(message, 0);
	put32(message, 0);
	message_put_name(message, name);
	put16(message, type);
	put16(message, 1);
}

void message_set_truncated(struct message_room *message)
{
	message->octets[2] |= 0x02;
}

static void count(struct message_room *message, size_t at)
{
	unsigned value = (unsigned)message->octets[at] << 8 | message->octets[at + 1];
	value++;
	message->octets[at] = (uint8_t)(value >> 8);
	message->octets[at + 1] = (uint8_t)value;
}

static void put_value(struct message_room *message, unsigned type, const char *value)
{
	char words[3][256] = { "", "", "" };
	unsigned numbers[3] = { 0 };
	struct address address;
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		assert(address_parse(text_of(value), &address));
		message_put(message, address.octets, type == DNS_A ? 4 : 16);
		break;
	case DNS_SRV:
		(void)sscanf(value, "%u %u %u %255s", &numbers[0], &numbers[1], &numbers[2],
			     words[0]);
		for (unsigned i = 0; i < 3; i++)
			put16(message, numbers[i]);
		message_put_name(message, words[0]);
		break;
	case DNS_NAPTR:
		(void)sscanf(value, "%u %u %255s %255s %255s", &numbers[0], &numbers[1], words[0],
			     words[1], words[2]);
		put16(message, numbers[0]);
		put16(message, numbers[1]);
		put_string(message, words[0]);
		put_string(message, words[1]);
		put_string(message, "");
		message_put_name(message, words[2]);
		break;
	case MESSAGE_CNAME:
		message_put_name(message, value);
		break;
	default: // SOA: the minimum
		message_put_name(message, "ns.example");
		message_put_name(message, "root.example");
		(void)sscanf(value, "%u", &numbers[0]);
		for (unsigned i = 0; i < 4; i++)
			put32(message, 7);
		put32(message, numbers[0]);
	}
}

void message_add(struct message_room *message, const char *name, unsigned type, uint32_t ttl_s,
		 const char *value)
{
	message_put_name(message, name);
	put16(message, type);
	put16(message, 1);
	put32(message, ttl_s);
	size_t at = message->size;
	put16(message, 0);
	put_value(message, type, value);
	size_t size = message->size - at - 2;
	message->octets[at] = (uint8_t)(size >> 8);
	message->octets[at + 1] = (uint8_t)size;
	count(message, type == MESSAGE_SOA ? 8 : 6);
}

struct text message_text(const struct message_room *message)
{
	return (struct text){ (const char *)message->octets, message->size };
}
