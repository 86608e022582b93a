// Responses and requests on their way out.
// Runs on any thread; writes into the room it is given and never beyond.

#include "sip/write.h"

#include "sip/shard/shard.h"
#include "sip/value.h"

#define BRANCH_OCTETS 12
#define RETRY_AFTER_S 5 // up to twice as much

static void write_line(struct writer *writer, const char *name, struct text value)
{
	writer_string(writer, name);
	writer_text(writer, value);
	writer_text(writer, TEXT("\r\n"));
}

static struct text written_since(const struct writer *writer, size_t start)
{
	if (writer->failed)
		return TEXT_NONE;
	return (struct text){ writer->room + start, writer->used - start };
}

// The topmost Via as it came, but its received and rport are ours (RFC 3261 18.2.1, RFC 3581 4).
// received is always given: a sender that is refused sees by it where it came from (AUTH-007).
static void write_top_via(struct writer *writer, const struct sip_message *request)
{
	struct text whole = request->via.whole;
	const char *semicolon = text_find(whole, ';');
	size_t size = semicolon != NULL ? (size_t)(semicolon - whole.data) : whole.size;
	struct text rest = text_cut(whole, size);
	struct sip_parameter parameter;
	writer_text(writer, text_trim((struct text){ whole.data, size }));
	while (sip_value_parameter(&rest, &parameter)) {
		if (text_is_same(parameter.name, TEXT("received")) ||
		    text_is_same(parameter.name, TEXT("rport")))
			continue;
		writer_char(writer, ';');
		writer_text(writer, parameter.name);
		if (parameter.has_value) {
			writer_char(writer, '=');
			writer_text(writer, parameter.value);
		}
	}
	writer_text(writer, TEXT(";received="));
	address_write_host(&request->flow.remote, writer);
	if (request->via.has_rport) {
		writer_text(writer, TEXT(";rport="));
		writer_unsigned(writer, request->flow.remote.port);
	}
}

static void write_vias(struct writer *writer, const struct sip_message *request)
{
	struct text value;
	for (unsigned nth = 0; (value = sip_message_header(request, "Via", nth)).data != NULL;
	     nth++) {
		writer_text(writer, TEXT("Via: "));
		if (nth == 0) {
			(void)sip_value_list(&value);
			write_top_via(writer, request);
			writer_text(writer, value.data != NULL ? TEXT(", ") : TEXT(""));
			value = text_trim(value);
		}
		writer_text(writer, value);
		writer_text(writer, TEXT("\r\n"));
	}
}

void sip_write_echo(struct writer *writer, const struct sip_message *request,
		    struct sip_write_echo *out_echo)
{
	struct text value;
	size_t start = writer->used;
	write_vias(writer, request);
	if (request->from_value.size > 0) // absent in what is refused for just that
		write_line(writer, "From: ", request->from_value);
	if (request->call_id.size > 0)
		write_line(writer, "Call-ID: ", request->call_id);
	write_line(writer, "CSeq: ", request->cseq_value);
	out_echo->lines = written_since(writer, start);
	start = writer->used;
	writer_text(writer, request->to_value);
	out_echo->to = written_since(writer, start);
	out_echo->has_to_tag = request->to.tag.size > 0;
	start = writer->used;
	for (unsigned nth = 0;
	     (value = sip_message_header(request, "Record-Route", nth)).data != NULL; nth++)
		write_line(writer, "Record-Route: ", value);
	out_echo->record_routes = written_since(writer, start);
}

static void write_body(struct writer *writer, struct text content_type, struct text body,
		       bool is_compact)
{
	if (content_type.size > 0)
		write_line(writer, "Content-Type: ", content_type);
	writer_string(writer, is_compact ? "l: " : "Content-Length: ");
	writer_unsigned(writer, body.size);
	writer_text(writer, TEXT("\r\n\r\n"));
	writer_text(writer, body);
}

static void write_to(struct writer *writer, const struct sip_write_echo *echo, const char *tag)
{
	writer_text(writer, TEXT("To: "));
	writer_text(writer, echo->to);
	if (!echo->has_to_tag && tag != NULL) {
		writer_text(writer, TEXT(";tag="));
		writer_string(writer, tag);
	}
	writer_text(writer, TEXT("\r\n"));
}

static void write_response(struct writer *writer, const struct sip_write_echo *echo,
			   const struct sip_answer *answer, const char *to_tag, const char *server,
			   bool is_compact)
{
	bool has_dialog = answer->status > 100 && answer->status < 300;
	writer_text(writer, TEXT("SIP/2.0 "));
	writer_unsigned(writer, answer->status);
	writer_char(writer, ' ');
	writer_string(writer, answer->reason != NULL ? answer->reason : sip_reason(answer->status));
	writer_text(writer, TEXT("\r\n"));
	writer_text(writer, echo->lines);
	if (echo->to.size > 0)
		write_to(writer, echo, answer->status > 100 ? to_tag : NULL);
	if (has_dialog) {
		writer_text(writer, answer->record_route);
		writer_text(writer, echo->record_routes);
	}
	writer_text(writer, answer->headers);
	if (has_dialog && server != NULL && server[0] != 0)
		write_line(writer, "Server: ", text_of(server));
	write_body(writer, answer->content_type, answer->body, is_compact);
}

