// Nonces: seconds (4 octets), a counter (4), and 16 octets of HMAC-SHA-256 over both, the realm and
// the source's host, in base64. A flood of challenges costs no memory; only a right answer does.
// Runs on the control thread. The key lives as long as the process and is never shown.

#include "sip/digest/nonce.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/secret.h"

#define KEY_SIZE 32
#define HEAD_SIZE 8
#define MAC_SIZE 16
#define NONCE_OCTETS (HEAD_SIZE + MAC_SIZE)
#define USED_MAX 32768
#define WINDOW 64 // counts remembered below the highest

struct used { // a nonce that was answered right
	struct map_node node;
	uint8_t head[HEAD_SIZE];
	uint32_t highest;
	uint64_t window; // bit n: highest - n was used
	bool is_taken;
};

struct sip_nonces {
	EVP_MAC_CTX *mac; // keyed; copied by a reset for each use
	struct text realm; // the owner's
	uint32_t lifetime_s;
	uint32_t counter;
	uint32_t floor_s; // nonces made before and not in the table are forgotten: stale
	struct map by_head;
	unsigned next; // of used: the oldest, taken next
	struct used used[USED_MAX];
};

static EVP_MAC_CTX *keyed_mac(void)
{
	uint8_t key[KEY_SIZE];
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
	EVP_MAC_free(hmac); // the context holds it
	random_fill(key, sizeof(key));
	if (mac != NULL && EVP_MAC_init(mac, key, sizeof(key), parameters) != 1) {
		EVP_MAC_CTX_free(mac);
		mac = NULL;
	}
	secret_wipe(key, sizeof(key));
	return mac;
}

struct sip_nonces *sip_nonces_create(struct text realm, uint32_t lifetime_s)
{
	struct sip_nonces *nonces = calloc(1, sizeof(*nonces));
	if (nonces == NULL)
		return NULL;
	nonces->realm = realm;
	nonces->lifetime_s = lifetime_s;
	nonces->mac = keyed_mac();
	if (nonces->mac == NULL || !map_init(&nonces->by_head, USED_MAX)) {
		sip_nonces_destroy(nonces);
		return NULL;
	}
	// Or each call with a password would make the process grow, until the table was full once.
	memory_touch(nonces, sizeof(*nonces));
	memory_touch(nonces->by_head.buckets, USED_MAX * sizeof(struct map_node *));
	return nonces;
}

void sip_nonces_destroy(struct sip_nonces *nonces)
{
	if (nonces == NULL)
		return;
	EVP_MAC_CTX_free(nonces->mac);
	map_clear(&nonces->by_head);
	free(nonces);
}

// The port is left out: behind a NAT it may change between challenge and answer.
static bool compute_mac(struct sip_nonces *nonces, const uint8_t *head,
			const struct address *source, uint8_t out_mac[static MAC_SIZE])
{
	uint8_t whole[KEY_SIZE];
	size_t size = 0;
	bool is_done = EVP_MAC_init(nonces->mac, NULL, 0, NULL) == 1 &&
		       EVP_MAC_update(nonces->mac, head, HEAD_SIZE) == 1 &&
		       EVP_MAC_update(nonces->mac, &source->family, 1) == 1 &&
		       EVP_MAC_update(nonces->mac, source->octets, sizeof(source->octets)) == 1 &&
		       EVP_MAC_update(nonces->mac, (const uint8_t *)nonces->realm.data,
				      nonces->realm.size) == 1 &&
		       EVP_MAC_final(nonces->mac, whole, &size, sizeof(whole)) == 1;
	if (is_done)
		memcpy(out_mac, whole, MAC_SIZE);
	return is_done;
}

static void put_number(uint8_t *room, uint32_t number)
{
	for (unsigned i = 0; i < 4; i++)
		room[i] = (uint8_t)(number >> (24 - 8 * i));
}

static uint32_t get_number(const uint8_t *octets)
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
	       octets[3];
}

