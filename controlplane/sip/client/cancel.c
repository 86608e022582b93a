// CANCEL, a transaction of its own with the branch of its INVITE. Runs on the control thread; never goes
// out before a provisional response.

#include "sip/client/client.h"
#include "sip/client/state.h"

// RFC 3261 9.1: the INVITE's own Request-URI, Via, From, To, Call-ID, CSeq number and routes.
void sip_client_put_cancel(struct sip_client *client)
{
	struct sip_request cancel = client->kept;
	struct sip_client *made;
	const struct sip_user *user = &client->transactions->options.user;
	if (client->has_user && user->cancel_headers != NULL)
		cancel.headers = user->cancel_headers(user->context, client->owner);
	cancel.method = SIP_CANCEL;
	cancel.max_forwards = 70;
	client->is_cancel_sent = true;
	if (sip_client_open(client->transactions, &cancel, client->branch, &made) != OK)
		return;
	made->busy++;
	(void)sip_client_start(made);
	made->busy--;
	sip_client_settle(made);
}

void sip_client_cancel(struct sip_client *client)
{
	bool is_open = client->state == CALLING || client->state == PROCEEDING;
	if (client->kept.method != SIP_INVITE || !is_open || client->is_cancel_sent)
		return;
	client->is_cancel_wanted = true;
	if (client->state != PROCEEDING)
		return; // not before a provisional response
	client->busy++;
	sip_client_put_cancel(client);
	sip_client_end_after(client, sip_client_longest_ms(client));
	client->busy--;
	sip_client_settle(client);
}
