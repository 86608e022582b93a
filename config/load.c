// Reads trunkd.yaml: libyaml's events become values by the rows of the schema.
// Runs on: the control thread, at start and reload. Never stops at the first problem, never replaces
// a wrong value by another one: a file with a problem gives no configuration at all.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config/config.h"
#include "config/schema.h"

#define SHOWN_MAX 60 // characters of a wrong value in a message

struct loader {
	yaml_parser_t parser;
	yaml_event_t event; // the one at hand
	bool is_broken; // the file is no YAML from here on
	struct config *config;
	struct config_problems *problems;
	struct config_source source;
	unsigned section_lines[CONFIG_OPTION_MAX]; // at the section's first row
	bool is_set[CONFIG_OPTION_MAX];
	unsigned nth; // of a section that is a list: the one at hand
};

static unsigned line_of(const struct loader *loader)
{
	return (unsigned)loader->event.start_mark.line + 1;
}

static void next_event(struct loader *loader)
{
	yaml_event_delete(&loader->event); // leaves a YAML_NO_EVENT
	if (loader->is_broken || yaml_parser_parse(&loader->parser, &loader->event))
		return;
	loader->is_broken = true;
	const char *reason = loader->parser.problem;
	config_problem(loader->problems, loader->source.file,
		       (unsigned)loader->parser.problem_mark.line + 1, NULL,
		       "is not YAML here: %s; allowed: sections of options",
		       reason ? reason : "no memory");
}

// Passes over the node at hand, whatever it holds.
static void skip_node(struct loader *loader)
{
	int depth = 0;
	for (; !loader->is_broken; next_event(loader)) {
		yaml_event_type_t type = loader->event.type;
		if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
			depth++;
		if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT)
			depth--;
		if (depth == 0)
			break;
	}
	next_event(loader);
}

static struct text scalar_of(const struct loader *loader)
{
	return (struct text){ (const char *)loader->event.data.scalar.value,
			      loader->event.data.scalar.length };
}

static bool is_plain(const struct loader *loader)
{
	return loader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       !loader->event.data.scalar.tag;
}

static bool is_null(const struct loader *loader)
{
	struct text text = scalar_of(loader);
	return is_plain(loader) && (text.size == 0 || text_is_equal(text, TEXT("~")) ||
				    text_is_equal(text, TEXT("null")));
}

// "what is wrong" with the option at hand; what is allowed follows from its row.
static void wrong(struct loader *loader, const struct config_option *option, const char *what)
{
	char room[256];
	struct writer allowed = writer_of(room, sizeof(room));
	config_value_write_allowed(option, &allowed);
	config_problem(loader->problems, loader->source.file, line_of(loader), option->path,
		       "%s; allowed: %.*s", what, TEXT_FORMAT(writer_done(&allowed)));
}

static bool is_of_numbers(const struct config_option *option)
{
	return option->kind == CONFIG_NUMBER || option->kind == CONFIG_LIST_OF_NUMBERS;
}

static void wrong_value(struct loader *loader, const struct config_option *option)
{
	struct text text = scalar_of(loader);
	char shown[SHOWN_MAX + 1] = "";
	char what[SHOWN_MAX + 80];
	struct writer writer = writer_of(what, sizeof(what));
	uint64_t number;
	for (size_t i = 0; i < text.size && i < SHOWN_MAX; i++)
		shown[i] = (unsigned char)text.data[i] < 0x20 ? '?' : text.data[i];
	if (is_of_numbers(option) && text_to_unsigned(text, UINT64_MAX, &number))
		writer_format(&writer, "%s is out of range", shown);
	else
		writer_format(&writer, "\"%s\" is not %s", shown, config_value_noun(option));
	wrong(loader, option, writer_string_done(&writer));
}

static void load_scalar(struct loader *loader, const struct config_option *option, void *field)
{
	bool is_number = is_of_numbers(option) || option->kind == CONFIG_BOOLEAN;
	if (is_null(loader))
		wrong(loader, option, "has no value");
	else if (is_number && !is_plain(loader))
		wrong(loader, option, "is quoted text");
	else if (config_value_is_list(option) && config_value_is_full(option, field))
		wrong(loader, option, "has too many items");
	else if (config_value_parse(option, scalar_of(loader), field))
		loader->is_set[option - config_options] = true;
	else
		wrong_value(loader, option);
	next_event(loader);
}

