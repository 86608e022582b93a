// What each fork of a call said before the call was answered. Runs on the control thread; bounded, as a
// carrier may invent forks.

#include "call/session/early.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "call/record.h"

#define FORKS_MAX 8
#define PRACKS_MAX 24u // of a leg: each costs us a transaction, and a message on the way to it

struct fork {
	struct fork *next;
	uint64_t tag; // its hash
	uint32_t rseq; // of the last one acknowledged; 0: none
	bool is_settled; // its answer came in a response we acknowledged
	bool is_changed; // by UPDATE since
	struct text description, proposed; // on the heap
};

static struct fork *find_tag(const struct leg *leg, uint64_t tag)
{
	struct fork *fork = leg->forks;
	while (fork != NULL && fork->tag != tag)
		fork = fork->next;
	return fork;
}

static struct fork *find(const struct leg *leg, const struct sip_message *response)
{
	return find_tag(leg, map_hash(response->to.tag));
}

static void unlink_fork(struct leg *leg, const struct fork *fork)
{
	struct fork **at = &leg->forks;
	while (*at != fork)
		at = &(*at)->next;
	*at = fork->next;
}

// The last one heard stands first: it is the one our requests go to. NULL: no room.
static struct fork *touch(struct leg *leg, const struct sip_message *response)
{
	struct fork *fork = find(leg, response);
	unsigned count = 0;
	if (fork != NULL) {
		unlink_fork(leg, fork);
	} else {
		for (const struct fork *other = leg->forks; other != NULL; other = other->next)
			count++;
		fork = count < FORKS_MAX ? calloc(1, sizeof *fork) : NULL;
		if (fork == NULL)
			return NULL;
		fork->tag = map_hash(response->to.tag);
	}
	fork->next = leg->forks;
	leg->forks = fork;
	return fork;
}

static bool is_reliable(const struct sip_message *response, uint32_t *out_rseq)
{
	uint64_t rseq;
	if (!sip_message_has_option(response, "Require", "100rel") ||
	    !text_to_unsigned(sip_message_header(response, "RSeq", 0), UINT32_MAX, &rseq))
		return false;
	*out_rseq = (uint32_t)rseq;
	return rseq > 0;
}

static void send_prack(struct leg *leg, uint32_t rseq)
{
	char room[64];
	struct writer lines = writer_of(room, sizeof room);
	struct sip_request request;
	struct sip_client *client = NULL;
	sip_dialog_request(leg->dialog, SIP_PRACK, 0, &request);
	writer_format(&lines, "RAck: %u %u INVITE\r\n", rseq, leg->invite_cseq);
	request.headers = writer_done(&lines);
	record_ladder(leg->call, leg->side, RECORD_OUT, "PRACK");
	if (sip_client_send(leg->calls->transactions, &request, (struct sip_client_limits){ 0 },
			    NULL, &client) == OK)
		sip_client_forget(client); // the INVITE's own end tells all that its answer could
}

// Who says more than anybody needs to is not acknowledged any more, so its own timer ends the call
// (RFC 3262 3). Told once.
static bool has_pracks_left(struct leg *leg)
{
	struct refusal refusal = { 0 };
	char seen[64], expected[64];
	if (leg->pracks < PRACKS_MAX) {
		leg->pracks++;
		return true;
	}
	if (leg->pracks++ > PRACKS_MAX)
		return false;
	(void)snprintf(seen, sizeof seen, "more than %u with RSeq", PRACKS_MAX);
	(void)snprintf(expected, sizeof expected, "at most %u in one call", PRACKS_MAX);
	(void)refusal_set(&refusal, REFUSED_PROVISIONAL_FLOOD, "RSeq", text_of(seen), expected);
	record_alert(leg->call, &refusal);
	return false;
}

bool early_take(struct leg *leg, const struct sip_message *response)
{
	uint32_t rseq;
	struct fork *fork = touch(leg, response);
	if (!is_reliable(response, &rseq))
		return true;
	if (fork == NULL) // not acknowledged, it comes again
		return false;
	if ((fork->rseq != 0 && rseq != fork->rseq + 1) || !has_pracks_left(leg))
		return false;
	fork->rseq = rseq;
	fork->is_settled |= response->body.size > 0;
	send_prack(leg, rseq);
	return true;
}

static void drop(struct text *text)
{
	if (text->data == NULL)
		return;
	secret_wipe((char *)text->data, text->size); // it may hold keys
	free((char *)text->data);
	*text = TEXT_NONE;
}

// Without memory nothing is kept, and what is in force holds instead.
static void keep(struct text *kept, struct text text)
{
	char *copy = text.size > 0 ? malloc(text.size) : NULL;
	drop(kept);
	if (copy == NULL)
		return;
	memcpy(copy, text.data, text.size);
	*kept = (struct text){ copy, text.size };
}

void early_keep(struct leg *leg, const struct sip_message *response)
{
	struct fork *fork = find(leg, response);
	if (fork != NULL)
		keep(&fork->description, response->body);
}

struct text early_description(const struct leg *leg, const struct sip_message *response,
			      bool *out_is_changed)
{
	const struct fork *fork = find(leg, response);
	*out_is_changed = fork != NULL && fork->is_changed;
	return fork != NULL ? fork->description : TEXT_NONE;
}

bool early_is_settled(const struct leg *leg)
{
	return leg->forks != NULL && leg->forks->is_settled;
}

void early_turn_to(struct leg *leg, struct text tag)
{
	struct fork *fork = find_tag(leg, map_hash(tag));
	if (fork == NULL)
		return;
	unlink_fork(leg, fork);
	fork->next = leg->forks;
	leg->forks = fork;
}

void early_propose(struct leg *leg, struct text description)
{
	if (leg->forks != NULL)
		keep(&leg->forks->proposed, description);
}

void early_note_change(struct leg *leg)
{
	struct fork *fork = leg->forks;
	if (fork == NULL)
		return;
	drop(&fork->description);
	fork->description = fork->proposed;
	fork->proposed = TEXT_NONE;
	fork->is_changed = true;
}

void early_clear(struct leg *leg)
{
	while (leg->forks != NULL) {
		struct fork *fork = leg->forks;
		leg->forks = fork->next;
		drop(&fork->description);
		drop(&fork->proposed);
		free(fork);
	}
}
