// Session tickets (RFC 5077, RFC 8446 4.6.1) under keys of our own: AES-256-CBC and HMAC-SHA-256. No
// state is kept for a client. Runs on the control thread; keys are made when first needed.

#include "sip/tls/ticket.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "sip/tls/certificate.h"

#define SECRET_MIN 32
#define SECRET_MAX 4096

// Any file of enough octets serves: what is used is its hash.
static bool read_secret(const char *file, uint8_t out_secret[static 32],
			struct sip_tls_problem *problem)
{
	uint8_t octets[SECRET_MAX];
	struct stat facts;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is_file = fd >= 0 && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
	ssize_t size = is_file ? read(fd, octets, sizeof octets) : -1;
	if (fd >= 0)
		close(fd);
	if (is_file && (facts.st_mode & S_IRWXO) != 0)
		log_event(LOG_WARNING, "tls_key_open_to_all", "option", "tls.ticket_key_file",
			  "file", file, "fix", "chmod o=", NULL);
	bool is_read = size >= SECRET_MIN &&
		       EVP_Digest(octets, (size_t)size, out_secret, NULL, EVP_sha256(), NULL) == 1;
	secret_wipe(octets, sizeof octets);
	return is_read || tls_certificate_problem(problem, "tls.ticket_key_file", file,
						  "is no readable file of 32 octets or more; make "
						  "one with: openssl rand -out FILE 48");
}

bool tls_ticket_init(struct tls_ticket *ticket, const char *file,
		     struct sip_tls_problem *out_problem)
{
	*ticket = (struct tls_ticket){ .is_shared = file != NULL && file[0] != '\0' };
	if (ticket->is_shared && !read_secret(file, ticket->secret, out_problem))
		return false;
	ticket->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	return ticket->cipher != NULL ||
	       tls_certificate_problem(out_problem, "tls.ticket_key_file", "-", "no AES-256-CBC");
}

void tls_ticket_clear(struct tls_ticket *ticket)
{
	EVP_CIPHER_free(ticket->cipher);
	secret_wipe(ticket, sizeof *ticket);
}

void tls_ticket_adopt(struct tls_ticket *ticket, struct tls_ticket *fresh)
{
	bool is_same = ticket->cipher != NULL && ticket->is_shared == fresh->is_shared &&
		       secret_is_equal(ticket->secret, fresh->secret, sizeof ticket->secret);
	if (is_same) {
		tls_ticket_clear(fresh);
		return;
	}
	tls_ticket_clear(ticket);
	*ticket = *fresh;
	secret_wipe(fresh, sizeof *fresh);
}

// HMAC(secret, what | epoch): nodes with the same file and roughly the same time agree.
static void derive(const struct tls_ticket *ticket, char what, uint64_t epoch, uint8_t *room,
		   size_t size)
{
	uint8_t label[9] = { (uint8_t)what }, whole[32];
	for (unsigned i = 0; i < 8; i++)
		label[1 + i] = (uint8_t)(epoch >> (56 - 8 * i));
	(void)HMAC(EVP_sha256(), ticket->secret, sizeof ticket->secret, label, sizeof label, whole,
		   NULL);
	memcpy(room, whole, size);
	secret_wipe(whole, sizeof whole);
}

static const struct tls_ticket_key *key_of(struct tls_ticket *ticket, uint64_t epoch)
{
	struct tls_ticket_key *key = &ticket->keys[epoch % TLS_TICKET_KEYS];
	if (key->is_made && key->epoch == epoch)
		return key;
	*key = (struct tls_ticket_key){ .epoch = epoch, .is_made = true };
	if (!ticket->is_shared) {
		random_fill(key->name, sizeof key->name);
		random_fill(key->cipher, sizeof key->cipher);
		random_fill(key->mac, sizeof key->mac);
		return key;
	}
	derive(ticket, 'n', epoch, key->name, sizeof key->name);
	derive(ticket, 'c', epoch, key->cipher, sizeof key->cipher);
	derive(ticket, 'm', epoch, key->mac, sizeof key->mac);
	return key;
}

// Among the epochs about now; a name is no secret.
static const struct tls_ticket_key *find_key(struct tls_ticket *ticket, uint64_t epoch,
					     const uint8_t *name)
{
	for (uint64_t at = epoch - 1; at <= epoch + 1; at++) {
		const struct tls_ticket_key *made = &ticket->keys[at % TLS_TICKET_KEYS];
		if (!ticket->is_shared && !(made->is_made && made->epoch == at))
			continue; // a random key of another time never was
		if (memcmp(key_of(ticket, at)->name, name, sizeof made->name) == 0)
			return key_of(ticket, at);
	}
	return NULL;
}

static bool set_mac(EVP_MAC_CTX *mac, const struct tls_ticket_key *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac,
						  sizeof key->mac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

int tls_ticket_use(struct tls_ticket *ticket, uint64_t now_s, const struct tls_ticket_parts *parts,
		   bool is_sealing)
{
	uint64_t epoch = now_s / TLS_TICKET_LIFETIME_S;
	const struct tls_ticket_key *key =
		is_sealing ? key_of(ticket, epoch) : find_key(ticket, epoch, parts->name);
	if (key == NULL)
		return 0;
	if (is_sealing) {
		memcpy(parts->name, key->name, sizeof key->name);
		random_fill(parts->iv, (size_t)EVP_CIPHER_get_iv_length(ticket->cipher));
	}
	if (EVP_CipherInit_ex2(parts->cipher, ticket->cipher, key->cipher, parts->iv, is_sealing,
			       NULL) != 1 ||
	    !set_mac(parts->mac, key))
		return -1;
	return is_sealing || key->epoch == epoch ? 1 : 2;
}
