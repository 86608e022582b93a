#pragma once

// In which order SRV records are tried: by priority, and among equals by a draw in proportion to weight
// (RFC 2782), anew for each call.
// Runs on: any thread; pure but for the draw.

#include "sip/resolve/answer.h"

// Fills places with the indices of the answer's records in that order.
void order_draw(const struct dns_answer *answer, unsigned places[static DNS_RECORDS_MAX]);
// NAPTR: by order, then preference; no draw (RFC 2915 2). How many places are of the lowest order.
void order_sort(const struct dns_answer *answer, unsigned places[static DNS_RECORDS_MAX]);
