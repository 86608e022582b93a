// INVITEs made of words, and read like any other. Runs on the control thread; pure.

#include "call/explain/invite.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "directory/object.h"
#include "directory/value.h"
#include "sip/message_parts.h"
#include "sip/scan.h"
#include "sip/tls/peer.h"

#define SDP_HEAD "v=0\r\no=- 1 1 IN %s\r\ns=-\r\nc=IN %s\r\nt=0 0\r\n"
#define SDP_RTP "m=audio 40000 RTP/AVP 0 101\r\n"
#define SDP_SRTP                                                                                   \
	"m=audio 40000 RTP/SAVP 0 101\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "                      \
	"inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
#define SDP_TAIL "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"

static bool fail(struct explain_problem *problem, const char *field, const char *text)
{
	problem->field = field;
	(void)text_copy(text_of(text), problem->text, sizeof problem->text);
	return false;
}

static const struct directory_object *find_trunk(const struct calls *calls, struct text word)
{
	const struct directory *directory = calls->directory;
	const struct directory_object *only = directory_next(directory, DIRECTORY_TRUNK, NULL);
	if (word.size > 0)
		return directory_find(directory, DIRECTORY_TRUNK, word);
	if (only != NULL && directory_next(directory, DIRECTORY_TRUNK, only) != NULL)
		return NULL; // which of them?
	return only;
}

// The first address of the trunk's IP ACLs: somebody who may call.
static bool find_source(const struct calls *calls, const struct directory_object *trunk,
			struct address *out_source)
{
	const struct directory_object *row = NULL;
	struct prefix prefix;
	while (trunk != NULL &&
	       (row = directory_next(calls->directory, DIRECTORY_ACL_ADDRESS, row)) != NULL) {
		struct text rest = directory_object_get(trunk, "acls"), acl;
		while ((acl = directory_value_next(&rest)).size > 0) {
			if (!text_is_equal(acl, directory_object_get(row, "acl")) ||
			    !prefix_parse(directory_object_get(row, "address"), &prefix))
				continue;
			*out_source = prefix.address;
			return true;
		}
	}
	return address_parse(TEXT("192.0.2.1"), out_source); // for examples (RFC 5737)
}

static bool set_local(const struct calls *calls, struct sip_flow *flow)
{
	const struct config_addresses *ours = &calls->config->sip.addresses;
	for (unsigned i = 0; i < ours->count; i++) {
		if (ours->items[i].family != flow->remote.family)
			continue;
		flow->local = ours->items[i];
		flow->local.port = calls->ports[flow->protocol];
		return true;
	}
	return false;
}

bool explain_invite_flow(const struct calls *calls, const struct explain_words *words,
			 struct sip_flow *out_flow, struct explain_problem *out_problem)
{
	struct sip_flow flow = { .protocol = SIP_UDP };
	const struct directory_object *trunk = find_trunk(calls, words->trunk);
	const struct directory_object *carrier =
		directory_find(calls->directory, DIRECTORY_CARRIER, words->carrier);
	if (words->carrier.size > 0 && carrier == NULL)
		return fail(out_problem, "carrier", "there is none of this SID or name");
	if (words->transport.size > 0 && !sip_protocol_parse(words->transport, &flow.protocol))
		return fail(out_problem, "transport", "none of udp, tcp, tls");
	if (words->source.size == 0 && carrier != NULL) {
		if (!address_parse(directory_object_get(carrier, "address"), &flow.remote))
			return fail(out_problem, "source",
				    "missing: the carrier is a name; say from which address");
	} else if (words->source.size == 0)
		(void)find_source(calls, trunk, &flow.remote);
	else if (!address_parse(words->source, &flow.remote))
		return fail(out_problem, "source", "no IP address");
	if (flow.remote.port == 0)
		flow.remote.port = sip_protocol_port(flow.protocol);
	flow.tls_version = flow.protocol == SIP_TLS ? SIP_TLS_1_2 : 0;
	if (!set_local(calls, &flow))
		return fail(out_problem, "source", "trunkd has no SIP address of its family");
	*out_flow = flow;
	return true;
}

// A carrier asks us by our address.
static bool choose_host(const struct calls *calls, const struct explain_words *words,
			const struct sip_flow *flow, struct writer *host,
			struct explain_problem *out_problem)
{
	const struct directory_object *trunk = find_trunk(calls, words->trunk);
	if (words->host.size > 0) {
		writer_text(host, words->host);
		return true;
	}
	if (words->carrier.size > 0) {
		address_write_host(&flow->local, host);
		return true;
	}
	if (trunk == NULL)
		return fail(out_problem, "trunk",
			    words->trunk.size > 0 ? "there is none of this SID, name or domain"
						  : "missing: there are several, or none");
	writer_text(host, directory_object_get(trunk, "domain"));
	writer_char(host, '.');
	writer_text(host, directory_base_domain(calls->directory));
	return true;
}

