#pragma once

// Which limits hold for a call, and how one of them is told when it refuses (LIMIT-015).
// Runs on: control thread; pure.

#include "call/limit/limits.h"
#include "call/refusal.h"

struct account;
struct config;
struct trunk;

// The rules borrow the SIDs.
void rules_of_termination(const struct config *config, const struct trunk *trunk,
			  const struct account *account, struct limit_rules *out_rules);
// The account's part of these alone.
void rules_of_account(const struct config *config, const struct account *account,
		      struct limit_rules *out_rules);
// Fills the refusal and returns its cause; REFUSED_NOT when nothing refuses.
enum refusal_cause rules_explain(const struct limit_rules *rules, enum limit_cause cause,
				 struct refusal *refusal);
