// One reading of all files, and which certificate a client sees. Runs on the control thread. A reload
// that fails has changed nothing: all of this is new until the door takes it.

#include "sip/tls/identity.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sip/tls/context.h"

static const char system_store[] = "/etc/ssl/certs/ca-certificates.crt"; // of Debian

static bool is_given(const char *path)
{
	return path != NULL && path[0] != '\0';
}

static bool add_pair(struct tls_identity *identity, const struct tls_pair *pair,
		     struct sip_tls_problem *problem)
{
	if (identity->certificate_count == SIP_TLS_CERTIFICATES_MAX)
		return tls_certificate_problem(problem, pair->certificate_option,
					       pair->certificate_file,
					       "is one too many; allowed: 64 certificates");
	struct tls_certificate *certificate = &identity->certificates[identity->certificate_count];
	if (!tls_certificate_load(pair, certificate, problem))
		return false;
	identity->certificate_count++;
	return true;
}

static bool add_defaults(struct tls_identity *identity, const struct sip_tls_files *files,
			 struct sip_tls_problem *problem)
{
	const struct tls_pair pairs[] = {
		{ "ecdsa", "tls.ecdsa_certificate", "tls.ecdsa_key", files->ecdsa_certificate,
		  files->ecdsa_key, EVP_PKEY_EC },
		{ "rsa", "tls.rsa_certificate", "tls.rsa_key", files->rsa_certificate,
		  files->rsa_key, EVP_PKEY_RSA },
	};
	for (unsigned i = 0; i < 2; i++) {
		if (!is_given(pairs[i].certificate_file) && is_given(pairs[i].key_file))
			return tls_certificate_problem(
				problem, pairs[i].key_option, pairs[i].key_file,
				"is the key of no certificate; give that too");
		if (!is_given(pairs[i].certificate_file))
			continue;
		if (!add_pair(identity, &pairs[i], problem))
			return false;
		identity->defaults[i] = &identity->certificates[identity->certificate_count - 1];
	}
	return true;
}

static int is_certificate_file(const struct dirent *entry)
{
	return text_has_suffix_same(text_of(entry->d_name), TEXT(".crt"));
}

static bool add_further(struct tls_identity *identity, const char *directory, const char *name,
			struct sip_tls_problem *problem)
{
	char certificate[SIP_TLS_NAME_SIZE], key[SIP_TLS_NAME_SIZE], label[64];
	int stem = (int)strlen(name) - 4;
	struct tls_pair pair = {
		label, "tls.certificate_directory", "tls.certificate_directory", certificate, key, 0
	};
	text_copy_cut((struct text){ name, (size_t)stem }, label, sizeof label);
	int sizes[] = { snprintf(certificate, sizeof certificate, "%s/%s", directory, name),
			snprintf(key, sizeof key, "%s/%.*s.key", directory, stem, name) };
	if (sizes[0] >= (int)sizeof certificate || sizes[1] >= (int)sizeof key)
		return tls_certificate_problem(problem, pair.certificate_option, directory,
					       "holds a name that is too long");
	if (access(key, F_OK) != 0)
		key[0] = '\0'; // then it must be in the .crt
	return add_pair(identity, &pair, problem);
}

static bool add_directory(struct tls_identity *identity, const char *directory,
			  struct sip_tls_problem *problem)
{
	struct dirent **entries = NULL;
	if (!is_given(directory))
		return true;
	int count = scandir(directory, &entries, is_certificate_file, alphasort);
	if (count < 0)
		return tls_certificate_problem(problem, "tls.certificate_directory", directory,
					       "cannot be listed");
	bool is_added = true;
	for (int i = 0; i < count; i++) {
		is_added =
			is_added && add_further(identity, directory, entries[i]->d_name, problem);
		free(entries[i]);
	}
	free(entries);
	return is_added;
}

