// Certificates for tests, made by the library itself. Runs on the thread of the test.

#include "maker.h"

#include "tests/check.h"
#include "base/random.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void maker_start(char folder[static MAKER_PATH_SIZE])
{
	(void)snprintf(folder, MAKER_PATH_SIZE, "/tmp/trunkd-tls-XXXXXX");
	assert_non_null(mkdtemp(folder));
}

const char *maker_path(const char *folder, const char *name, char room[static MAKER_PATH_SIZE])
{
	CHECK_TRUE(snprintf(room, MAKER_PATH_SIZE, "%s/%s", folder, name) < MAKER_PATH_SIZE);
	return room;
}

static FILE *open_file(const char *folder, const char *name, const char *end, const char *mode)
{
	char path[MAKER_PATH_SIZE], whole[MAKER_PATH_SIZE];
	CHECK_TRUE(snprintf(whole, sizeof whole, "%s%s", name, end) < MAKER_PATH_SIZE);
	FILE *file = fopen(maker_path(folder, whole, path), mode);
	assert_non_null(file);
	return file;
}

static X509 *read_issuer(const char *folder, const char *name, EVP_PKEY **out_key)
{
	FILE *file = open_file(folder, name, ".crt", "r");
	X509 *issuer = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	file = open_file(folder, name, ".key", "r");
	*out_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	assert_non_null(issuer);
	assert_non_null(*out_key);
	return issuer;
}

static void extend(X509 *certificate, int what, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, what, value);
	assert_non_null(extension);
	CHECK_TRUE(X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static void fill(X509 *certificate, const struct maker_order *order, EVP_PKEY *key)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	long now_and = (order->days != 0 ? order->days : 365) * 86400L;
	(void)X509_set_version(certificate, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(certificate),
			       (long)(random_number() % 1000000));
	(void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					 (const unsigned char *)order->name, -1, -1, 0);
	(void)X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * 365 * 86400L);
	(void)X509_gmtime_adj(X509_getm_notAfter(certificate), now_and);
	(void)X509_set_pubkey(certificate, key);
	if (order->sans != NULL)
		extend(certificate, NID_subject_alt_name, order->sans);
	extend(certificate, NID_basic_constraints,
	       order->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
}

void maker_make(const char *folder, const struct maker_order *order)
{
	EVP_PKEY *key = order->is_rsa ? EVP_RSA_gen(order->bits != 0 ? order->bits : 2048)
				      : EVP_EC_gen(order->bits == 384 ? "P-384" : "P-256");
	EVP_PKEY *issuer_key = key;
	X509 *certificate = X509_new(), *issuer = certificate;
	assert_non_null(key);
	fill(certificate, order, key);
	if (order->issuer != NULL)
		issuer = read_issuer(folder, order->issuer, &issuer_key);
	(void)X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	CHECK_TRUE(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
	FILE *file = open_file(folder, order->name, ".crt", "w");
	CHECK_TRUE(PEM_write_X509(file, certificate) == 1);
	if (issuer != certificate)
		CHECK_TRUE(PEM_write_X509(file, issuer) == 1);
	fclose(file);
	file = open_file(folder, order->name, ".key", "w");
	CHECK_TRUE(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
	CHECK_TRUE(fchmod(fileno(file), 0600) == 0);
	fclose(file);
	if (issuer != certificate) {
		X509_free(issuer);
		EVP_PKEY_free(issuer_key);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
}

void maker_write(const char *folder, const char *name, const char *text)
{
	FILE *file = open_file(folder, name, "", "w");
	CHECK_TRUE(fputs(text, file) >= 0);
	fclose(file);
}

static void append(FILE *out, const char *folder, const char *name)
{
	char octets[16384];
	FILE *in = open_file(folder, name, "", "r");
	size_t size = fread(octets, 1, sizeof octets, in);
	CHECK_TRUE(fwrite(octets, 1, size, out) == size);
	fclose(in);
}

void maker_join(const char *folder, const char *name, const char *first, const char *second)
{
	FILE *out = open_file(folder, name, "", "w");
	append(out, folder, first);
	append(out, folder, second);
	fclose(out);
}

void maker_stop(const char *folder)
{
	char path[MAKER_PATH_SIZE];
	DIR *directory = opendir(folder);
	struct dirent *entry;
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)maker_path(folder, entry->d_name, path);
		if (unlink(path) != 0)
			maker_stop(path);
	}
	closedir(directory);
	CHECK_TRUE(rmdir(folder) == 0);
}
