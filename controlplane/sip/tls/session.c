// Sessions of our own connections. Runs on the control thread.

#include "sip/tls/session.h"

#include "base/map.h"

static unsigned place_of(uint64_t hash)
{
	return (unsigned)(hash % (TLS_SESSIONS_MAX / 2)) * 2;
}

// The newest sits first. Takes the reference over.
void tls_sessions_keep(struct tls_sessions *sessions, const char *key, SSL_SESSION *session)
{
	uint64_t hash = map_hash(text_of(key));
	struct tls_session *seats = &sessions->places[place_of(hash)];
	struct tls_session *out = seats[0].hash == hash ? &seats[0] : &seats[1];
	SSL_SESSION_free(out->session);
	if (out == &seats[1])
		seats[1] = seats[0];
	seats[0] = (struct tls_session){ hash, session };
}

SSL_SESSION *tls_sessions_find(const struct tls_sessions *sessions, const char *key)
{
	uint64_t hash = map_hash(text_of(key));
	const struct tls_session *seats = &sessions->places[place_of(hash)];
	for (unsigned i = 0; i < 2; i++) {
		if (seats[i].session != NULL && seats[i].hash == hash &&
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
