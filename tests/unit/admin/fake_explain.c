// What stands for call/explain and call/replay in the tests of the operator's side: one check, one INVITE
// that came, and a copy of the directory in which changes are really made.

#include <string.h>

#include "call/explain/invite.h"
#include "call/replay/replay.h"
#include "config/config.h"
#include "directory/object.h"
#include "tests/unit/admin/fake.h"

void explain_call(struct calls *calls, const struct explain_question *question,
		  struct explanation *out_explanation)
{
	(void)calls;
	bool is_good = text_has_prefix(question->invite->target.user, TEXT("+"));
	*out_explanation = (struct explanation){
		.steps = { { "called_number", "TERM-015", "The called number is E.164.",
			     is_good ? EXPLAIN_PASSED : EXPLAIN_REFUSED, "" } },
		.step_count = 1,
		.fate = is_good ? EXPLAIN_PASSED : EXPLAIN_REFUSED,
		.is_challenged = !question->takes_digest,
		.trunk = "office",
		.target_count = is_good,
		.targets = { { .target = { .name = "gateway-1", .place = { .host = "192.0.2.9" } },
			       .priority = 10,
			       .weight = 10,
			       .state = "up" } },
	};
	if (is_good)
		(void)text_copy(TEXT("v=0\r\n"), out_explanation->sdp,
				sizeof(out_explanation->sdp));
	else
		(void)refusal_set(&out_explanation->refusal, REFUSED_CALLED_NUMBER, "Request-URI",
				  question->invite->target.whole, "E.164 with +");
}

const char *explain_fate_text(enum explain_fate fate)
{
	return fate == EXPLAIN_PASSED ? "passed" : "refused";
}

void explain_write_outcome(const struct explanation *explanation, struct writer *writer)
{
	writer_string(writer, explanation->fate == EXPLAIN_PASSED ? "admitted" : "400 Bad Request");
}

bool explain_invite_flow(const struct calls *calls, const struct explain_words *words,
			 struct sip_flow *out_flow, struct explain_problem *out_problem)
{
	(void)calls;
	*out_flow = (struct sip_flow){ .protocol = SIP_UDP };
	*out_problem = (struct explain_problem){ "source", "no IP address" };
	return words->source.size == 0 || address_parse(words->source, &out_flow->remote);
}

bool explain_invite_write(const struct calls *calls, const struct explain_words *words,
			  struct writer *octets, struct sip_flow *out_flow,
			  struct explain_problem *out_problem)
{
	if (!explain_invite_flow(calls, words, out_flow, out_problem))
		return false;
	*out_problem = (struct explain_problem){ "to", "missing" };
	writer_format(octets,
		      "INVITE sip:%.*s@office.example SIP/2.0\r\n"
		      "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
		      "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
		      "Contact: <sip:a@192.0.2.1>\r\nContent-Length: 0\r\n\r\n",
		      TEXT_FORMAT(words->to));
	return words->to.size > 0;
}

bool explain_invite_read(char *octets, size_t size, struct sip_message *out_message,
			 struct explain_problem *out_problem)
{
	*out_problem = (struct explain_problem){ "message", "no SIP message" };
	return sip_message_parse((struct text){ octets, size }, out_message);
}

const struct replay_entry *replay_find(const struct calls *calls, struct text sid)
{
	static char room[EXPLAIN_INVITE_SIZE];
	static struct replay_entry entry = { .has_digest = true, .octets = room };
	struct sip_flow flow;
	struct explain_problem problem;
	const struct explain_words words = { .to = TEXT("+1") };
	struct writer octets = writer_of(room, sizeof(room));
	(void)explain_invite_write(calls, &words, &octets, &flow, &problem);
	entry.size = (uint32_t)octets.used;
	return text_is_equal(sid, TEXT("CAkept")) ? &entry : NULL;
}

// One INVITE has the Call-ID "one", two have "two".
unsigned replay_find_call_id(const struct calls *calls, struct text call_id,
			     const struct replay_entry **out_entries, unsigned max)
{
	static const struct replay_entry others[] = { { .sid = "CAfirst" }, { .sid = "CAsecond" } };
	bool is_two = text_is_equal(call_id, TEXT("two"));
	if (text_is_equal(call_id, TEXT("one")))
		out_entries[0] = replay_find(calls, TEXT("CAkept"));
	for (unsigned i = 0; is_two && i < 2 && i < max; i++)
		out_entries[i] = &others[i];
	return is_two ? 2 : text_is_equal(call_id, TEXT("one"));
}

static struct directory *copy_of(const struct directory *from)
{
	struct directory *copy = directory_create(directory_base_domain(from));
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++) {
		const struct directory_object *object = NULL;
		while ((object = directory_next(from, (enum directory_kind)kind, object)) != NULL)
			(void)directory_put(copy, directory_object_copy(object));
	}
	return copy;
}

// The one that came had a source that only an ACL of the copy can hold, or not.
enum status replay_start(struct calls *calls, struct config *config, const struct replay_user *user)
{
	struct fake *fake = (struct fake *)calls;
	struct directory *copy = copy_of(fake->context.directory);
	const struct replay_entry *entry = replay_find(calls, TEXT("CAkept"));
	struct explanation explanation = { .fate = EXPLAIN_REFUSED,
					   .step_count = 1,
					   .steps = { { .text = "Its source is in an ACL." } } };
	struct replay_change change = { entry, &explanation, "admitted", "403 Forbidden" };
	config_destroy(config);
	if (user->prepare(user->context, copy)) {
		unsigned changed = directory_count(copy, DIRECTORY_ACL) !=
				   directory_count(fake->context.directory, DIRECTORY_ACL);
		for (unsigned i = 0; i < changed; i++)
			user->changed(user->context, &change);
		user->finished(user->context, &(struct replay_sums){ .asked = 1,
								     .changed = changed,
								     .is_complete = true });
	}
	directory_destroy(copy);
	return OK;
}
