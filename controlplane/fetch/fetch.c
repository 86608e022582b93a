// Transfers of libcurl. Runs on the thread of whoever owns them. What comes back is a stranger's: bounded
// while it arrives.

#include "fetch/fetch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"

struct transfer {
	struct transfer *next, **previous;
	struct fetch *fetch;
	CURL *easy;
	struct curl_slist *headers, *recipients;
	fetch_done_fn done;
	void *context;
	fetch_allows_fn allows;
	const void *allows_context;
	bool is_mail, is_too_long;
	bool is_forbidden; // an address was refused, and none taken since
	char *body; // what is sent
	size_t body_size, body_sent;
	size_t used, answer_max;
	char answer[];
};

struct fetch {
	CURLM *multi;
	struct transfer *transfers;
	const char *ca_file; // "": the system's
};

static size_t on_answer(char *octets, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t octet_count = size * count;
	transfer->is_too_long |= octet_count > transfer->answer_max - transfer->used;
	if (transfer->is_too_long)
		return 0; // ends the transfer
	memcpy(transfer->answer + transfer->used, octets, octet_count);
	transfer->used += octet_count;
	return octet_count;
}

static size_t on_mail(char *room, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t left = transfer->body_size - transfer->body_sent, fits = size * count;
	size_t octet_count = left < fits ? left : fits;
	memcpy(room, transfer->body + transfer->body_sent, octet_count);
	transfer->body_sent += octet_count;
	return octet_count;
}

static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *peer)
{
	struct transfer *transfer = context;
	struct address address;
	bool is_allowed = purpose == CURLSOCKTYPE_IPCXN &&
			  address_from_sockaddr(&peer->addr, &address) &&
			  transfer->allows(transfer->allows_context, &address);
	transfer->is_forbidden = !is_allowed;
	if (!is_allowed)
		return CURL_SOCKET_BAD;
	return socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

static void destroy_transfer(struct transfer *transfer)
{
	*transfer->previous = transfer->next;
	if (transfer->next)
		transfer->next->previous = transfer->previous;
	if (transfer->easy)
		(void)curl_multi_remove_handle(transfer->fetch->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->recipients);
	if (transfer->body)
		secret_wipe(transfer->body, transfer->body_size); // it may hold a code
	free(transfer->body);
	free(transfer);
}

static struct transfer *create_transfer(struct fetch *fetch, const struct fetch_request *request)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer) + request->answer_max);
	if (!transfer)
		return NULL;
	transfer->fetch = fetch;
	transfer->done = request->done;
	transfer->context = request->context;
	transfer->allows = request->allows;
	transfer->allows_context = request->allows_context;
	transfer->answer_max = request->answer_max;
	transfer->is_mail = request->recipient != NULL;
	transfer->next = fetch->transfers;
	transfer->previous = &fetch->transfers;
	if (transfer->next)
		transfer->next->previous = &transfer->next;
	fetch->transfers = transfer;
	transfer->easy = curl_easy_init();
	return transfer;
}

// False: out of memory.
static bool copy_texts(struct transfer *transfer, const struct fetch_request *request)
{
	for (const char *const *header = request->headers; header && *header; header++) {
		struct curl_slist *longer = curl_slist_append(transfer->headers, *header);
		if (!longer)
			return false;
		transfer->headers = longer;
	}
	if (request->recipient)
		transfer->recipients = curl_slist_append(NULL, request->recipient);
	if (!request->body.data)
		return !request->recipient;
	transfer->body = malloc(request->body.size + 1);
	if (!transfer->body)
		return false;
	memcpy(transfer->body, request->body.data, request->body.size);
	transfer->body_size = request->body.size;
	return !request->recipient || transfer->recipients;
}

// Options that are wrong or without memory show as a transfer that cannot be begun.
#define SET(option, value) (curl_easy_setopt(transfer->easy, option, value) == CURLE_OK)

static bool set_common(struct transfer *transfer, const struct fetch_request *request)
{
	const char *protocols = transfer->is_mail ? "smtp,smtps" : "http,https";
	const char *ca_file = transfer->fetch->ca_file;
	return SET(CURLOPT_URL, request->url) && SET(CURLOPT_PROTOCOLS_STR, protocols) &&
	       SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms) &&
	       SET(CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) &&
	       SET(CURLOPT_WRITEFUNCTION, on_answer) && SET(CURLOPT_WRITEDATA, transfer) &&
	       SET(CURLOPT_PRIVATE, transfer) && SET(CURLOPT_NOSIGNAL, 1L) &&
	       SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PROXY, "") &&
	       (!ca_file[0] || SET(CURLOPT_CAINFO, ca_file)) &&
	       (!request->user ||
		(SET(CURLOPT_USERNAME, request->user) && SET(CURLOPT_PASSWORD, request->password)));
}

