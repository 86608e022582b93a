// trunkd: SIP, calls, the operator's door. This file reads the command line and the configuration;
// everything else hangs on the control thread.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "admin/metrics.h"
#include "call/catalogue/catalogue.h"
#include "call/header/table.h"
#include "certificates.h"
#include "config/config.h"
#include "control.h"
#include "dataplane/verdict.h"
#include "rates.h"
#include "sip/tls/tls.h"

#define DEFAULT_CONFIG "/etc/trunkd/trunkd.yaml"
#define EXIT_USAGE 2

static const char usage[] =
	"Usage: trunkd [--config FILE]\n"
	"       trunkd --check FILE\n"
	"       trunkd --describe "
	"options|options.md|commands|metrics|verdicts|headers|alerts|alerts-ja\n"
	"\n"
	"  -c, --config FILE    configuration (default " DEFAULT_CONFIG ")\n"
	"  -t, --check FILE     say everything that is wrong with FILE and exit: 0 right, 1 wrong\n"
	"  -d, --describe WHAT  print a reference page; options: the source of trunkd.yaml(5)\n"
	"  -V, --version        print the version\n"
	"  -h, --help           print this\n"
	"\n"
	"SIGHUP applies the live options of the file again. See trunkd(8), trunkd.yaml(5), "
	"trunkctl(8).\n";

static struct config *load(const char *path)
{
	struct config *config = NULL;
	struct config_problems *problems = calloc(1, sizeof *problems);
	if (problems == NULL)
		return NULL;
	if (config_load(path, &config, problems) != OK)
		config = NULL;
	for (unsigned i = 0; i < problems->count; i++)
		(void)fprintf(stderr, "%s\n", problems->messages[i]);
	free(problems);
	return config;
}

static int check(const char *path)
{
	struct config *config = load(path);
	struct sip_tls_problem problem;
	if (config == NULL)
		return EXIT_FAILURE;
	char wrong[RATES_PROBLEM_MAX] = "";
	enum status status = rates_check(config, wrong);
	if (status != OK) {
		config_destroy(config);
		(void)fprintf(stderr, "%s\n", wrong);
		return EXIT_FAILURE;
	}
	status = certificates_check(config, &problem);
	config_destroy(config);
	if (status != OK) {
		char text[CERTIFICATES_PROBLEM_SIZE];
		certificates_locate(path, &problem, text);
		(void)fprintf(stderr, "%s\n", problem.text[0] != '\0' ? text : status_text(status));
		return EXIT_FAILURE;
	}
	(void)printf("%s: ok\n", path);
	return EXIT_SUCCESS;
}

static void describe_verdicts(FILE *out)
{
	(void)fprintf(out,
		      "# Verdicts\n\nWhat became of a packet: the label of "
		      "`trunkd_worker_packets_total`.\n\n| verdict | meaning |\n| --- | --- |\n");
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		(void)fprintf(out, "| `%s` | %s |\n", verdict_label(i), verdict_text(i));
}

static int describe(const char *what)
{
	static const struct {
		const char *name;
		void (*write)(FILE *out);
	} pages[] = {
		{ "options", config_describe },
		{ "options.md", config_describe_markdown },
		{ "commands", admin_command_describe },
		{ "metrics", admin_metrics_describe },
		{ "verdicts", describe_verdicts },
		{ "headers", header_describe },
		{ "alerts", catalogue_describe },
		{ "alerts-ja", catalogue_describe_japanese },
	};
	for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++) {
		if (strcmp(what, pages[i].name) != 0)
			continue;
		pages[i].write(stdout);
		return EXIT_SUCCESS;
	}
	(void)fprintf(stderr, "trunkd: --describe %s: there is no such page; there are:", what);
	for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++)
		(void)fprintf(stderr, " %s", pages[i].name);
	(void)fputc('\n', stderr);
	return EXIT_USAGE;
}

static int run(const char *path)
{
	struct config *config = load(path);
	if (config == NULL) {
		(void)fprintf(stderr, "trunkd: not started; mend %s and try trunkd --check %s\n",
			      path, path);
		return EXIT_FAILURE;
	}
	int status = control_run(path, config);
	config_destroy(config);
	return status;
}

int main(int argument_count, char **arguments)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", required_argument, NULL, 't' },
		{ "describe", required_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = DEFAULT_CONFIG;
	int option;
	while ((option = getopt_long(argument_count, arguments, "c:t:d:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 't':
			return check(optarg);
		case 'd':
			return describe(optarg);
		case 'V':
			(void)printf("trunkd %s\n", TRUNKD_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			(void)fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argument_count) {
		(void)fprintf(stderr, "trunkd: unexpected argument %s\n%s", arguments[optind],
			      usage);
		return EXIT_USAGE;
	}
	return run(path);
}
