// Certificates and keys from PEM files, checked as far as a file can be. Runs on the control thread,
// at start and reload. Never asks a terminal for a pass phrase, never waits for a pipe.

#include "sip/tls/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"

#define FILE_MAX 262144 // octets
#define CHAIN_MAX 16

struct file {
	char octets[FILE_MAX];
	size_t size;
	unsigned mode;
};

bool tls_certificate_problem(struct sip_tls_problem *problem, const char *option, const char *file,
			     const char *what)
{
	(void)snprintf(problem->text, sizeof problem->text, "%s: %s: %s", option, file, what);
	return false;
}

const char *tls_certificate_error(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return reason != NULL ? reason : "no reason given";
}

// What is wrong; NULL: it was read.
static const char *read_file(const char *path, struct file *out_file)
{
	struct stat facts;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &facts) != 0) {
		const char *what = strerror(errno);
		if (fd >= 0)
			close(fd);
		return what;
	}
	ssize_t size = S_ISREG(facts.st_mode) && facts.st_size <= FILE_MAX
			       ? read(fd, out_file->octets, FILE_MAX)
			       : -1;
	close(fd);
	if (size < 0)
		return "is no file of at most 256 kB";
	out_file->size = (size_t)size;
	out_file->mode = facts.st_mode;
	return NULL;
}

// Anything else would ask the terminal.
static int refuse_phrase(char *room, int size, int is_writing, void *context)
{
	(void)room, (void)size, (void)is_writing;
	*(bool *)context = true;
	return -1;
}

static const char *parse_certificates(BIO *in, struct tls_certificate *certificate)
{
	bool is_encrypted = false;
	certificate->chain = sk_X509_new_null();
	certificate->leaf = PEM_read_bio_X509(in, NULL, refuse_phrase, &is_encrypted);
	if (certificate->leaf == NULL || certificate->chain == NULL)
		return "holds no certificate in PEM form";
	X509 *below = certificate->leaf, *above;
	while ((above = PEM_read_bio_X509(in, NULL, refuse_phrase, &is_encrypted)) != NULL) {
		if (sk_X509_num(certificate->chain) == CHAIN_MAX ||
		    sk_X509_push(certificate->chain, above) == 0) {
			X509_free(above);
			return "holds more than 17 certificates";
		}
		if (X509_check_issued(above, below) != X509_V_OK)
			return "is out of order; allowed: our certificate first, then each one's "
			       "issuer";
		below = above;
	}
	unsigned long error = ERR_peek_last_error();
	if (ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
		return "holds a certificate that cannot be read";
	ERR_clear_error();
	return NULL;
}

static const char *parse_key(BIO *in, const struct tls_pair *pair,
			     struct tls_certificate *certificate)
{
	bool is_encrypted = false;
	certificate->key = PEM_read_bio_PrivateKey(in, NULL, refuse_phrase, &is_encrypted);
	if (is_encrypted)
		return "is encrypted; allowed: a key without pass phrase, readable by node.user "
		       "alone";
	if (certificate->key == NULL)
		return "holds no private key in PEM form";
	if (pair->key_type != 0 && EVP_PKEY_get_base_id(certificate->key) != pair->key_type)
		return pair->key_type == EVP_PKEY_RSA ? "is no RSA key" : "is no ECDSA key";
	if (X509_check_private_key(certificate->leaf, certificate->key) != 1)
		return "is not the key of the certificate";
	return NULL;
}

static void copy_name(X509_NAME *name, char *room, size_t size)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;
	room[0] = '\0';
	if (out != NULL && X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253) >= 0) {
		long length = BIO_get_mem_data(out, &text);
		text_copy_cut((struct text){ text, (size_t)length }, room, size);
	}
	BIO_free(out);
}

