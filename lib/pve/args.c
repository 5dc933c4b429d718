/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: the VFIO devices in `args`. Looks at no device and follows no link. */
#include "pve/args.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/number.h"
#include "pve/hostpci.h"

/* ---- words */

/* Perl's \s for what a line can hold. */
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Reads up to the quote that ends '…' or "…". A backslash keeps the character after it from ending
 * either, but only in "…" does it vanish itself.
 */
static bool read_quoted(const char **line, char **word)
{
	char quote = *(*line)++;

	for (; **line && **line != quote; (*line)++) {
		if (**line == '\\') {
			if (quote == '\'')
				*(*word)++ = **line;
			(*line)++;
			if (!**line)
				return false;
		}
		*(*word)++ = **line;
	}
	if (!**line)
		return false;
	(*line)++;
	return true;
}

static bool read_word(const char **line, char *word)
{
	while (**line && !is_blank(**line)) {
		if (**line == '"' || **line == '\'') {
			if (!read_quoted(line, &word))
				return false;
			continue;
		}
		if (**line == '\\')
			(*line)++;
		if (!**line)
			return false;
		*word++ = *(*line)++;
	}
	*word = '\0';
	return true;
}

int shellwords(const char *line, struct strings *ret)
{
	cleanup_strings struct strings words = { 0 };
	cleanup_free char *word = malloc(strlen(line) + 1);

	if (!word)
		return -ENOMEM;
	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line)
			break;
		if (!read_word(&line, word))
			return -EINVAL;
		if (strings_add(&words, word) < 0)
			return -ENOMEM;
	}
	*ret = TAKE_STRUCT(words);
	return 0;
}

/* ---- options */

/* What is said of one device. Strings are NULL where the key is not there. */
struct option {
	const char *text; /* the option as written, for messages */
	char *driver;
	char *id;
	char *host;
	char *sysfsdev;
	char *fd;
	char *romfile;
	bool from_json; /* -set does not find it */
	bool from_set;	/* a hostpciN that -set changes */
};

/* Started as { 0 }. */
struct options {
	struct option *items;
	size_t count;
};

static void option_done(struct option *option)
{
	free(option->driver);
	free(option->id);
	free(option->host);
	free(option->sysfsdev);
	free(option->fd);
	free(option->romfile);
}

static void options_done(struct options *options)
{
	for (size_t i = 0; i < options->count; i++)
		option_done(&options->items[i]);
	free(options->items);
}

/* Keys that are of no concern here are left out. The first `id` counts, of others the last. */
static int option_set(struct option *option, const char *key, const char *value)
{
	const struct {
		const char *key;
		char **value;
	} fields[] = {
		{ "driver", &option->driver }, { "id", &option->id },
		{ "host", &option->host },     { "sysfsdev", &option->sysfsdev },
		{ "fd", &option->fd },	       { "romfile", &option->romfile },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char *copy;

		if (strcmp(fields[i].key, key) != 0)
			continue;
		if (option->id && fields[i].value == &option->id)
			return 0;
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
		free(*fields[i].value);
		*fields[i].value = copy;
		return 0;
	}
	return 0;
}

/* Adds an option; what it holds is the list's then, and freed where there is no memory. */
static int options_add(struct options *options, struct option option)
{
	if (array_reserve(&options->items, options->count, sizeof(option)) < 0) {
		option_done(&option);
		return -ENOMEM;
	}
	options->items[options->count++] = option;
	return 0;
}

static bool is_vfio(const struct option *option)
{
	return option->driver && (strcmp(option->driver, "vfio-pci") == 0 ||
				  strcmp(option->driver, "vfio-pci-nohotplug") == 0);
}

/* Cuts a value off in place, up to a single comma: two are one comma of the value. */
static char *cut_value(char **rest)
{
	char *value = *rest, *from = value, *to = value;

	while (*from && (from[0] != ',' || from[1] == ',')) {
		from += *from == ',';
		*to++ = *from++;
	}
	*rest = *from ? from + 1 : from;
	*to = '\0';
	return value;
}