void sip_write_response(struct writer *writer, const struct sip_write_echo *echo,
			const struct sip_answer *answer, const char *to_tag, const char *server)
{
	write_response(writer, echo, answer, to_tag, server, false);
}

// "OK" saves nothing; what a refusal says in its header lines is worth more than its phrase.
static bool shorten(struct sip_answer *answer)
{
	bool has_phrase = answer->reason == NULL || answer->reason[0] != 0;
	bool has_headers = answer->headers.size > 0;
	if (has_phrase && (answer->status >= 300 || !has_headers)) {
		answer->reason = "";
		return true;
	}
	struct text left = answer->headers;
	(void)text_split(&left, '\n');
	if (left.size == 0 && answer->status == 407) // without a challenge it says nothing
		return false;
	answer->headers = left;
	return has_headers;
}

struct text sip_write_bounded(struct writer *writer, const struct sip_write_echo *echo,
			      const struct sip_answer *answer, const char *to_tag, size_t max)
{
	struct sip_answer tried = *answer;
	size_t start = writer->used;
	for (bool is_least = false;; is_least = !shorten(&tried)) {
		writer->used = start;
		write_response(writer, echo, &tried, to_tag, NULL, is_least);
		if (writer->failed)
			return TEXT_NONE;
		if (writer->used - start <= max)
			return written_since(writer, start);
		if (is_least) {
			writer->used = start;
			return TEXT_NONE;
		}
	}
}

struct text sip_write_least(struct writer *writer, const struct sip_write_echo *echo,
			    const struct sip_answer *answer, const char *to_tag)
{
	struct sip_answer least = *answer;
	size_t start = writer->used;
	while (shorten(&least))
		;
	write_response(writer, echo, &least, to_tag, NULL, true);
	return written_since(writer, start);
}

static struct text keep(struct writer *writer, struct text text)
{
	size_t start = writer->used;
	writer_text(writer, text);
	return written_since(writer, start);
}

void sip_write_branch(unsigned shard, char room[static SIP_BRANCH_SIZE])
{
	struct writer writer = writer_of(room, SIP_BRANCH_SIZE);
	writer_text(&writer, TEXT("z9hG4bK"));
	sip_shard_write(shard, BRANCH_OCTETS, &writer);
	(void)writer_string_done(&writer);
}

static void write_via(struct writer *writer, const struct sip_flow *flow, struct text branch)
{
	writer_text(writer, TEXT("\r\nVia: SIP/2.0/"));
	writer_string(writer, sip_protocol_via(flow->protocol));
	writer_char(writer, ' ');
	address_write(&flow->local, writer);
	writer_text(writer, TEXT(";branch="));
	writer_text(writer, branch);
	writer_text(writer, TEXT(";rport\r\n"));
}

void sip_write_request(struct writer *writer, const struct sip_request *request, struct text branch,
		       const char *user_agent, struct sip_request *out_kept)
{
	struct sip_request kept = *request;
	struct text method = sip_method_text(request->method);
	writer_text(writer, method);
	writer_char(writer, ' ');
	kept.target = keep(writer, request->target);
	writer_text(writer, TEXT(" SIP/2.0"));
	write_via(writer, &request->flow, branch);
	writer_text(writer, TEXT("Max-Forwards: "));
	writer_unsigned(writer, request->max_forwards);
	writer_text(writer, TEXT("\r\nFrom: "));
	kept.from = keep(writer, request->from);
	writer_text(writer, TEXT("\r\nTo: "));
	kept.to = keep(writer, request->to);
	writer_text(writer, TEXT("\r\nCall-ID: "));
	kept.call_id = keep(writer, request->call_id);
	writer_text(writer, TEXT("\r\nCSeq: "));
	writer_unsigned(writer, request->cseq);
	writer_char(writer, ' ');
	writer_text(writer, method);
	writer_text(writer, TEXT("\r\n"));
	kept.routes = keep(writer, request->routes);
	writer_text(writer, request->headers);
	if (user_agent != NULL && user_agent[0] != 0)
		write_line(writer, "User-Agent: ", text_of(user_agent));
	write_body(writer, request->content_type, request->body, false);
	kept.headers = kept.content_type = kept.body = TEXT_NONE;
	if (out_kept != NULL)
		*out_kept = kept;
}

struct text sip_write_retry_after(uint32_t chance, char room[static SIP_RETRY_AFTER_SIZE])
{
	struct writer writer = writer_of(room, SIP_RETRY_AFTER_SIZE);
	writer_format(&writer, "Retry-After: %u\r\n", RETRY_AFTER_S + chance % RETRY_AFTER_S);
	return writer_done(&writer);
}
