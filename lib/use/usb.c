/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: keyboards. Reads no key. */
#include "use/usb.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"

#define INPUT_DEVICES	   "proc/bus/input/devices"
#define INPUT_DEVICES_MAX  ((size_t)1024 * 1024)

#define CLASS_BASE_SUB_USB 0x0c03

/* linux/input-event-codes.h */
#define KEY_Q 16
#define KEY_A 30

/* What the lines of one device say; they end with an empty one. */
struct input {
	const char *name, *path;
	bool console, letters;
};

/* "B: KEY=1000000000007 ff9f207ac14057ff febeffdfffefffff": words, the one with key 0 is last. */
static bool has_letters(const char *keys)
{
	const char *last = strrchr(keys, ' ');
	uint64_t word;

	last = last ? last + 1 : keys;
	if (parse_number(last, strlen(last), 16, UINT64_MAX, &word) < 0)
		return false;
	return word >> KEY_Q & 1 && word >> KEY_A & 1;
}

/* "H: Handlers=sysrq kbd event0 leds " */
static bool has_handler(char *handlers, const char *name)
{
	char *rest = handlers, *handler;

	while ((handler = strsep(&rest, " ")))
		if (strcmp(handler, name) == 0)
			return true;
	return false;
}

static char *value_of(char *line, const char *key)
{
	size_t length = strlen(key);

	return strncmp(line, key, length) == 0 ? line + length : NULL;
}

/* N: Name="AT Translated Set 2 keyboard" */
static char *unquote(char *name)
{
	size_t length;

	if (*name == '"')
		name++;
	length = strlen(name);
	if (length > 0 && name[length - 1] == '"')
		name[length - 1] = '\0';
	return name;
}

static void parse_line(char *line, struct input *input)
{
	char *value;

	if ((value = value_of(line, "N: Name=")))
		input->name = unquote(value);
	else if ((value = value_of(line, "S: Sysfs=")))
		input->path = value;
	else if ((value = value_of(line, "H: Handlers=")))
		input->console = has_handler(value, "kbd");
	else if ((value = value_of(line, "B: KEY=")))
		input->letters = has_letters(value);
}

static int add_keyboard(struct keyboards *keyboards, const struct input *input)
{
	struct keyboard *added;

	if (array_reserve(&keyboards->items, keyboards->count, sizeof(*added)) < 0)
		return -ENOMEM;
	added = &keyboards->items[keyboards->count++];
	added->name = strdup(input->name ? input->name : "a keyboard");
	added->path = strdup(input->path ? input->path : "");
	return added->name && added->path ? 0 : -ENOMEM;
}

int keyboards_find(const struct sysroot *root, struct keyboards *ret, struct error *err)
{
	cleanup_keyboards struct keyboards keyboards = { 0 };
	cleanup_free char *data = NULL;
	struct input input = { 0 };
	char *rest, *line;
	size_t size;
	int r;

	r = sysroot_read(root, INPUT_DEVICES, INPUT_DEVICES_MAX, &data, &size);
	if (r < 0 && r != -ENOENT)
		return error_set(err, r, "cannot read /%s: %s", INPUT_DEVICES, strerror(-r));
	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		parse_line(line, &input);
		if (*line)
			continue;
		if (input.console && input.letters && add_keyboard(&keyboards, &input) < 0)
			return error_set_memory(err);
		input = (struct input){ 0 };
	}
	*ret = TAKE_STRUCT(keyboards);
	return 0;
}

void keyboards_done(struct keyboards *keyboards)
{
	for (size_t i = 0; i < keyboards->count; i++) {
		free(keyboards->items[i].name);
		free(keyboards->items[i].path);
	}
	free(keyboards->items);
	*keyboards = (struct keyboards){ 0 };
}

bool usb_is_controller(const struct pci_device *device)
{
	return device->class_code >> 8 == CLASS_BASE_SUB_USB;
}
