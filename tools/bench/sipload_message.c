// SIP text of the load generator: requests from templates, answers from the lines they repeat, and no
// more read of a message than that. Digits of the call stand in Request-URI, branch, Call-ID and tags.
// Runs on the generator's thread; never allocates.

#include <string.h>

#include "sipload.h"

#define CALLER "+48" // and the digits: Contact of the caller
#define CALLED "+49" // the number called, and the Contact of whoever answers

// What each kind of way is called in a Via, and in a Contact.

static const struct {
	const char *via, *contact;
} transports[] = {
	[SIPLOAD_UDP] = { "Via: SIP/2.0/UDP ", "" },
	[SIPLOAD_TCP] = { "Via: SIP/2.0/TCP ", ";transport=tcp" },
	[SIPLOAD_TLS] = { "Via: SIP/2.0/TLS ", ";transport=tls" },
};

// ---- reading

static struct text from(struct text text, const char *wanted)
{
	const char *found = memmem(text.data, text.size, wanted, strlen(wanted));
	return found ? text_cut(text, (size_t)(found - text.data) + strlen(wanted)) : TEXT_NONE;
}

// The digits at the beginning of the text; the call they name, if it is still that one.
static void find_call(struct sipload *load, struct text text, struct sipload_message *message)
{
	uint64_t slot;
	struct text digits = { text.data, SIPLOAD_DIGITS };
	if (text.size < SIPLOAD_DIGITS || !text_to_unsigned(digits, UINT64_MAX, &message->number))
		return;
	message->has_number = true;
	slot = message->number / 1000000;
	if (slot < load->call_count && load->calls[slot].generation == message->number % 1000000)
		message->call = &load->calls[slot];
}

bool sipload_read(struct sipload *load, struct text raw, struct sipload_message *out_message)
{
	struct sipload_message *message = out_message;
	*message = (struct sipload_message){ .raw = raw };
	if (raw.size < 32)
		return false;
	if (memcmp(raw.data, "SIP/2.0 ", 8) == 0) {
		uint64_t status;
		struct text ours = from(raw, "z9hG4bK-");
		if (!text_to_unsigned((struct text){ raw.data + 8, 3 }, 699, &status))
			return false;
		message->status = (unsigned)status;
		find_call(load, ours, message);
		message->kind = ours.size > SIPLOAD_DIGITS ? ours.data[SIPLOAD_DIGITS] : 0;
		return status >= 100;
	}
	message->method = raw.data[0];
	struct text line = { raw.data, raw.size < 128 ? raw.size : 128 };
	struct text digits = from(line, "sip:" CALLED);
	message->is_for_caller = !digits.data;
	find_call(load, digits.data ? digits : from(line, "sip:" CALLER), message);
	return true;
}

static struct text value_of(struct text line, size_t name_size)
{
	return text_trim((struct text){ line.data + name_size, line.size - name_size - 2 });
}

static bool is_header(struct text line, const char *name)
{
	size_t size = strlen(name);
	return line.size > size + 2 && memcmp(line.data, name, size) == 0;
}

static void keep_route(struct sipload_message *message, struct text line)
{
	if (message->route_count < SIPLOAD_ROUTES_MAX)
		message->routes[message->route_count++] = value_of(line, 13);
}

static void read_contact(struct sipload_message *message, struct text line)
{
	struct text value = value_of(line, 8);
	const char *open = text_find(value, '<');
	if (open)
		value = text_cut(value, (size_t)(open - value.data) + 1);
	message->contact = text_split(&value, '>');
}

static void read_line(struct sipload_message *message, struct text line)
{
	bool is_echo = is_header(line, "Via:") || is_header(line, "From:") ||
		       is_header(line, "Call-ID:") || is_header(line, "CSeq:");
	if (is_header(line, "Record-Route:")) {
		keep_route(message, line);
		is_echo = true;
	}
	if (is_echo && message->echo_count < SIPLOAD_ECHO_MAX)
		message->echo[message->echo_count++] = line;
	else if (is_header(line, "To:"))
		message->to = line;
	else if (is_header(line, "Contact:"))
		read_contact(message, line);
	else if (is_header(line, "Proxy-Authenticate:") &&
		 (from(line, "MD5").data || !from(line, "algorithm").data))
		message->challenge = value_of(line, 19);
}

void sipload_read_lines(struct sipload_message *message)
{
	struct text rest = message->raw;
	while (rest.size > 0) {
		const char *end = text_find(rest, '\n');
		size_t size = end ? (size_t)(end - rest.data) + 1 : rest.size;
		if (size <= 2)
			return;
		read_line(message, (struct text){ rest.data, size });
		rest = text_cut(rest, size);
	}
}

// ---- writing

static void write_all(struct writer *writer, const char *const *pieces, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		writer_string(writer, pieces[i]);
}

