// Walks the checks: what meets a message before admission, the table of admission itself, and what
// follows it. Runs on the control thread; changes nothing but what it is given.

#include "call/explain/explain.h"

#include <string.h>

#include "call/explain/walk.h"
#include "call/origination/inbound.h"
#include "call/transfer/takeover.h"

static const char *const fates[EXPLAIN_FATES] = {
	[EXPLAIN_PASSED] = "passed",
	[EXPLAIN_CHALLENGED] = "challenged",
	[EXPLAIN_REFUSED] = "refused",
	[EXPLAIN_SILENT] = "no answer",
};

const char *explain_fate_text(enum explain_fate fate)
{
	return fates[fate];
}

void explain_write_outcome(const struct explanation *explanation, struct writer *writer)
{
	const struct refusal_row *row = refusal_row(explanation->refusal.cause);
	if (explanation->fate == EXPLAIN_REFUSED)
		writer_format(writer, "%u %s", row->status, row->phrase);
	else
		writer_string(writer,
			      explanation->fate == EXPLAIN_SILENT ? "no answer" : "admitted");
}

enum explain_fate walk_refuse(struct walk *walk, enum refusal_cause cause, const char *header,
			      struct text seen, const char *expected)
{
	(void)refusal_set(&walk->explanation->refusal, cause, header, seen, expected);
	return EXPLAIN_REFUSED;
}

static struct explain_step *add_step(struct walk *walk, const char *name, const char *rows,
				     const char *text)
{
	struct explanation *explanation = walk->explanation;
	unsigned nth = explanation->step_count;
	if (nth + 1 < EXPLAIN_STEPS_MAX)
		explanation->step_count++;
	explanation->steps[nth] = (struct explain_step){ name, rows, text, EXPLAIN_PASSED, "" };
	return &explanation->steps[nth];
}

static bool end_step(struct walk *walk, struct explain_step *step, enum explain_fate fate)
{
	struct explanation *explanation = walk->explanation;
	const struct refusal *refusal = &explanation->refusal;
	struct writer detail = writer_of(step->detail, sizeof step->detail);
	step->fate = fate;
	if (fate == EXPLAIN_REFUSED || (fate == EXPLAIN_SILENT && step->detail[0] == '\0')) {
		writer_format(&detail, "%s: %s", refusal->header, refusal->seen);
		if (fate == EXPLAIN_SILENT)
			writer_string(&detail, ", which is no trunk's, from no carrier");
		if (writer_string_done(&detail) == NULL)
			step->detail[0] = '\0';
	}
	if (fate == EXPLAIN_CHALLENGED) {
		explanation->is_challenged = true;
		return true; // it comes again
	}
	explanation->fate = fate;
	return fate == EXPLAIN_PASSED;
}

static bool ask_own(struct walk *walk, const struct walk_check *check)
{
	struct explain_step *step = add_step(walk, check->name, check->rows, check->text);
	struct writer detail = writer_of(step->detail, sizeof step->detail);
	enum explain_fate fate = check->judge(walk, &detail);
	if (writer_string_done(&detail) == NULL)
		step->detail[0] = '\0';
	return end_step(walk, step, fate);
}

// Who asks for no trunk of ours and is no carrier hears nothing (TERM-005).
static enum explain_fate fate_of(struct walk *walk, enum admission admission)
{
	switch (admission) {
	case ADMITTED:
		return EXPLAIN_PASSED;
	case ADMISSION_CHALLENGE:
	case ADMISSION_CHALLENGE_STALE:
		return EXPLAIN_CHALLENGED;
	case ADMISSION_REFUSED:
		break;
	}
	walk->explanation->refusal = walk->admission.refusal;
	const struct admitted *admitted = &walk->admission.admitted;
	bool is_known = admitted->trunk != NULL || admitted->carrier != NULL;
	return is_known ? EXPLAIN_REFUSED : EXPLAIN_SILENT;
}

static bool ask_admission(struct walk *walk, const struct admission_check *check)
{
	struct explain_step *step = add_step(walk, check->name, check->rows, check->text);
	return end_step(walk, step, fate_of(walk, check->judge(&walk->admission)));
}

static void name_parties(struct walk *walk)
{
	struct admitted *admitted = &walk->admission.admitted;
	struct explanation *explanation = walk->explanation;
	if (admitted->carrier != NULL)
		inbound_read_caller(walk->question->invite, admitted);
	if (admitted->account != NULL && admitted->trunk != NULL) {
		memcpy(explanation->account_sid, admitted->account->sid, DIRECTORY_SID_SIZE);
		memcpy(explanation->trunk_sid, admitted->trunk->sid, DIRECTORY_SID_SIZE);
	}
	if (admitted->account != NULL)
		(void)text_copy(text_of(admitted->account->name), explanation->account,
				sizeof explanation->account);
	if (admitted->trunk != NULL)
		(void)text_copy(text_of(admitted->trunk->name), explanation->trunk,
				sizeof explanation->trunk);
	(void)text_copy(text_of(admitted->caller_id), explanation->caller_id,
			sizeof explanation->caller_id);
	(void)text_copy(text_of(admitted->called), explanation->called, sizeof explanation->called);
}

// As call_invite chooses.
static const struct admission_check *check_of(const struct walk *walk, unsigned nth)
{
	if (walk->is_takeover)
		return takeover_check(nth);
	return walk->is_inbound ? inbound_check(nth) : admission_check(nth);
}

void explain_call(struct calls *calls, const struct explain_question *question,
		  struct explanation *out_explanation)
{
	struct walk walk = { .calls = calls, .question = question, .explanation = out_explanation };
	const struct admission_check *check;
	const struct walk_check *own;
	bool goes_on = true;
	*out_explanation = (struct explanation){ .fate = EXPLAIN_PASSED };
	admission_begin(&walk.admission, calls, question->invite, true);
	walk.admission.takes_digest = question->takes_digest;
	walk.is_takeover = takeover_is_asked(calls, question->invite);
	walk.is_inbound = !walk.is_takeover && call_admit_trunk(calls, question->invite) == NULL;
	out_explanation->direction = walk.is_inbound ? CALL_TO_PBX : CALL_TO_PSTN;
	for (unsigned nth = 0; goes_on && (own = walk_before(nth)) != NULL; nth++)
		goes_on = ask_own(&walk, own);
	for (unsigned nth = 0; goes_on && (check = check_of(&walk, nth)) != NULL; nth++)
		goes_on = ask_admission(&walk, check);
	name_parties(&walk);
	for (unsigned nth = 0; goes_on && !walk.is_takeover && (own = walk_after(nth)) != NULL;
	     nth++)
		goes_on = ask_own(&walk, own);
}
