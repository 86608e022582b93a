// Kinds of bodies. Runs on the control thread; pure.

#include "call/session/body.h"

bool body_is_encoded(const struct sip_message *message)
{
	struct text encoding = sip_message_header(message, "Content-Encoding", 0);
	return encoding.data != NULL && !text_is_same(encoding, TEXT("identity"));
}

const struct body_fault *body_judge(const struct sip_message *message)
{
	static const struct body_fault type = { "Content-Type", "application/sdp",
						"Accept: application/sdp\r\n" };
	static const struct body_fault encoding = { "Content-Encoding",
						    "none: a body as it is, or identity",
						    "Accept-Encoding: identity\r\n" };
	if (message->body.size == 0)
		return NULL;
	if (message->content_type.size > 0 &&
	    !text_is_same(message->content_type, TEXT("application/sdp")))
		return &type;
	return body_is_encoded(message) ? &encoding : NULL;
}