#define WRITE(writer, ...)                                                                         \
	write_all(writer, (const char *const[]){ __VA_ARGS__ },                                    \
		  sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static void write_top(const struct sipload *load, const struct sipload_call *call, char kind,
		      struct writer *writer)
{
	const struct sipload_options *options = &load->options;
	WRITE(writer, " SIP/2.0\r\n", transports[options->transport].via, options->caller,
	      ";rport;branch=z9hG4bK-", call->digits);
	writer_char(writer, kind);
	WRITE(writer, "\r\nMax-Forwards: 70\r\nFrom: \"Office\" <sip:", options->from, "@",
	      options->domain, ">;tag=c", call->digits, "\r\n");
}

static void write_call_id(const struct sipload_call *call, const char *cseq, struct writer *writer)
{
	WRITE(writer, "Call-ID: ", call->digits, "-sipload\r\nCSeq: ", cseq, "\r\n");
}

static void write_sdp(const struct sipload *load, struct writer *writer)
{
	struct text sdp = text_of(load->sdp);
	WRITE(writer, "Content-Type: application/sdp\r\nContent-Length: ");
	writer_unsigned(writer, sdp.size);
	WRITE(writer, "\r\n\r\n");
	writer_text(writer, sdp);
}

void sipload_prepare_sdp(struct sipload *load)
{
	const char *media = load->options.media;
	struct writer writer = writer_of(load->sdp, sizeof(load->sdp));
	WRITE(&writer, "v=0\r\no=- 1700000000 1700000001 IN IP4 ", media, "\r\ns=-\r\nc=IN IP4 ",
	      media,
	      "\r\nt=0 0\r\n"
	      "m=audio 40000 RTP/AVP 0 8 9 101\r\n"
	      "a=rtpmap:0 PCMU/8000\r\n"
	      "a=rtpmap:8 PCMA/8000\r\n"
	      "a=rtpmap:9 G722/8000\r\n"
	      "a=rtpmap:101 telephone-event/8000\r\n"
	      "a=fmtp:101 0-15\r\n"
	      "a=ptime:20\r\n"
	      "a=sendrecv\r\n");
	(void)writer_string_done(&writer);
}

void sipload_write_invite(const struct sipload *load, const struct sipload_call *call,
			  struct writer *writer)
{
	const struct sipload_options *options = &load->options;
	const char *domain = options->domain;
	WRITE(writer, "INVITE sip:" CALLED, call->digits, "@", domain);
	write_top(load, call, call->attempt, writer);
	WRITE(writer, "To: <sip:" CALLED, call->digits, "@", domain, ">\r\n");
	write_call_id(call, call->attempt == 'i' ? "1 INVITE" : "2 INVITE", writer);
	writer_text(writer, call->credentials);
	WRITE(writer, "Contact: <sip:" CALLER, call->digits, "@", options->caller,
	      transports[options->transport].contact,
	      ">\r\n"
	      "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY\r\n"
	      "Supported: replaces\r\n"
	      "Accept: application/sdp\r\n"
	      "Organization: Example Telephone and Telegraph of the Middle West\r\n"
	      "P-Asserted-Identity: \"Office\" <sip:",
	      options->from, "@", domain,
	      ">\r\n"
	      "Subject: one of very many calls\r\n"
	      "User-Agent: sipload\r\n");
	write_sdp(load, writer);
}

void sipload_write_refused_ack(const struct sipload *load, const struct sipload_call *call,
			       const struct sipload_message *response, struct writer *writer)
{
	WRITE(writer, "ACK sip:" CALLED, call->digits, "@", load->options.domain);
	write_top(load, call, response->kind, writer);
	writer_text(writer, response->to);
	write_call_id(call, response->kind == 'i' ? "1 ACK" : "2 ACK", writer);
	WRITE(writer, "Content-Length: 0\r\n\r\n");
}

void sipload_write_in_dialog(const struct sipload *load, const struct sipload_call *call, char kind,
			     struct writer *writer)
{
	bool is_second = call->attempt == 'j';
	WRITE(writer, kind == 'a' ? "ACK " : "BYE ");
	writer_text(writer, call->contact);
	write_top(load, call, kind, writer);
	writer_text(writer, call->to);
	writer_text(writer, call->routes);
	if (kind == 'a')
		write_call_id(call, is_second ? "2 ACK" : "1 ACK", writer);
	else
		write_call_id(call, "3 BYE", writer);
	WRITE(writer, "Content-Length: 0\r\n\r\n");
}

void sipload_write_probe(const struct sipload *load, uint64_t number, struct writer *writer)
{
	struct sipload_call probe = { 0 };
	struct writer digits = writer_of(probe.digits, sizeof(probe.digits));
	writer_format(&digits, "%0*lu", SIPLOAD_DIGITS, (unsigned long)number);
	WRITE(writer, "OPTIONS sip:", load->options.domain);
	write_top(load, &probe, 'o', writer);
	WRITE(writer, "To: <sip:", load->options.domain, ">\r\n");
	write_call_id(&probe, "1 OPTIONS", writer);
	WRITE(writer, "Contact: <sip:", load->options.caller, ">\r\nContent-Length: 0\r\n\r\n");
}

void sipload_write_answer(const struct sipload *load, const struct sipload_message *request,
			  unsigned status, struct writer *writer)
{
	bool has_tag = from(request->to, ";tag=").data;
	const char *digits = request->call ? request->call->digits : "";
	WRITE(writer, status == 180   ? "SIP/2.0 180 Ringing\r\n"
		      : status == 200 ? "SIP/2.0 200 OK\r\n"
				      : "SIP/2.0 481 Call Does Not Exist\r\n");
	for (unsigned i = 0; i < request->echo_count; i++)
		writer_text(writer, request->echo[i]);
	writer_text(writer, (struct text){ request->to.data,
					   request->to.size - (request->to.size > 1 ? 2 : 0) });
	if (!has_tag)
		WRITE(writer, ";tag=d", digits);
	WRITE(writer, "\r\n");
	if (request->method == 'I')
		WRITE(writer, "Contact: <sip:" CALLED, digits, "@", load->options.called,
		      transports[load->options.called_transport].contact,
		      ">\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nServer: sipload\r\n");
	if (request->method == 'I' && status == 200)
		write_sdp(load, writer);
	else
		WRITE(writer, "Content-Length: 0\r\n\r\n");
}
