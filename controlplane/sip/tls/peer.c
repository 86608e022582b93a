// Demands on peers. Runs on the control thread, in the middle of sends; never looks at the network.

#include "sip/tls/peer.h"

#include <string.h>

#include "sip/tls/connection.h"

void sip_tls_find_peer(const struct sip_tls *tls, const struct sip_flow *flow,
		       struct sip_tls_peer *out_peer)
{
	const struct sip_tls_user *user = &tls->user;
	*out_peer = (struct sip_tls_peer){ .is_verified = true };
	if (user->find_peer != NULL && !user->find_peer(user->context, flow, out_peer))
		*out_peer = (struct sip_tls_peer){ .is_verified = true };
	(void)text_copy(text_of(flow->peer), out_peer->known_as, sizeof out_peer->known_as);
}

// Both go to one address, so who is verified by nothing else is the same. A name is asked for by SNI as
// well, and may lead to another server behind that address.
bool sip_tls_does_for(const struct sip_tls_peer *made, uint16_t version,
		      const struct sip_tls_peer *wanted)
{
	bool is_old = version != 0 ? version < SIP_TLS_1_2 : made->allows_deprecated;
	bool is_free = !wanted->is_verified && wanted->name[0] == '\0';
	if (strcmp(made->certificate, wanted->certificate) != 0 ||
	    strcmp(made->key, wanted->key) != 0 || (is_old && !wanted->allows_deprecated))
		return false;
	return is_free || (strcmp(made->name, wanted->name) == 0 &&
			   (made->is_verified || !wanted->is_verified));
}
