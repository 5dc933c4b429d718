/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: sentences for people. Writes to no stream. */
#include "report/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "use/stack.h"
#include "use/vf.h"

/* What a device's name gets of a line in any case. */
#define NAME_LEAST 20

char *words_name(struct pci_names *names, const struct sysroot *root, const char *address)
{
	struct pci_device device = { 0 };
	struct pci_address parsed;
	int r;

	if (pci_address_parse(address, &parsed) < 0)
		return strdup("a device that is gone");
	r = pci_device_identify(root, parsed, &device);
	if (r == -ENODEV)
		return strdup("a device that is gone");
	if (r < 0)
		return text_format("a device that cannot be read: %s", strerror(-r));
	return pci_name(names, root, &device);
}

static const char *driver_words(const char *driver)
{
	return driver ? driver : "no driver";
}

/* The name comes last, and gives way where a line would be too wide. */
static char *add_name(const char *line, const char *name)
{
	size_t used = strlen(line) + strlen(", ");
	size_t room = used + NAME_LEAST < WORDS_WIDTH ? WORDS_WIDTH - used : NAME_LEAST;

	if (strlen(name) <= room)
		return text_format("%s, %s", line, name);
	return text_format("%s, %.*s...", line, (int)(room - strlen("...")), name);
}

static char *words_bind(struct pci_names *names, const struct sysroot *root,
			enum run_direction direction, const struct action *action,
			const struct run_result *result)
{
	/* One that has not answered in time is not asked for its name. */
	bool silent = result->result == -ETIMEDOUT;
	cleanup_free char *name = silent ? NULL : words_name(names, root, action->target);
	cleanup_free char *line = NULL;
	const char *from = driver_words(action->before), *to = driver_words(action->wanted);

	if (direction == RUN_REVERT) {
		to = from;
		from = driver_words(action->wanted);
	}
	if (silent)
		return text_format("%s %s -> %s FAILED: %s", action->target, from, to,
				   result->text);
	if (result->result < 0)
		return text_format("%s %s -> %s FAILED: %s (%s)", action->target, from, to,
				   result->text, name ? name : "");
	if (strcmp(result->text, NOTE_LEFT) == 0)
		line = text_format("%s %s", action->target, result->text);
	else if (*result->text)
		line = text_format("%s %s, %s", action->target, to, result->text);
	else if (strcmp(from, to) == 0)
		line = text_format("%s %s already", action->target, to);
	else
		line = text_format("%s %s -> %s, %.2f s", action->target, from, to,
				   (double)result->took_us / 1000000);
	return line && name ? add_name(line, name) : NULL;
}

char *words_guest(const char *name)
{
	struct guest guest;

	if (guest_parse(name, &guest) < 0)
		return strdup(name);
	return text_format("%s %u", guest_kind_name(guest.kind), guest.vmid);
}

/* What is said of an action other than a binding, both ways; NULL: nothing. */
static const struct {
	const char *applied, *reverted;
	bool values; /* followed by the values from and to */
} deeds[] = {
	[ACTION_RESERVE] = { NULL, NULL, false },
	[ACTION_DISPLACE] = { NULL, NULL, false }, /* words_displace() */
	[ACTION_STOP_UNIT] = { "%s stopped", "%s started", false },
	[ACTION_RELEASE_CONSOLE] = { "text console %s released", "text console %s taken up",
				     false },
	[ACTION_RELEASE_FRAMEBUFFER] = { "boot framebuffer %s released",
					 "boot framebuffer %s taken up", false },
	[ACTION_UNLOAD_MODULE] = { "module %s unloaded", "module %s loaded", false },
	[ACTION_LOAD_MODULE] = { "module %s loaded", NULL, false },
	[ACTION_KEEP_ATTRIBUTE] = { NULL, NULL, false },
	[ACTION_KEEP_VFS] = { NULL, "%s: its virtual functions are set as before", false },
	[ACTION_SET_ATTRIBUTE] = { "%s", "%s", true },
	[ACTION_KEEP_ESWITCH] = { NULL, "%s: mode of its switch", true },
	[ACTION_SET_VF] = { NULL, NULL, false },	/* words_vf() */
	[ACTION_RELEASE_DISKS] = { NULL, NULL, false }, /* words_disks() */
	[ACTION_BIND] = { NULL, NULL, false },
	[ACTION_KEEP_VF] = { NULL, NULL, false }, /* words_vf() */
	[ACTION_RESCAN] = { NULL, "%s: removed, and found again", false },
	[ACTION_RESIZE_BAR] = { "%s, MiB:", "%s, MiB:", true },
};
TABLE_FOLLOWS(deeds, ACTION_TYPE_COUNT);

