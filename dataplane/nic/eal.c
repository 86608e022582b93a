// DPDK's environment: which cores, which memory, and what to say when it does not start.
// Runs on: main. Keeps DPDK's chatter until it is known whether anybody needs it.

#include "dataplane/nic/eal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "base/text.h"
#include "dataplane/nic/driver.h"
#include "dataplane/options.h"

#define ARGUMENTS_MAX 24
#define ARGUMENT_SIZE 512

struct arguments {
	char room[ARGUMENTS_MAX][ARGUMENT_SIZE];
	char *list[ARGUMENTS_MAX + 1];
	int count;
};

static void add(struct arguments *arguments, const char *argument)
{
	char *room = arguments->room[arguments->count];
	(void)text_copy(text_of(argument), room, ARGUMENT_SIZE);
	arguments->list[arguments->count++] = room;
}

static void add_option(struct arguments *arguments, const char *option, const char *value)
{
	add(arguments, option);
	add(arguments, value);
}

static uint64_t read_number(const char *path)
{
	unsigned long long number = 0;
	FILE *file = fopen(path, "re");
	if (file && fscanf(file, "%llu", &number) != 1)
		number = 0;
	if (file)
		fclose(file);
	return number;
}

static uint64_t free_huge_mb(void)
{
	return 2 * read_number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages") +
	       1024 * read_number("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages");
}

// Huge pages are counted and then taken: between the two no other dataplane may take them. The lock is on
// a file that is one for the whole machine; /sys is another one in each network namespace. close() gives
// it back.
static int lock_huge_pages(void)
{
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
	return fd;
}

// false: they were demanded and are not there.
static bool choose_pages(const struct options *options, bool *out_huge)
{
	uint64_t free_mb = free_huge_mb();
	bool is_enough = free_mb >= options->memory_mb;
	*out_huge = options->huge_pages != OPTION_OFF && is_enough;
	if (is_enough || options->huge_pages == OPTION_OFF)
		return true;
	fprintf(stderr,
		"trunkd-dataplane: %u MB asked for (--memory-mb), %llu MB free in huge pages; "
		"'sysctl vm.nr_hugepages=%u' reserves that many%s\n",
		options->memory_mb, (unsigned long long)free_mb, (options->memory_mb + 1) / 2,
		options->huge_pages == OPTION_AUTO ? "; going on without" : "");
	return options->huge_pages == OPTION_AUTO;
}

// Workers take the last cores this process may use, main what is left, or all when nothing is.
static bool write_cores(const struct options *options, struct arguments *arguments)
{
	cpu_set_t allowed, taken;
	char room[ARGUMENT_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	CPU_ZERO(&taken);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		CPU_ZERO(&allowed);
	unsigned cores[OPTIONS_WORKERS_MAX];
	unsigned chosen = options->core_count;
	memcpy(cores, options->cores, sizeof(cores));
	for (unsigned core = CPU_SETSIZE; core-- > 0 && chosen < options->workers;)
		if (CPU_ISSET(core, &allowed))
			cores[chosen++] = core;
	for (unsigned i = 0; chosen > 0 && chosen < options->workers; i++) // fewer cores: share
		cores[chosen++] = cores[i];
	for (unsigned i = 0; i < options->workers; i++) {
		if (i >= chosen || cores[i] >= CPU_SETSIZE || !CPU_ISSET(cores[i], &allowed)) {
			fprintf(stderr,
				"trunkd-dataplane: --cores: this process may not use core "
				"%u\n",
				cores[i]);
			return false;
		}
		writer_format(&writer, "%u@%u,", i + 1, cores[i]);
		CPU_SET(cores[i], &taken);
	}
	cpu_set_t rest;
	CPU_XOR(&rest, &allowed, &taken);
	if (CPU_COUNT(&rest) == 0)
		rest = allowed;
	for (unsigned core = 0, count = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &rest))
			writer_format(&writer, "%s%u", count++ ? "," : "0@(", core);
	writer_char(&writer, ')');
	const char *cores_text = writer_string_done(&writer);
	if (!cores_text)
		return false;
	add_option(arguments, "--lcores", cores_text);
	return true;
}

