// From an object's rows to the typed struct that calls read, built once when it enters the mirror.
// Runs on: control thread. Values are canonical already (directory/value.c); only presence is checked.

#include <stddef.h>
#include <string.h>

#include "directory/mirror.h"
#include "directory/value.h"

static struct text get(const struct directory_object *object, const char *field)
{
	return directory_object_get(object, field);
}

static bool is_true(const struct directory_object *object, const char *field)
{
	return text_is_equal(get(object, field), TEXT("true"));
}

static uint64_t number(const struct directory_object *object, const char *field)
{
	uint64_t value = 0;
	return text_to_unsigned(get(object, field), UINT64_MAX, &value) ? value : 0;
}

static void copy(const struct directory_object *object, const char *field, char *room, size_t size)
{
	(void)text_copy(get(object, field), room, size); // the schema's lengths fit
}

static unsigned count(const struct directory_object *object, const char *field)
{
	struct text rest = get(object, field);
	unsigned words = 0;
	while (directory_value_next(&rest).size > 0)
		words++;
	return words;
}

static void fill_account(const struct directory_object *object, union directory_view *view)
{
	struct account *account = &view->account;
	memcpy(account->sid, object->sid, sizeof(account->sid));
	copy(object, "name", account->name, sizeof(account->name));
	copy(object, "parent", account->parent_sid, sizeof(account->parent_sid));
	account->has_parent = account->parent_sid[0] != '\0';
	account->is_active = !text_is_equal(get(object, "status"), TEXT("suspended"));
	struct text rest = get(object, "voice_countries"), word;
	account->has_countries = rest.size > 0;
	while ((word = directory_value_next(&rest)).size > 0)
		(void)country_set_add_code(&account->countries, word);
	account->allows_deprecated_tls = is_true(object, "deprecated_tls");
	account->is_trial = text_is_equal(get(object, "type"), TEXT("trial"));
	account->cps = (uint32_t)number(object, "cps");
	account->max_calls = (uint32_t)number(object, "max_calls");
}

static void fill_trunk(const struct directory_object *object, union directory_view *view)
{
	struct trunk *trunk = &view->trunk;
	memcpy(trunk->sid, object->sid, sizeof(trunk->sid));
	copy(object, "account", trunk->account_sid, sizeof(trunk->account_sid));
	copy(object, "name", trunk->name, sizeof(trunk->name));
	copy(object, "domain", trunk->domain, sizeof(trunk->domain));
	trunk->is_enabled = is_true(object, "enabled");
	trunk->has_symmetric_rtp = is_true(object, "symmetric_rtp");
	trunk->is_secure = is_true(object, "secure");
	trunk->takes_srtp = is_true(object, "srtp");
	trunk->takes_aead = is_true(object, "srtp_aead");
	trunk->wants_cnam = is_true(object, "cnam");
	trunk->has_transfer = is_true(object, "transfer");
	trunk->shows_transferor =
		text_is_equal(get(object, "transfer_caller_id"), TEXT("transferor"));
	trunk->cps = (uint32_t)number(object, "cps");
	trunk->max_calls = (uint32_t)number(object, "max_calls");
	trunk->acl_count = count(object, "acls");
	trunk->credential_list_count = count(object, "credential_lists");
	view->memo.acls = get(object, "acls").data;
	view->memo.credential_lists = get(object, "credential_lists").data;
}

static void fill_prefix(const struct directory_object *object, union directory_view *view)
{
	if (!prefix_parse(get(object, "address"), &view->prefix))
		view->prefix = (struct prefix){ 0 }; // of no family: matches nothing
}

static uint8_t nibble(char digit)
{
	return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void unhex(struct text hex, uint8_t *room, size_t size)
{
	for (size_t i = 0; i < size && 2 * i + 1 < hex.size; i++)
		room[i] = (uint8_t)(nibble(hex.data[2 * i]) << 4 | nibble(hex.data[2 * i + 1]));
}

static void fill_credential(const struct directory_object *object, union directory_view *view)
{
	struct credential *credential = &view->credential;
	memcpy(credential->sid, object->sid, sizeof(credential->sid));
	copy(object, "user", credential->user, sizeof(credential->user));
	copy(object, "realm", credential->realm, sizeof(credential->realm));
	unhex(get(object, "ha1_md5"), credential->ha1_md5, sizeof(credential->ha1_md5));
	unhex(get(object, "ha1_sha256"), credential->ha1_sha256, sizeof(credential->ha1_sha256));
}

static void fill_number(const struct directory_object *object, union directory_view *view)
{
	struct number *number_view = &view->number;
	memcpy(number_view->sid, object->sid, sizeof(number_view->sid));
	copy(object, "account", number_view->account_sid, sizeof(number_view->account_sid));
	copy(object, "trunk", number_view->trunk_sid, sizeof(number_view->trunk_sid));
	copy(object, "voice_url", number_view->voice_url, sizeof(number_view->voice_url));
	copy(object, "e164", number_view->e164, sizeof(number_view->e164));
	copy(object, "country", number_view->country, sizeof(number_view->country));
	number_view->has_voice = is_true(object, "voice");
	number_view->has_sms = is_true(object, "sms");
	number_view->has_mms = is_true(object, "mms");
}

static enum directory_transport transport_of(struct text word)
{
	static const char *const words[] = { [DIRECTORY_TRANSPORT_AUTO] = "auto",
					     [DIRECTORY_TRANSPORT_UDP] = "udp",
					     [DIRECTORY_TRANSPORT_TCP] = "tcp",
					     [DIRECTORY_TRANSPORT_TLS] = "tls" };
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_is_equal(word, text_of(words[i])))
			return (enum directory_transport)i;
	}
	return DIRECTORY_TRANSPORT_AUTO;
}

