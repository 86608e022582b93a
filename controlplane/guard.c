// The guard in front of SIP: whom it asks, whom it tells. Runs on the control thread.

#include "guard.h"

#include "call/watch/attack.h"
#include "config/config.h"
#include "control.h"
#include "directory/directory.h"
#include "sip/guard/guard.h"
#include "sip/transaction.h"

static bool is_listed(void *context, const struct address *address)
{
	const struct control *control = context;
	return directory_knows_address(control->directory, address);
}

// Transactions are made after the guard.
static void receive(void *context, struct text octets, const struct sip_flow *flow)
{
	const struct control *control = context;
	sip_transaction_receive(control->transactions, octets, flow);
}

static void shed(void *context, struct text octets, const struct sip_flow *flow)
{
	const struct control *control = context;
	sip_transaction_shed(control->transactions, octets, flow);
}

static void tell(void *context, const struct sip_guard_event *event)
{
	const struct control *control = context;
	call_tell_attack(control->calls, event);
}

enum status guard_start(struct control *control)
{
	struct sip_guard_options options = { .clock = &control->clock,
					     .config = &control->config->guard,
					     .receive = receive,
					     .shed = shed,
					     .receive_context = control,
					     .is_listed = is_listed,
					     .event = tell,
					     .context = control,
					     .is_resident = true };
	control->guard = sip_guard_create(&options);
	return control->guard != NULL ? OK : ERR_MEMORY;
}

void guard_stop(struct control *control)
{
	sip_guard_destroy(control->guard);
	control->guard = NULL;
}