// Of all that is on the bus DPDK may touch what is named here, and nothing else.
static void write_devices(struct arguments *arguments, const struct options *options,
			  const struct nic_driver *driver, const char *argument)
{
	if (driver->device && !options->crypto_device)
		add(arguments, "--no-pci");
	if (!driver->device)
		add_option(arguments, "--allow", argument);
	if (options->crypto_device)
		add_option(arguments, "--allow", options->crypto_device);
}

static bool write_arguments(const struct options *options, const struct nic_driver *driver,
			    const char *argument, bool is_huge, struct arguments *arguments)
{
	char prefix[64], memory[32];
	snprintf(prefix, sizeof(prefix), "--file-prefix=trunkd-%d", (int)getpid());
	snprintf(memory, sizeof(memory), "%u", options->memory_mb);
	add(arguments, "trunkd-dataplane");
	if (!write_cores(options, arguments))
		return false;
	add(arguments, "--main-lcore=0");
	add(arguments, "--no-telemetry");
	add(arguments, "--iova-mode=va");
	add_option(arguments, "-m", memory);
	write_devices(arguments, options, driver, argument);
	if (is_huge) {
		add(arguments, "--in-memory"); // leaves no files behind, needs no hugetlbfs mount
		return true;
	}
	add(arguments, "--no-huge"); // with --in-memory DPDK 22.11 refuses it
	add(arguments, "--no-shconf");
	add(arguments, prefix);
	return true;
}

// DPDK passes over a device it does not find or may not drive without a word.
static bool has_crypto_device(const char *device)
{
	char path[64], target[256];
	if (!device)
		return true;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", device);
	bool is_there = access(path, F_OK) == 0;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", device);
	ssize_t size = readlink(path, target, sizeof(target) - 1);
	target[size > 0 ? size : 0] = 0;
	const char *slash = strrchr(target, '/');
	const char *driver = slash ? slash + 1 : "nothing";
	if (is_there && strcmp(driver, "vfio-pci") == 0)
		return true;
	if (is_there)
		fprintf(stderr,
			"trunkd-dataplane: --crypto crypto_qat:%s: the device is bound to %s; "
			"'dpdk-devbind.py -b vfio-pci %s' binds it\n",
			device, driver, device);
	else
		fprintf(stderr,
			"trunkd-dataplane: --crypto crypto_qat:%s: there is no such PCI device; "
			"'dpdk-devbind.py -s' lists those there are\n",
			device);
	return false;
}

static void keep_log(void)
{
	FILE *file = tmpfile();
	(void)rte_openlog_stream(file ? file : stderr);
}

void nic_eal_release_log(bool is_wanted)
{
	FILE *file = rte_log_get_stream();
	if (file == stderr || rte_openlog_stream(stderr) != 0)
		return;
	char line[512];
	rewind(file);
	while (is_wanted && fgets(line, sizeof(line), file))
		fprintf(stderr, "  DPDK: %s", line);
	fclose(file);
	rte_log_set_global_level(RTE_LOG_ERR);
}

static bool start(const struct options *options, const struct nic_driver *driver,
		  const char *argument, bool is_huge)
{
	struct arguments *arguments = calloc(1, sizeof(*arguments));
	if (!arguments || !write_arguments(options, driver, argument, is_huge, arguments)) {
		free(arguments);
		return false;
	}
	keep_log();
	bool is_started = rte_eal_init(arguments->count, arguments->list) >= 0;
	free(arguments);
	if (is_started)
		return true;
	fprintf(stderr, "trunkd-dataplane: DPDK does not start: %s. It said:\n",
		rte_strerror(rte_errno));
	nic_eal_release_log(true);
	return false;
}

bool nic_eal_start(const struct options *options, const struct nic_driver *driver,
		   const char *argument, bool *out_has_huge_pages)
{
	bool is_huge;
	if (!has_crypto_device(options->crypto_device))
		return false;
	int lock = options->huge_pages != OPTION_OFF ? lock_huge_pages() : -1;
	bool is_started =
		choose_pages(options, &is_huge) && start(options, driver, argument, is_huge);
	if (lock >= 0)
		close(lock);
	if (is_started)
		*out_has_huge_pages = is_huge;
	return is_started;
}

void nic_eal_stop(void)
{
	(void)rte_eal_cleanup();
}
