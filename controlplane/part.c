// The parts of the control process, each with its start and its stop. Runs on the control thread,
// before and after its loop; may wait while nobody else is kept waiting.

#include "part.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/metrics.h"
#include "api/api.h"
#include "attachment.h"
#include "base/log.h"
#include "call/engine.h"
#include "call/session/digits.h"
#include "certificates.h"
#include "config/config.h"
#include "config/sharing.h"
#include "directory/directory.h"
#include "history/history.h"
#include "control.h"
#include "guard.h"
#include "launcher.h"
#include "media/media.h"
#include "media/ports.h"
#include "media/quality/unreachable.h"
#include "metering/metering.h"
#include "naming.h"
#include "rates.h"
#include "reload.h"
#include "resolver.h"
#include "signalling.h"
#include "sip/dialog.h"
#include "sip/digest/digest.h"
#include "sip/transaction.h"
#include "sip/transport.h"
#include "store/limits/limits.h"
#include "store/store.h"

#define STORE_WAIT_MS 10000
// However short a call, three of its transactions linger for 32 s (Timers J, L, M) and two for 5 s: 106
// live for each call per second. Where sip.max_calls is 20,000 that is room for 12,000 calls/s.
#define TRANSACTIONS_PER_CALL 64

static enum status start_log(struct control *control)
{
	const struct log_config *config = &control->config->log;
	return log_start(config->level, config->format) ? OK : ERR_SYSTEM;
}

static void stop_log(struct control *control)
{
	(void)control;
	log_stop();
}

static const struct passwd *user_of(const struct node_config *node)
{
	return node->user[0] != '\0' ? getpwnam(node->user) : NULL;
}

static enum status make_directory(const char *path, const struct passwd *user)
{
	if (mkdir(path, 0750) != 0 && errno != EEXIST) {
		log_event(LOG_ERROR, "directory_missing", "path", path, "problem", strerror(errno),
			  NULL);
		return ERR_SYSTEM;
	}
	if (user != NULL && geteuid() == 0 && chown(path, user->pw_uid, user->pw_gid) != 0)
		return ERR_SYSTEM;
	return OK;
}

