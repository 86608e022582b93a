// The spool file: a header, then slots. A state word says whose a slot is; it is written after the
// slot's content (release), so a process killed between any two instructions leaves a whole record or
// none. Runs on: control and history thread, see the header. Must never wait on the control thread.

#include "history/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "base/ring.h"
#include "history/aside.h"
#include "history/column.h"
#include "history/rate.h"

#define HEADER_SIZE 4096
#define LAYOUT 5 // what the tables of columns do not tell of struct history_slot
#define RECORDS_MIN 16
#define RECORDS_MAX (1u << 20)

static const char MAGIC[8] = "trunkdSP";

struct header {
	char magic[8];
	uint32_t layout;
	uint32_t slot_size;
	uint64_t count;
	_Atomic uint64_t alive_ms; // wall clock at which the process was last seen alive
};

struct history_spool {
	int fd;
	struct header *header;
	size_t size; // of the mapping
	struct history_slot *slots;
	unsigned count;
	struct ring *done; // uint32_t; control puts, the history thread takes
	struct ring *free; // uint32_t; the history thread puts, control takes
	uint64_t epoch, sequence; // of alert SIDs
};

static bool map_file(struct history_spool *spool, size_t size)
{
	void *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, spool->fd, 0);
	if (memory == MAP_FAILED)
		return false;
	spool->size = size;
	spool->header = memory;
	spool->slots = (void *)((char *)memory + HEADER_SIZE);
	return true;
}

static void unmap_file(struct history_spool *spool)
{
	if (spool->header)
		(void)munmap(spool->header, spool->size);
	spool->header = NULL;
	spool->slots = NULL;
}

static uint32_t mix(uint32_t hash, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const uint8_t *)data)[i]) * 16777619u; // FNV-1a
	return hash;
}

// The tables name every field with its place, so a change of one makes another layout by itself.
static uint32_t this_layout(void)
{
	const struct history_table *const tables[] = { history_column_calls(),
						       history_column_alerts(),
						       history_column_notifications(),
						       history_column_usage() };
	uint32_t hash = 2166136261u ^ LAYOUT;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (unsigned j = 0; j < tables[i]->column_count; j++) {
			const struct history_column *column = &tables[i]->columns[j];
			uint16_t place[] = { (uint16_t)column->kind, column->offset, column->size };
			hash = mix(hash, column->name, strlen(column->name));
			hash = mix(hash, place, sizeof(place));
		}
	}
	return hash;
}

// Zeros where the magic stands are a file that was never finished: nothing is in it.
static bool is_unfinished(const struct history_spool *spool)
{
	static const char zeros[sizeof(MAGIC)];
	char start[sizeof(MAGIC)] = "";
	return pread(spool->fd, start, sizeof(start), 0) >= 0 &&
	       memcmp(start, zeros, sizeof(zeros)) == 0;
}

// The file as it is, when a process of ours made it; *out_waiting: records in it.
static bool map_former(struct history_spool *spool, unsigned *out_waiting)
{
	struct stat facts;
	if (fstat(spool->fd, &facts) < 0 || facts.st_size < HEADER_SIZE)
		return false;
	if (!map_file(spool, (size_t)facts.st_size))
		return false;
	const struct header *header = spool->header;
	size_t room = spool->size - HEADER_SIZE;
	if (memcmp(header->magic, MAGIC, sizeof(MAGIC)) != 0 || header->slot_size < 64 ||
	    header->slot_size % 8 != 0 || header->count > room / header->slot_size ||
	    header->count > RECORDS_MAX)
		return false;
	spool->count = (unsigned)header->count;
	for (size_t i = 0; i < spool->count; i++) {
		// The state word comes first in every layout.
		const char *slot = (const char *)spool->slots + i * header->slot_size;
		*out_waiting += *(const uint32_t *)(const void *)slot != HISTORY_SLOT_FREE;
	}
	return true;
}

static bool is_of_this_layout(const struct header *header)
{
	return header->layout == this_layout() && header->slot_size == sizeof(struct history_slot);
}

