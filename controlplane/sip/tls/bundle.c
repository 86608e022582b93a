// What customers need to verify us (TLS-013): every certificate above our own, up to the root where we
// know it. Runs on the control thread, for an operator who asks.

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <string.h>

#include "sip/tls/connection.h"

static void add(STACK_OF(X509) * bundle, X509 *certificate)
{
	(void)X509_add_cert(bundle, certificate, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP);
}

// The chain as the library builds it with the CAs of tls.ca_file; where that fails, as in the file.
// A certificate that signed itself is its own CA.
static void add_above(STACK_OF(X509) * bundle, const struct tls_certificate *own, SSL_CTX *client)
{
	X509_STORE_CTX *builder = X509_STORE_CTX_new();
	if (builder != NULL && X509_STORE_CTX_init(builder, SSL_CTX_get_cert_store(client),
						   own->leaf, own->chain) == 1)
		(void)X509_verify_cert(builder);
	STACK_OF(X509) *chain = builder != NULL ? X509_STORE_CTX_get0_chain(builder) : NULL;
	for (int i = 1; i < sk_X509_num(chain); i++)
		add(bundle, sk_X509_value(chain, i));
	for (int i = 0; i < sk_X509_num(own->chain); i++)
		add(bundle, sk_X509_value(own->chain, i));
	if (X509_check_issued(own->leaf, own->leaf) == X509_V_OK)
		add(bundle, own->leaf);
	X509_STORE_CTX_free(builder);
}

static char *write_pem(STACK_OF(X509) * bundle)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *octets = NULL, *text = NULL;
	for (int i = 0; i < sk_X509_num(bundle) && out != NULL; i++) {
		X509 *certificate = sk_X509_value(bundle, i);
		BIO_puts(out, "# ");
		X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
		BIO_puts(out, "\n");
		(void)PEM_write_bio_X509(out, certificate);
	}
	long size = out != NULL ? BIO_get_mem_data(out, &octets) : 0;
	if (out != NULL)
		text = strndup(size > 0 ? octets : "", (size_t)size);
	BIO_free(out);
	return text;
}

char *sip_tls_write_bundle(const struct sip_tls *tls)
{
	const struct tls_identity *identity = atomic_load(&tls->identity);
	STACK_OF(X509) *bundle = sk_X509_new_null();
	char *text = NULL;
	for (unsigned i = 0; i < identity->certificate_count && bundle != NULL; i++)
		add_above(bundle, &identity->certificates[i], identity->client);
	if (bundle != NULL)
		text = write_pem(bundle);
	sk_X509_pop_free(bundle, X509_free);
	ERR_clear_error();
	return text;
}
