#pragma once

// The checks of call/admission/admission.c, one function each. What they find goes into the case.
// Runs on: control thread. For tables of checks alone: here and call/origination/inbound.c.

#include "call/admission/admission.h"

// Ends a check: the refusal says what was seen and what is allowed.
enum admission admission_refuse(struct admission_case *admission_case, enum refusal_cause cause,
				const char *header, struct text seen, const char *expected);

// transport.c
enum admission admission_judge_host(struct admission_case *admission_case);
enum admission admission_judge_loop(struct admission_case *admission_case);
enum admission admission_judge_tls_version(struct admission_case *admission_case);
enum admission admission_judge_transport(struct admission_case *admission_case);
// source.c
enum admission admission_judge_account(struct admission_case *admission_case);
enum admission admission_judge_enabled(struct admission_case *admission_case);
enum admission admission_judge_authentication(struct admission_case *admission_case);
enum admission admission_judge_source(struct admission_case *admission_case);
enum admission admission_judge_credentials(struct admission_case *admission_case);
// form.c
enum admission admission_judge_hops(struct admission_case *admission_case);
enum admission admission_judge_extensions(struct admission_case *admission_case);
enum admission admission_judge_accept(struct admission_case *admission_case);
// number.c
enum admission admission_judge_called(struct admission_case *admission_case);
enum admission admission_judge_caller_id(struct admission_case *admission_case);
// permission.c
enum admission admission_judge_verified(struct admission_case *admission_case);
enum admission admission_judge_blacklist(struct admission_case *admission_case);
enum admission admission_judge_country(struct admission_case *admission_case);
