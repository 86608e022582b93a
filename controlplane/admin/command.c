// The table of commands and how words find their row. Runs on the control thread. Adding a command is
// a row here, a handler, a test.

#include "admin/command.h"

#include <string.h>

#include "admin/handler.h"
#include "admin/numbers/voice.h"

#define ANY_NUMBER ADMIN_WORDS_MAX

// clang-format off
static const struct admin_command COMMANDS[] = {
	{ "status", "", 0, 0, ADMIN_READ,
	  "Shows the state of the node and of every part it needs.", admin_status_show },
	{ "show calls", "", 0, 0, ADMIN_READ,
	  "Lists the calls that are up now, oldest first.", admin_calls_list },
	{ "show call", "CALL", 1, 1, ADMIN_READ,
	  "Tells one call, up or ended: ladder, legs, media, end, alerts.", admin_calls_show },
	{ "show history", "[N] [name=value...]", 0, ANY_NUMBER, ADMIN_READ,
	  "Lists the last N ended calls (20), failed ones too, by account, trunk, direction, status, number, since, until, code.", admin_past_list },
	{ "show alerts", "[N] [name=value...]", 0, ANY_NUMBER, ADMIN_READ,
	  "Lists the last N alerts (20): what was refused or went wrong, and the fix, by account, trunk, call, code, cause, severity, since, until.", admin_alerts_list },
	{ "show notifications", "[N] [name=value...]", 0, ANY_NUMBER, ADMIN_READ,
	  "Lists the last N times a trigger fired (20), and what came of webhook and mail, by account, trunk, call, code, severity, since, until.", admin_notifications_list },
	{ "show alert-codes", "[en|ja]", 0, 1, ADMIN_READ,
	  "Lists the codes of alerts with severity and title.", admin_code_list },
	{ "show alert-code", "CODE [en|ja]", 1, 2, ADMIN_READ,
	  "Explains the code of an alert: what it means, why it comes about, what to do (DEBUG-031).", admin_code_show },
	{ "support", "SID", 1, 1, ADMIN_READ,
	  "Gathers what is known of a call, trunk or account into one document for whoever helps, without secrets (OTHER-005).", admin_support_show },
	{ "show usage", "[account=ID] [month=YYYY-MM]", 0, 3, ADMIN_READ,
	  "Shows what is billed, by month, account and category: counts, quantities, prices (OTHER-003).", admin_usage_show },
	{ "show streams", "", 0, 0, ADMIN_READ,
	  "Lists the media streams of the calls that are up, one per direction.", admin_calls_streams },
	{ "show workers", "", 0, 0, ADMIN_READ,
	  "Shows what each worker core does and what became of its packets.", admin_status_workers },
	{ "show ports", "[CALL]", 0, 1, ADMIN_READ,
	  "Shows who holds which media ports since when, what rests, and what nobody gives back.", admin_ports_show },
	{ "show tls ca", "", 0, 0, ADMIN_READ,
	  "Prints the CA certificates that customers need to verify ours, in PEM (TLS-013).", admin_tls_show_ca },
	{ "show tls", "", 0, 0, ADMIN_READ,
	  "Shows the certificates of SIP over TLS, the versions and suites offered, and handshakes by outcome.", admin_tls_show },
	{ "show dns", "[NAME]", 0, 1, ADMIN_READ,
	  "Shows the answers of DNS in memory, all or those of a name, with the time they have left, and failures.", admin_dns_show },
	{ "show network", "", 0, 0, ADMIN_READ,
	  "Lists addresses and ports of signalling and media, for customers' firewalls, edge by edge (NET-012).", admin_network_show },
	{ "show names", "", 0, 0, ADMIN_READ,
	  "Shows how the names of trunks are published in DNS: the zone, when it was right, what fails (TERM-007).", admin_names_show },
	{ "show zone", "[AFTER]", 0, 1, ADMIN_READ,
	  "Prints the names of trunks as the text of a zone, for a DNS server that is fed by files (NET-017).", admin_names_zone },
	{ "show connections", "", 0, 0, ADMIN_READ,
	  "Lists the TCP and TLS connections: peer, age, messages, what waits, TLS version and cipher.", admin_connections_list },
	{ "show limits", "[ID]", 0, 1, ADMIN_READ,
	  "Shows what trunks and accounts use of their limits, and who counts: this node, or Redis for all.", admin_limits_show },
	{ "show bans", "", 0, 0, ADMIN_READ,
	  "Lists who is kept out of SIP, why and until when, and whose OPTIONS are ignored.", admin_bans_list },
	{ "show numbers of", "TRUNK|ACCOUNT [voice=true] [sms=true] [mms=true]", 1, 4, ADMIN_READ,
	  "Lists the numbers of a trunk, or all of an account, that can do this (NUM-004, NUM-014).", admin_stock_of },
	{ "find numbers", "[country=US] [pattern=+1415*5] [type=local] [voice=true] [sms=true] [mms=true] [max=20]", 0, 7, ADMIN_READ,
	  "Searches the numbers in stock by country, by any digits, and by what they can do (NUM-002).", admin_stock_find },
	{ "buy number", "NUMBER ACCOUNT [TRUNK]", 2, 3, ADMIN_CHANGE,
	  "Takes a number out of stock for an account, and onto a trunk (NUM-003).", admin_sale_buy },
	{ "associate number", "NUMBER TRUNK", 2, 2, ADMIN_CHANGE,
	  "Has a number's calls go to a trunk; from another trunk it moves (NUM-006, NUM-009).", admin_sale_associate },
	{ "disassociate number", "NUMBER", 1, 1, ADMIN_CHANGE,
	  "Takes a number off its trunk; it stays its account's (NUM-010, NUM-011).", admin_sale_disassociate },
	{ "release number", "NUMBER", 1, 1, ADMIN_CHANGE,
	  "Gives a number back into stock, where it rests before anybody can buy it (NUM-012).", admin_sale_release },
	{ "import numbers begin", "", 0, 0, ADMIN_CHANGE,
	  "Begins an import of numbers into stock; trunkctl import numbers FILE does it all.", admin_import_begin },
	{ "import numbers rows", "IMPORT LINE ROW...", 3, ANY_NUMBER, ADMIN_CHANGE,
	  "Brings lines of the CSV file, the first of which has this line number.", admin_import_rows },
	{ "import numbers commit", "IMPORT", 1, 1, ADMIN_CHANGE,
	  "Takes all rows, or none and says what is wrong with which.", admin_import_commit },
	{ "import numbers status", "IMPORT", 1, 1, ADMIN_READ,
	  "Says how far an import is.", admin_import_status },
	{ "show KIND", "[ID]", 0, 1, ADMIN_READ,
	  "Lists the objects of a kind, or shows one, by SID, name, domain or number.", admin_objects_show },
	{ "add KIND", "field=value...", 1, ANY_NUMBER, ADMIN_CHANGE,
	  "Adds an object; help add KIND lists its fields.", admin_change_add },
	{ "change KIND", "ID field=value...", 2, ANY_NUMBER, ADMIN_CHANGE,
	  "Changes fields of an object; an empty value clears one.", admin_change_change },
	{ "remove KIND", "ID", 1, 1, ADMIN_CHANGE,
	  "Removes an object that nothing refers to any more.", admin_change_remove },
	{ "verify caller_id", "NUMBER ACCOUNT [NAME]", 2, 3, ADMIN_CHANGE,
	  "Has a code sent that the number's owner has to say, by whoever notify.verifications names: six digits, good for 10 minutes and 5 tries (NUM-018).", admin_verification_begin },
	{ "confirm caller_id", "NUMBER ACCOUNT CODE", 3, 3, ADMIN_CHANGE,
	  "Says that code: with the right one the account may show the number as its caller ID (NUM-017).", admin_verification_confirm },
	{ "check number", "NUMBER...", 1, ANY_NUMBER, ADMIN_READ,
	  "Says whether a number is valid E.164, and whose it is.", admin_objects_check_number },
	{ "check name", "NUMBER", 1, 1, ADMIN_READ,
	  "Looks up the name of a caller as a call of a trunk with cnam does, and says what came of it; charges nobody.", admin_name_check },
	{ "test trigger", "TRIGGER", 1, 1, ADMIN_CHANGE,
	  "Sends a trial to a trigger's webhook and mail address, once, and says what came of it (DEBUG-004, DEBUG-005).", admin_trigger_test },
	{ "token account", "ACCOUNT", 1, 1, ADMIN_SECRET,
	  "Makes a new token for an account and shows it this once: its webhooks are signed by it from now on.", admin_token_make },
	{ "explain", "CALL|field=value...", 1, ANY_NUMBER, ADMIN_READ,
	  "Says step by step what becomes of an INVITE, and why: from= to= source= transport= trunk= carrier= host= sdp= digest=right, or one that came, by SID or Call-ID; sends nothing.", admin_explain_show },
	{ "test trunk", "TRUNK [to=NUMBER]", 1, 2, ADMIN_READ,
	  "Says what to dial to test a trunk in each direction, and what would become of it; trunkctl's wait=SECONDS watches for the calls (TRUNK-024).", admin_trunk_verify },
	{ "replay", "[config=FILE] [CHANGE [then CHANGE]...]", 0, ANY_NUMBER, ADMIN_READ,
	  "Says which of the last INVITEs would end differently after changes (change trunk acme cps=5), or by another configuration file; changes nothing.", admin_replay_run },
	{ "hangup", "CALL|all", 1, 1, ADMIN_CHANGE,
	  "Ends a call, or all of them.", admin_calls_hang_up },
	{ "ban", "ADDRESS [SECONDS]", 1, 2, ADMIN_CHANGE,
	  "Keeps an address out of SIP for some seconds (3600), a known peer too; of IPv6 its /64.", admin_bans_add },
	{ "unban", "ADDRESS|all", 1, 1, ADMIN_CHANGE,
	  "Lifts the ban of an address and the block of its OPTIONS, or all of them.", admin_bans_lift },
	{ "reload", "", 0, 0, ADMIN_CHANGE,
	  "Takes over the live options of the configuration file, all or none.", admin_status_reload },
	{ "log level", "LEVEL", 1, 1, ADMIN_CHANGE,
	  "Sets the level of the log until the next start: debug, info, warning, error.", admin_status_log_level },
	{ "help", "[WORDS...]", 0, ANY_NUMBER, ADMIN_READ,
	  "Lists the commands that begin with these words, and the fields of a kind.", admin_help_show },
	{ "commands", "", 0, 0, ADMIN_READ,
	  "Gives the whole table of commands and kinds.", admin_help_commands },
	{ "complete", "[WORDS...]", 0, ANY_NUMBER, ADMIN_READ,
	  "Gives what may stand for the last, unfinished word.", admin_help_complete },
};
// clang-format on

