#pragma once

// The handlers behind the rows of the table of commands, by file.
// Runs on: control thread.

struct admin_request;

void admin_status_show(struct admin_request *request); // status.c
void admin_status_reload(struct admin_request *request);
void admin_status_log_level(struct admin_request *request);
void admin_status_workers(struct admin_request *request);

void admin_ports_show(struct admin_request *request); // media/ports.c

void admin_tls_show(struct admin_request *request); // sip/tls.c
void admin_tls_show_ca(struct admin_request *request);

void admin_dns_show(struct admin_request *request); // sip/dns.c
void admin_network_show(struct admin_request *request); // sip/network.c
void admin_names_show(struct admin_request *request); // sip/names.c
void admin_names_zone(struct admin_request *request);
void admin_connections_list(struct admin_request *request); // sip/connections.c

void admin_limits_show(struct admin_request *request); // limit/limits.c

void admin_calls_list(struct admin_request *request); // calls.c
void admin_calls_show(struct admin_request *request);
void admin_calls_hang_up(struct admin_request *request);
void admin_calls_streams(struct admin_request *request);

void admin_bans_list(struct admin_request *request); // sip/bans.c
void admin_bans_add(struct admin_request *request);
void admin_bans_lift(struct admin_request *request);

void admin_past_list(struct admin_request *request); // history/past.c
void admin_past_show(struct admin_request *request); // of `show call` when it has ended

void admin_alerts_list(struct admin_request *request); // history/alerts.c
void admin_notifications_list(struct admin_request *request); // history/notifications.c
void admin_code_show(struct admin_request *request); // history/code.c
void admin_code_list(struct admin_request *request);
void admin_support_show(struct admin_request *request); // history/support.c
void admin_usage_show(struct admin_request *request); // history/usage.c

void admin_objects_show(struct admin_request *request); // objects.c
void admin_objects_check_number(struct admin_request *request);

void admin_stock_find(struct admin_request *request); // numbers/stock.c
void admin_stock_of(struct admin_request *request);

void admin_trigger_test(struct admin_request *request); // notify/trigger.c
void admin_token_make(struct admin_request *request);

void admin_name_check(struct admin_request *request); // numbers/name.c

void admin_verification_begin(struct admin_request *request); // numbers/verification.c
void admin_verification_confirm(struct admin_request *request);

void admin_sale_buy(struct admin_request *request); // numbers/sale.c
void admin_sale_release(struct admin_request *request);
void admin_sale_associate(struct admin_request *request);
void admin_sale_disassociate(struct admin_request *request);

void admin_import_begin(struct admin_request *request); // numbers/import.c
void admin_import_rows(struct admin_request *request);
void admin_import_commit(struct admin_request *request);
void admin_import_status(struct admin_request *request);

void admin_change_add(struct admin_request *request); // change.c
void admin_change_change(struct admin_request *request);
void admin_change_remove(struct admin_request *request);

void admin_explain_show(struct admin_request *request); // explain/explain.c
void admin_replay_run(struct admin_request *request); // explain/replay.c

void admin_trunk_verify(struct admin_request *request); // trunk/verify.c

void admin_help_show(struct admin_request *request); // help.c
void admin_help_commands(struct admin_request *request);
void admin_help_complete(struct admin_request *request);