// The value is canonical: "192.0.2.7:5060", "[2001:db8::1]:5060", "2001:db8::1", "sip.example:5060".
static bool fill_host(struct text value, struct carrier *carrier)
{
	struct address address;
	uint64_t port = 0;
	if (address_parse(value, &address)) {
		struct writer host = writer_of(carrier->host, sizeof(carrier->host));
		address_write_host(&address, &host);
		carrier->port = address.port;
		carrier->address = address;
		return writer_string_done(&host) != NULL;
	}
	struct text host = text_split(&value, ':');
	if (value.size > 0 && !text_to_unsigned(value, UINT16_MAX, &port))
		return false;
	carrier->port = (uint16_t)port;
	return host.size > 0 && text_copy(host, carrier->host, sizeof(carrier->host));
}

static void fill_sources(struct text rest, struct carrier *carrier)
{
	struct text word;
	while (carrier->source_count < DIRECTORY_SOURCES_MAX &&
	       (word = directory_value_next(&rest)).size > 0)
		carrier->source_count +=
			prefix_parse(word, &carrier->sources[carrier->source_count]);
}

static void fill_carrier(const struct directory_object *object, union directory_view *view)
{
	struct carrier *carrier = &view->carrier;
	memcpy(carrier->sid, object->sid, sizeof(carrier->sid));
	copy(object, "name", carrier->name, sizeof(carrier->name));
	carrier->is_enabled =
		fill_host(get(object, "address"), carrier) && is_true(object, "enabled");
	carrier->transport = transport_of(get(object, "transport"));
	carrier->options_ping_s = (uint32_t)number(object, "options_ping_s");
	carrier->priority = (uint16_t)number(object, "priority");
	carrier->weight = (uint16_t)number(object, "weight");
	copy(object, "group", carrier->group, sizeof(carrier->group));
	fill_sources(get(object, "sources"), carrier);
	carrier->has_plus = !text_is_equal(get(object, "number_format"), TEXT("digits"));
	carrier->has_srtp = is_true(object, "srtp");
	carrier->has_aead = is_true(object, "srtp_aead");
	carrier->takes_prack = is_true(object, "prack");
	carrier->is_verified = !text_is_equal(get(object, "tls_verify"), TEXT("false"));
	carrier->allows_deprecated_tls = is_true(object, "deprecated_tls");
	copy(object, "edge", carrier->edge, sizeof(carrier->edge));
	copy(object, "tls_name", carrier->tls_name, sizeof(carrier->tls_name));
	copy(object, "tls_certificate", carrier->tls_certificate, sizeof(carrier->tls_certificate));
	copy(object, "tls_key", carrier->tls_key, sizeof(carrier->tls_key));
}

static void fill_origination(const struct directory_object *object, union directory_view *view)
{
	struct origination_uri *uri = &view->origination;
	memcpy(uri->sid, object->sid, sizeof(uri->sid));
	copy(object, "trunk", uri->trunk_sid, sizeof(uri->trunk_sid));
	uri->priority = (uint16_t)number(object, "priority");
	uri->weight = (uint16_t)number(object, "weight");
	uri->is_enabled = is_true(object, "enabled") &&
			  directory_uri_read(get(object, "uri"), &uri->uri) == NULL;
}

static void fill_route(const struct directory_object *object, union directory_view *view)
{
	memcpy(view->route.sid, object->sid, sizeof(view->route.sid));
	copy(object, "trunk", view->trunk_sid, sizeof(view->trunk_sid));
	view->route.is_of_trunk = view->trunk_sid[0] != '\0';
	copy(object, "prefix", view->route.prefix, sizeof(view->route.prefix));
	copy(object, "groups", view->route.groups, sizeof(view->route.groups));
}

typedef void (*fill_fn)(const struct directory_object *object, union directory_view *view);

static const struct {
	fill_fn fill; // NULL: the kind has no typed form
	size_t size;
} kinds[DIRECTORY_KIND_COUNT] = {
	[DIRECTORY_ACCOUNT] = { fill_account, sizeof(struct account) },
	[DIRECTORY_TRUNK] = { fill_trunk,
			      offsetof(union directory_view, trunk) + sizeof(struct trunk) },
	[DIRECTORY_ACL_ADDRESS] = { fill_prefix, sizeof(struct prefix) },
	[DIRECTORY_CREDENTIAL] = { fill_credential, sizeof(struct credential) },
	[DIRECTORY_NUMBER] = { fill_number, sizeof(struct number) },
	[DIRECTORY_CARRIER] = { fill_carrier, sizeof(struct carrier) },
	[DIRECTORY_ROUTE] = { fill_route, offsetof(union directory_view, route) +
						  sizeof(struct directory_route) },
	[DIRECTORY_ORIGINATION_URI] = { fill_origination, sizeof(struct origination_uri) },
};

size_t directory_view_size(enum directory_kind kind)
{
	return kinds[kind].size;
}

bool directory_view_fill(const struct directory_object *object, union directory_view *out_view)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	for (unsigned i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].is_required && !object->values[i])
			return false;
	}
	memset(out_view, 0, kinds[object->kind].size);
	if (kinds[object->kind].fill)
		kinds[object->kind].fill(object, out_view);
	return true;
}