#define COMMAND_COUNT (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

unsigned admin_command_count(void)
{
	return COMMAND_COUNT;
}

const struct admin_command *admin_command_row(unsigned row)
{
	return row < COMMAND_COUNT ? &COMMANDS[row] : NULL;
}

const char *admin_command_right_text(enum admin_right right)
{
	static const char *const TEXTS[] = { "read", "change", "secret" };
	return TEXTS[right];
}

struct text admin_command_word(const struct admin_command *command, unsigned place)
{
	struct text rest = text_of(command->words), word = text_split(&rest, ' ');
	for (; place > 0 && word.size > 0; place--)
		word = text_split(&rest, ' ');
	return word;
}

static bool is_word(struct text wanted, struct text word)
{
	if (text_is_equal(wanted, TEXT("KIND")))
		return directory_kind_of(word) != DIRECTORY_KIND_COUNT;
	return text_is_equal(wanted, word);
}

bool admin_command_begins(const struct admin_command *command, const struct text *words,
			  unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!is_word(admin_command_word(command, i), words[i]))
			return false;
	return true;
}

static unsigned word_count(const struct admin_command *command)
{
	unsigned count = 0;
	while (admin_command_word(command, count).size > 0)
		count++;
	return count;
}

static void write_next(struct writer *hint, struct text next)
{
	if (!text_is_equal(next, TEXT("KIND"))) {
		writer_format(hint, " %.*s", TEXT_FORMAT(next));
		return;
	}
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++)
		writer_format(hint, " %s", directory_schema((enum directory_kind)kind)->name);
}