static bool add_name(struct tls_identity *identity, unsigned certificate, const ASN1_STRING *san)
{
	struct text name = { (const char *)ASN1_STRING_get0_data(san),
			     (size_t)ASN1_STRING_length(san) };
	if (name.size == 0 || name.size >= SIP_TLS_NAME_SIZE ||
	    identity->name_count == TLS_NAMES_MAX || memchr(name.data, '\0', name.size) != NULL)
		return true; // no SNI can ask for it
	char *copy = strndup(name.data, name.size);
	if (copy == NULL)
		return false;
	for (char *at = copy; *at != '\0'; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
	identity->names[identity->name_count++] = (struct tls_name){ copy, certificate };
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct tls_name *left = a, *right = b;
	int order = strcmp(left->name, right->name);
	return order != 0 ? order : (int)left->certificate - (int)right->certificate;
}

static bool index_names(struct tls_identity *identity)
{
	bool is_right = true;
	identity->names = calloc(TLS_NAMES_MAX, sizeof *identity->names);
	for (unsigned i = 0; i < identity->certificate_count && identity->names != NULL; i++) {
		GENERAL_NAMES *names = X509_get_ext_d2i(identity->certificates[i].leaf,
							NID_subject_alt_name, NULL, NULL);
		for (int j = 0; j < sk_GENERAL_NAME_num(names) && is_right; j++) {
			const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, j);
			if (name->type == GEN_DNS)
				is_right = add_name(identity, i, name->d.dNSName);
		}
		GENERAL_NAMES_free(names);
	}
	if (identity->names == NULL || !is_right)
		return false;
	qsort(identity->names, identity->name_count, sizeof *identity->names, compare_names);
	return true;
}

static bool is_rsa(const struct tls_certificate *certificate)
{
	return EVP_PKEY_get_base_id(certificate->key) == EVP_PKEY_RSA;
}

// Where none is named, the first of each type in the directory.
static void choose_defaults(struct tls_identity *identity)
{
	bool are_named = identity->defaults[0] != NULL || identity->defaults[1] != NULL;
	for (unsigned i = 0; i < identity->certificate_count && !are_named; i++) {
		const struct tls_certificate *certificate = &identity->certificates[i];
		if (identity->defaults[is_rsa(certificate)] == NULL)
			identity->defaults[is_rsa(certificate)] = certificate;
	}
	for (unsigned i = 0; i < identity->certificate_count; i++) {
		struct tls_certificate *certificate = &identity->certificates[i];
		certificate->facts.is_default = certificate == identity->defaults[0] ||
						certificate == identity->defaults[1];
	}
}

// Each must be fit to be used, also those that a name has yet to ask for.
static bool use_certificates(struct tls_identity *identity, struct sip_tls_problem *problem)
{
	SSL *trial = SSL_new(identity->server);
	bool is_used = trial != NULL;
	for (unsigned i = 0; i < identity->certificate_count && is_used; i++) {
		const struct tls_certificate *certificate = &identity->certificates[i];
		is_used = SSL_use_cert_and_key(trial, certificate->leaf, certificate->key,
					       certificate->chain, 1) == 1 &&
			  (!certificate->facts.is_default ||
			   SSL_CTX_use_cert_and_key(identity->server, certificate->leaf,
						    certificate->key, certificate->chain, 1) == 1);
		if (!is_used)
			(void)tls_certificate_problem(problem, certificate->facts.label,
						      certificate->facts.file,
						      tls_certificate_error());
	}
	SSL_free(trial);
	return is_used;
}

static bool make_server(struct tls_identity *identity, const struct sip_tls_files *files,
			struct sip_tls_problem *problem)
{
	if (identity->certificate_count == 0)
		return true;
	identity->server = sip_tls_context_create(true, files);
	if (identity->server == NULL)
		return tls_certificate_problem(problem, "tls", "-", tls_certificate_error());
	choose_defaults(identity);
	if (!use_certificates(identity, problem))
		return false;
	if (!is_given(files->client_ca_file))
		return true;
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(files->client_ca_file);
	if (names == NULL ||
	    SSL_CTX_load_verify_file(identity->server, files->client_ca_file) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return tls_certificate_problem(problem, "tls.client_ca_file", files->client_ca_file,
					       tls_certificate_error());
	}
	SSL_CTX_set_client_CA_list(identity->server, names);
	return true;
}

static bool is_same_file(const struct tls_trust *a, const struct tls_trust *b)
{
	return strcmp(a->file, b->file) == 0 && a->facts.st_ino == b->facts.st_ino &&
	       a->facts.st_dev == b->facts.st_dev && a->facts.st_size == b->facts.st_size &&
	       a->facts.st_mtim.tv_sec == b->facts.st_mtim.tv_sec &&
	       a->facts.st_mtim.tv_nsec == b->facts.st_mtim.tv_nsec;
}

// Reading the system's CAs takes 40 to 70 ms, in which calls would wait.
static bool trust(struct tls_identity *identity, const struct tls_identity *former,
		  const char *file)
{
	struct tls_trust *found = &identity->trust;
	if (text_copy(text_of(file), found->file, sizeof found->file) &&
	    stat(file, &found->facts) == 0 && former != NULL &&
	    is_same_file(found, &former->trust)) {
		SSL_CTX_set1_cert_store(identity->client, SSL_CTX_get_cert_store(former->client));
		return true;
	}
	if (SSL_CTX_load_verify_file(identity->client, file) == 1)
		return true;
	found->file[0] = '\0';
	return false;
}