/* printf() with a format of the table; of some the function alone is named. */
static char *say(const char *format, const struct action *action)
{
	const char *place = strstr(format, "%s"), *target = action->target;
	bool alone = action->type == ACTION_RESCAN || action->type == ACTION_KEEP_VFS ||
		     action->type == ACTION_KEEP_ESWITCH;
	size_t size = alone ? strcspn(target, "/") : strlen(target);

	return text_format("%.*s%.*s%s", (int)(place - format), format, (int)size, target,
			   place + 2);
}

/* "the LVM volume group data, the RAID array md127"; NULL where nothing was built on the disks. */
static char *words_layers(const struct action *action)
{
	const char *at = action->before;
	struct text text = { 0 };

	while (at && *at) {
		cleanup_free char *word = strndup(at, strcspn(at, " "));
		cleanup_free char *title = word ? stack_title(word) : NULL;

		text_add(&text, "%s%s", at == action->before ? "" : ", ", title ? title : "");
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	return action->before ? text_take(&text) : NULL;
}

static char *words_disks(enum run_direction direction, const struct action *action,
			 const struct run_result *result)
{
	cleanup_free char *layers = words_layers(action);
	int size = (int)strcspn(action->target, "/");

	if (*result->text)
		return text_format("%.*s: %s", size, action->target, result->text);
	return layers ? text_format("%.*s: %s %s", size, action->target, layers,
				    direction == RUN_APPLY ? "released" : "up again")
		      : NULL;
}

/* "MAC address bc:24:11:00:00:01, VLAN 100": what is other in `to`. NULL where nothing is. */
static char *vf_changes(const char *from, const char *to)
{
	struct vf before, after;

	if (vf_parse(from, &before) < 0 || vf_parse(to, &after) < 0)
		return NULL;
	return vf_words(&after, vf_differences(&before, &after));
}

/* Set by the one, and as before by the other, which comes first on the way back. */
static char *words_vf(enum run_direction direction, const struct action *action,
		      const struct run_result *result)
{
	bool set = direction == RUN_APPLY;
	cleanup_free char *changes = set ? vf_changes(action->before, action->wanted)
					 : vf_changes(action->wanted, action->before);
	int size = (int)strcspn(action->target, "/");

	if (action->type != (set ? ACTION_SET_VF : ACTION_KEEP_VF) || !changes)
		return NULL;
	if (*result->text)
		return text_format("%.*s: %s", size, action->target, result->text);
	return text_format("%.*s: %s%s, %.2f s", size, action->target, changes,
			   set ? "" : ", as before", (double)result->took_us / 1000000);
}

static char *words_deed(enum run_direction direction, const struct action *action,
			const struct run_result *result)
{
	const char *format =
		direction == RUN_APPLY ? deeds[action->type].applied : deeds[action->type].reverted;
	const char *from = action->before ? action->before : "", *to = action->wanted;
	cleanup_free char *deed = NULL;

	if (action->type == ACTION_RELEASE_DISKS)
		return words_disks(direction, action, result);
	if (action->type == ACTION_SET_VF || action->type == ACTION_KEEP_VF)
		return words_vf(direction, action, result);
	if (!format)
		return NULL;
	if (*result->text)
		return text_format("%s: %s", action->target, result->text);
	if (direction == RUN_REVERT) {
		to = from;
		from = action->wanted;
	}
	deed = say(format, action);
	if (!deed || !deeds[action->type].values)
		return deed ? text_format("%s, %.2f s", deed, (double)result->took_us / 1000000)
			    : NULL;
	return text_format("%s %s -> %s, %.2f s", deed, from, to,
			   (double)result->took_us / 1000000);
}

char *words_planned(const struct action *action)
{
	const char *format = deeds[action->type].applied;
	cleanup_free char *deed = format ? say(format, action) : NULL;
	cleanup_free char *layers = NULL, *changes = NULL;

	if (action->type == ACTION_RELEASE_DISKS) {
		layers = words_layers(action);
		return layers ? text_format("%s released", layers) : NULL;
	}
	if (action->type == ACTION_SET_VF) {
		changes = vf_changes(action->before, action->wanted);
		return changes ? text_format("%.*s: %s", (int)strcspn(action->target, "/"),
					     action->target, changes)
			       : NULL;
	}
	if (!deed || action->type == ACTION_LOAD_MODULE)
		return NULL;
	if (!deeds[action->type].values)
		return TAKE_PTR(deed);
	return text_format("%s %s -> %s", deed, action->before ? action->before : "",
			   action->wanted);
}

/* The mdev= of the line that a device comes from. */
static const char *type_of(const struct wanted_device *device, const struct vm_config *config)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		char source[SOURCE_MAX];

		snprintf(source, sizeof(source), "hostpci%u", i);
		if (strcmp(source, device->source) == 0 && config->hostpci[i].hostpci.mdev)
			return config->hostpci[i].hostpci.mdev;
	}
	return "";
}

