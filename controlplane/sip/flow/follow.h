#pragma once

// A peer whose Contact or first route is a name: requests go where it was met until DNS has told where
// it is, and there from then on. Looked up behind the back of the dialog, which never waits.
// Runs on: control thread. Inside sip/ only.

#include "sip/flow/home.h"
#include "sip/message.h"

struct sip_resolver;
struct sip_follow; // one look-up that has not ended yet

// *flow is what sip_flow_aim made of `met`; it is changed now or later, and must outlive the look-up, as
// *home must.
// *place is set to the look-up while it runs, to NULL otherwise.
void sip_follow_start(struct sip_resolver *resolver, const struct sip_uri *uri,
		      const struct sip_home *home, struct sip_flow *flow,
		      struct sip_follow **place);
void sip_follow_stop(struct sip_follow **place); // harmless when it does not run
