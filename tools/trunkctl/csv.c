// RFC 4180 with one guard: a text that a spreadsheet would take for a formula gets an apostrophe in
// front, for it may come from a stranger's INVITE. A number in E.164 is none.

#include "csv.h"

#include <string.h>

static const json_t *first_list(const json_t *answer)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)answer, key, value)
	{
		const json_t *row = json_array_get(value, 0);
		if (json_is_array(value) && strcmp(key, "warnings") != 0 &&
		    (!row || json_is_object(row)))
			return value;
	}
	return NULL;
}

static bool is_formula(const char *text)
{
	if (text[0] == '+' || text[0] == '-')
		return text[strspn(text + 1, "0123456789") + 1] != 0;
	return text[0] != 0 && strchr("=@\t\r", text[0]) != NULL;
}

static void print_text(const char *text, FILE *out)
{
	fputc('"', out);
	if (is_formula(text))
		fputc('\'', out);
	for (; *text; text++)
		fprintf(out, *text == '"' ? "\"%c" : "%c", *text);
	fputc('"', out);
}

static void print_value(const json_t *value, FILE *out)
{
	if (json_is_string(value))
		print_text(json_string_value(value), out);
	else if (json_is_integer(value))
		fprintf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		fprintf(out, "%.15g", json_real_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "true" : "false", out);
}

bool csv_print(const json_t *answer, FILE *out)
{
	const json_t *list = first_list(answer), *head = json_array_get(list, 0);
	const char *key;
	json_t *ignored;
	if (!list)
		return false;
	bool is_first = true;
	json_object_foreach((json_t *)head, key, ignored)
	{
		fputs(is_first ? "" : ",", out);
		print_text(key, out);
		is_first = false;
	}
	fputs(head ? "\r\n" : "", out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		is_first = true;
		json_object_foreach((json_t *)head, key, ignored)
		{
			fputs(is_first ? "" : ",", out);
			print_value(json_object_get(json_array_get(list, i), key), out);
			is_first = false;
		}
		fputs("\r\n", out);
	}
	return true;
}