void sip_nonce_write(struct sip_nonces *nonces, const struct address *source, uint64_t now_ms,
		     struct writer *writer)
{
	uint8_t octets[NONCE_OCTETS];
	unsigned char encoded[SIP_NONCE_SIZE + 1];
	put_number(octets, (uint32_t)(now_ms / 1000));
	put_number(octets + 4, nonces->counter++);
	if (!compute_mac(nonces, octets, source, octets + HEAD_SIZE)) {
		writer->failed = true;
		return;
	}
	EVP_EncodeBlock(encoded, octets, NONCE_OCTETS);
	writer_text(writer, (struct text){ (const char *)encoded, SIP_NONCE_SIZE });
}

static bool decode(struct text nonce, uint8_t out_octets[static NONCE_OCTETS])
{
	return nonce.size == SIP_NONCE_SIZE &&
	       EVP_DecodeBlock(out_octets, (const unsigned char *)nonce.data, SIP_NONCE_SIZE) ==
		       NONCE_OCTETS;
}

static bool is_equal(const struct map_node *node, const void *key)
{
	const struct used *used = map_entry((struct map_node *)node, struct used, node);
	return memcmp(used->head, key, HEAD_SIZE) == 0;
}

static uint64_t hash_of(const uint8_t *head)
{
	return map_hash((struct text){ (const char *)head, HEAD_SIZE });
}

static struct used *find(const struct sip_nonces *nonces, const uint8_t *head)
{
	struct map_node *node = map_find(&nonces->by_head, hash_of(head), is_equal, head);
	return node != NULL ? map_entry(node, struct used, node) : NULL;
}

static bool is_used(const struct used *used, uint32_t count)
{
	if (count > used->highest)
		return false;
	uint32_t back = used->highest - count;
	return back >= WINDOW || (used->window >> back & 1) != 0;
}

bool sip_nonce_is_fresh(struct sip_nonces *nonces, struct text nonce, uint32_t count,
			const struct address *source, uint64_t now_ms)
{
	uint8_t octets[NONCE_OCTETS];
	uint8_t mac[MAC_SIZE];
	if (count == 0 || !decode(nonce, octets) || !compute_mac(nonces, octets, source, mac) ||
	    !secret_is_equal(mac, octets + HEAD_SIZE, MAC_SIZE))
		return false;
	uint32_t made_s = get_number(octets);
	uint64_t now_s = now_ms / 1000;
	if (now_s < made_s || now_s - made_s > nonces->lifetime_s)
		return false;
	const struct used *used = find(nonces, octets);
	return used != NULL ? !is_used(used, count) : made_s >= nonces->floor_s;
}

// Takes the place of the oldest. If that one could still be used, all of its age and older that the
// table does not hold count as used from now on: nothing can be replayed, some are asked again.
static struct used *take_place(struct sip_nonces *nonces, const uint8_t *head, uint64_t now_ms)
{
	struct used *used = &nonces->used[nonces->next];
	nonces->next = (nonces->next + 1) % USED_MAX;
	if (used->is_taken) {
		uint32_t made_s = get_number(used->head);
		if (made_s + nonces->lifetime_s >= now_ms / 1000 && made_s >= nonces->floor_s)
			nonces->floor_s = made_s + 1;
		map_remove(&nonces->by_head, &used->node);
	}
	*used = (struct used){ .is_taken = true };
	memcpy(used->head, head, HEAD_SIZE);
	map_add(&nonces->by_head, &used->node, hash_of(head));
	return used;
}

void sip_nonce_use(struct sip_nonces *nonces, struct text nonce, uint32_t count, uint64_t now_ms)
{
	uint8_t octets[NONCE_OCTETS];
	if (!decode(nonce, octets))
		return;
	struct used *used = find(nonces, octets);
	if (used == NULL)
		used = take_place(nonces, octets, now_ms);
	if (count > used->highest) {
		uint32_t step = count - used->highest;
		used->window = step < WINDOW ? used->window << step : 0;
		used->window |= 1;
		used->highest = count;
	} else if (used->highest - count < WINDOW) {
		used->window |= (uint64_t)1 << (used->highest - count);
	}
}
