// Reads the key that signs updates. Runs on any thread. Never logs it.

#include "names/key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"

#define FILE_MAX 4096

// What ldns can sign with and nobody advises against (RFC 8945 6).
static const char *const algorithms[] = { "hmac-sha256", "hmac-sha512", "hmac-sha1" };

static bool is_part_of_base64(char octet)
{
	return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
	       (octet >= '0' && octet <= '9') || octet == '+' || octet == '/' || octet == '=';
}

static bool is_base64(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_part_of_base64(text.data[i]))
			return false;
	return text.size >= 8 && text.size % 4 == 0;
}

static bool is_name(struct text name)
{
	for (size_t i = 0; i < name.size; i++) {
		char octet = name.data[i];
		bool is_letter = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
				 (octet >= '0' && octet <= '9');
		if (!is_letter && octet != '-' && octet != '_' && octet != '.')
			return false;
	}
	return name.size > 0;
}

static const char *check(struct text algorithm, struct text name, struct text secret,
			 struct names_key *key)
{
	bool is_known = false;
	if (algorithm.size > 0 && algorithm.data[algorithm.size - 1] == '.')
		algorithm.size--;
	for (unsigned i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (text_is_same(algorithm, text_of(algorithms[i])))
			is_known = text_copy(text_of(algorithms[i]), key->algorithm,
					     sizeof(key->algorithm));
	if (!is_known)
		return "its algorithm is none of hmac-sha256, hmac-sha512, hmac-sha1";
	if (!is_name(name) || !text_copy(name, key->name, sizeof(key->name)))
		return "its name is no domain name";
	if (!is_base64(secret) || !text_copy(secret, key->secret, sizeof(key->secret)))
		return "its secret is not Base64";
	return NULL;
}

static bool is_gap(char octet)
{
	return octet == ' ' || octet == '\t' || octet == '\n' || octet == '\r' || octet == ';' ||
	       octet == '{' || octet == '}';
}

// A word of BIND's form, quoted or not.
static struct text take_word(struct text *rest)
{
	while (rest->size > 0 && is_gap(rest->data[0]))
		*rest = text_cut(*rest, 1);
	if (rest->size > 0 && rest->data[0] == '"') {
		*rest = text_cut(*rest, 1);
		return text_split(rest, '"');
	}
	size_t size = 0;
	while (size < rest->size && !is_gap(rest->data[size]))
		size++;
	struct text word = { rest->data, size };
	*rest = text_cut(*rest, size);
	return word;
}

// key "NAME" { algorithm hmac-sha256; secret "…"; };
static const char *parse_block(struct text content, struct names_key *key)
{
	struct text name = take_word(&content), algorithm = TEXT_NONE, secret = TEXT_NONE, word;
	while ((word = take_word(&content)).size > 0) {
		if (text_is_equal(word, TEXT("algorithm")))
			algorithm = take_word(&content);
		else if (text_is_equal(word, TEXT("secret")))
			secret = take_word(&content);
		else
			break;
	}
	return check(algorithm, name, secret, key);
}

static const char *parse_line(struct text line, struct names_key *key)
{
	struct text algorithm = text_split(&line, ':'), name = text_split(&line, ':');
	return check(algorithm, name, text_trim(line), key);
}

enum status names_key_parse(struct text content, struct names_key *out_key,
			    const char **out_problem)
{
	*out_key = (struct names_key){ 0 };
	*out_problem = "it holds neither a key block nor a line ALGORITHM:NAME:SECRET";
	while (*out_problem && content.size > 0) {
		struct text before = content, line = text_trim(text_split(&content, '\n'));
		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		if (line.size == 0 || line.data[0] == '#' || text_has_prefix(line, TEXT("//")))
			continue;
		struct text rest = before, word = take_word(&rest);
		*out_problem = text_is_equal(word, TEXT("key")) ? parse_block(rest, out_key)
								: parse_line(line, out_key);
		break;
	}
	if (!*out_problem)
		return OK;
	names_key_clear(out_key);
	return ERR_MALFORMED;
}

enum status names_key_read(const char *path, struct names_key *out_key, const char **out_problem)
{
	char room[FILE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, room, sizeof(room)) : -1;
	*out_problem = strerror(errno);
	if (fd >= 0)
		close(fd);
	if (size < 0)
		return ERR_SYSTEM;
	enum status status =
		names_key_parse((struct text){ room, (size_t)size }, out_key, out_problem);
	secret_wipe(room, sizeof(room));
	return status;
}

void names_key_clear(struct names_key *key)
{
	secret_wipe(key, sizeof(*key));
}
