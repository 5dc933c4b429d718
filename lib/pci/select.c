/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: the device a word means. Decides nothing about whether a VM may have it. */
#include "pci/select.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "pci/facts.h"

/* The base class and subclass of a device that makes a sound. */
#define CLASS_AUDIO	0x0403

#define VENDOR_AMD_GPU	0x1002
#define VENDOR_AMD_CHIP 0x1022
#define FUNCTION_COUNT	8

/* A word and the classes it means: PCI Code and ID Assignment Specification, 1. */
static const struct class_word {
	const char *word;
	uint32_t class_code, mask;
} class_words[] = {
	{ "gpu", 0x030000, 0xff0000 },	   { "display", 0x030000, 0xff0000 },
	{ "nic", 0x020000, 0xff0000 },	   { "network", 0x020000, 0xff0000 },
	{ "disk", 0x010000, 0xff0000 },	   { "nvme", 0x010800, 0xffff00 },
	{ "storage", 0x010000, 0xff0000 }, { "usb", 0x0c0300, 0xffff00 },
	{ "audio", 0x040300, 0xffff00 },
};

static const struct class_word *find_class_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(class_words); i++)
		if (strcasecmp(class_words[i].word, word) == 0)
			return &class_words[i];
	return NULL;
}

/* "gpu" is what computes too, whatever its class. */
static bool is_of_class(const struct pci_device *device, const struct class_word *class_word)
{
	return (device->class_code & class_word->mask) == class_word->class_code ||
	       (strcmp(class_word->word, "gpu") == 0 && pci_is_gpu(device));
}

/* "01:00", "01:00.0", either with a domain. False when it is not an address. */
static bool parse_address(const char *word, struct pci_address *ret, bool *ret_slot)
{
	const char *colon = strchr(word, ':');
	cleanup_free char *full =
		text_format("%s%s%s", colon && strchr(colon + 1, ':') ? "" : "0000:", word,
			    strchr(word, '.') ? "" : ".0");

	*ret_slot = !strchr(word, '.');
	return full && pci_address_parse(full, ret) == 0;
}

/*
 * Virtual functions are devices of their own, also where they share the slot of their physical one, as
 * those of Intel graphics do. Beside one physical function they are left out, and that is then named
 * as a function; beside several there is no other name than the slot's.
 */
static int add_slot(const struct sysroot *root, const struct pci_addresses *present,
		    struct pci_address slot, struct pci_selection *selection)
{
	struct pci_addresses *functions = &selection->functions;
	size_t first = functions->count, physical = 0;
	struct pci_address only = slot;
	int r = 0;

	for (size_t i = 0; i < present->count && r == 0; i++) {
		char name[PCI_ADDRESS_TEXT];

		if (!pci_same_slot(present->items[i], slot))
			continue;
		r = pci_addresses_add(functions, present->items[i]);
		if (pci_is_virtual(root, pci_address_format(present->items[i], name)))
			continue;
		only = present->items[i];
		physical++;
	}
	selection->whole = physical != 1 || functions->count == first + 1;
	if (!selection->whole) {
		functions->items[first] = only;
		functions->count = first + 1;
	}
	return r;
}

bool pci_is_apu(const struct sysroot *root, const struct pci_device *device)
{
	struct pci_address address = device->address;

	if (!pci_is_display(device) || device->vendor != VENDOR_AMD_GPU)
		return false;
	for (address.function = 0; address.function < FUNCTION_COUNT; address.function++) {
		cleanup_pci_device struct pci_device other = { 0 };

		if (pci_device_read(root, address, &other, NULL) == 0 &&
		    other.vendor == VENDOR_AMD_CHIP)
			return true;
	}
	return false;
}

/* The graphics and their audio. */
static int add_apu(const struct sysroot *root, const struct pci_device *display,
		   struct pci_selection *selection)
{
	struct pci_address address = display->address;
	int r = pci_addresses_add(&selection->functions, address);

	for (address.function = 0; address.function < FUNCTION_COUNT && r == 0;
	     address.function++) {
		cleanup_pci_device struct pci_device device = { 0 };

		if (pci_device_read(root, address, &device, NULL) == 0 &&
		    device.vendor == VENDOR_AMD_GPU && device.class_code >> 8 == CLASS_AUDIO)
			r = pci_addresses_add(&selection->functions, address);
	}
	return r;
}

/* The slot of a device, or what of it belongs to the device. */
static int add_device(const struct sysroot *root, const struct pci_addresses *present,
		      const struct pci_device *device, struct pci_selection *selection)
{
	return pci_is_apu(root, device) ? add_apu(root, device, selection)
					: add_slot(root, present, device->address, selection);
}

static bool contains(const char *text, const char *part)
{
	size_t size = strlen(part);

	for (; *text; text++)
		if (strncasecmp(text, part, size) == 0)
			return true;
	return false;
}

struct search {
	const struct sysroot *root;
	struct pci_names *names;
	const char *word;
	const struct class_word *class_word;
};

bool pci_word_fits(const struct pci_device *device, const char *name, const char *word)
{
	const struct class_word *class_word = find_class_word(word);
	char ids[sizeof("vvvv:dddd")];

	if (class_word)
		return is_of_class(device, class_word);
	snprintf(ids, sizeof(ids), "%04x:%04x", device->vendor, device->device);
	return (device->driver && strcasecmp(device->driver, word) == 0) ||
	       (strlen(word) == 4 && strncasecmp(ids, word, 4) == 0) ||
	       strcasecmp(ids, word) == 0 || contains(name, word);
}