char *words_left(const struct wanted_device *device, const struct vm_config *config)
{
	switch (device->kind) {
	case WANTED_MDEV:
		return text_format("Proxmox VE creates a mediated device of type '%s' on it",
				   type_of(device, config));
	case WANTED_VGPU:
		return text_format("Proxmox VE reserves it and gives it the vGPU type '%s'",
				   type_of(device, config));
	case WANTED_KEPT:
		return text_format("Proxmox VE reserves it, and leaves it with the driver that it "
				   "has (driver=keep)");
	case WANTED_PLAIN:
		break;
	}
	return text_format("left to Proxmox VE");
}

/* "VM 101 has given way, 12.30 s", "VM 101 started again, 1.20 s", "container 200: runs". */
static char *words_displace(enum run_direction direction, const struct action *action,
			    const struct run_result *result)
{
	cleanup_free char *name = words_guest(action->target);
	double seconds = (double)result->took_us / 1000000;

	if (result->result < 0 || *result->text)
		return text_format("%s: %s", name ? name : "", result->text);
	return text_format(direction == RUN_APPLY ? "%s has given way, %.2f s"
						  : "%s started again, %.2f s",
			   name ? name : "", seconds);
}

/* "0000:01:00.0 nouveau -> vfio-pci: not done after 5 s, still waiting" */
static char *words_still(enum run_direction direction, const struct action *action,
			 const struct run_result *result)
{
	const char *from = driver_words(action->before), *to = driver_words(action->wanted);
	unsigned waited_s = (unsigned)(result->took_us / 1000000);
	bool applied = direction == RUN_APPLY;

	if (action->type != ACTION_BIND)
		return text_format("%s %s: not done after %u s, still waiting",
				   action_operations(action->type)->name, action->target, waited_s);
	return text_format("%s %s -> %s: not done after %u s, still waiting", action->target,
			   applied ? from : to, applied ? to : from, waited_s);
}

char *words_result(struct pci_names *names, const struct sysroot *root,
		   enum run_direction direction, const struct action *action,
		   const struct run_result *result)
{
	if (result->result == -ECANCELED)
		return NULL;
	if (result->result == -EINPROGRESS)
		return words_still(direction, action, result);
	if (action->type == ACTION_BIND)
		return words_bind(names, root, direction, action, result);
	if (action->type == ACTION_DISPLACE)
		return words_displace(direction, action, result);
	if (result->result < 0)
		return text_format("%s %s FAILED: %s", action_operations(action->type)->name,
				   action->target, result->text);
	return words_deed(direction, action, result);
}