static void write_names(X509 *leaf, struct writer *writer)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		char room[ADDRESS_TEXT_SIZE];
		struct address address = { .family = ADDRESS_IPV4 };
		struct text text = TEXT_NONE;
		if (name->type == GEN_DNS || name->type == GEN_URI)
			text = (struct text){ (const char *)ASN1_STRING_get0_data(name->d.ia5),
					      (size_t)ASN1_STRING_length(name->d.ia5) };
		if (name->type == GEN_IPADD && name->d.ip->length <= 16) {
			memcpy(address.octets, name->d.ip->data, (size_t)name->d.ip->length);
			address.family = name->d.ip->length == 16 ? ADDRESS_IPV6 : ADDRESS_IPV4;
			text = text_of(address_string(&address, room));
		}
		struct writer before = *writer;
		if (text.size > 0)
			writer_format(writer, "%s%.*s", writer->used > 0 ? ", " : "",
				      TEXT_FORMAT(text));
		if (writer->failed) { // the rest is left out whole
			*writer = before;
			break;
		}
	}
	GENERAL_NAMES_free(names);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm parts;
	return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static void read_facts(const struct tls_pair *pair, struct tls_certificate *certificate)
{
	struct sip_tls_certificate *facts = &certificate->facts;
	struct writer names = writer_of(facts->names, sizeof facts->names - 1);
	text_copy_cut(text_of(pair->label), facts->label, sizeof facts->label);
	text_copy_cut(text_of(pair->certificate_file), facts->file, sizeof facts->file);
	copy_name(X509_get_subject_name(certificate->leaf), facts->subject, sizeof facts->subject);
	copy_name(X509_get_issuer_name(certificate->leaf), facts->issuer, sizeof facts->issuer);
	write_names(certificate->leaf, &names);
	facts->names[names.used] = '\0';
	bool is_rsa = EVP_PKEY_get_base_id(certificate->key) == EVP_PKEY_RSA;
	(void)snprintf(facts->key_type, sizeof facts->key_type, "%s %d", is_rsa ? "RSA" : "ECDSA",
		       EVP_PKEY_get_bits(certificate->key));
	facts->not_before_s = seconds_of(X509_get0_notBefore(certificate->leaf));
	facts->not_after_s = seconds_of(X509_get0_notAfter(certificate->leaf));
}

static bool load_key(const struct tls_pair *pair, struct file *file,
		     struct tls_certificate *certificate, struct sip_tls_problem *problem)
{
	bool is_own_file = pair->key_file != NULL && pair->key_file[0] != '\0';
	const char *option = is_own_file ? pair->key_option : pair->certificate_option;
	const char *path = is_own_file ? pair->key_file : pair->certificate_file;
	const char *what = read_file(path, file);
	if (what == NULL) {
		BIO *in = BIO_new_mem_buf(file->octets, (int)file->size);
		what = in != NULL ? parse_key(in, pair, certificate) : "no memory";
		BIO_free(in);
	}
	secret_wipe(file->octets, file->size);
	ERR_clear_error();
	if (what != NULL)
		return tls_certificate_problem(problem, option, path, what);
	if ((file->mode & S_IRWXO) != 0)
		log_event(LOG_WARNING, "tls_key_open_to_all", "option", option, "file", path, "fix",
			  "chmod o= and give it to the group of node.user", NULL);
	return true;
}

static bool load_certificates(const struct tls_pair *pair, struct file *file,
			      struct tls_certificate *certificate, struct sip_tls_problem *problem)
{
	const char *what = read_file(pair->certificate_file, file);
	if (what == NULL) {
		BIO *in = BIO_new_mem_buf(file->octets, (int)file->size);
		what = in != NULL ? parse_certificates(in, certificate) : "no memory";
		BIO_free(in);
	}
	secret_wipe(file->octets, file->size); // its key may be in it
	ERR_clear_error();
	return what == NULL || tls_certificate_problem(problem, pair->certificate_option,
						       pair->certificate_file, what);
}

bool tls_certificate_load(const struct tls_pair *pair, struct tls_certificate *out_certificate,
			  struct sip_tls_problem *out_problem)
{
	struct file *file = calloc(1, sizeof *file);
	*out_certificate = (struct tls_certificate){ 0 };
	if (file == NULL)
		return tls_certificate_problem(out_problem, pair->certificate_option,
					       pair->certificate_file, "no memory");
	ERR_clear_error();
	bool is_loaded = load_certificates(pair, file, out_certificate, out_problem) &&
			 load_key(pair, file, out_certificate, out_problem);
	free(file);
	if (is_loaded)
		read_facts(pair, out_certificate);
	else
		tls_certificate_clear(out_certificate);
	return is_loaded;
}

void tls_certificate_clear(struct tls_certificate *certificate)
{
	X509_free(certificate->leaf);
	sk_X509_pop_free(certificate->chain, X509_free);
	EVP_PKEY_free(certificate->key);
	*certificate = (struct tls_certificate){ 0 };
}