static bool is_meant(const struct search *search, const struct pci_device *device)
{
	cleanup_free char *name = NULL;

	if (device->bridge)
		return false;
	if (search->class_word)
		return is_of_class(device, search->class_word) && !pci_is_console_chip(device);
	name = pci_name(search->names, search->root, device);
	return name && contains(name, search->word);
}

/*
 * The functions the word means. Of a display's slot the display represents all: what is called
 * "NVIDIA" is its audio too.
 */
static int find(const struct search *search, const struct pci_addresses *present,
		struct pci_addresses *found)
{
	bool has_display = false;
	int r = 0;

	for (size_t i = 0; i < present->count && r == 0; i++) {
		cleanup_pci_device struct pci_device device = { 0 };
		size_t last = found->count - 1;

		if (pci_device_read(search->root, present->items[i], &device, NULL) < 0 ||
		    !is_meant(search, &device))
			continue;
		if (found->count > 0 && has_display &&
		    pci_same_slot(found->items[last], device.address))
			continue;
		has_display = pci_is_display(&device);
		r = pci_addresses_add(found, device.address);
	}
	return r;
}

int pci_meant(const struct sysroot *root, struct pci_names *names,
	      const struct pci_addresses *present, const char *word, struct pci_addresses *ret)
{
	struct search search = { root, names, word, find_class_word(word) };

	return find(&search, present, ret);
}

static int refuse_several(const struct search *search, const struct pci_addresses *found,
			  struct error *err)
{
	cleanup_text struct text text = { 0 };
	cleanup_free char *list = NULL;

	for (size_t i = 0; i < found->count; i++) {
		cleanup_pci_device struct pci_device device = { 0 };
		cleanup_free char *name = NULL;

		if (pci_device_read(search->root, found->items[i], &device, NULL) < 0)
			continue;
		name = pci_name(search->names, search->root, &device);
		text_add(&text, "\n  %s %s", device.name, name ? name : "");
	}
	list = text_take(&text);
	return error_set(err, -ENOTUNIQ, "'%s' means %zu devices; give the address of one:%s",
			 search->word, found->count, list ? list : "");
}

/* What was found by its class or name. */
static int select_found(const struct sysroot *root, const struct pci_addresses *present,
			struct pci_address address, struct pci_selection *ret, struct error *err)
{
	cleanup_pci_device struct pci_device device = { 0 };
	int r = pci_device_read(root, address, &device, err);

	if (r < 0)
		return r;
	r = pci_is_display(&device) ? add_device(root, present, &device, ret)
				    : pci_addresses_add(&ret->functions, address);
	return r < 0 ? error_set_memory(err) : 0;
}

/* Of a slot, which names its function 0 here, some function is there. */
static int select_slot(const struct sysroot *root, const struct pci_addresses *present,
		       struct pci_address slot, struct pci_selection *ret)
{
	for (size_t i = 0; i < present->count; i++) {
		cleanup_pci_device struct pci_device device = { 0 };

		if (pci_same_slot(present->items[i], slot) &&
		    pci_device_read(root, present->items[i], &device, NULL) == 0)
			return add_device(root, present, &device, ret);
	}
	return 0;
}

static int select_address(const struct sysroot *root, const struct pci_addresses *present,
			  const char *word, struct pci_address address, bool slot,
			  struct pci_selection *ret, struct error *err)
{
	int r = 0;

	if (slot)
		r = select_slot(root, present, address, ret);
	else if (pci_addresses_has(present, address))
		r = pci_addresses_add(&ret->functions, address);
	if (r < 0)
		return error_set_memory(err);
	if (ret->functions.count == 0)
		return error_set(err, -ENODEV,
				 "there is no PCI device '%s'; 'pve-vfio devices' lists them",
				 word);
	return 0;
}

int pci_select(const struct sysroot *root, struct pci_names *names,
	       const struct pci_addresses *present, const char *word, struct pci_selection *ret,
	       struct error *err)
{
	struct search search = { root, names, word, find_class_word(word) };
	cleanup_pci_selection struct pci_selection selection = { 0 };
	cleanup_pci_addresses struct pci_addresses found = { 0 };
	struct pci_address address;
	bool slot;
	int r = 0;

	if (parse_address(word, &address, &slot))
		r = select_address(root, present, word, address, slot, &selection, err);
	else if (*word == '\0' || find(&search, present, &found) < 0)
		r = *word ? error_set_memory(err)
			  : error_set(err, -ENODEV, "an empty word means no device");
	else if (found.count == 0 && search.class_word)
		r = error_set(err, -ENODEV,
			      "no device of this node is a '%s' that a VM could have; 'pve-vfio "
			      "devices' lists them",
			      search.class_word->word);
	else if (found.count == 0)
		r = error_set(err, -ENODEV,
			      "'%s' is not a device here: neither an address, nor gpu, nic, disk, "
			      "nvme, usb or audio, nor a part of a device's name; 'lspci -D' shows "
			      "what there is",
			      word);
	else if (found.count > 1)
		r = refuse_several(&search, &found, err);
	else
		r = select_found(root, present, found.items[0], &selection, err);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(selection);
	return 0;
}

void pci_selection_done(struct pci_selection *selection)
{
	pci_addresses_done(&selection->functions);
	selection->whole = false;
}
