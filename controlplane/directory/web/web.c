// URLs and addresses of e-mail, as customers give them. Runs on any thread; pure.

#include "directory/web/web.h"

#include <string.h>

#include "base/address.h"
#include "directory/value.h"

#define LOCAL_MAX 64 // octets before the @ (RFC 5321 4.5.3.1.1)

// "example.com:8443", "[2001:db8::1]:8443": libcurl judges the host, and the resolver; a port it would cut.
static bool is_authority(struct text authority)
{
	const char *bracket = text_find(authority, ']');
	size_t before = bracket ? (size_t)(bracket - authority.data) + 1 : 0;
	struct text port = text_cut(authority, before);
	struct text host = text_split(&port, ':');
	uint64_t number = 0;
	bool has_port = host.size < authority.size - before;
	bool is_host = before > 0 ? host.size == 0 && authority.data[0] == '[' : host.size > 0;
	return is_host && !text_find(authority, '@') &&
	       (!has_port || (text_to_unsigned(port, UINT16_MAX, &number) && number > 0));
}

// It goes into a request: no space, no quote, nothing but printable ASCII; no user and password.
const char *directory_web_write_url(struct text value, size_t max, struct writer *out)
{
	static const char allowed[] = "a URL, like https://www.example.com/alerts, without user "
				      "and password; a port is 1 to "
				      "65535";
	static const char *const schemes[] = { "https://", "http://" };
	const char *scheme = NULL;
	for (unsigned i = 0; !scheme && i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (value.size > strlen(schemes[i]) &&
		    text_is_same((struct text){ value.data, strlen(schemes[i]) },
				 text_of(schemes[i])))
			scheme = schemes[i];
	if (!scheme || value.size > max)
		return allowed;
	struct text rest = text_cut(value, strlen(scheme));
	size_t size = 0;
	while (size < rest.size && !strchr("/?#", rest.data[size]))
		size++;
	if (!is_authority((struct text){ rest.data, size }))
		return allowed;
	for (size_t i = 0; i < rest.size; i++)
		if (rest.data[i] <= ' ' || rest.data[i] > '~' ||
		    strchr("\"<>\\^`{|}", rest.data[i]))
			return allowed;
	writer_string(out, scheme);
	writer_text(out, rest);
	return NULL;
}

const char *directory_web_write_mail(struct text value, size_t max, struct writer *out)
{
	static const char allowed[] = "an address, like alerts@example.com";
	struct text host = value, local = text_split(&host, '@');
	char room[DIRECTORY_WEB_HOST_MAX + 1];
	struct writer name = writer_of(room, sizeof(room));
	if (local.size == 0 || local.size > LOCAL_MAX || value.size > max ||
	    !directory_value_write_host_name(host, &name))
		return allowed;
	for (size_t i = 0; i < local.size; i++) {
		char octet = (char)(local.data[i] | 0x20);
		bool is_letter = octet >= 'a' && octet <= 'z';
		bool is_digit = local.data[i] >= '0' && local.data[i] <= '9';
		if (!is_letter && !is_digit &&
		    (local.data[i] == 0 || !strchr("!#$%&'*+-/=?^_.{|}~", local.data[i])))
			return allowed;
	}
	writer_text(out, value);
	return NULL;
}
