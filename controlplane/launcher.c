// The process that starts the dataplane. Forked before any thread exists; it holds nothing but the
// command line and a socket, and ends with the socket.

#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"

#define ARGUMENTS_MAX 256
#define ARGUMENT_SIZE 288

struct launcher {
	int socket;
	pid_t process;
};

struct command {
	unsigned count;
	char *words[ARGUMENTS_MAX];
	char text[ARGUMENTS_MAX][ARGUMENT_SIZE];
};

static void add(struct command *command, const char *word)
{
	if (command->count + 1 >= ARGUMENTS_MAX)
		return;
	char *room = command->text[command->count];
	(void)snprintf(room, ARGUMENT_SIZE, "%s", word);
	command->words[command->count++] = room;
	command->words[command->count] = NULL;
}

static void add_option(struct command *command, const char *option, const char *value)
{
	add(command, option);
	add(command, value);
}

static void add_number(struct command *command, const char *option, unsigned value)
{
	char room[16];
	(void)snprintf(room, sizeof room, "%u", value);
	add_option(command, option, room);
}

static void add_address(struct command *command, const char *option, const struct address *address)
{
	char room[ADDRESS_TEXT_SIZE];
	struct writer writer = writer_of(room, sizeof room);
	address_write_host(address, &writer);
	const char *text = writer_string_done(&writer);
	if (text != NULL)
		add_option(command, option, text);
}

static void add_prefix(struct command *command, const struct prefix *prefix)
{
	char room[ADDRESS_TEXT_SIZE];
	struct writer writer = writer_of(room, sizeof room);
	address_write_host(&prefix->address, &writer);
	writer_format(&writer, "/%u", prefix->bits);
	const char *text = writer_string_done(&writer);
	if (text != NULL)
		add_option(command, "--address", text);
}

static void add_cores(struct command *command, const struct config_numbers *cores)
{
	char room[ARGUMENT_SIZE];
	struct writer writer = writer_of(room, sizeof room);
	for (unsigned i = 0; i < cores->count; i++)
		writer_format(&writer, "%s%u", i > 0 ? "," : "", cores->items[i]);
	const char *text = writer_string_done(&writer);
	if (cores->count > 0 && text != NULL)
		add_option(command, "--cores", text);
}

// Beside our own executable when nothing else is said, so that a build runs where it was built.
static void find_program(const struct dataplane_config *config, char *room, size_t size)
{
	static const char name[] = "trunkd-dataplane";
	if (config->program[0] != '\0') {
		(void)snprintf(room, size, "%s", config->program);
		return;
	}
	static const char *const places[] = { "", "../dataplane/" };
	char own[256];
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
	own[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(own, '/');
	if (slash != NULL)
		slash[1] = '\0';
	for (unsigned i = 0; slash != NULL && i < sizeof places / sizeof *places; i++) {
		(void)snprintf(room, size, "%s%s%s", own, places[i], name);
		if (access(room, X_OK) == 0)
			return;
	}
	(void)snprintf(room, size, "%s", name);
}

static void fill_command(struct command *command, const struct dataplane_config *dataplane,
			 const struct media_config *media, unsigned user_id)
{
	static const char *const huge_pages[] = { "auto", "on", "off" };
	char program[ARGUMENT_SIZE];
	find_program(dataplane, program, sizeof program);
	add(command, program);
	add_option(command, "--socket", dataplane->socket);
	add_option(command, "--port", dataplane->port);
	add_option(command, "--interface", dataplane->interface);
	for (unsigned i = 0; i < media->addresses.count; i++)
		add_address(command, "--media", &media->addresses.items[i]);
	for (unsigned i = 0; i < dataplane->addresses.count; i++)
		add_prefix(command, &dataplane->addresses.items[i]);
	for (unsigned i = 0; i < dataplane->gateway.count; i++)
		add_address(command, "--gateway", &dataplane->gateway.items[i]);
	add_number(command, "--workers", dataplane->workers);
	add_cores(command, &dataplane->cores);
	add_option(command, "--polling",
		   dataplane->polling == CONFIG_POLLING_BUSY ? "busy" : "adaptive");
	add_option(command, "--huge-pages", huge_pages[dataplane->huge_pages]);
	add_number(command, "--memory-mb", dataplane->memory_mb);
	add_number(command, "--min-ttl", media->min_ttl);
	add_option(command, "--crypto", dataplane->crypto);
	if (user_id != 0)
		add_number(command, "--allow-uid", user_id);
}

// The dataplane leads a session of its own: no signal and no end of trunkd reaches it.
static void start_dataplane(const struct command *command)
{
	pid_t process = fork();
	if (process != 0) {
		if (process > 0)
			(void)waitpid(process, NULL, 0);
		return;
	}
	if (setsid() < 0 || fork() != 0) // twice: nobody of ours is its parent
		_exit(0);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)execvp(command->words[0], command->words);
	(void)dprintf(STDERR_FILENO, "trunkd: cannot start %s: %s\n", command->words[0],
		      strerror(errno));
	_exit(127);
}

static void wait_for_orders(int socket, const struct command *command)
{
	char order;
	(void)prctl(PR_SET_NAME, "trunkd-launcher");
	(void)signal(SIGINT, SIG_IGN); // ends with the socket, not before
	(void)signal(SIGTERM, SIG_IGN);
	while (read(socket, &order, 1) == 1)
		start_dataplane(command);
	_exit(0);
}

enum status launcher_start(unsigned user_id, const struct dataplane_config *dataplane,
			   const struct media_config *media, struct launcher **out_launcher)
{
	int pair[2];
	struct command *command = calloc(1, sizeof *command);
	struct launcher *launcher = calloc(1, sizeof *launcher);
	if (command == NULL || launcher == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		goto fail;
	fill_command(command, dataplane, media, user_id);
	launcher->process = fork();
	if (launcher->process == 0) {
		(void)close(pair[0]);
		wait_for_orders(pair[1], command);
	}
	(void)close(pair[1]);
	launcher->socket = pair[0];
	free(command);
	*out_launcher = launcher;
	return OK;
fail:
	free(command);
	free(launcher);
	return ERR_SYSTEM;
}

enum status launcher_order(struct launcher *launcher)
{
	char order = 's';
	ssize_t sent = send(launcher->socket, &order, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent == 1 ? OK : ERR_SYSTEM;
}

void launcher_stop(struct launcher *launcher)
{
	if (launcher == NULL)
		return;
	(void)close(launcher->socket);
	(void)waitpid(launcher->process, NULL, 0);
	free(launcher);
}
