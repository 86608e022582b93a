// Fuzz target: any file given to the configuration loader is taken or refused, and says why.

#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static struct config_problems problems;
	struct config *config = NULL;
	char path[64];
	int file = memfd_create("trunkd.yaml", MFD_CLOEXEC);
	if (file < 0 || write(file, octets, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	enum status status = config_load(path, &config, &problems);
	if ((status == OK) != (config != NULL) || (status == OK) != (problems.count == 0))
		abort();
	for (unsigned i = 0; i < problems.count; i++) {
		if (problems.messages[i][0] != '/')
			abort();
	}
	config_destroy(config);
	close(file);
	return 0;
}