// Two control processes on one node would take each other's dataplane and records.
static enum status take_lock(struct control *control)
{
	char path[CONFIG_TEXT_SIZE + 16];
	(void)snprintf(path, sizeof path, "%s/trunkd.lock",
		       control->config->node.runtime_directory);
	control->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (control->lock_fd < 0 || flock(control->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		log_event(LOG_ERROR, "lock_taken", "file", path, "problem",
			  "another trunkd runs with this runtime directory", NULL);
		return ERR_CONFLICT;
	}
	return OK;
}

static enum status start_directories(struct control *control)
{
	const struct node_config *node = &control->config->node;
	const struct passwd *user = user_of(node);
	if (node->user[0] != '\0' && user == NULL) {
		log_event(LOG_ERROR, "user_unknown", "option", "node.user", "user", node->user,
			  NULL);
		return ERR_NOT_FOUND;
	}
	enum status status = make_directory(node->state_directory, user);
	if (status == OK)
		status = make_directory(node->runtime_directory, user);
	return status == OK ? take_lock(control) : status;
}

static void stop_directories(struct control *control)
{
	if (control->lock_fd > 0)
		(void)close(control->lock_fd);
}

static enum status start_launcher(struct control *control)
{
	const struct config *config = control->config;
	const struct passwd *user = user_of(&config->node);
	return launcher_start(user != NULL ? user->pw_uid : 0, &config->dataplane, &config->media,
			      &control->launcher);
}

static void stop_launcher(struct control *control)
{
	launcher_stop(control->launcher);
}

static enum status start_loop(struct control *control)
{
	control->loop = control_create_loop();
	clock_update(&control->clock);
	control->wheel = wheel_create(control->clock.now_ms);
	return control->loop != NULL && control->wheel != NULL ? OK : ERR_MEMORY;
}

static void stop_loop(struct control *control)
{
	wheel_destroy(control->wheel);
	if (control->loop != NULL)
		event_base_free(control->loop);
}

static void dataplane_changed(void *context, struct dataplane *dataplane)
{
	struct control *control = context;
	(void)admin_replace_dataplane(&control->admin_context, dataplane); // its owner detaches it
	media_engine_attach(control->media, dataplane);
}

static enum status start_attachment(struct control *control)
{
	struct attachment_options options = { .loop = control->loop,
					      .clock = &control->clock,
					      .config = control->config,
					      .launcher = control->launcher,
					      .changed = dataplane_changed,
					      .context = control };
	return attachment_start(&options, &control->attachment);
}

static void stop_attachment(struct control *control)
{
	// An orderly stop ends what we started; a failed start only what it has started itself.
	bool is_failed_start = control->tick_ns == 0;
	bool is_ours = is_failed_start
			       ? attachment_has_ordered(control->attachment)
			       : control->config->dataplane.start && control->stop_by_ms != 0;
	attachment_stop(control->attachment, is_ours);
}

static enum status start_directory(struct control *control)
{
	control->directory = directory_create(text_of(control->config->sip.base_domain));
	if (control->directory == NULL)
		return ERR_MEMORY;
	directory_follow(control->directory,
			 &(struct directory_rules){ .edges = &control->config->edges,
						    .accounts = &control->config->accounts });
	return OK;
}

static void stop_directory(struct control *control)
{
	directory_destroy(control->directory);
}

static enum status start_history(struct control *control)
{
	const struct config *config = control->config;
	char spool[CONFIG_TEXT_SIZE + 16];
	(void)snprintf(spool, sizeof spool, "%s.spool", config->history.file);
	struct history_options options = { .file = config->history.file,
					   .spool_file = spool,
					   .spool_records = config->history.spool_records,
					   .retention = { .days = config->history.keep_days,
							  .alerts_days =
								  config->history.keep_alerts_days,
							  .rows = config->history.keep_rows },
					   .rates = control->rates };
	return history_start(control->loop, &options, &control->history);
}

static void stop_history(struct control *control)
{
	history_stop(control->history);
}

static enum status start_store(struct control *control)
{
	const struct config *config = control->config;
	struct store_options options = { .url = config->redis.url,
					 .addresses = config->redis.addresses.items,
					 .address_count = config->redis.addresses.count,
					 .password_file = config->redis.password_file,
					 .program = config->redis.program,
					 .state_directory = config->node.state_directory,
					 .runtime_directory = config->node.runtime_directory,
					 .directory = control->directory };
	struct store_limits_options limits = { .node_timeout_s = config->limits.node_timeout_s,
					       .wait_ms = config->limits.redis_wait_ms };
	config_write_identity(config, limits.name, sizeof limits.name);
	if (config_shares_limits(config))
		options.limits = &limits;
	enum status status = store_start(control->loop, &options, &control->store);
	// Calls need the directory: the sockets open only once it is loaded.
	clock_update(&control->clock); // starting a dataplane may have taken long
	uint64_t until_ms = control->clock.now_ms + STORE_WAIT_MS;
	while (status == OK && store_state(control->store) != STORE_READY) {
		(void)event_base_loop(control->loop, EVLOOP_NONBLOCK);
		(void)usleep(1000);
		clock_update(&control->clock);
		if (control->clock.now_ms > until_ms)
			status = ERR_UNAVAILABLE;
	}
	if (status != OK)
		log_event(LOG_ERROR, "store_missing", "where",
			  control->store != NULL ? store_where(control->store) : "redis", "problem",
			  status_text(status), NULL);
	return status;
}

static void stop_store(struct control *control)
{
	store_stop(control->store);
}

static enum status start_media(struct control *control)
{
	const struct media_config *config = &control->config->media;
	struct media_engine_options options = {
		.loop = control->loop,
		.clock = &control->clock,
		.wheel = control->wheel,
		.dataplane = attachment_dataplane(control->attachment),
		.port_quarantine_ms = config->port_quarantine_ms,
		.orphan_grace_ms = config->orphan_grace_s * 1000,
		.event = call_media_event,
	};
	enum status status = media_engine_start(&options, &control->media);
	if (status == OK)
		media_engine_set_digits(control->media, digits_heard, config->show_digits);
	return status;
}

// MEDIA-015: packets of media never meet the kernel, but the errors they bring do.
static bool note_unreachable(void *context, const struct unreachable_packet *packet)
{
	struct control *control = context;
	const struct media_ports *ports = media_engine_ports(control->media);
	uint32_t index =
		ports != NULL ? media_ports_find(ports, &packet->source) : MEDIA_PORTS_NONE;
	if (index == MEDIA_PORTS_NONE || media_ports_holder(ports, index) == NULL)
		return false;
	media_note_unreachable(control->media, index, &packet->destination);
	return true;
}

// Without the right to it all else works: that evidence is missing then, and status says so.
static enum status start_unreachable(struct control *control)
{
	uid_t user = geteuid();
	(void)seteuid(0); // for raw sockets; refused when not root, where CAP_NET_RAW will do
	enum status status =
		unreachable_start(control->loop, note_unreachable, control, &control->unreachable);
	if (status != OK)
		log_event(LOG_WARNING, "icmp_not_heard", "problem", status_text(status), "needs",
			  "CAP_NET_RAW", NULL);
	return seteuid(user) == 0 ? OK : ERR_SYSTEM;
}

static void stop_unreachable(struct control *control)
{
	unreachable_stop(control->unreachable);
}

static void stop_media(struct control *control)
{
	media_engine_stop(control->media);
}

static enum status start_calls(struct control *control)
{
	static const enum sip_digest_offer offers[] = {
		[CONFIG_DIGEST_MD5] = SIP_DIGEST_OFFER_MD5,
		[CONFIG_DIGEST_SHA256] = SIP_DIGEST_OFFER_SHA256,
		[CONFIG_DIGEST_BOTH] = SIP_DIGEST_OFFER_BOTH,
	};
	const struct sip_config *config = &control->config->sip;
	const char *realm = config->realm[0] != '\0' ? config->realm : config->base_domain;
	struct sip_home home;
	signalling_home(control->config, &home);
	control->dialogs = sip_dialogs_create(config->max_calls * 2);
	if (control->dialogs != NULL)
		sip_dialogs_place(control->dialogs, &home);
	if (control->dialogs != NULL)
		sip_dialogs_follow(control->dialogs, control->resolver);
	control->digest =
		sip_digest_create(&control->clock, text_of(realm), config->nonce_lifetime_s);
	if (control->digest != NULL)
		sip_digest_offer(control->digest, offers[config->digest_algorithms]);
	struct calls_options options = { .clock = &control->clock,
					 .wheel = control->wheel,
					 .config = control->config,
					 .directory = control->directory,
					 .history = control->history,
					 .dialogs = control->dialogs,
					 .digest = control->digest,
					 .resolver = control->resolver,
					 .cnam = control->cnam,
					 .notify = control->notify,
					 .guard = control->guard,
					 .limits = store_limits(control->store) };
	memcpy(options.ports, home.ports, sizeof options.ports);
	control->calls = calls_create(&options);
	if (control->dialogs == NULL || control->digest == NULL || control->calls == NULL)
		return ERR_MEMORY;
	return OK;
}

static void stop_calls(struct control *control)
{
	calls_destroy(control->calls);
	sip_digest_destroy(control->digest);
	sip_dialogs_destroy(control->dialogs);
}

static enum status send_later(void *context, struct text octets, struct sip_flow *flow)
{
	struct control *control = context;
	if (control->transport == NULL)
		return ERR_SYSTEM; // stopped: last words of calls that are still up
	return sip_transport_send(control->transport, octets, flow);
}

static void trust_later(void *context, uint64_t connection)
{
	struct control *control = context;
	if (control->transport != NULL)
		sip_transport_trust(control->transport, connection);
}

static void dismiss_later(void *context, uint64_t connection)
{
	struct control *control = context;
	if (control->transport != NULL)
		sip_transport_dismiss(control->transport, connection);
}

static enum status start_transactions(struct control *control)
{
	const struct sip_config *config = &control->config->sip;
	struct sip_transaction_options options = {
		.clock = &control->clock,
		.wheel = control->wheel,
		.send = send_later,
		.trust = trust_later,
		.dismiss = dismiss_later,
		.send_context = control,
		.t1_ms = config->t1_ms,
		.t2_ms = config->t2_ms,
		.t4_ms = config->t4_ms,
		.transactions_max = config->max_calls * TRANSACTIONS_PER_CALL,
		.user_agent = "trunkd",
		.guard = control->guard,
	};
	sip_message_start();
	calls_fill_sip_user(control->calls, &options.user);
	control->transactions = sip_transactions_create(&options);
	if (control->transactions == NULL)
		return ERR_MEMORY;
	calls_attach(control->calls, control->transactions, control->media);
	return OK;
}

static void stop_transactions(struct control *control)
{
	calls_detach(control->calls);
	sip_transactions_destroy(control->transactions);
}

static enum status start_metering(struct control *control)
{
	struct metering_options options = { .loop = control->loop,
					    .clock = &control->clock,
					    .directory = control->directory,
					    .store = control->store,
					    .history = control->history,
					    .node = text_of(control->config->node.name),
					    .spool_records =
						    control->config->history.spool_records };
	return metering_start(&options, &control->metering);
}

static void stop_metering(struct control *control)
{
	metering_stop(control->metering);
}

static enum status start_admin(struct control *control)
{
	struct admin_context *context = &control->admin_context;
	context->clock = &control->clock;
	context->config = control->config;
	context->directory = control->directory;
	context->store = control->store;
	context->history = control->history;
	context->calls = control->calls;
	context->media = control->media;
	context->unreachable = control->unreachable;
	context->transactions = control->transactions;
	context->guard = control->guard;
	context->transport = control->transport;
	context->tls = control->tls;
	context->resolver = control->resolver;
	context->names = control->names;
	context->cnam = control->cnam;
	context->notify = control->notify;
	context->dataplane = attachment_dataplane(control->attachment);
	context->started_ms = control->clock.wall_ms;
	context->reload = reload_run;
	context->reload_context = control;
	struct admin_options options = { .socket = control->config->admin.socket,
					 .context = context };
	return admin_start(control->loop, &options, &control->admin);
}

static void stop_admin(struct control *control)
{
	admin_stop(control->admin);
}

static enum status start_api(struct control *control)
{
	char address[ADDRESS_TEXT_SIZE];
	struct api_options options = {
		.metrics_address = address_string(&control->config->admin.metrics_address, address),
		.write_metrics = admin_metrics_write_any,
		.is_ready = admin_is_ready_any,
		.reason = admin_reason_any,
		.context = &control->admin_context,
	};
	return api_start(&options, &control->api);
}

static void stop_api(struct control *control)
{
	api_stop(control->api);
}

// From here on the user's: files, the database and Redis are made by it. Root comes back once, for
// what only root may ask of a socket, and goes for good at the end of the start.
static enum status start_user(struct control *control)
{
	const struct passwd *user = user_of(&control->config->node);
	if (user == NULL || geteuid() != 0)
		return OK;
	if (setgroups(0, NULL) == 0 && setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
	    setresuid(user->pw_uid, user->pw_uid, 0) == 0)
		return OK;
	log_event(LOG_ERROR, "user_refused", "user", control->config->node.user, "problem",
		  strerror(errno), NULL);
	return ERR_SYSTEM;
}

// Least privilege: after this nothing here is root or can become it, and no key of a call can land
// in a core file.
static enum status start_unprivileged(struct control *control)
{
	const struct passwd *user = user_of(&control->config->node);
	if (user != NULL && setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
		return ERR_SYSTEM;
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return OK;
}

static const struct part parts[] = {
	{ "directories", start_directories, stop_directories },
	{ "launcher", start_launcher, stop_launcher }, // forks: before any thread
	{ "log", start_log, stop_log },
	{ "loop", start_loop, stop_loop },
	{ "dataplane", start_attachment, stop_attachment },
	{ "directory", start_directory, stop_directory },
	{ "user", start_user, NULL },
	{ "rates", rates_start, rates_stop },
	{ "history", start_history, stop_history },
	{ "store", start_store, stop_store },
	{ "media", start_media, stop_media },
	{ "icmp", start_unreachable, stop_unreachable },
	{ "resolver", resolver_start, resolver_stop },
	{ "guard", guard_start, guard_stop },
	{ "cnam", naming_callers_start, naming_callers_stop },
	{ "notify", naming_tellers_start, naming_tellers_stop },
	{ "calls", start_calls, stop_calls },
	{ "transactions", start_transactions, stop_transactions },
	{ "tls", certificates_start, certificates_stop },
	{ "transport", signalling_start, signalling_stop },
	{ "metering", start_metering, stop_metering },
	{ "untold", naming_tellers_resume, NULL },
	{ "names", naming_start, naming_stop },
	{ "admin", start_admin, stop_admin },
	{ "api", start_api, stop_api },
	{ "privileges", start_unprivileged, NULL },
};

const struct part *part_at(unsigned index)
{
	return index < sizeof parts / sizeof *parts ? &parts[index] : NULL;
}
