// Fuzz target: any octets as a DNS message, after one that says what was asked. What is read of it is
// bounded, and every name can be asked for.

#include <stdint.h>
#include <stdlib.h>

#include "sip/resolve/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void check_name(const char *name)
{
	if (name[0] != '\0' && !dns_answer_is_name(text_of(name)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR };
	struct dns_answer answer;
	if (size == 0)
		return 0;
	struct text message = { (const char *)octets + 1, size - 1 };
	dns_answer_parse(message, "a.example", types[octets[0] % 4], &answer);
	if (answer.count > DNS_RECORDS_MAX || answer.outcome >= DNS_OUTCOMES)
		abort();
	if ((answer.outcome == DNS_FOUND) != (answer.count > 0) ||
	    (answer.outcome == DNS_FAILED) != (answer.problem != NULL))
		abort();
	check_name(answer.alias);
	for (unsigned i = 0; i < answer.count; i++)
		check_name(answer.records[i].name);
	return 0;
}