static void explain_unknown(struct admin_command_match *match, const struct text *words,
			    unsigned count)
{
	struct writer problem = writer_of(match->problem, sizeof(match->problem));
	struct writer hint = writer_of(match->hint, sizeof(match->hint));
	unsigned good = 0; // words that some command begins with
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		while (good < count && admin_command_begins(&COMMANDS[i], words, good + 1))
			good++;
	writer_string(&problem, good < count ? "no command begins with \"" : "incomplete: \"");
	for (unsigned i = 0; i < count && i <= good; i++)
		writer_format(&problem, "%s%.*s", i > 0 ? " " : "",
			      (int)(words[i].size < 60 ? words[i].size : 60), words[i].data);
	writer_string(&problem, "\"");
	struct text last = TEXT_NONE;
	writer_string(&hint, "next:");
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		struct text next = admin_command_word(&COMMANDS[i], good);
		if (!admin_command_begins(&COMMANDS[i], words, good) || text_is_equal(next, last))
			continue;
		write_next(&hint, next);
		last = next;
	}
	if (!writer_string_done(&problem))
		(void)text_copy(TEXT("no such command"), match->problem, sizeof(match->problem));
	if (!writer_string_done(&hint))
		(void)text_copy(TEXT("help lists the commands"), match->hint, sizeof(match->hint));
}

