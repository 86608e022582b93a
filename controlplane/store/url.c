// Reads the URL of a Redis. Names are refused but for localhost: resolving one would block the loop.
// Runs on: any thread; pure.

#include "store/url.h"

#include <string.h>

#define DATABASE_MAX 15

static const char *parse_unix(struct text path, struct store_url *url)
{
	if (path.size == 0 || path.data[0] != '/')
		return "allowed: unix:///path/of/the/socket";
	if (text_find(path, 0) || !text_copy(path, url->path, sizeof(url->path)))
		return "a socket's path has at most 107 characters";
	return NULL;
}

static bool parse_host(struct text host, struct address *address)
{
	static const char localhost[] = "localhost";
	struct text rest = host;
	struct text name = text_split(&rest, ':');
	uint64_t port = 0;
	if (!text_is_same(name, text_of(localhost)))
		return address_parse(host, address);
	if (host.size > name.size && (!text_to_unsigned(rest, UINT16_MAX, &port) || port == 0))
		return false;
	*address = (struct address){ .family = ADDRESS_IPV4,
				     .port = (uint16_t)port,
				     .octets = { 127, 0, 0, 1 } };
	return true;
}

static const char *parse_tcp(struct text rest, struct store_url *url)
{
	if (text_find(rest, '@'))
		return "the password belongs into redis.password_file";
	struct text host = text_split(&rest, '/');
	uint64_t database = 0;
	if (!parse_host(host, &url->address))
		return "allowed: redis://address[:port][/database], an IP address or localhost";
	if (rest.size > 0 && !text_to_unsigned(rest, DATABASE_MAX, &database))
		return "the database is a number from 0 to 15";
	if (url->address.port == 0)
		url->address.port = STORE_URL_PORT;
	url->database = (unsigned)database;
	return NULL;
}

enum status store_url_parse(struct text text, struct store_url *out_url, const char **out_why)
{
	struct cursor cursor = cursor_of(text);
	struct store_url url = { 0 };
	const char *why = "allowed: unix:///path or redis://address[:port][/database]";
	if (cursor_take_text(&cursor, TEXT("unix://")))
		why = parse_unix(cursor.rest, &url);
	else if (cursor_take_text(&cursor, TEXT("redis://")))
		why = parse_tcp(cursor.rest, &url);
	if (out_why)
		*out_why = why;
	if (why)
		return ERR_MALFORMED;
	*out_url = url;
	return OK;
}
