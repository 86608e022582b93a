#pragma once

// Section tls of the configuration (config/schema.c says what each option means).
// Runs on: control thread.

#include <stdbool.h>

#include "config/list.h"

// Files are read by node.user, at the start and at each reload; "": none.
struct tls_config {
	char rsa_certificate[CONFIG_TEXT_SIZE], rsa_key[CONFIG_TEXT_SIZE];
	char ecdsa_certificate[CONFIG_TEXT_SIZE], ecdsa_key[CONFIG_TEXT_SIZE];
	char certificate_directory[CONFIG_TEXT_SIZE];
	char ca_file[CONFIG_TEXT_SIZE], client_ca_file[CONFIG_TEXT_SIZE];
	char ticket_key_file[CONFIG_TEXT_SIZE];
	bool tls13, prefer_server_ciphers;
};