// Blocks are reserved now, so that a full disk is met here and not as SIGBUS in the middle of a call.
static enum status make_file(struct history_spool *spool, unsigned records)
{
	size_t size = HEADER_SIZE + records * sizeof(struct history_slot);
	unmap_file(spool);
	if (ftruncate(spool->fd, 0) < 0)
		return ERR_SYSTEM;
	errno = posix_fallocate(spool->fd, 0, (off_t)size);
	if (errno != 0 || !map_file(spool, size))
		return ERR_SYSTEM;
	struct header *header = spool->header;
	header->layout = this_layout();
	header->slot_size = sizeof(struct history_slot);
	header->count = records;
	spool->count = records;
	memcpy(header->magic, MAGIC, sizeof(MAGIC)); // last: without it the file is made again
	return OK;
}

// ERR_CONFLICT: another process has it.
static enum status open_file(struct history_spool *spool, const char *file)
{
	spool->fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (spool->fd < 0)
		return ERR_SYSTEM;
	if (flock(spool->fd, LOCK_EX | LOCK_NB) < 0)
		return ERR_CONFLICT;
	return fchmod(spool->fd, 0600) < 0 ? ERR_SYSTEM : OK;
}

// The lock is held until the file has its other name.
static enum status put_aside(struct history_spool *spool, const char *file, unsigned waiting,
			     const char *why)
{
	enum status status = history_aside_put(file, waiting, why);
	if (status != OK)
		return status;
	unmap_file(spool);
	close(spool->fd);
	return open_file(spool, file);
}

static enum status map_slots(struct history_spool *spool, const char *file, unsigned records)
{
	unsigned waiting = 0;
	enum status status = OK;
	bool is_ours = map_former(spool, &waiting);
	if (is_ours && is_of_this_layout(spool->header) && (waiting > 0 || spool->count == records))
		return OK;
	if (is_ours && waiting > 0 && !is_of_this_layout(spool->header))
		status = put_aside(spool, file, waiting, "another version of trunkd wrote it");
	else if (!is_ours && !is_unfinished(spool))
		status = put_aside(spool, file, 0, "it is no spool, or a damaged one");
	return status == OK ? make_file(spool, records) : status;
}

static bool make_queues(struct history_spool *spool)
{
	size_t size = RECORDS_MIN;
	while (size < spool->count)
		size *= 2;
	spool->done = ring_create(sizeof(uint32_t), size);
	spool->free = ring_create(sizeof(uint32_t), size);
	return spool->done && spool->free;
}

enum status history_spool_open(const char *file, unsigned records, struct history_spool **out_spool)
{
	enum status status;
	struct history_spool *spool = calloc(1, sizeof(*spool));
	if (!spool)
		return ERR_MEMORY;
	records = records < RECORDS_MIN ? RECORDS_MIN : records;
	records = records > RECORDS_MAX ? RECORDS_MAX : records;
	spool->epoch = random_number();
	status = open_file(spool, file);
	if (status == OK)
		status = map_slots(spool, file, records);
	if (status != OK)
		goto fail;
	if (!make_queues(spool)) {
		status = ERR_MEMORY;
		goto fail;
	}
	*out_spool = spool;
	return OK;
fail:
	log_event(LOG_ERROR, "history_spool_failed", "file", file, "status", status_name(status),
		  "hint",
		  status == ERR_CONFLICT
			  ? "another trunkd has it, or too many spools are kept aside already"
			  : strerror(errno),
		  NULL);
	history_spool_close(spool);
	return status;
}

void history_spool_close(struct history_spool *spool)
{
	if (!spool)
		return;
	unmap_file(spool);
	if (spool->fd >= 0)
		close(spool->fd); // gives the lock back
	ring_destroy(spool->done);
	ring_destroy(spool->free);
	free(spool);
}

static uint32_t index_of(const struct history_spool *spool, const struct history_slot *slot)
{
	return (uint32_t)(slot - spool->slots);
}

// A record whose writer was killed in the middle of a string is not terminated where it should be.
static void mend_call(struct history_call *call, uint64_t alive_ms)
{
	uint64_t end_ms = call->start_ms;
	end_ms = call->ringing_ms > end_ms ? call->ringing_ms : end_ms;
	end_ms = call->answer_ms > end_ms ? call->answer_ms : end_ms;
	end_ms = alive_ms > end_ms ? alive_ms : end_ms;
	call->end_ms = end_ms;
	call->ended_by = HISTORY_END_LOST;
	if (call->reason[0] == 0)
		(void)text_copy(TEXT("trunkd stopped while the call was up"), call->reason,
				sizeof(call->reason));
}

