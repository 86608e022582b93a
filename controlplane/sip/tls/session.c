// Sessions of our own connections. Runs on the control thread.

#include "sip/tls/session.h"

static unsigned seat_of(uint64_t place)
{
	return (unsigned)(place % (TLS_SESSIONS_MAX / 2)) * 2;
}

// The newest sits first.
void tls_sessions_keep(struct tls_sessions *sessions, uint64_t place, SSL_SESSION *session)
{
	struct tls_session *seats = &sessions->places[seat_of(place)];
	struct tls_session *out = seats[0].place == place ? &seats[0] : &seats[1];
	SSL_SESSION_free(out->session);
	if (out == &seats[1])
		seats[1] = seats[0];
	seats[0] = (struct tls_session){ place, session };
}

SSL_SESSION *tls_sessions_find(const struct tls_sessions *sessions, uint64_t place)
{
	const struct tls_session *seats = &sessions->places[seat_of(place)];
	for (unsigned i = 0; i < 2; i++) {
		if (seats[i].session != NULL && seats[i].place == place &&
		    SSL_SESSION_is_resumable(seats[i].session))
			return seats[i].session;
	}
	return NULL;
}

void tls_sessions_clear(struct tls_sessions *sessions)
{
	for (unsigned i = 0; i < TLS_SESSIONS_MAX; i++)
		SSL_SESSION_free(sessions->places[i].session);
	*sessions = (struct tls_sessions){ 0 };
}
