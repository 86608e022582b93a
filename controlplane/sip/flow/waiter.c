// An intrusive list. Runs on the control thread.

#include "sip/flow/waiter.h"

#include <stddef.h>

void sip_waiter_enter(struct sip_waiter *waiter, struct sip_waiter **list)
{
	if (waiter->list != NULL)
		return;
	*waiter = (struct sip_waiter){ .next = *list, .list = list };
	if (waiter->next != NULL)
		waiter->next->previous = waiter;
	*list = waiter;
}

void sip_waiter_leave(struct sip_waiter *waiter)
{
	if (waiter->list == NULL)
		return;
	*(waiter->previous != NULL ? &waiter->previous->next : waiter->list) = waiter->next;
	if (waiter->next != NULL)
		waiter->next->previous = waiter->previous;
	*waiter = (struct sip_waiter){ 0 };
}
