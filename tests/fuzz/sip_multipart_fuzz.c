// Fuzz target: a body of several parts. The first line is the value of Content-Type, the rest the body.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sip/multipart/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

// What is found lies in the body, between two boundaries, and is found in it again.
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct text body = { (const char *)octets, size };
	struct text type = text_split(&body, '\n');
	struct text description = TEXT_NONE;
	if (body.data == NULL)
		return 0;
	enum sip_multipart_verdict verdict = sip_multipart_description(type, body, &description);
	if (verdict != SIP_MULTIPART_FOUND)
		return 0;
	size_t offset = (size_t)(description.data - body.data);
	if (description.data < body.data || offset + description.size > body.size)
		abort();
	if (body.size - offset - description.size < 5 || // CRLF "--", a boundary of one octet
	    memcmp(description.data + description.size, "\r\n--", 4) != 0)
		abort();
	return 0;
}
