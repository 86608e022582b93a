// Fuzz target: any text as an Origination URI. What is taken of it may stand in a message as it is: no line
// ends but those behind whole X- headers, nothing in user and host that ends either.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "directory/origination/origination.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void check_line(struct text line)
{
	struct text prefix = { line.data, 2 };
	if (line.size < 5 || !text_is_same(prefix, TEXT("X-")) || text_find(line, ':') == NULL)
		abort();
	for (size_t i = 0; i < line.size; i++)
		if ((uint8_t)line.data[i] < ' ' || line.data[i] == 0x7f)
			abort();
}

static void check_lines(struct text lines)
{
	while (lines.size > 0) {
		const char *end = memmem(lines.data, lines.size, "\r\n", 2);
		if (end == NULL)
			abort();
		check_line((struct text){ lines.data, (size_t)(end - lines.data) });
		lines = text_cut(lines, (size_t)(end - lines.data) + 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct directory_uri uri;
	if (directory_uri_read((struct text){ (const char *)octets, size }, &uri) != NULL)
		return 0;
	if (strpbrk(uri.user, "\r\n <>@:;?") != NULL || strpbrk(uri.host, "\r\n <>@;?") != NULL)
		abort();
	if (uri.host[0] == '\0' || uri.transport == DIRECTORY_TRANSPORT_AUTO)
		abort();
	check_lines(text_of(uri.lines));
	return 0;
}