static void load_list(struct loader *loader, const struct config_option *option, void *field)
{
	loader->is_set[option - config_options] = true;
	unsigned first_problem = loader->problems->count;
	for (next_event(loader); !loader->is_broken;) {
		if (loader->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (loader->event.type == YAML_SCALAR_EVENT) {
			load_scalar(loader, option, field);
			continue;
		}
		wrong(loader, option, "holds an item that is no single value");
		skip_node(loader);
	}
	bool is_empty = *(const unsigned *)field == 0 && loader->problems->count == first_problem;
	if (is_empty && !option->initial && !loader->is_broken)
		wrong(loader, option, "is an empty list");
	next_event(loader);
}

static void load_value(struct loader *loader, const struct config_option *option)
{
	void *field = config_option_field(loader->config, option, loader->nth);
	if (loader->event.type == YAML_SCALAR_EVENT) {
		load_scalar(loader, option, field);
	} else if (loader->event.type == YAML_SEQUENCE_START_EVENT &&
		   config_value_is_list(option)) {
		load_list(loader, option, field);
	} else {
		bool is_list = loader->event.type == YAML_SEQUENCE_START_EVENT;
		bool is_alias = loader->event.type == YAML_ALIAS_EVENT;
		wrong(loader, option,
		      is_alias  ? "is an alias"
		      : is_list ? "is a list, not one value"
				: "is a section, not a value");
		skip_node(loader);
	}
}

static void unknown(struct loader *loader, struct text path, bool is_section)
{
	char shown[SHOWN_MAX * 2 + 2];
	struct text cut = { path.data, path.size < SHOWN_MAX ? path.size : SHOWN_MAX };
	const char *nearest = config_option_nearest(path);
	struct text near = text_of(nearest);
	if (is_section)
		near = text_split(&near, '.');
	(void)text_copy(cut, shown, sizeof(shown));
	config_problem(loader->problems, loader->source.file, line_of(loader), shown,
		       "unknown %s; allowed: %.*s%s", is_section ? "section" : "option",
		       TEXT_FORMAT(near),
		       nearest ? " is the nearest" : "what trunkd --describe options lists");
}

// The option whose name is at hand inside `section`, or NULL after saying what is wrong with it.
static const struct config_option *find_option(struct loader *loader, struct text section)
{
	char room[CONFIG_TEXT_SIZE];
	struct writer path = writer_of(room, sizeof(room));
	writer_text(&path, section);
	writer_char(&path, '.');
	struct text name = scalar_of(loader);
	writer_text(&path, (struct text){ name.data, name.size < 128 ? name.size : 128 });
	int index = config_option_index(writer_done(&path));
	if (index < 0) {
		unknown(loader, writer_done(&path), false);
		return NULL;
	}
	unsigned *line = &loader->source.lines[index];
	if (*line > 0) {
		config_problem(loader->problems, loader->source.file, line_of(loader),
			       config_options[index].path,
			       "is given again; allowed: once, as on line %u", *line);
		return NULL;
	}
	*line = line_of(loader);
	return &config_options[index];
}

// "{section.option}/rest" becomes that option's value and the rest.
static bool apply_default(struct loader *loader, const struct config_option *option)
{
	char room[CONFIG_TEXT_SIZE * 2];
	struct writer value = writer_of(room, sizeof(room));
	struct text initial = text_of(option->initial);
	void *field = config_option_field(loader->config, option, loader->nth);
	if (config_value_is_list(option)) {
		bool is_parsed = true;
		while (initial.size > 0)
			is_parsed &= config_value_parse(option, text_split(&initial, ' '), field);
		return is_parsed;
	}
	if (text_has_prefix(initial, TEXT("{"))) {
		initial = text_cut(initial, 1);
		int other = config_option_index(text_split(&initial, '}'));
		writer_string(&value,
			      config_option_field(loader->config, &config_options[other], 0));
	}
	writer_text(&value, initial);
	return config_value_parse(option, writer_done(&value), field);
}

// To an option that was not given, or wrong; `line` is its section's.
static void give_default(struct loader *loader, const struct config_option *option, unsigned line)
{
	unsigned index = (unsigned)(option - config_options);
	char room[256];
	struct writer allowed = writer_of(room, sizeof(room));
	config_value_write_allowed(option, &allowed);
	if (loader->is_set[index] || (!option->initial && loader->source.lines[index] > 0))
		return;
	const char *what = !option->initial                ? "is missing"
			   : apply_default(loader, option) ? NULL
							   : "is too long by default, give it";
	if (what)
		config_problem(loader->problems, loader->source.file, line ? line : 1, option->path,
			       "%s; allowed: %.*s", what, TEXT_FORMAT(writer_done(&allowed)));
}

static struct text section_of(unsigned index, char name[static CONFIG_TEXT_SIZE])
{
	struct text rest = text_of(config_options[index].path);
	struct text section = text_split(&rest, '.');
	(void)text_copy(section, name, CONFIG_TEXT_SIZE);
	return section;
}

static bool is_in_section(unsigned index, struct text section)
{
	struct text rest =
		index < config_option_count ? text_of(config_options[index].path) : TEXT_NONE;
	return text_is_equal(text_split(&rest, '.'), section);
}

static void load_section(struct loader *loader, unsigned first)
{
	char name[CONFIG_TEXT_SIZE];
	struct text section = section_of(first, name);
	if (loader->event.type != YAML_MAPPING_START_EVENT) {
		bool is_empty = loader->event.type == YAML_SCALAR_EVENT && is_null(loader);
		if (!is_empty)
			config_problem(
				loader->problems, loader->source.file, line_of(loader), name,
				"is a value, not a section; allowed: lines of option: value");
		skip_node(loader);
		return;
	}
	next_event(loader);
	while (!loader->is_broken && loader->event.type != YAML_MAPPING_END_EVENT) {
		const struct config_option *option = NULL;
		if (loader->event.type == YAML_SCALAR_EVENT)
			option = find_option(loader, section);
		else
			config_problem(loader->problems, loader->source.file, line_of(loader), name,
				       "has a name that is no text; allowed: option: value");
		skip_node(loader);
		if (option && !loader->is_broken)
			load_value(loader, option);
		else
			skip_node(loader);
	}
	next_event(loader);
}

// One of a section that is a list: its rows begin anew, and what it leaves out is given to it at once.
static void load_item(struct loader *loader, unsigned first)
{
	char name[CONFIG_TEXT_SIZE];
	struct text section = section_of(first, name);
	unsigned line = line_of(loader);
	for (unsigned i = first; is_in_section(i, section); i++) {
		loader->source.lines[i] = 0;
		loader->is_set[i] = false;
	}
	loader->source.edge_lines[loader->nth] = line;
	load_section(loader, first);
	for (unsigned i = first; is_in_section(i, section) && !loader->is_broken; i++)
		give_default(loader, &config_options[i], line);
}

static void load_items(struct loader *loader, unsigned first)
{
	const struct config_option *option = &config_options[first];
	unsigned *count = (unsigned *)((char *)loader->config + option->count_offset);
	char name[CONFIG_TEXT_SIZE];
	(void)section_of(first, name);
	if (loader->event.type != YAML_SEQUENCE_START_EVENT) {
		config_problem(loader->problems, loader->source.file, line_of(loader), name,
			       "is no list; allowed: a list of sections, each with lines of "
			       "option: value");
		skip_node(loader);
		return;
	}
	next_event(loader);
	while (!loader->is_broken && loader->event.type != YAML_SEQUENCE_END_EVENT) {
		if (*count == config_option_places(option)) {
			config_problem(loader->problems, loader->source.file, line_of(loader), name,
				       "has too many items; allowed: %u", *count);
			skip_node(loader);
			continue;
		}
		loader->nth = (*count)++;
		load_item(loader, first);
	}
	loader->nth = 0;
	next_event(loader);
}

// The first row of the section whose name is at hand, or -1 after saying what is wrong with it.
static int find_section(struct loader *loader)
{
	struct text name = scalar_of(loader);
	for (unsigned i = 0; i < config_option_count; i++) {
		struct text rest = text_of(config_options[i].path);
		if (!text_is_equal(text_split(&rest, '.'), name))
			continue;
		unsigned *line = &loader->section_lines[i];
		if (*line == 0) {
			*line = line_of(loader);
			return (int)i;
		}
		char shown[CONFIG_TEXT_SIZE];
		(void)text_copy(name, shown, sizeof(shown));
		config_problem(loader->problems, loader->source.file, line_of(loader), shown,
			       "is given again; allowed: once, as on line %u", *line);
		return -1;
	}
	unknown(loader, name, true);
	return -1;
}

static void load_sections(struct loader *loader)
{
	if (loader->event.type != YAML_MAPPING_START_EVENT) {
		bool is_empty = loader->event.type == YAML_SCALAR_EVENT && is_null(loader);
		if (!is_empty)
			config_problem(
				loader->problems, loader->source.file, line_of(loader), NULL,
				"holds no sections; allowed: lines of section: and, indented, "
				"option: value");
		skip_node(loader);
		return;
	}
	next_event(loader);
	while (!loader->is_broken && loader->event.type != YAML_MAPPING_END_EVENT) {
		int first = -1;
		if (loader->event.type == YAML_SCALAR_EVENT)
			first = find_section(loader);
		else
			config_problem(loader->problems, loader->source.file, line_of(loader), NULL,
				       "has a name that is no text; allowed: section:");
		skip_node(loader);
		if (first >= 0 && !loader->is_broken && config_options[first].stride > 0)
			load_items(loader, (unsigned)first);
		else if (first >= 0 && !loader->is_broken)
			load_section(loader, (unsigned)first);
		else
			skip_node(loader);
	}
	next_event(loader);
}

static void load_document(struct loader *loader)
{
	next_event(loader);
	next_event(loader); // past the stream's start
	if (loader->event.type == YAML_DOCUMENT_START_EVENT) {
		next_event(loader);
		load_sections(loader);
		next_event(loader); // past the document's end
	}
	if (loader->event.type == YAML_DOCUMENT_START_EVENT)
		config_problem(loader->problems, loader->source.file, line_of(loader), NULL,
			       "holds a second document; allowed: one");
}

// What the file leaves out. A wrong value is replaced as well, but only so that the rules across
// options do not complain of it a second time: the file has a problem already and is refused.
static void apply_defaults(struct loader *loader)
{
	unsigned section_line = 0;
	for (unsigned i = 0; i < config_option_count; i++) {
		char name[CONFIG_TEXT_SIZE];
		if (i == 0 || !is_in_section(i, section_of(i - 1, name)))
			section_line = loader->section_lines[i];
		if (config_options[i].stride == 0)
			give_default(loader, &config_options[i], section_line);
	}
	int edges = config_option_index(TEXT("edges.name"));
	if (loader->section_lines[edges] == 0)
		config_edges_fill_default(&loader->config->edges);
}

static enum status load_file(FILE *file, struct loader *loader)
{
	if (!yaml_parser_initialize(&loader->parser))
		return ERR_MEMORY;
	yaml_parser_set_input_file(&loader->parser, file);
	load_document(loader);
	yaml_event_delete(&loader->event);
	yaml_parser_delete(&loader->parser);
	if (!loader->is_broken)
		apply_defaults(loader);
	if (!loader->is_broken)
		config_check(loader->config, &loader->source, loader->problems);
	return loader->problems->count > 0 ? ERR_MALFORMED : OK;
}

// What it says of the file stays in the loader.
static enum status load_path(const char *path, struct config *config,
			     struct config_problems *problems, struct loader *loader)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		config_problem(problems, path, 0, NULL, "cannot be read: %s", strerror(errno));
		return ERR_SYSTEM;
	}
	loader->config = config;
	loader->problems = problems;
	loader->source.file = path;
	enum status status = load_file(file, loader);
	fclose(file);
	return status;
}

enum status config_load(const char *path, struct config **out_config,
			struct config_problems *problems)
{
	enum status status = ERR_MEMORY;
	problems->count = 0;
	struct loader *loader = calloc(1, sizeof(*loader));
	struct config *config = calloc(1, sizeof(*config));
	if (loader && config)
		status = load_path(path, config, problems, loader);
	if (status == OK)
		*out_config = config;
	else
		config_destroy(config);
	free(loader);
	return status;
}

unsigned config_find_line(const char *path, struct text option)
{
	unsigned line = 0;
	int index = config_option_index(option);
	struct loader *loader = calloc(1, sizeof(*loader));
	struct config *config = calloc(1, sizeof(*config));
	struct config_problems *problems = calloc(1, sizeof(*problems));
	if (index >= 0 && loader && config && problems &&
	    load_path(path, config, problems, loader) == OK)
		line = loader->source.lines[index];
	config_destroy(config);
	free(problems);
	free(loader);
	return line;
}

void config_destroy(struct config *config)
{
	free(config);
}
