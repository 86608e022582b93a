// ACK, which is in no transaction. Runs on the control thread.

#include "sip/client/client.h"
#include "sip/client/state.h"

// RFC 3261 17.1.1.3: all of the request's own, but To, which is the response's.
void sip_client_put_ack(struct sip_client *client, const struct sip_message *response)
{
	struct sip_transactions *transactions = client->transactions;
	struct writer writer = writer_of(transactions->scratch, sizeof(transactions->scratch));
	struct sip_request ack = client->kept;
	ack.method = SIP_ACK;
	ack.to = response->to_value;
	ack.max_forwards = 70;
	sip_write_request(&writer, &ack, text_of(client->branch), NULL, NULL);
	if (writer.failed)
		return;
	counter_add(&transactions->counters.requests_out[SIP_ACK], 1);
	(void)sip_transaction_put(transactions, writer_done(&writer), &ack.flow);
}

enum status sip_client_send_ack(struct sip_transactions *transactions,
				const struct sip_request *request)
{
	struct writer writer = writer_of(transactions->scratch, sizeof(transactions->scratch));
	struct sip_flow flow = request->flow;
	char branch[SIP_BRANCH_SIZE];
	sip_write_branch(transactions->options.shard, branch);
	sip_write_request(&writer, request, text_of(branch), NULL, NULL);
	if (writer.failed)
		return ERR_TOO_LARGE;
	counter_add(&transactions->counters.requests_out[request->method], 1);
	enum status status = sip_transaction_put(transactions, writer_done(&writer), &flow);
	return status == ERR_SYSTEM ? status : OK;
}
