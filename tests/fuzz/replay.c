// Replays a corpus through a fuzz target without a fuzzer, so that every build checks what fuzzing
// has found: each file whole, and cut at each of its octets, as a stream or a disk would cut it.
// Runs on: the thread of the test. Never invents input; that is libFuzzer's part (-Dfuzz=true).

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536
#define CUT_MAX 4096 // longer inputs are replayed whole only

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

// In memory of exactly that size, so that the address sanitizer sees the first octet beyond.
static void replay_exactly(const uint8_t *octets, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	if (!copy)
		abort();
	memcpy(copy, octets, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void replay_file(const char *folder, const char *name)
{
	static uint8_t octets[INPUT_MAX];
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = length > 0 && (size_t)length < sizeof(path) ? fopen(path, "rb") : NULL;
	if (!file) {
		perror(path);
		exit(1);
	}
	size_t size = fread(octets, 1, sizeof(octets), file);
	fclose(file);
	replay_exactly(octets, size);
	for (size_t cut = 0; size <= CUT_MAX && cut < size; cut++)
		replay_exactly(octets, cut);
}

int main(int count, char **arguments)
{
	DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
	if (!folder) {
		fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
		return 1;
	}
	unsigned files = 0;
	for (const struct dirent *entry; (entry = readdir(folder));) {
		if (entry->d_name[0] == '.')
			continue;
		replay_file(arguments[1], entry->d_name);
		files++;
	}
	closedir(folder);
	printf("%u files\n", files);
	return files > 0 ? 0 : 1;
}