static const char *name_of(const struct history_slot *slot)
{
	if (slot->kind == HISTORY_SLOT_CALL)
		return slot->call.sid;
	return slot->kind == HISTORY_SLOT_USAGE ? slot->usage.key : slot->alert_sid;
}

// Hands a slot of the former process on, or frees it. False: nothing was in it.
static bool recover_slot(struct history_spool *spool, const struct history_rates *rates,
			 struct history_slot *slot, bool *out_lost)
{
	uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
	bool is_call = slot->kind == HISTORY_SLOT_CALL;
	const char *sid = name_of(slot);
	*out_lost = state == HISTORY_SLOT_OPEN;
	// Others are OPEN only while they are copied, a call without a SID has not begun: neither was
	// accepted.
	if ((state != HISTORY_SLOT_OPEN && state != HISTORY_SLOT_DONE) || sid[0] == 0 ||
	    (*out_lost && !is_call)) {
		atomic_store_explicit(&slot->state, HISTORY_SLOT_FREE, memory_order_relaxed);
		return false;
	}
	if (*out_lost) {
		mend_call(&slot->call, atomic_load(&spool->header->alive_ms));
		history_rate_call(rates, &slot->call);
	}
	history_spool_finish(spool, slot);
	return true;
}

unsigned history_spool_recover(struct history_spool *spool, const struct history_rates *rates,
			       unsigned *out_lost)
{
	unsigned found = 0;
	*out_lost = 0;
	for (uint32_t i = 0; i < spool->count; i++) {
		bool is_lost;
		if (recover_slot(spool, rates, &spool->slots[i], &is_lost)) {
			found++;
			*out_lost += is_lost;
		} else {
			(void)ring_put(spool->free, &i); // has room for every slot
		}
	}
	return found;
}

// The queues signal their eventfd once and are never quieted: after it ring_put makes no system call,
// and the history thread looks by itself.
struct history_slot *history_spool_take(struct history_spool *spool, enum history_slot_kind kind)
{
	uint32_t index;
	if (!ring_take(spool->free, &index))
		return NULL;
	struct history_slot *slot = &spool->slots[index];
	memset((char *)slot + sizeof(slot->state), 0, sizeof(*slot) - sizeof(slot->state));
	slot->kind = kind;
	if (kind == HISTORY_SLOT_ALERT || kind == HISTORY_SLOT_NOTIFICATION) {
		struct writer writer = writer_of(slot->alert_sid, sizeof(slot->alert_sid));
		writer_format(&writer, "NO%016llx%016llx", (unsigned long long)spool->epoch,
			      (unsigned long long)spool->sequence++);
		(void)writer_string_done(&writer);
	}
	atomic_store_explicit(&slot->state, HISTORY_SLOT_OPEN, memory_order_release);
	return slot;
}

void history_spool_finish(struct history_spool *spool, struct history_slot *slot)
{
	uint32_t index = index_of(spool, slot);
	atomic_store_explicit(&slot->state, HISTORY_SLOT_DONE, memory_order_release);
	(void)ring_put(spool->done, &index); // has room for every slot
}

struct history_slot *history_spool_slot(struct history_call *call)
{
	return (void *)((char *)call - offsetof(struct history_slot, call));
}

struct history_slot *history_spool_next(struct history_spool *spool)
{
	uint32_t index;
	return ring_take(spool->done, &index) ? &spool->slots[index] : NULL;
}

void history_spool_give(struct history_spool *spool, struct history_slot *slot)
{
	uint32_t index = index_of(spool, slot);
	atomic_store_explicit(&slot->state, HISTORY_SLOT_FREE, memory_order_release);
	(void)ring_put(spool->free, &index); // has room for every slot
}

void history_spool_touch(struct history_spool *spool, uint64_t wall_ms)
{
	atomic_store_explicit(&spool->header->alive_ms, wall_ms, memory_order_relaxed);
}

unsigned history_spool_size(const struct history_spool *spool)
{
	return spool->count;
}