/* Up to the bracket that closes the one it begins with; 0: none does. */
static size_t bracketed(const char *words)
{
	size_t depth = 0;

	for (size_t i = 0; words[i]; i++) {
		depth += words[i] == '{' || words[i] == '[';
		depth -= words[i] == '}' || words[i] == ']';
		if (depth == 0)
			return i + 1;
	}
	return 0;
}

/* '…', its end being the mark that no letter follows; 0: there is none, as in "the cards' memory". */
static size_t quoted(const char *words)
{
	for (size_t i = 1; words[i]; i++)
		if (words[i] == '\'' && strchr(" .,;:)", words[i + 1]))
			return i + 1;
	return 0;
}

/* "key": and its value; 0 for another word. */
static size_t json_member(const char *words)
{
	size_t key = strcspn(words + 1, "\" ") + 1;
	const char *value = words + key + strlen("\": ");

	if (!text_starts_with(words + key, "\": "))
		return 0;
	if (*value == '{' || *value == '[') {
		size_t size = bracketed(value);

		return size > 0 ? (size_t)(value - words) + size : 0;
	}
	return (size_t)(value - words);
}

size_t words_piece(const char *words)
{
	size_t size = strspn(words, "(");

	if (words[size] == '\'')
		size += quoted(words + size);
	else if (words[size] == '"')
		size += json_member(words + size);
	return size + strcspn(words + size, " ");
}

void words_wrap(struct text *text, size_t line, const char *first, const char *indent,
		const char *words)
{
	size_t column = strlen(first);

	text_append(text, first, column);
	while (*words) {
		size_t size = words_piece(words);

		if (column + 1 + size > line && column > strlen(indent)) {
			text_append(text, "\n", 1);
			text_append(text, indent, strlen(indent));
			column = strlen(indent);
		}
		text_append(text, " ", 1);
		text_append(text, words, size);
		column += 1 + size;
		words += size;
		words += strspn(words, " ");
	}
	text_append(text, "\n", 1);
}

static void add_finding(struct text *text, const struct finding *finding, size_t width)
{
	cleanup_free char *head =
		text_format("%s [%s]%s:", finding->subject, check_describe(finding->id)->id,
			    finding->allowed ? ", allowed" : "");

	words_wrap(text, width, check_level_name(finding->level), " ", head ? head : "");
	words_wrap(text, width, " ", " ", finding->evidence);
	words_wrap(text, width, "  What to do:", " ", finding_remedy(finding));
}

/* In the task log of a start: that there is one, not what to do about it. */
static void add_trouble_in_brief(struct text *text, const struct finding *finding, uint32_t vmid)
{
	if (finding->level == LEVEL_WARNING)
		text_add(text, "%s known trouble '%.*s': see 'pve-vfio plan %u'\n",
			 finding->subject, (int)strcspn(finding->evidence, ",:"), finding->evidence,
			 vmid);
}

static void add_words(struct text *text, const struct finding *finding, uint32_t brief_for,
		      size_t width)
{
	if (brief_for && finding->id == CHECK_KNOWN_TROUBLE && finding->level != LEVEL_ERROR)
		add_trouble_in_brief(text, finding, brief_for);
	else
		add_finding(text, finding, width);
}

char *words_finding(const struct finding *finding, uint32_t brief_for, size_t width)
{
	struct text text = { 0 };

	add_words(&text, finding, brief_for, width);
	return text_take(&text);
}

char *words_findings(const struct findings *findings, uint32_t brief_for, size_t width)
{
	static const enum check_level levels[] = { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO };
	struct text text = { 0 };

	for (size_t level = 0; level < ARRAY_SIZE(levels); level++) {
		for (size_t i = 0; i < findings->count; i++) {
			const struct finding *finding = &findings->items[i];

			if (finding->level == levels[level])
				add_words(&text, finding, brief_for, width);
		}
	}
	return text_take(&text);
}
