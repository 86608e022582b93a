#pragma once

// Makes certificates and keys, as files of a temporary folder.
// Runs on: the thread of the test.

#include <stdbool.h>

#define MAKER_PATH_SIZE 256

struct maker_order {
	const char *name; // NAME.crt and NAME.key
	bool is_rsa;
	unsigned bits; // 0: 2048, or P-256
	const char *sans; // "DNS:a.example, IP:127.0.0.1"; NULL: none
	const char
		*issuer; // another order's name, whose certificate is put behind it; NULL: itself
	bool is_ca;
	int days; // until it expires; 0: 365
};

void maker_start(char folder[static MAKER_PATH_SIZE]);
void maker_make(const char *folder, const struct maker_order *order);
const char *maker_path(const char *folder, const char *name, char room[static MAKER_PATH_SIZE]);
void maker_write(const char *folder, const char *name, const char *text);
void maker_join(const char *folder, const char *name, const char *first, const char *second);
void maker_stop(const char *folder); // removes it
