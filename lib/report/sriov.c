/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: virtual functions. Judges nothing. */
#include "report/sriov.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "report/words.h"

/* How many are named before they are only counted. */
#define NAMES_MAX 6

/* Of a line: number, driver and who has it; the address has the width of the longest. */
#define COLUMN_NUMBER 5
#define COLUMN_DRIVER 10
#define COLUMN_WHO    10

static void add_phrase(struct text *text, const char *words)
{
	text_add(text, "%s%s", text->size ? ", " : "", words);
}

/* What is set apart from a driver's own choice, which is mostly nothing; as bits of vf_words(). */
static unsigned set_parts(const struct sriov_function *function)
{
	static const uint8_t none[ETH_ALEN];
	const struct vf *set = &function->set;
	unsigned parts = 0;

	if (!function->known)
		return 0;
	parts |= memcmp(set->mac, none, ETH_ALEN) != 0 ? VF_MAC : 0;
	parts |= set->vlan || set->qos ? VF_VLAN : 0;
	parts |= set->trust == VF_ON ? VF_TRUST : 0;
	parts |= set->spoof_check == VF_OFF ? VF_SPOOF_CHECK : 0;
	parts |= set->link_state != IFLA_VF_LINK_STATE_AUTO ? VF_LINK_STATE : 0;
	parts |= set->min_rate || set->max_rate ? VF_RATE : 0;
	return parts;
}

/* ---- text */

/* "4 of 64 virtual functions now, 7 at every boot" */
static void add_counts(struct text *text, const struct sriov_card *card)
{
	cleanup_free char *now = text_format("%zu", card->count);

	text_add(text, "%s%zu of %u virtual functions now", text->size ? ", " : "", card->count,
		 card->entry->facts.functions_most);
	if (card->boot_unknown)
		return;
	if (!card->at_boot)
		text_add(text, ", none made at boot by 'pve-vfio setup'");
	else
		text_add(text, ", %s%s at every boot",
			 text_equal(card->at_boot, now) ? "as many: " : "", card->at_boot);
}

static void add_list(struct text *text, const struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		text_add(text, "%s%s", text->size ? "; " : "", list->items[i]);
}

/* What is to be known of the card besides its name and its functions, a line each. */
static void add_remarks(struct text *text, const struct sriov_card *card, size_t width)
{
	static const char first[] = "   ", indent[] = "     ";
	const char *address = card->entry->device.name;
	cleanup_text struct text uses = { 0 };
	cleanup_free char *interrupted = NULL;

	add_list(&uses, &card->in_use);
	add_list(&uses, &card->representors);
	if (uses.size)
		words_wrap(text, width, first, indent, uses.data);
	if (text_equal(card->mode, "switchdev"))
		words_wrap(text, width, first, indent,
			   "its switch is in switchdev mode: addresses and VLANs are for the "
			   "representors to say");
	if (card->no_drivers)
		words_wrap(text, width, first, indent,
			   "no driver of the host takes new virtual functions "
			   "(sriov_drivers_autoprobe is 0)");
	if (card->changing)
		words_wrap(text, width, first, indent,
			   "the number is being changed just now by another 'pve-vfio sriov'");
	if (!card->interrupted)
		return;
	interrupted =
		text_format("a change of the number was interrupted, before which it had %s: "
			    "'pve-vfio sriov %s=%s' puts these back, with what was set for them",
			    card->interrupted, address, card->interrupted);
	words_wrap(text, width, first, indent, interrupted ? interrupted : "");
}

static void add_card(struct text *text, const struct sriov_card *card, const char *name,
		     size_t width)
{
	cleanup_text struct text line = { 0 };
	const char *driver = card->entry->device.driver;

	text_add(&line, "%s", "");
	strings_words(&card->interfaces, 0, NAMES_MAX, &line);
	if (card->link_down)
		text_add(&line, card->down ? " (down)" : " (no link)");
	add_phrase(&line, driver ? driver : "no driver");
	add_counts(&line, card);
	words_wrap(text, width, card->entry->device.name, "    ", name);
	words_wrap(text, width, "   ", "     ", line.data ? line.data : "");
	add_remarks(text, card, width);
}

