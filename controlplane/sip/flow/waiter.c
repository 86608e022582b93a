// An intrusive list. Runs on the control thread.

#include "sip/flow/waiter.h"

#include <stddef.h>

void sip_waiter_enter(struct sip_waiter *waiter, struct sip_waiter **list)
{
	if (waiter->is_waiting)
		return;
	*waiter = (struct sip_waiter){ .next = *list, .is_waiting = true };
	if (waiter->next != NULL)
		waiter->next->previous = waiter;
	*list = waiter;
}

void sip_waiter_leave(struct sip_waiter *waiter, struct sip_waiter **list)
{
	if (!waiter->is_waiting)
		return;
	if (waiter->previous != NULL)
		waiter->previous->next = waiter->next;
	else
		*list = waiter->next;
	if (waiter->next != NULL)
		waiter->next->previous = waiter->previous;
	waiter->is_waiting = false;
}