/* KEY=VALUE,…: what comes first without a key is the driver, any other such part a flag. */
static int read_list(struct option *option, const char *text)
{
	cleanup_free char *copy = strdup(text);
	char *rest = copy;

	if (!copy)
		return -ENOMEM;
	while (*rest) {
		const char *key = "driver";
		size_t size = strcspn(rest, "=,");
		int r;

		if (rest[size] == '=') {
			key = rest;
			rest[size] = '\0';
			rest += size + 1;
		} else if (rest != copy) {
			rest += size + (rest[size] == ',');
			continue;
		}
		r = option_set(option, key, cut_value(&rest));
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_json(struct option *option, const char *text, struct error *err)
{
	cleanup_json json_t *json = NULL;
	const char *key;
	json_t *member;
	int r;

	r = json_parse_object("its JSON", text, strlen(text), &json, err);
	if (r < 0)
		return r;
	json_object_foreach(json, key, member) {
		const char *value = json_string_value(member);

		r = value ? option_set(option, key, value) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- problems and devices */

static int add_problem(struct args *args, char *text)
{
	struct args_problem problem = { text };

	if (!text || array_reserve(&args->problems, args->problem_count, sizeof(problem)) < 0) {
		free(text);
		return -ENOMEM;
	}
	args->problems[args->problem_count++] = problem;
	return 0;
}

static int read_device(struct args *args, struct options *options, const char *text)
{
	struct option option = { .text = text, .from_json = *text == '{' };
	struct error err = { 0 };
	int r;

	/* QEMU takes other quotes in JSON than the standard does; they are not read here. */
	r = option.from_json ? read_json(&option, text, &err) : read_list(&option, text);
	if (r == 0 && is_vfio(&option))
		return options_add(options, option);
	option_done(&option);
	if (r == -EBADMSG && strstr(text, "vfio-pci"))
		return add_problem(args, text_format("'-device %s': %s; write it as in "
						     "vfio-pci,host=0000:01:00.0",
						     text, err.message));
	return r == -ENOMEM ? r : 0;
}

/* The options -set finds: those before it, but not in JSON. */
static struct option *find_option(const struct options *options, const char *id)
{
	for (size_t i = 0; i < options->count; i++)
		if (!options->items[i].from_json && text_equal(options->items[i].id, id))
			return &options->items[i];
	return NULL;
}

/* PVE's own devices come before `args` on the command line. */
static bool is_hostpci(const char *id)
{
	uint64_t index;

	if (!text_starts_with(id, "hostpci"))
		return false;
	id += strlen("hostpci");
	return (id[0] != '0' || !id[1]) &&
	       parse_number(id, strlen(id), 10, HOSTPCI_COUNT - 1, &index) == 0;
}

static int set_option(struct args *args, struct options *options, const char *text, const char *id,
		      const char *key, const char *value)
{
	struct option *option = find_option(options, id);
	struct option added = { .text = text, .from_set = true };

	if (option)
		return option_set(option, key, value);
	if (is_hostpci(id)) {
		if (option_set(&added, "id", id) < 0 || option_set(&added, key, value) < 0) {
			option_done(&added);
			return -ENOMEM;
		}
		return options_add(options, added);
	}
	if (strcmp(key, "host") != 0 && strcmp(key, "sysfsdev") != 0)
		return 0;
	return add_problem(args, text_format("'-set %s': no vfio-pci device '%s' comes before it",
					     text, id));
}

/*
 * GROUP.ID.KEY=VALUE, which QEMU splits at the first two dots: of several functions, whose ids are
 * hostpciN.0, hostpciN.1 …, none can be named. `,,` is not an escape here.
 */
static int read_set(struct args *args, struct options *options, const char *text)
{
	cleanup_free char *copy = strdup(text);
	char *value = copy, *path, *group, *id;

	if (!copy)
		return -ENOMEM;
	path = strsep(&value, "=");
	group = strsep(&path, ".");
	id = strsep(&path, ".");
	if (!value || !path || strcmp(group, "device") != 0)
		return 0;
	if (is_hostpci(id) && strchr(path, '.'))
		return add_problem(args, text_format("'-set %s': QEMU takes no id with a dot here",
						     text));
	return set_option(args, options, text, id, path, value);
}

static int read_options(struct args *args, struct options *options, const struct strings *words)
{
	int r = 0;

	for (size_t i = 0; i + 1 < words->count && r == 0; i++) {
		const char *name = words->items[i];

		name += text_starts_with(name, "--");
		if (strcmp(name, "-device") == 0)
			r = read_device(args, options, words->items[++i]);
		else if (strcmp(name, "-set") == 0)
			r = read_set(args, options, words->items[++i]);
	}
	return r;
}

/* Parses hexadecimal digits, with or without 0x, up to one of `ends`, where `text` is then. */
static int parse_part(const char **text, const char *ends, uint64_t *ret)
{
	const char *digits = *text + (text_starts_with(*text, "0x") ? 2 : 0);
	size_t size = strcspn(digits, ends);

	*text = digits + size;
	return parse_number(digits, size, 16, UINT32_MAX, ret);
}

/*
 * [DOMAIN:]BUS:DEVICE.FUNCTION with as many digits as one likes; the function is decimal. QEMU 7.2
 * takes no domain above ffff; what is meant by one is plain all the same.
 */
static int parse_host(const char *text, struct pci_address *ret)
{
	uint64_t domain = 0, bus, device, function;

	if (parse_part(&text, ":", &bus) < 0 || *text++ != ':' ||
	    parse_part(&text, ":.", &device) < 0)
		return -EINVAL;
	if (*text == ':') {
		text++;
		domain = bus;
		bus = device;
		if (parse_part(&text, ".", &device) < 0)
			return -EINVAL;
	}
	if (*text++ != '.' || parse_number(text, strlen(text), 10, 7, &function) < 0 ||
	    bus > 0xff || device > 0x1f)
		return -EINVAL;
	*ret = (struct pci_address){
		.domain = (uint32_t)domain,
		.bus = (uint8_t)bus,
		.device = (uint8_t)device,
		.function = (uint8_t)function,
	};
	return 0;
}

/* 8-4-4-4-12 hexadecimal digits: the name of a mediated device. */
static bool is_uuid(const char *name)
{
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? name[i] != '-' : !isxdigit((unsigned char)name[i]))
			return false;
	}
	return !name[36];
}

/* The device is the one the path's last part names. -ENODEV for a mediated device. */
static int parse_sysfsdev(const char *path, struct pci_address *ret)
{
	cleanup_free char *copy = strdup(path);
	const char *name;
	char *slash;

	if (!copy)
		return -ENOMEM;
	for (size_t size = strlen(copy); size > 0 && copy[size - 1] == '/'; size--)
		copy[size - 1] = '\0';
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	return is_uuid(name) ? -ENODEV : pci_address_parse(name, ret);
}

/* QEMU looks at host= too where sysfsdev= goes before it. -ENODEV for a mediated device. */
static int find_address(const struct option *option, struct pci_address *ret)
{
	int r = 0;

	if (option->fd || (!option->host && !option->sysfsdev))
		return -EINVAL;
	if (option->host)
		r = parse_host(option->host, ret);
	if (r == 0 && option->sysfsdev)
		r = parse_sysfsdev(option->sysfsdev, ret);
	return r;
}

static int add_device(struct args *args, struct option *option)
{
	struct args_device device = { .from_set = option->from_set };
	int r;

	/* -set of something else than the address. */
	if (option->from_set && !option->host && !option->sysfsdev && !option->fd)
		return 0;
	r = find_address(option, &device.address);
	if (r == -ENODEV)
		return 0;
	if (r == -EINVAL)
		return add_problem(args,
				   text_format("'-%s %s': this names no PCI function as in "
					       "host=0000:01:00.0 or "
					       "sysfsdev=/sys/bus/pci/devices/0000:01:00.0",
					       option->from_set ? "set" : "device", option->text));
	if (r < 0 || array_reserve(&args->devices, args->count, sizeof(device)) < 0)
		return -ENOMEM;
	device.romfile = TAKE_PTR(option->romfile);
	device.id = TAKE_PTR(option->id);
	args->devices[args->count++] = device;
	return 0;
}

int args_parse(const char *line, struct args *ret, struct error *err)
{
	cleanup_args struct args args = { 0 };
	cleanup_strings struct strings words = { 0 };
	cleanup(options_done) struct options options = { 0 };
	int r;

	r = shellwords(line, &words);
	args.vanished = r == -EINVAL;
	if (r == 0)
		r = read_options(&args, &options, &words);
	for (size_t i = 0; i < options.count && r == 0; i++)
		r = add_device(&args, &options.items[i]);
	if (r == -ENOMEM)
		return error_set_memory(err);
	*ret = TAKE_STRUCT(args);
	return 0;
}

void args_done(struct args *args)
{
	for (size_t i = 0; i < args->count; i++) {
		free(args->devices[i].romfile);
		free(args->devices[i].id);
	}
	free(args->devices);
	for (size_t i = 0; i < args->problem_count; i++)
		free(args->problems[i].text);
	free(args->problems);
	*args = (struct args){ 0 };
}