/* "VM 101", "in use", "nobody" */
static const char *who(const struct sriov_function *function, char words[32])
{
	if (function->vmid)
		snprintf(words, 32, "VM %u", function->vmid);
	else
		snprintf(words, 32, "%s", function->in_use.count > 0 ? "in use" : "nobody");
	return words;
}

/* "for VMs 101, 102 and 103", but for the one that has it. */
static int add_wanted(struct text *text, const struct sriov_function *function)
{
	cleanup_strings struct strings others = { 0 };
	char holder[16];

	snprintf(holder, sizeof(holder), "%u", function->vmid);
	for (size_t i = 0; i < function->wanted.count; i++)
		if (strcmp(function->wanted.items[i], holder) != 0 &&
		    strings_add(&others, function->wanted.items[i]) < 0)
			return -ENOMEM;
	if (others.count == 0)
		return 0;
	text_add(text, "%s%s VM%s ", text->size ? "; " : "",
		 function->vmid ? "also in the configuration of" : "in the configuration of",
		 others.count > 1 ? "s" : "");
	strings_words(&others, 0, NAMES_MAX, text);
	return 0;
}

/* Beside a VM that has it, what is set; beside other uses, these. */
static int add_notes(struct text *text, const struct sriov_function *function)
{
	unsigned parts = set_parts(function);
	cleanup_free char *set = parts ? vf_words(&function->set, parts) : NULL;
	cleanup_free char *has = text_format("VM %u has it", function->vmid);

	if ((parts && !set) || !has)
		return -ENOMEM;
	for (size_t i = 0; i < function->in_use.count; i++)
		if (strcmp(function->in_use.items[i], has) != 0)
			text_add(text, "%s%s", text->size ? "; " : "", function->in_use.items[i]);
	if (set)
		text_add(text, "%s%s", text->size ? "; " : "", set);
	return add_wanted(text, function);
}

/* In the line where there is room, else below it. */
static int add_function(struct text *text, const struct sriov_function *function, size_t address,
			size_t width)
{
	const struct pci_device *device = &function->entry->device;
	cleanup_text struct text notes = { 0 };
	size_t column = COLUMN_NUMBER + 1 + address + 1 + COLUMN_DRIVER + 1 + COLUMN_WHO + 1;
	char words[32];

	if (add_notes(&notes, function) < 0)
		return -ENOMEM;
	text_add(text, "%*u %-*s %-*s ", COLUMN_NUMBER, function->number, (int)address,
		 device->name, COLUMN_DRIVER, device->driver ? device->driver : "-");
	if (notes.size == 0)
		text_add(text, "%s\n", who(function, words));
	else if (column + notes.size <= width)
		text_add(text, "%-*s %s\n", COLUMN_WHO, who(function, words), notes.data);
	else {
		text_add(text, "%s\n", who(function, words));
		words_wrap(text, width, "       ", "       ", notes.data);
	}
	return notes.failed ? -ENOMEM : 0;
}

static int add_functions(struct text *text, const struct sriov_card *card, size_t width)
{
	size_t address = strlen("0000:00:00.0");
	int r = 0;

	for (size_t i = 0; i < card->count; i++) {
		size_t size = strlen(card->functions[i].entry->device.name);

		address = size > address ? size : address;
	}
	if (card->count > 0)
		text_add(text, "%*s %-*s %-*s %s\n", COLUMN_NUMBER, "VF", (int)address, "ADDRESS",
			 COLUMN_DRIVER, "DRIVER", "WHO");
	for (size_t i = 0; i < card->count && r == 0; i++)
		r = add_function(text, &card->functions[i], address, width);
	return r;
}

