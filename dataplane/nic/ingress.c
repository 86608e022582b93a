// An interface's kernel input, cut off and restored by running nft. Packet taps come before the
// ingress hook, so the dataplane still sees everything.
// Runs on: main. Starts no shell; the interface's name never reaches one.
//
// DPDK's af_packet driver asks the kernel to put fragments together before it hands them over. What
// comes then is longer than a frame: the driver cuts it, or the TAP refuses it, and no SIP message
// beyond 1,472 octets arrives. The driver knows no option for that, so the wish is taken out of its
// system call: fragments come as they are on the cable, as from a card, and the kernel behind the TAP
// puts them together.

#include "dataplane/nic/ingress.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

#define RULES_SIZE 512
#define FANOUT_DEFRAGMENTS ((uint32_t)PACKET_FANOUT_FLAG_DEFRAG << 16)

static bool feed(pid_t child, int pipe_fd, struct text rules)
{
	bool is_written = write(pipe_fd, rules.data, rules.size) == (ssize_t)rules.size;
	close(pipe_fd);
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return is_written && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// `rules` is shorter than a pipe's buffer, so writing them cannot wait.
static bool run_nft(struct text rules)
{
	char *const arguments[] = { "nft", "-f", "-", NULL };
	char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	posix_spawn_file_actions_t actions;
	int pipe_fds[2];
	pid_t child;
	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[0], STDIN_FILENO);
	int error = posix_spawnp(&child, "nft", &actions, NULL, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[0]);
	if (error == 0)
		return feed(child, pipe_fds[1], rules);
	close(pipe_fds[1]);
	fprintf(stderr,
		"trunkd-dataplane: nft does not start (%s): af_packet: needs it "
		"('apt-get install nftables'), or use af_xdp:\n",
		strerror(error));
	return false;
}

// nft's names have letters, digits and underscores; an interface's may have more.
static void write_table(struct writer *writer, const char *interface)
{
	writer_string(writer, "table netdev trunkd_");
	for (const char *at = interface; *at; at++) {
		bool is_plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
				(*at >= 'A' && *at <= 'Z');
		writer_char(writer, is_plain ? *at : '_');
	}
}

static void write_removal(struct writer *writer, const char *interface)
{
	writer_string(writer, "add "); // deleting what is not there would be an error
	write_table(writer, interface);
	writer_string(writer, "\ndelete ");
	write_table(writer, interface);
	writer_string(writer, "\n");
}

bool nic_ingress_cut(const char *interface)
{
	char room[RULES_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	write_removal(&writer, interface);
	write_table(&writer, interface);
	writer_format(&writer,
		      " {\n chain input {\n  type filter hook ingress device \"%s\" priority 0; "
		      "policy drop;\n }\n}\n",
		      interface);
	if (!writer.failed && run_nft(writer_done(&writer)))
		return true;
	fprintf(stderr,
		"trunkd-dataplane: the kernel's own input of %s is not cut off; it would "
		"answer beside us\n",
		interface);
	return false;
}

void nic_ingress_restore(const char *interface)
{
	char room[RULES_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	write_removal(&writer, interface);
	(void)run_nft(writer_done(&writer));
}

// Stands before libc's, for the driver's libraries too.
__attribute__((visibility("default"))) int setsockopt(int fd, int level, int option,
						      const void *value, socklen_t size)
{
	uint32_t fanout;
	if (level == SOL_PACKET && option == PACKET_FANOUT && size == sizeof(fanout)) {
		memcpy(&fanout, value, sizeof(fanout));
		fanout &= ~FANOUT_DEFRAGMENTS;
		value = &fanout;
	}
	return (int)syscall(SYS_setsockopt, fd, level, option, value, size);
}
