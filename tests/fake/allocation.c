// Stands between the tested code and the heap, by the linker's --wrap; see the header.
// Runs on: any thread of a test. Never part of a program.

#include "tests/fake/allocation.h"

#include <stdatomic.h>
#include <stddef.h>

static atomic_int countdown;
static atomic_bool has_failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t size);

void allocation_fail_at(unsigned number)
{
	atomic_store(&has_failed, false);
	atomic_store(&countdown, (int)number);
}

bool allocation_has_failed(void)
{
	return atomic_load(&has_failed);
}

static bool fails(void)
{
	if (atomic_load(&countdown) <= 0 || atomic_fetch_sub(&countdown, 1) != 1)
		return false;
	atomic_store(&has_failed, true);
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *string)
{
	return fails() ? NULL : __real_strdup(string);
}

char *__wrap_strndup(const char *string, size_t size)
{
	return fails() ? NULL : __real_strndup(string, size);
}