char *sriov_words(const struct sriov_card *cards, size_t count, struct pci_names *names,
		  const struct sysroot *root, const struct terminal *terminal)
{
	struct text text = { 0 };

	text_add(&text, "%s", "");
	for (size_t i = 0; i < count; i++) {
		cleanup_free char *name = pci_name(names, root, &cards[i].entry->device);

		if (i > 0)
			text_add(&text, "\n");
		if (name)
			add_card(&text, &cards[i], name, terminal->width);
		if (!name || add_functions(&text, &cards[i], terminal->width) < 0)
			text.failed = true;
	}
	return text_take(&text);
}

/* ---- JSON */

static json_t *strings_json(const struct strings *strings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < strings->count; i++)
		json_array_append_new(array, json_string(strings->items[i]));
	return array;
}

/* A number in text; null for none. */
static json_t *number_json(const char *text)
{
	uint32_t number;

	return text && parse_u32(text, &number) == 0 ? json_integer(number) : json_null();
}

static json_t *switch_json(enum vf_switch value)
{
	return value == VF_UNKNOWN ? json_null() : json_boolean(value == VF_ON);
}

static json_t *set_json(const struct sriov_function *function)
{
	const struct vf *set = &function->set;
	const char *link_state = vf_link_state_name(set->link_state);
	char mac[VF_MAC_TEXT];

	if (!function->known)
		return json_null();
	return json_pack("{s:s, s:i, s:i, s:s, s:o, s:o, s:s?, s:I, s:I}", "mac",
			 vf_mac_format(set->mac, mac), "vlan", (int)set->vlan, "qos", (int)set->qos,
			 "protocol", set->protocol == ETH_P_8021AD ? "802.1ad" : "802.1Q", "trust",
			 switch_json(set->trust), "spoofcheck", switch_json(set->spoof_check),
			 "link_state", link_state, "min_rate", (json_int_t)set->min_rate,
			 "max_rate", (json_int_t)set->max_rate);
}

static json_t *function_json(const struct sriov_function *function)
{
	json_t *wanted = json_array();

	for (size_t i = 0; i < function->wanted.count; i++)
		json_array_append_new(wanted, number_json(function->wanted.items[i]));
	return json_pack("{s:i, s:s, s:s?, s:o, s:o, s:o, s:o}", "number", (int)function->number,
			 "address", function->entry->device.name, "driver",
			 function->entry->device.driver, "vmid",
			 function->vmid ? json_integer(function->vmid) : json_null(), "in_use",
			 strings_json(&function->in_use), "wanted_by", wanted, "set",
			 set_json(function));
}

static json_t *card_json(const struct sriov_card *card, const char *name)
{
	const struct pci_entry *entry = card->entry;
	json_t *functions = json_array();

	for (size_t i = 0; i < card->count; i++)
		json_array_append_new(functions, function_json(&card->functions[i]));
	return json_pack(
		"{s:s, s:s, s:s?, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:b, s:s?, s:b, s:o, s:o}",
		"address", entry->device.name, "name", name, "driver", entry->device.driver,
		"interfaces", strings_json(&card->interfaces), "link",
		card->interfaces.count > 0 ? json_boolean(!card->link_down) : json_null(), "in_use",
		strings_json(&card->in_use), "representors_in_use",
		strings_json(&card->representors), "count", (json_int_t)card->count, "most",
		(json_int_t)entry->facts.functions_most, "at_boot", number_json(card->at_boot),
		"drivers_autoprobe", !card->no_drivers, "switch_mode", card->mode, "changing",
		card->changing, "interrupted", number_json(card->interrupted), "functions",
		functions);
}

json_t *sriov_json(const struct sriov_card *cards, size_t count, struct pci_names *names,
		   const struct sysroot *root)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		cleanup_free char *name = pci_name(names, root, &cards[i].entry->device);

		if (!name || json_array_append_new(array, card_json(&cards[i], name)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}