static bool write_sdp(struct text kind, const struct address *source, struct writer *sdp)
{
	char room[ADDRESS_TEXT_SIZE + 4];
	struct writer host = writer_of(room, sizeof room);
	writer_string(&host, source->family == ADDRESS_IPV6 ? "IP6 " : "IP4 ");
	address_write_host(source, &host);
	bool is_secure = text_is_equal(kind, TEXT("srtp"));
	if (text_is_equal(kind, TEXT("none")))
		return true;
	const char *text = writer_string_done(&host);
	if (text == NULL || (!is_secure && kind.size > 0 && !text_is_equal(kind, TEXT("rtp"))))
		return false;
	writer_format(sdp, SDP_HEAD, text, text);
	writer_string(sdp, is_secure ? SDP_SRTP : SDP_RTP);
	writer_string(sdp, SDP_TAIL);
	return true;
}

// Some number of the trunk's account: who calls most often.
static struct text some_number(const struct calls *calls, const struct explain_words *words)
{
	const struct directory_object *row = NULL, *trunk = find_trunk(calls, words->trunk);
	while (trunk != NULL &&
	       (row = directory_next(calls->directory, DIRECTORY_NUMBER, row)) != NULL)
		if (text_is_equal(directory_object_get(row, "account"),
				  directory_object_get(trunk, "account")))
			return directory_object_get(row, "e164");
	return TEXT("anonymous");
}

// Words go into lines of a message: what could end one would be another message.
static bool is_clean(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] <= ' ' || text.data[i] == 0x7f || strchr("<>\"@;?", text.data[i]))
			return false;
	return true;
}

bool explain_invite_write(const struct calls *calls, const struct explain_words *words,
			  struct writer *octets, struct sip_flow *out_flow,
			  struct explain_problem *out_problem)
{
	char host_room[256], source_room[ADDRESS_TEXT_SIZE], body[512];
	struct writer host = writer_of(host_room, sizeof host_room);
	struct writer sdp = writer_of(body, sizeof body);
	struct text from = words->from.size > 0 ? words->from : some_number(calls, words);
	if (words->to.size == 0)
		return fail(out_problem, "to", "missing: the number that is called");
	if (!is_clean(words->to) || !is_clean(from) || !is_clean(words->host))
		return fail(out_problem, "to", "to, from and host are numbers and a name");
	if (!explain_invite_flow(calls, words, out_flow, out_problem) ||
	    !choose_host(calls, words, out_flow, &host, out_problem))
		return false;
	if (!write_sdp(words->sdp, &out_flow->remote, &sdp))
		return fail(out_problem, "sdp", "none of rtp, srtp, none");
	struct text name = writer_done(&host);
	const char *source = address_string(&out_flow->remote, source_room);
	writer_format(octets, "INVITE sip:%.*s@%.*s SIP/2.0\r\n", TEXT_FORMAT(words->to),
		      TEXT_FORMAT(name));
	writer_format(octets, "Via: SIP/2.0/%s %s;branch=z9hG4bK-explain;rport\r\n",
		      sip_protocol_via(out_flow->protocol), source);
	writer_format(octets, "Max-Forwards: 70\r\nFrom: <sip:%.*s@%.*s>;tag=explain\r\n",
		      TEXT_FORMAT(from), TEXT_FORMAT(name));
	writer_format(octets, "To: <sip:%.*s@%.*s>\r\nCall-ID: explain\r\nCSeq: 1 INVITE\r\n",
		      TEXT_FORMAT(words->to), TEXT_FORMAT(name));
	writer_format(octets, "Contact: <sip:pbx@%s>\r\n", source);
	if (sdp.used > 0)
		writer_string(octets, "Content-Type: application/sdp\r\n");
	writer_format(octets, "Content-Length: %zu\r\n\r\n%.*s", sdp.used, (int)sdp.used, body);
	return !octets->failed || fail(out_problem, "to", "too long");
}

bool explain_invite_read(char *octets, size_t size, struct sip_message *out_message,
			 struct explain_problem *out_problem)
{
	struct sip_scan_refusal refusal = { 0 };
	struct text text = { octets, size };
	enum sip_scan_verdict verdict = sip_scan_message(text, out_message, &refusal);
	if (verdict == SIP_SCAN_FOLDED) {
		char *unfolded = malloc(size);
		if (unfolded == NULL)
			return fail(out_problem, "message", "no memory");
		text = sip_scan_unfold(text, unfolded);
		memcpy(octets, text.data, text.size);
		free(unfolded);
		text.data = octets;
		verdict = sip_scan_message(text, out_message, &refusal);
	}
	struct writer problem = writer_of(out_problem->text, sizeof out_problem->text);
	out_problem->field = "message";
	if (verdict == SIP_SCAN_OK && sip_message_complete(out_message) &&
	    sip_message_is_sound(out_message))
		return true;
	if (verdict == SIP_SCAN_REFUSE)
		writer_format(&problem, "no sound SIP message: it would hear %u %s", refusal.status,
			      refusal.reason);
	else if (verdict == SIP_SCAN_OK)
		writer_string(&problem,
			      "From, To, Contact or a URI is malformed: it would hear 400");
	else
		writer_string(&problem, "no SIP message that can be answered: it would be dropped");
	return writer_string_done(&problem) != NULL && false;
}
