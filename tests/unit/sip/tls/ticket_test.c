// Keys of tickets over time: a new one every 12 hours, the one before still opens.

#include "tests/check.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sip/tls/ticket.h"

#define EPOCH_S TLS_TICKET_LIFETIME_S
#define START_S ((uint64_t)EPOCH_S * 40000)

struct sealed {
	uint8_t name[16], iv[16], octets[64];
	int size;
};

static int use(struct tls_ticket *ticket, uint64_t now_s, struct sealed *sealed, bool is_sealing)
{
	static const char text[] = "a session";
	EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(algorithm);
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	const struct tls_ticket_parts parts = { sealed->name, sealed->iv, cipher, mac };
	uint8_t room[64];
	int size = 0, rest = 0;
	int result = tls_ticket_use(ticket, now_s, &parts, is_sealing);
	if (result > 0) {
		CHECK_TRUE(EVP_MAC_init(mac, NULL, 0, NULL) == 1); // has key and digest
		CHECK_TRUE(EVP_CipherUpdate(cipher, room, &size,
					    is_sealing ? (const uint8_t *)text : sealed->octets,
					    is_sealing ? (int)sizeof text : sealed->size) == 1);
		CHECK_TRUE(EVP_CipherFinal_ex(cipher, room + size, &rest) == 1);
		if (is_sealing) {
			sealed->size = size + rest;
			memcpy(sealed->octets, room, sizeof room);
		} else {
			CHECK_TRUE(size + rest == sizeof text &&
				   memcmp(room, text, sizeof text) == 0);
		}
	}
	EVP_CIPHER_CTX_free(cipher);
	EVP_MAC_CTX_free(mac);
	EVP_MAC_free(algorithm);
	return result;
}

static void random_keys_open_for_one_more_epoch(void **state)
{
	(void)state;
	struct tls_ticket ticket;
	struct sip_tls_problem problem;
	struct sealed first, second;
	CHECK_TRUE(tls_ticket_init(&ticket, "", &problem));
	CHECK_TRUE(use(&ticket, START_S, &first, true) == 1);
	CHECK_TRUE(use(&ticket, START_S + EPOCH_S - 1, &first, false) == 1);
	CHECK_TRUE(use(&ticket, START_S + EPOCH_S, &first, false) == 2); // a new ticket, please
	CHECK_TRUE(use(&ticket, START_S + EPOCH_S, &second, true) == 1);
	CHECK_TRUE(memcmp(first.name, second.name, sizeof first.name) != 0);
	CHECK_TRUE(use(&ticket, START_S + 2 * EPOCH_S - 1, &first, false) == 2);
	CHECK_TRUE(use(&ticket, START_S + 2 * EPOCH_S, &first, false) == 0);
	CHECK_TRUE(use(&ticket, START_S + 2 * EPOCH_S, &second, false) == 2);
	CHECK_TRUE(use(&ticket, START_S + 9 * EPOCH_S, &second, false) == 0);
	second.name[3] ^= 1;
	CHECK_TRUE(use(&ticket, START_S + EPOCH_S, &second, false) == 0);
	tls_ticket_clear(&ticket);
}

static void a_shared_secret_makes_the_same_keys_everywhere(void **state)
{
	(void)state;
	char path[] = "/tmp/trunkd-ticket-XXXXXX";
	struct tls_ticket a, b;
	struct sip_tls_problem problem;
	struct sealed sealed;
	int fd = mkstemp(path);
	CHECK_TRUE(write(fd, "0123456789012345678901234567890123456789", 40) == 40);
	close(fd);
	CHECK_TRUE(tls_ticket_init(&a, path, &problem));
	CHECK_TRUE(tls_ticket_init(&b, path, &problem));
	CHECK_TRUE(use(&a, START_S, &sealed, true) == 1);
	CHECK_TRUE(use(&b, START_S + 5, &sealed, false) == 1);
	CHECK_TRUE(use(&b, START_S - 5, &sealed, false) == 2); // its clock is behind
	CHECK_TRUE(use(&b, START_S + EPOCH_S, &sealed, false) == 2);
	CHECK_TRUE(use(&b, START_S + 2 * EPOCH_S, &sealed, false) == 0);
	tls_ticket_clear(&a);
	tls_ticket_clear(&b);
	CHECK_TRUE(unlink(path) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(random_keys_open_for_one_more_epoch),
		TEST(a_shared_secret_makes_the_same_keys_everywhere),
	};
	return RUN_TESTS(tests);
}