static bool set_http(struct transfer *transfer)
{
	bool is_set =
		SET(CURLOPT_USERAGENT, "trunkd") && SET(CURLOPT_HTTPHEADER, transfer->headers);
	if (!transfer->body)
		return is_set;
	return is_set && SET(CURLOPT_POST, 1L) &&
	       SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_size) &&
	       SET(CURLOPT_POSTFIELDS, transfer->body);
}

static bool set_mail(struct transfer *transfer, const struct fetch_request *request)
{
	long tls = request->needs_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY;
	return SET(CURLOPT_MAIL_FROM, request->sender) &&
	       SET(CURLOPT_MAIL_RCPT, transfer->recipients) && SET(CURLOPT_USE_SSL, tls) &&
	       SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_READFUNCTION, on_mail) &&
	       SET(CURLOPT_READDATA, transfer) &&
	       SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->body_size);
}

// A connection that one request may use is no other's: who may go where is asked for each.
static bool set_guard(struct transfer *transfer)
{
	return !transfer->allows ||
	       (SET(CURLOPT_OPENSOCKETFUNCTION, on_socket) &&
		SET(CURLOPT_OPENSOCKETDATA, transfer) && SET(CURLOPT_FRESH_CONNECT, 1L) &&
		SET(CURLOPT_FORBID_REUSE, 1L));
}

bool fetch_start(struct fetch *fetch, const struct fetch_request *request)
{
	struct transfer *transfer = create_transfer(fetch, request);
	if (!transfer)
		return false;
	bool is_begun = transfer->easy && copy_texts(transfer, request) &&
			set_common(transfer, request) &&
			(transfer->is_mail ? set_mail(transfer, request) : set_http(transfer)) &&
			set_guard(transfer) &&
			curl_multi_add_handle(fetch->multi, transfer->easy) == CURLM_OK;
	if (!is_begun)
		destroy_transfer(transfer);
	return is_begun;
}

static enum fetch_cause cause_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return FETCH_CAUSE_NAME;
	case CURLE_COULDNT_CONNECT:
		return FETCH_CAUSE_CONNECTION;
	case CURLE_OPERATION_TIMEDOUT:
		return FETCH_CAUSE_TIME;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_USE_SSL_FAILED:
	case CURLE_SSL_CACERT_BADFILE:
		return FETCH_CAUSE_TLS;
	default:
		return FETCH_CAUSE_OTHER;
	}
}

static void tell(const struct transfer *transfer, CURLcode code)
{
	long status = 0;
	struct fetch_answer answer = { .outcome = FETCH_FAILED,
				       .body = { transfer->answer, transfer->used },
				       .problem = "" };
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	answer.status = (unsigned)status;
	if (transfer->is_too_long) {
		answer.outcome = FETCH_TOO_LONG;
		answer.problem = "the answer is too long";
	} else if (code == CURLE_OK) {
		answer.outcome = FETCH_ANSWERED;
	} else if (transfer->is_forbidden) {
		answer.outcome = FETCH_FORBIDDEN;
		answer.problem = "its address is none that may be reached";
	} else {
		answer.problem = curl_easy_strerror(code);
		answer.cause = cause_of(code);
	}
	transfer->done(transfer->context, &answer);
}

void fetch_turn(struct fetch *fetch, unsigned wait_ms)
{
	CURLMsg *message;
	int left;
	(void)curl_multi_perform(fetch->multi, &left);
	while ((message = curl_multi_info_read(fetch->multi, &left))) {
		struct transfer *transfer = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode code = message->data.result;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		tell(transfer, code);
		destroy_transfer(transfer);
	}
	(void)curl_multi_poll(fetch->multi, NULL, 0, (int)wait_ms, NULL);
}

void fetch_wake(struct fetch *fetch)
{
	(void)curl_multi_wakeup(fetch->multi);
}

struct fetch *fetch_create(unsigned host_connections, const char *ca_file)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	if (!fetch)
		return NULL;
	fetch->ca_file = ca_file;
	fetch->multi = curl_multi_init();
	if (!fetch->multi) {
		free(fetch);
		return NULL;
	}
	(void)curl_multi_setopt(fetch->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
				(long)host_connections);
	return fetch;
}

void fetch_destroy(struct fetch *fetch)
{
	if (!fetch)
		return;
	while (fetch->transfers) {
		struct transfer *transfer = fetch->transfers;
		transfer->is_forbidden = false;
		tell(transfer, CURLE_ABORTED_BY_CALLBACK);
		destroy_transfer(transfer);
	}
	(void)curl_multi_cleanup(fetch->multi);
	free(fetch);
}
