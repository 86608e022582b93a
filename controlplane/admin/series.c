// The table of series. Runs on the api thread. Must never touch a call, a trunk or the directory: only
// counters.

#include "admin/series.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/log.h"
#include "call/call.h"
#include "cnam/cnam.h"
#include "history/history.h"
#include "media/media.h"
#include "media/quality/unreachable.h"
#include "names/names.h"
#include "notify/notify.h"
#include "sip/guard/guard.h"
#include "sip/resolve/resolve.h"
#include "sip/tls/tls.h"
#include "sip/transaction.h"
#include "sip/transport.h"
#include "store/store.h"

static double read_one(const struct admin_snapshot *snapshot)
{
	(void)snapshot;
	return 1;
}

static double read_start(const struct admin_snapshot *snapshot)
{
	return (double)snapshot->context->started_ms / 1000;
}

static double read_cpu(const struct admin_snapshot *snapshot)
{
	(void)snapshot;
	struct timespec used = { 0, 0 };
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double read_memory(const struct admin_snapshot *snapshot)
{
	(void)snapshot;
	unsigned long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return 0;
	int count = fscanf(file, "%lu %lu", &size, &resident);
	fclose(file);
	return count == 2 ? (double)resident * (double)sysconf(_SC_PAGESIZE) : 0;
}

static double read_descriptors(const struct admin_snapshot *snapshot)
{
	(void)snapshot;
	double count = 0;
	DIR *directory = opendir("/proc/self/fd");
	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 3; // ".", "..", and the one that reads
}

static double read_attached(const struct admin_snapshot *snapshot)
{
	return snapshot->has_dataplane;
}

static double read_workers(const struct admin_snapshot *snapshot)
{
	return snapshot->workers;
}

static double read_store_ready(const struct admin_snapshot *snapshot)
{
	return counter_get(&snapshot->context->store_state) == STORE_READY;
}

static double read_ready(const struct admin_snapshot *snapshot)
{
	const char *reason;
	return admin_is_ready(snapshot->context, &reason);
}

static double read_icmp(const struct admin_snapshot *snapshot)
{
	return snapshot->context->unreachable != NULL;
}

static double read_log_dropped(const struct admin_snapshot *snapshot)
{
	(void)snapshot;
	return (double)log_dropped();
}

static double read_streams(const struct admin_snapshot *snapshot)
{
	double count = 0;
	for (unsigned i = 0; i < snapshot->workers; i++)
		count += snapshot->views[i].streams_open;
	return count;
}

#define C ADMIN_METRICS_COUNTER
#define G ADMIN_METRICS_GAUGE
#define CONTEXT(field) PART_CONTEXT, LABEL_NONE, offsetof(struct admin_context, field), 0, NULL
#define TRANSPORT(field)                                                                           \
	PART_TRANSPORT, LABEL_NONE, offsetof(struct sip_transport_counters, field), 0, NULL
#define CONNECTIONS(label, field)                                                                  \
	PART_TRANSPORT, label, offsetof(struct sip_transport_counters, field), 0, NULL
#define SIP(label, field)                                                                          \
	PART_TRANSACTIONS, label, offsetof(struct sip_transaction_counters, field), 0, NULL
#define RESOLVER(field)                                                                            \
	PART_RESOLVER, LABEL_NONE, offsetof(struct sip_resolver_counters, field), 0, NULL
#define DNS(label, field) PART_DNS, label, offsetof(struct dns_cache_counters, field), 0, NULL
#define TLS(label, field) PART_TLS, label, offsetof(struct sip_tls_counters, field), 0, NULL
#define GUARD(label, field) PART_GUARD, label, offsetof(struct sip_guard_counters, field), 0, NULL
#define CALLS(label, field) PART_CALLS, label, offsetof(struct call_counters, field), 0, NULL
#define MEDIA(field) PART_MEDIA, LABEL_NONE, offsetof(struct media_counters, field), 0, NULL
#define ICMP(field) PART_ICMP, LABEL_NONE, offsetof(struct unreachable_counters, field), 0, NULL
#define CNAM(label, field) PART_CNAM, label, offsetof(struct cnam_counters, field), 0, NULL
#define NOTIFY(label, field) PART_NOTIFY, label, offsetof(struct notify_counters, field), 0, NULL
#define NAMES(field) PART_NAMES, LABEL_NONE, offsetof(struct names_counters, field), 0, NULL
#define STORE(field) PART_STORE, LABEL_NONE, offsetof(struct store_counters, field), 0, NULL
#define HISTORY(field) PART_HISTORY, LABEL_NONE, offsetof(struct history_counters, field), 0, NULL
#define USAGE(field) PART_HISTORY, LABEL_CATEGORY, offsetof(struct history_counters, field), 0, NULL
#define WORKER(label, field) PART_WORKER, label, offsetof(struct worker_view, field), 0, NULL
#define READ(function) PART_NONE, LABEL_NONE, 0, 0, function

// clang-format off
static const struct admin_series SERIES[] = {
	{ "trunkd_build_info", G, PART_NONE, LABEL_VERSION, 0, 0, read_one, "Always 1; the version is its label." },
	{ "trunkd_ready", G, READ(read_ready), "1 when this node may serve calls." },
	{ "process_start_time_seconds", G, READ(read_start), "When the control process started, in seconds since 1970." },
	{ "process_cpu_seconds_total", C, READ(read_cpu), "CPU time of the control process." },
	{ "process_resident_memory_bytes", G, READ(read_memory), "Memory of the control process." },
	{ "process_open_fds", G, READ(read_descriptors), "Open file descriptors of the control process." },
	{ "trunkd_log_lines_dropped_total", C, READ(read_log_dropped), "Log lines lost to a full queue." },
	{ "trunkd_loop_late_turns_total", C, CONTEXT(loop_late), "Turns of the control loop longer than 20 ms." },
	{ "trunkd_loop_worst_seconds", G, PART_CONTEXT, LABEL_NONE, offsetof(struct admin_context, loop_worst_us), 1e6, NULL, "The longest turn of the control loop." },

	{ "trunkd_sip_messages_received_total", C, TRANSPORT(received), "SIP messages that arrived." },
	{ "trunkd_sip_messages_sent_total", C, TRANSPORT(sent), "SIP messages that were sent." },
	{ "trunkd_sip_received_bytes_total", C, TRANSPORT(received_octets), "Octets of SIP that arrived." },
	{ "trunkd_sip_sent_bytes_total", C, TRANSPORT(sent_octets), "Octets of SIP that were sent." },
	{ "trunkd_sip_send_failures_total", C, TRANSPORT(send_failures), "SIP messages the kernel did not take." },
	{ "trunkd_sip_keepalives_total", C, TRANSPORT(keepalives), "Keep-alive packets without a message." },
	{ "trunkd_sip_malformed_total", C, TRANSPORT(malformed), "Messages that are no SIP." },
	{ "trunkd_sip_too_large_total", C, TRANSPORT(too_large), "Messages above the size limit." },
	{ "trunkd_sip_kernel_drops_total", C, TRANSPORT(kernel_drops), "Packets the kernel dropped because the socket was full." },
	{ "trunkd_sip_door_received_total", C, TRANSPORT(door_received), "Messages of new calls by UDP that came by the door in overload: INVITEs, and ACKs for what they were answered." },
	{ "trunkd_sip_door_let_in_total", C, TRANSPORT(door_let_in), "Of those, let in: they waited for the control thread." },
	{ "trunkd_sip_door_refused_total", C, TRANSPORT(door_refused), "503 that were sent at the door in overload." },
	{ "trunkd_sip_door_lost_total", C, TRANSPORT(door_lost), "Messages of new calls by UDP that found the queue of the door's socket full, or waited there for half of guard.stale_ms: the door has too little of a CPU." },
	{ "trunkd_sip_guard_passed_total", C, GUARD(LABEL_SOURCE, passed), "Messages let in, by whose they are." },
	{ "trunkd_sip_guard_dropped_total", C, GUARD(LABEL_DROP, dropped), "Messages dropped before any work was spent on them, by cause." },
	{ "trunkd_sip_guard_shed_total", C, GUARD(LABEL_NONE, shed), "New calls that were to hear 503 in overload." },
	{ "trunkd_sip_guard_bans_total", C, GUARD(LABEL_CAUSE, bans), "Bans of sources and blocks of their OPTIONS, by cause." },
	{ "trunkd_sip_guard_bans_refused_total", C, GUARD(LABEL_NONE, bans_refused), "Bans that found no room." },
	{ "trunkd_sip_guard_contacts_refused_total", C, GUARD(LABEL_NONE, led_refused), "Requests sent where only a Contact led, to places that stayed strangers: too many new ones." },
	{ "trunkd_sip_guard_bans", G, GUARD(LABEL_NONE, bans_now), "Bans and blocks that hold now." },
	{ "trunkd_sip_guard_strangers", G, GUARD(LABEL_NONE, sources_now), "Unknown sources remembered, of a table that never grows." },
	{ "trunkd_sip_guard_overloads_total", C, GUARD(LABEL_NONE, episodes), "Episodes of overload." },
	{ "trunkd_sip_guard_overloaded", G, GUARD(LABEL_NONE, is_overloaded), "1 while new calls are limited for overload." },
	{ "trunkd_sip_guard_taken_per_second", G, GUARD(LABEL_NONE, calls_rate), "New calls a second let in while overloaded; 0 otherwise." },
	{ "trunkd_sip_door_wait_seconds", G, PART_GUARD, LABEL_NONE, offsetof(struct sip_guard_counters, door_wait_us), 1000000, NULL, "For how long what was let in at the door waited for the control thread, on average, in the last tenth of a second." },
	{ "trunkd_sip_guard_wait_seconds", G, PART_GUARD, LABEL_NONE, offsetof(struct sip_guard_counters, wait_us), 1e6, NULL, "The shortest wait for the control loop in the last tenth of a second." },

	{ "trunkd_sip_connections", G, CONNECTIONS(LABEL_NONE, connections), "TCP and TLS connections now." },
	{ "trunkd_sip_connections_accepted_total", C, CONNECTIONS(LABEL_NONE, accepted), "Connections accepted." },
	{ "trunkd_sip_connections_opened_total", C, CONNECTIONS(LABEL_NONE, opened), "Connections that this node began to open." },
	{ "trunkd_sip_connections_closed_total", C, CONNECTIONS(LABEL_CLOSE, closed), "Connections that ended, by cause." },
	{ "trunkd_sip_connections_over_source_total", C, CONNECTIONS(LABEL_NONE, refused_source), "Connections refused because their source has as many as it may." },
	{ "trunkd_sip_connections_banned_total", C, CONNECTIONS(LABEL_NONE, refused_user), "Connections refused because their source is banned." },
	{ "trunkd_sip_connections_over_limit_total", C, CONNECTIONS(LABEL_NONE, refused_full), "Connections refused because all that are allowed belong to known peers." },
	{ "trunkd_sip_accept_pauses_total", C, CONNECTIONS(LABEL_NONE, accept_pauses), "Times no connection could be accepted for want of descriptors or memory." },
	{ "trunkd_sip_requests_received_total", C, SIP(LABEL_METHOD, requests_in), "Requests that arrived, without retransmissions." },
	{ "trunkd_sip_requests_sent_total", C, SIP(LABEL_METHOD, requests_out), "Requests sent, without retransmissions." },
	{ "trunkd_sip_responses_received_total", C, SIP(LABEL_CLASS, responses_in), "Responses that arrived." },
	{ "trunkd_sip_responses_sent_total", C, SIP(LABEL_CLASS, responses_out), "Responses sent." },
	{ "trunkd_sip_retransmissions_received_total", C, SIP(LABEL_NONE, retransmissions_in), "Retransmissions that were absorbed." },
	{ "trunkd_sip_retransmissions_sent_total", C, SIP(LABEL_NONE, retransmissions_out), "Messages that had to be sent again." },
	{ "trunkd_sip_timeouts_total", C, SIP(LABEL_NONE, timeouts), "Client transactions that got no final response." },
	{ "trunkd_sip_early_cancels_total", C, SIP(LABEL_NONE, early_cancels), "CANCELs in overload, sent before any provisional response, whose INVITE still waits at the door: not answered, as they come again." },
	{ "trunkd_sip_foreign_cancels_total", C, SIP(LABEL_NONE, foreign_cancels), "CANCELs from another host than that of their INVITE: answered 481, the call goes on." },
	{ "trunkd_sip_unknown_domain_total", C, SIP(LABEL_NONE, unknown_domain), "Requests to no domain of ours, dropped in silence (TERM-006)." },
	{ "trunkd_sip_rejected_total", C, SIP(LABEL_NONE, rejected_malformed), "Requests refused before a call was made of them." },
	{ "trunkd_sip_overload_total", C, SIP(LABEL_NONE, overload), "New requests turned away because too many transactions are open (503, or silence)." },
	{ "trunkd_sip_wrong_via_total", C, SIP(LABEL_NONE, wrong_via), "Responses whose Via is not what we sent." },
	{ "trunkd_sip_answers_withheld_total", C, SIP(LABEL_NONE, withheld), "Answers to strangers that would have been longer than their requests." },
	{ "trunkd_sip_stray_responses_total", C, SIP(LABEL_NONE, stray_responses), "Responses that match no transaction." },
	{ "trunkd_sip_server_transactions", G, SIP(LABEL_NONE, server_count), "Server transactions now." },
	{ "trunkd_sip_client_transactions", G, SIP(LABEL_NONE, client_count), "Client transactions now." },

	{ "trunkd_tls_handshakes_total", C, TLS(LABEL_TLS_VERSION, handshakes), "TLS handshakes of SIP that ended well, both ways, by version." },
	{ "trunkd_tls_handshakes_resumed_total", C, TLS(LABEL_NONE, resumed), "Of these, resumed sessions." },
	{ "trunkd_tls_handshakes_failed_total", C, TLS(LABEL_TLS_REASON, failures), "TLS handshakes of SIP that failed, by reason (TLS-016)." },
	{ "trunkd_tls_reloads_total", C, TLS(LABEL_NONE, reloads), "Times the certificates were read again." },
	{ "trunkd_tls_certificate_expiry_seconds", G, PART_TLS, LABEL_CERTIFICATE, 0, 0, NULL, "When a certificate of ours ends, in seconds since 1970." },

	{ "trunkd_dns_lookups_total", C, RESOLVER(lookups), "Hosts whose addresses were wanted." },
	{ "trunkd_dns_lookups_waited_total", C, RESOLVER(waited), "Of these, not told at once from memory." },
	{ "trunkd_dns_lookups_timed_out_total", C, RESOLVER(timeouts), "Of these, ended by dns.timeout_ms." },
	{ "trunkd_dns_lookups_unresolved_total", C, RESOLVER(unresolved), "Look-ups that ended without an address." },
	{ "trunkd_dns_lookups_waiting", G, RESOLVER(waiting), "Look-ups that wait for a DNS server now." },
	{ "trunkd_dns_addresses_avoided_total", C, RESOLVER(avoided), "Addresses put last because they gave no response lately." },
	{ "trunkd_dns_questions_total", C, DNS(LABEL_NONE, questions), "Questions to DNS servers, without repeats." },
	{ "trunkd_dns_answers_total", C, DNS(LABEL_OUTCOME, answers), "Their answers, by outcome." },
	{ "trunkd_dns_cache_hits_total", C, DNS(LABEL_NONE, hits), "Questions answered from memory." },
	{ "trunkd_dns_cache_stale_total", C, DNS(LABEL_NONE, stale), "Of these, after the TTL, because no server answered." },
	{ "trunkd_dns_refused_total", C, DNS(LABEL_NONE, refused), "Questions not asked because too many were open." },
	{ "trunkd_dns_cache_evicted_total", C, DNS(LABEL_NONE, evicted), "Answers forgotten early, for want of room." },
	{ "trunkd_dns_cache_entries", G, DNS(LABEL_NONE, entries), "Answers in memory." },

	{ "trunkd_names_published", G, NAMES(published), "Names of trunks that are right in DNS." },
	{ "trunkd_names_not_ours", G, NAMES(conflicts), "Names of trunks that are somebody else's in the zone." },
	{ "trunkd_names_added_total", C, NAMES(added), "Names added to the zone." },
	{ "trunkd_names_replaced_total", C, NAMES(replaced), "Names in the zone that were made right." },
	{ "trunkd_names_removed_total", C, NAMES(removed), "Names removed from the zone." },
	{ "trunkd_names_attempts_total", C, NAMES(attempts), "Attempts to make the zone right." },
	{ "trunkd_names_failures_total", C, NAMES(failures), "Attempts that failed." },
	{ "trunkd_names_failing_seconds", G, NAMES(failing_s), "How long publishing has failed; 0: it does not." },
	{ "trunkd_names_right_timestamp_seconds", G, PART_NAMES, LABEL_NONE, offsetof(struct names_counters, last_ms), 1000, NULL, "When the zone was last made right; 0: never." },

	{ "trunkd_cnam_lookups_total", C, CNAM(LABEL_CNAM, outcomes), "Lookups of callers' names, by what came of them; failed ones are free." },
	{ "trunkd_cnam_remembered_total", C, CNAM(LABEL_NONE, remembered), "Of these, answered from memory." },
	{ "trunkd_cnam_timeouts_total", C, CNAM(LABEL_NONE, timeouts), "Of the failed ones, those whose time was over." },
	{ "trunkd_cnam_waiting", G, CNAM(LABEL_NONE, waiting), "Lookups under way." },
	{ "trunkd_cnam_entries", G, CNAM(LABEL_NONE, entries), "Names in memory." },
	{ "trunkd_webhooks_total", C, NOTIFY(LABEL_NOTIFY, outcomes[NOTIFY_WEBHOOK]), "Webhooks of triggers, by what came of them in the end." },
	{ "trunkd_webhook_attempts_total", C, NOTIFY(LABEL_NONE, attempts[NOTIFY_WEBHOOK]), "Requests sent for them." },
	{ "trunkd_mails_total", C, NOTIFY(LABEL_NOTIFY, outcomes[NOTIFY_MAIL]), "Mails of triggers, by what came of them in the end." },
	{ "trunkd_mail_attempts_total", C, NOTIFY(LABEL_NONE, attempts[NOTIFY_MAIL]), "Mails handed to the mail server, or not taken by it." },
	{ "trunkd_notify_in_flight", G, NOTIFY(LABEL_NONE, in_flight), "Webhooks and mails under way." },
	{ "trunkd_notify_waiting", G, NOTIFY(LABEL_NONE, waiting), "Webhooks and mails that wait for their turn or for another attempt." },
	{ "trunkd_dns_questions_open", G, DNS(LABEL_NONE, asking), "Questions that wait for an answer now." },

	{ "trunkd_calls", G, CALLS(LABEL_WAY, active), "Calls now." },
	{ "trunkd_calls_started_total", C, CALLS(LABEL_WAY, started), "Calls admitted." },
	{ "trunkd_infos_hidden_total", C, CALLS(LABEL_NONE, infos_hidden), "INFO refused with 415: the body names an address, a host or the call of the side it comes from." },
	{ "trunkd_infos_dropped_total", C, CALLS(LABEL_NONE, infos_dropped), "Digits heard as telephone events that could not be told as INFO: the party is too slow, or gone." },
	{ "trunkd_limits_shared", G, CALLS(LABEL_NONE, limits.is_shared), "1 while Redis counts calls for all nodes together." },
	{ "trunkd_limits_nodes", G, CALLS(LABEL_NONE, limits.nodes), "Nodes that share the limits, this one too." },
	{ "trunkd_limits_questions_total", C, CALLS(LABEL_NONE, limits.asked), "Calls that Redis was asked about." },
	{ "trunkd_limits_late_total", C, CALLS(LABEL_NONE, limits.late), "Of these, not answered within limits.redis_wait_ms." },
	{ "trunkd_limits_alone_total", C, CALLS(LABEL_NONE, limits.alone), "Calls decided by this node's share, while Redis was away or slow." },
	{ "trunkd_calls_answered_total", C, CALLS(LABEL_WAY, answered), "Calls answered." },
	{ "trunkd_calls_ended_total", C, CALLS(LABEL_WAY, ended), "Calls ended, answered or not." },
	{ "trunkd_call_troubles_total", C, CALLS(LABEL_REASON, troubles), "Calls refused or in trouble later, by cause." },
	{ "trunkd_alerts_held_back_total", C, CALLS(LABEL_NONE, alerts_held_back), "Alerts beyond alerts.max_per_s, which were not written." },
	{ "trunkd_headers_total", C, CALLS(LABEL_FATE, headers), "Headers on their way from leg to leg, by what became of them." },
	{ "trunkd_call_ack_timeouts_total", C, CALLS(LABEL_NONE, ack_timeouts), "Answered calls whose ACK never came (SIP-004)." },
	{ "trunkd_call_carrier_moves_total", C, CALLS(LABEL_NONE, carrier_moves), "Moves to the next carrier (TERM-032)." },
	{ "trunkd_uri_moves_total", C, CALLS(LABEL_NONE, uri_moves), "Calls from the PSTN that went on to the next Origination URI (ORIG-021)." },
	{ "trunkd_redirects_total", C, CALLS(LABEL_NONE, redirects), "Redirects of PBXs that were followed (REDIR-001)." },
	{ "trunkd_call_address_moves_total", C, CALLS(LABEL_NONE, address_moves), "Moves to the next address of a carrier (ORIG-043)." },
	{ "trunkd_carrier_up", G, PART_CALLS, LABEL_CARRIER, 0, 0, NULL, "1 when a carrier that is pinged is up, 0 when it is down." },
	{ "trunkd_call_challenges_total", C, CALLS(LABEL_NONE, challenges), "INVITEs answered with 407 (AUTH-005): those that came back with a password are calls or refusals." },
	{ "trunkd_call_transfers_total", C, CALLS(LABEL_NONE, transfers), "Transfers that joined two calls (XFER-008)." },
	{ "trunkd_call_transfers_failed_total", C, CALLS(LABEL_NONE, transfers_failed), "Transfers that were accepted and came to nothing." },
	{ "trunkd_call_late_answers_total", C, CALLS(LABEL_NONE, late_answers), "Answers of carriers given up already (ORIG-031)." },

	{ "trunkd_one_way_audio_total", C, CALLS(LABEL_ONE_WAY, one_way), "Calls in which one side was not heard, by cause and by who did not hear (MEDIA-025)." },
	{ "trunkd_one_way_audio", G, CALLS(LABEL_ONE_WAY, one_way_now), "The same, of calls that are up and not heard now." },

	{ "trunkd_media_ports_leaked", G, CALLS(LABEL_NONE, ports_leaked), "Pairs of media ports that nobody gives back." },
	{ "trunkd_media_ports_used", G, MEDIA(ports_used), "Pairs of media ports in calls." },
	{ "trunkd_media_ports_resting", G, MEDIA(ports_quarantined), "Pairs of media ports not yet used again." },
	{ "trunkd_media_ports", G, MEDIA(ports_total), "Pairs of media ports in all." },
	{ "trunkd_media_ports_exhausted_total", C, MEDIA(exhausted), "Calls refused for want of media ports." },
	{ "trunkd_media_offers_refused_total", C, MEDIA(offers_refused), "Descriptions of media that could not be taken." },
	{ "trunkd_media_orphans_closed_total", C, MEDIA(orphans_closed), "Streams closed that no call claimed." },
	{ "trunkd_media_inbox_full_total", C, MEDIA(inbox_full), "Messages to workers that had to wait." },

	{ "trunkd_media_icmp_heard", G, READ(read_icmp), "1 when ICMP errors about media are heard (MEDIA-015)." },
	{ "trunkd_media_icmp_errors_total", C, ICMP(received), "ICMP errors that arrived, about whatever." },
	{ "trunkd_media_icmp_counted_total", C, ICMP(counted), "ICMP errors about streams of calls." },

	{ "trunkd_store_ready", G, READ(read_store_ready), "1 when Redis is there and the directory loaded." },
	{ "trunkd_store_changes_total", C, STORE(changes), "Changes of the directory made by this node." },
	{ "trunkd_store_refused_total", C, STORE(refused), "Changes that were refused." },
	{ "trunkd_store_losses_total", C, STORE(losses), "Times Redis went away." },
	{ "trunkd_store_loads_total", C, STORE(loads), "Times the whole directory was loaded." },
	{ "trunkd_store_events_total", C, STORE(events), "Changes heard of." },
	{ "trunkd_directory_objects", G, PART_CONTEXT, LABEL_KIND, offsetof(struct admin_context, objects), 0, NULL, "Objects of the directory, by kind." },

	{ "trunkd_history_calls_total", C, HISTORY(calls), "Records of calls begun." },
	{ "trunkd_history_alerts_total", C, HISTORY(alerts), "Alerts recorded." },
	{ "trunkd_history_notifications_total", C, HISTORY(notifications), "Times a trigger fired." },
	{ "trunkd_history_written_total", C, HISTORY(written), "Records written to the database." },
	{ "trunkd_history_refused_total", C, HISTORY(refused), "Records refused because the spool was full." },
	{ "trunkd_history_failures_total", C, HISTORY(failures), "Attempts at the database that failed." },
	{ "trunkd_history_retired_total", C, HISTORY(retired), "Rows deleted from the database because they were too old, or too many." },
	{ "trunkd_usage_items_total", C, USAGE(usage_items), "Items of usage metered since the start, by category (OTHER-003)." },
	{ "trunkd_usage_quantity_total", C, USAGE(usage_quantity), "What they sum up to, in the unit of the category." },
	{ "trunkd_history_spool_records", G, HISTORY(spool_used), "Records in the spool now." },
	{ "trunkd_history_spools_aside", G, HISTORY(aside), "Spools of other versions, kept aside with records that are in no database." },

	{ "trunkd_dataplane_attached", G, READ(read_attached), "1 when a dataplane is attached." },
	{ "trunkd_dataplane_workers", G, READ(read_workers), "Worker cores." },
	{ "trunkd_dataplane_streams", G, READ(read_streams), "Open streams, RTP and RTCP." },
	{ "trunkd_worker_packets_total", C, WORKER(LABEL_VERDICT, verdicts), "Packets, by worker and by what became of them." },
	{ "trunkd_worker_polls_total", C, WORKER(LABEL_NONE, polls), "Bursts asked for." },
	{ "trunkd_worker_idle_polls_total", C, WORKER(LABEL_NONE, idle_polls), "Bursts that brought nothing." },
	{ "trunkd_worker_busy_cycles_total", C, WORKER(LABEL_NONE, busy_cycles), "TSC cycles spent on packets and messages." },
	{ "trunkd_worker_cycles_total", C, WORKER(LABEL_NONE, cycles), "TSC cycles in all." },
	{ "trunkd_worker_messages_total", C, WORKER(LABEL_NONE, messages), "Messages from control." },
	{ "trunkd_worker_messages_stale_total", C, WORKER(LABEL_NONE, messages_stale), "Messages for streams of an older generation." },
	{ "trunkd_worker_handed_over_total", C, WORKER(LABEL_NONE, handed_over), "Packets that arrived on another worker's queue." },
	{ "trunkd_worker_outbox_full_total", C, WORKER(LABEL_NONE, outbox_full), "Events to control that had to wait." },
	{ "trunkd_worker_digits_heard_total", C, WORKER(LABEL_NONE, digits_heard), "Digits heard in telephone events." },
	{ "trunkd_worker_digits_sent_total", C, WORKER(LABEL_NONE, digits_sent), "Digits sent as telephone events of our own." },
	{ "trunkd_worker_digits_dropped_total", C, WORKER(LABEL_NONE, digits_dropped), "Digits not told to control: too many of one stream in a second, or more than could wait." },
	{ "trunkd_worker_digits_ignored_total", C, WORKER(LABEL_NONE, digits_ignored), "Telephone events of no key, of another key than they began with, or late." },
};
// clang-format on

unsigned admin_series_count(void)
{
	return sizeof(SERIES) / sizeof(SERIES[0]);
}

const struct admin_series *admin_series_at(unsigned row)
{
	return &SERIES[row];
}
