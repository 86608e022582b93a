// What a peer's messages tell of a call that will not last. Runs on the control thread.

#include "call/watch/peer.h"

#include "base/log.h"
#include "call/record.h"
#include "call/transfer/join.h"
#include "sip/value.h"

static void check_contact(struct leg *leg, const struct sip_message *answer)
{
	struct address contact;
	struct refusal refusal = { 0 };
	if (!address_parse(answer->contact.uri.host, &contact) || !address_is_private(&contact) ||
	    address_is_private(&answer->flow.remote))
		return;
	(void)refusal_set(&refusal, REFUSED_CONTACT_PRIVATE, "Contact", answer->contact.uri.whole,
			  "an address that can be reached from where the answer came to");
	record_alert(leg->call, &refusal);
}

// "1800;refresher=uac": whoever asked, and that is us, who refresh nothing.
static bool is_refresher_us(struct text value)
{
	struct sip_parameter parameter;
	const char *semicolon = text_find(value, ';');
	struct text rest =
		semicolon != NULL ? text_cut(value, (size_t)(semicolon - value.data)) : TEXT_NONE;
	while (sip_value_parameter(&rest, &parameter))
		if (text_is_same(parameter.name, TEXT("refresher")))
			return text_is_same(parameter.value, TEXT("uac"));
	return false;
}

static void check_timer(struct leg *leg, const struct sip_message *answer)
{
	struct refusal refusal = { 0 };
	struct text value = sip_message_header(answer, "Session-Expires", 0);
	if (value.data == NULL || !is_refresher_us(value))
		return;
	(void)refusal_set(&refusal, REFUSED_NOT_REFRESHED, "Session-Expires", value,
			  "none, or refresher=uas: the call will be cut when it expires");
	record_alert(leg->call, &refusal);
}

void peer_check_answer(struct leg *leg, const struct sip_message *answer)
{
	check_contact(leg, answer);
	check_timer(leg, answer);
}

void peer_note_via(struct calls *calls, const struct sip_message *response)
{
	char seen[192], expected[192];
	struct writer vias = writer_of(seen, sizeof seen),
		      ours = writer_of(expected, sizeof expected);
	struct refusal refusal = { 0 };
	const struct sip_dialog *dialog = sip_dialog_find(calls->dialogs, response);
	const struct leg *leg = dialog != NULL ? sip_dialog_owner(dialog) : NULL;
	if (leg == NULL || leg->call == NULL)
		return;
	const struct sip_flow *flow = sip_dialog_flow(dialog);
	writer_format(&vias, "%u Via, %.*s", response->via_count, TEXT_FORMAT(response->via.whole));
	writer_format(&ours, "one Via as it was sent, SIP/2.0/%s ",
		      sip_protocol_via(flow->protocol));
	address_write(&flow->local, &ours);
	const char *text = writer_string_done(&ours);
	(void)refusal_set(&refusal, REFUSED_VIA_CHANGED, "Via",
			  vias.failed ? response->via.whole : writer_done(&vias),
			  text != NULL ? text : "");
	record_alert(leg->call, &refusal);
}

// Call-ID and From tag are random and ours: who sends both, sends our INVITE.
bool peer_is_loop(const struct calls *calls, const struct sip_message *invite)
{
	const struct sip_message echo = { .from = invite->from, .call_id = invite->call_id };
	const struct sip_dialog *dialog = sip_dialog_find(calls->dialogs, &echo);
	const struct leg *leg = dialog != NULL ? sip_dialog_owner(dialog) : NULL;
	if (leg == NULL || leg->call == NULL)
		return false;
	struct text number = text_of(join_number(leg->call, leg->side));
	struct text user = invite->target.user;
	if (text_has_prefix(user, TEXT("%2B")) || text_has_prefix(user, TEXT("%2b"))) {
		user = text_cut(user, 3);
		number = text_cut(number, 1);
	}
	return text_is_equal(user, number); // another number is a spiral, which may be
}

static void write_header(const struct sip_message *response, const char *name,
			 struct writer *writer)
{
	struct writer longer = *writer;
	struct text value = sip_message_header(response, name, 0);
	if (value.data == NULL)
		return;
	writer_format(&longer, "; %s: %.*s", name, TEXT_FORMAT(value));
	if (!longer.failed)
		*writer = longer;
}

void peer_write_refusal(const struct sip_message *response, struct writer *writer)
{
	struct writer longer = *writer;
	struct log_value phrase;
	writer_format(&longer, "%u %s", response->status, log_text(&phrase, response->reason));
	if (longer.failed)
		writer_format(writer, "%u", response->status);
	else
		*writer = longer;
	write_header(response, "Reason", writer);
	write_header(response, "Session-Expires", writer);
	write_header(response, "Min-SE", writer);
}