static void check_arguments(struct admin_command_match *match, unsigned count)
{
	const struct admin_command *command = match->command;
	unsigned arguments = count - match->words;
	if (arguments >= command->min && arguments <= command->max)
		return;
	struct writer problem = writer_of(match->problem, sizeof(match->problem));
	struct writer hint = writer_of(match->hint, sizeof(match->hint));
	writer_string(&problem,
		      arguments < command->min ? "something is missing" : "too many words");
	writer_format(&hint, "usage: %s %s", command->words, command->arguments);
	(void)writer_string_done(&problem);
	(void)writer_string_done(&hint);
}

struct admin_command_match admin_command_find(const struct text *words, unsigned count)
{
	struct admin_command_match match = { .kind = DIRECTORY_KIND_COUNT };
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		unsigned size = word_count(&COMMANDS[i]);
		if (size > match.words && size <= count &&
		    admin_command_begins(&COMMANDS[i], words, size)) {
			match.command = &COMMANDS[i];
			match.words = size;
		}
	}
	if (!match.command) {
		explain_unknown(&match, words, count);
		return match;
	}
	for (unsigned i = 0; i < match.words; i++)
		if (text_is_equal(admin_command_word(match.command, i), TEXT("KIND")))
			match.kind = directory_kind_of(words[i]);
	check_arguments(&match, count);
	return match;
}

static void describe_kind(FILE *out, const struct directory_schema *schema)
{
	fprintf(out,
		"\n### %s\n\n%s\n\n| field | needed | default | meaning |\n|---|---|---|---|\n",
		schema->name, schema->text);
	for (unsigned i = 0; i < schema->field_count; i++) {
		const struct directory_field *field = &schema->fields[i];
		if (!field->is_hidden)
			fprintf(out, "| `%s` | %s | %s | %s |\n", field->name,
				field->is_required ? "yes" : "",
				field->fallback ? field->fallback : "", field->text);
	}
	if (directory_kind_of(text_of(schema->name)) == DIRECTORY_NUMBER)
		fprintf(out, "| `%s` | | | %s |\n", ADMIN_VOICE_FIELD, ADMIN_VOICE_TEXT);
}

void admin_command_describe(FILE *out)
{
	fputs("# Commands\n\n"
	      "What `trunkctl` sends over the socket of `admin.socket`. KIND is one of the kinds "
	      "below.\n\n"
	      "| command | right | what it does |\n|---|---|---|\n",
	      out);
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		const struct admin_command *command = &COMMANDS[i];
		fprintf(out, "| `%s%s%s` | %s | %s |\n", command->words,
			command->arguments[0] ? " " : "", command->arguments,
			admin_command_right_text(command->right), command->text);
	}
	fputs("\n## Kinds\n", out);
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++)
		describe_kind(out, directory_schema((enum directory_kind)kind));
}
