// The program trunkd-dataplane: starts the port, SRTP's engine, the workers and the socket, in this
// order, and stops them backwards.
// Runs on: main, which after start only waits. It knows no SIP, no database and no call.

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/attach.h"
#include "dataplane/crypto/crypto.h"
#include "dataplane/options.h"
#include "dataplane/shared.h"
#include "dataplane/worker.h"

struct program {
	struct options options;
	struct packet_rules rules;
	struct nic *nic;
	struct crypto *crypto;
	struct attach *attach;
	struct worker **workers;
	unsigned launched;
	int signal_fd;
	atomic_bool stop;
};

// Before any thread starts, so that every one of them inherits it.
static bool block_signals(struct program *program)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); // of the terminal of whoever started us: we outlive them
	if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
		return false;
	program->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return program->signal_fd >= 0;
}

static struct dataplane_facts write_facts(const struct program *program)
{
	struct dataplane_facts facts = {
		.process_id = (uint32_t)getpid(),
		.worker_count = program->options.workers,
		.address_count = program->rules.address_count,
		.started_ns = clock_monotonic_ns(),
		.has_huge_pages = nic_has_huge_pages(program->nic),
		.is_steered = nic_is_steered(program->nic),
	};
	memcpy(facts.addresses, program->rules.addresses, sizeof(facts.addresses));
	memcpy(facts.mac, program->rules.mac, sizeof(facts.mac));
	facts.key_form = (uint8_t)crypto_key_form(program->crypto);
	snprintf(facts.engine, sizeof(facts.engine), "%s", crypto_engine(program->crypto));
	snprintf(facts.port, sizeof(facts.port), "%s", program->options.port);
	snprintf(facts.interface, sizeof(facts.interface), "%s", nic_interface(program->nic));
	return facts;
}

// The engine said on stderr why it does not start.
static bool start_crypto(struct program *program)
{
	const struct crypto_plan plan = {
		.engine = program->options.crypto,
		.worker_count = program->options.workers,
		.stream_count = program->rules.address_count * MEDIA_PORT_COUNT,
	};
	return crypto_start(&plan, &program->crypto) == OK;
}

static bool start_workers(struct program *program)
{
	struct worker_plan plan = {
		.count = program->options.workers,
		.stream_count = program->rules.address_count * MEDIA_PORT_COUNT,
		.polls_busy = program->options.polls_busy,
		.min_ttl = (uint8_t)program->options.min_ttl,
		.rules = &program->rules,
		.nic = program->nic,
		.views = attach_views(program->attach),
		.mailboxes = attach_mailboxes(program->attach),
		.crypto = program->crypto,
		.stop = &program->stop,
	};
	program->workers = worker_create_all(&plan);
	if (!program->workers) {
		fprintf(stderr,
			"trunkd-dataplane: --memory-mb %u is too little for the streams of "
			"%u media addresses; give more\n",
			program->options.memory_mb, program->options.media_count);
		return false;
	}
	for (; program->launched < plan.count; program->launched++)
		if (!nic_launch(program->nic, program->launched, worker_run,
				program->workers[program->launched]))
			return false;
	return true;
}

// Keys lie in memory of our own, of DPDK's and of libraries: so no core file at all, and no debugger of
// a user that is not root.
static void hide_memory(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
}

static bool start(struct program *program)
{
	hide_memory();
	if (!block_signals(program) || !attach_is_free(program->options.socket_path))
		return false;
	program->nic = nic_start(&program->options);
	if (!program->nic)
		return false;
	nic_rules(program->nic, &program->options, &program->rules);
	if (!start_crypto(program))
		return false;
	struct dataplane_facts facts = write_facts(program);
	program->attach = attach_create(&facts, facts.address_count * MEDIA_PORT_COUNT);
	return program->attach && start_workers(program) &&
	       attach_listen(program->attach, program->options.socket_path,
			     program->options.allow_uid);
}

static void stop(struct program *program)
{
	atomic_store(&program->stop, true);
	if (program->launched > 0)
		nic_join(program->nic);
	attach_destroy(program->attach);
	crypto_stop(program->crypto); // before the workers, whose packets it may still hold
	worker_destroy_all(program->workers, program->options.workers);
	nic_stop(program->nic);
	if (program->signal_fd >= 0)
		close(program->signal_fd);
}

int main(int count, char **arguments)
{
	struct program program = { .signal_fd = -1 };
	switch (options_parse(count, arguments, &program.options)) {
	case OPTIONS_HELP:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		return 2;
	case OPTIONS_RUN:
		break;
	}
	bool is_started = start(&program);
	if (is_started) {
		log_event(LOG_INFO, "dataplane_ready", "port", program.options.port, "socket",
			  program.options.socket_path, "interface", nic_interface(program.nic),
			  "engine", crypto_engine(program.crypto), "huge_pages",
			  nic_has_huge_pages(program.nic) ? "yes" : "no", NULL);
		attach_run(program.attach, program.signal_fd);
		log_event(LOG_INFO, "dataplane_stopping", NULL);
	}
	stop(&program);
	return is_started ? EXIT_SUCCESS : EXIT_FAILURE;
}
