// Session descriptions by name. {h} is the speaker's media host.
// Runs on: the thread of the test.

#include "scenario/body.h"

#include <string.h>

struct body {
	const char *name;
	const char *lines; // after s=; NULL: no description at all
};

#define HERE "c=IN IP4 {h}\r\nt=0 0\r\n"
#define EVENTS "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
#define PCMU "a=rtpmap:0 PCMU/8000\r\n"
#define SECURE_AUDIO "m=audio 30000 RTP/SAVP 0\r\n" PCMU
#define LONG "AES_CM_128_HMAC_SHA1_80 "
#define SHORT "AES_CM_128_HMAC_SHA1_32 "
#define KEY_ONE "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
#define KEY_TWO "inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm\r\n"
#define AUDIO(port) "m=audio " port " RTP/AVP 0 8 101\r\n" PCMU "a=rtpmap:8 PCMA/8000\r\n" EVENTS

// clang-format off
static const struct body bodies[] = {
	{ "plain",    HERE AUDIO("30000") "a=sendrecv\r\n" },
	{ "moved",    HERE AUDIO("30400") "a=sendrecv\r\n" },
	{ "elsewhere", "c=IN IP4 203.0.113.200\r\nt=0 0\r\n" AUDIO("30600") "a=sendrecv\r\n" },
	{ "sendonly", HERE AUDIO("30000") "a=sendonly\r\n" },
	{ "recvonly", HERE AUDIO("30000") "a=recvonly\r\n" },
	{ "inactive", HERE AUDIO("30000") "a=inactive\r\n" },
	{ "oldhold",  "c=IN IP4 0.0.0.0\r\nt=0 0\r\n" AUDIO("30000") },
	{ "pcma",     HERE "m=audio 30000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n" EVENTS },
	{ "savp",     HERE SECURE_AUDIO "a=crypto:1 " LONG KEY_ONE },
	{ "savp32",   HERE SECURE_AUDIO "a=crypto:7 " SHORT KEY_ONE "a=crypto:8 " LONG KEY_TWO },
	{ "savphold", HERE SECURE_AUDIO "a=crypto:1 " LONG KEY_ONE "a=sendonly\r\n" },
	{ "savpheld", HERE SECURE_AUDIO "a=crypto:1 " LONG KEY_ONE "a=recvonly\r\n" },
	{ "rekey",    HERE SECURE_AUDIO "a=crypto:1 " LONG KEY_TWO },
	{ "mki",      HERE SECURE_AUDIO "a=crypto:1 " LONG "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n" },
	{ "gcm",      HERE SECURE_AUDIO "a=crypto:1 AEAD_AES_128_GCM inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubA==\r\n" },
	{ "video",    HERE "m=video 30002 RTP/AVP 31\r\n" },
	{ "private",  "c=IN IP4 10.1.2.3\r\nt=0 0\r\n" AUDIO("30000") },
	{ "event96",  HERE "m=audio 30000 RTP/AVP 0 96\r\n" PCMU "a=rtpmap:96 telephone-event/8000\r\n" },
	{ "noevents", HERE "m=audio 30000 RTP/AVP 0\r\n" PCMU "a=sendrecv\r\n" },
	{ "refused",  HERE "m=audio 0 RTP/AVP 0\r\n" },
	{ "broken",   "m=audio\r\nnonsense\r\n" },
};
// clang-format on

static void write_lines(const char *lines, const char *media_host, struct writer *writer)
{
	for (; *lines; lines++) {
		if (strncmp(lines, "{h}", 3) != 0) {
			writer_char(writer, *lines);
			continue;
		}
		writer_string(writer, media_host);
		lines += 2;
	}
}

bool body_write(const char *name, const char *media_host, unsigned version, struct writer *writer)
{
	for (unsigned i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		if (strcmp(bodies[i].name, name) != 0)
			continue;
		writer_format(writer, "v=0\r\no=pbx 77 %u IN IP4 %s\r\ns=-\r\n", version,
			      media_host);
		write_lines(bodies[i].lines, media_host, writer);
		return true;
	}
	return false;
}