static bool make_client(struct tls_identity *identity, const struct sip_tls_files *files,
			const struct tls_identity *former, struct sip_tls_problem *problem)
{
	bool is_own = is_given(files->ca_file);
	const char *file = is_own ? files->ca_file : system_store;
	identity->client = sip_tls_context_create(false, files);
	if (identity->client == NULL)
		return tls_certificate_problem(problem, "tls", "-", tls_certificate_error());
	if (trust(identity, former, file))
		return true;
	if (is_own)
		return tls_certificate_problem(problem, "tls.ca_file", file,
					       tls_certificate_error());
	log_event(
		LOG_INFO, "tls_no_system_store", "file", file, "so",
		"no carrier's certificate can be verified; package ca-certificates, or tls.ca_file",
		NULL);
	ERR_clear_error();
	return true;
}

struct tls_identity *tls_identity_create(const struct sip_tls_files *files,
					 const struct tls_identity *former,
					 struct sip_tls_problem *out_problem)
{
	struct tls_identity *identity = calloc(1, sizeof *identity);
	if (identity == NULL)
		return NULL;
	identity->references = 1;
	ERR_clear_error();
	if (add_defaults(identity, files, out_problem) &&
	    add_directory(identity, files->certificate_directory, out_problem) &&
	    make_server(identity, files, out_problem) &&
	    make_client(identity, files, former, out_problem) && index_names(identity))
		return identity;
	tls_identity_release(identity);
	return NULL;
}

struct tls_identity *tls_identity_keep(struct tls_identity *identity)
{
	identity->references++;
	return identity;
}

void tls_identity_release(struct tls_identity *identity)
{
	if (identity == NULL || --identity->references > 0)
		return;
	for (unsigned i = 0; i < identity->certificate_count; i++)
		tls_certificate_clear(&identity->certificates[i]);
	for (unsigned i = 0; i < identity->name_count; i++)
		free(identity->names[i].name);
	free(identity->names);
	SSL_CTX_free(identity->server);
	SSL_CTX_free(identity->client);
	free(identity);
}

// The first row of that name, or NULL.
static const struct tls_name *find_name(const struct tls_identity *identity, const char *name)
{
	unsigned low = 0, high = identity->name_count;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (strcmp(identity->names[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == identity->name_count || strcmp(identity->names[low].name, name) != 0)
		return NULL;
	return &identity->names[low];
}

static const struct tls_name *match(const struct tls_identity *identity, struct text name)
{
	char room[SIP_TLS_NAME_SIZE];
	if (name.size > 0 && name.data[name.size - 1] == '.')
		name.size--;
	if (name.size == 0 || !text_copy(name, room, sizeof room))
		return NULL;
	for (char *at = room; *at != '\0'; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
	const struct tls_name *found = find_name(identity, room);
	char *dot = strchr(room, '.');
	if (found != NULL || dot == NULL || dot == room)
		return found;
	dot[-1] = '*';
	return find_name(identity, dot - 1);
}

bool tls_identity_covers(const struct tls_identity *identity, struct text name)
{
	return match(identity, name) != NULL;
}

// One certificate of each type of key, in the order of the files.
bool tls_identity_show(const struct tls_identity *identity, SSL *ssl, struct text name)
{
	const struct tls_name *found = match(identity, name);
	const struct tls_name *end = identity->names + identity->name_count;
	const struct tls_certificate *chosen[2] = { NULL, NULL };
	for (const struct tls_name *at = found;
	     found != NULL && at < end && strcmp(at->name, found->name) == 0; at++) {
		const struct tls_certificate *certificate =
			&identity->certificates[at->certificate];
		if (chosen[is_rsa(certificate)] == NULL)
			chosen[is_rsa(certificate)] = certificate;
	}
	if (found == NULL ||
	    (chosen[0] == identity->defaults[0] && chosen[1] == identity->defaults[1]))
		return true;
	SSL_certs_clear(ssl);
	for (unsigned i = 0; i < 2; i++) {
		if (chosen[i] != NULL && SSL_use_cert_and_key(ssl, chosen[i]->leaf, chosen[i]->key,
							      chosen[i]->chain, 1) != 1)
			return false;
	}
	return true;
}
