/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: one device in full. Changes nothing. */
#include "setup/look/device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "pci/group.h"
#include "pci/health.h"
#include "pci/identity.h"
#include "pci/override.h"
#include "report/words.h"
#include "setup/print.h"
#include "setup/terminal.h"

#define LABEL_WIDTH 11

/* What is read of a device only when it is asked for alone. */
struct detail {
	const struct device_row *row;
	struct pci_health health;
	struct pci_identity identity;
	struct override_reading override;
	char *class_name;
	char *group_type;
	char *members; /* of the group: addresses */
};

static void detail_done(struct detail *detail)
{
	pci_health_done(&detail->health);
	pci_overrides_done(&detail->override, 1);
	free(detail->class_name);
	free(detail->group_type);
	free(detail->members);
}

static char *list_members(const struct pve_node *node, int group)
{
	struct text text = { 0 };

	for (size_t i = 0; i < node->inventory.count; i++) {
		const struct pci_device *device = &node->inventory.items[i].device;

		if (device->iommu_group == group)
			text_add(&text, "%s%s%s", text.size ? " " : "", device->name,
				 device->bridge ? " (bridge)" : "");
	}
	return text_take(&text);
}

static int read_detail(const struct pve_node *node, const struct device_row *row,
		       struct pci_names *names, struct detail *detail)
{
	const struct pci_device *device = &row->entry->device;
	char path[SYSROOT_PATH_MAX];
	int r;

	detail->row = row;
	detail->class_name = pci_class_name(names, node->root, device->class_code);
	r = pci_health_read(node->root, row->entry, &detail->health);
	if (r < 0)
		return r;
	/* The serial number is where a sleeping device would have to be woken. */
	detail->identity = (struct pci_identity){ 0 };
	if (!row->entry->facts.power || strcmp(row->entry->facts.power, "D3cold") != 0)
		pci_identity_read(node->root, device, &detail->identity);
	if (device->iommu_group != IOMMU_GROUP_NONE) {
		snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/type",
			 device->iommu_group);
		(void)sysroot_read_attribute(node->root, path, &detail->group_type);
		detail->members = list_members(node, device->iommu_group);
	}
	detail->override.address = device->name;
	pci_overrides_read(node->root, &detail->override, 1);
	return 0;
}

/* "label      words", the words wrapped; nothing for none. */
static void add(struct text *text, size_t width, const char *label, const char *words)
{
	static const char indent[] = "             ";
	cleanup_free char *first = NULL;

	if (!words || !*words)
		return;
	first = text_format("  %-*s", LABEL_WIDTH, label);
	words_wrap(text, width, first ? first : "", indent, words);
}

__attribute__((format(printf, 4, 5))) static void addf(struct text *text, size_t width,
						       const char *label, const char *format, ...)
{
	cleanup_free char *words = NULL;
	va_list arguments;

	va_start(arguments, format);
	words = text_format_list(format, arguments);
	va_end(arguments);
	add(text, width, label, words);
}

static char *join(const struct strings *strings, const char *between)
{
	struct text text = { 0 };

	for (size_t i = 0; i < strings->count; i++)
		text_add(&text, "%s%s", i > 0 ? between : "", strings->items[i]);
	return text_take(&text);
}

static void add_identity(struct text *text, size_t width, const struct detail *detail)
{
	const struct pci_device *device = &detail->row->entry->device;
	const struct pci_facts *facts = &detail->row->entry->facts;

	addf(text, width, "ids", "%04x:%04x, subsystem %04x:%04x", device->vendor, device->device,
	     device->subsystem_vendor, device->subsystem_device);
	addf(text, width, "class", "%06x %s", device->class_code,
	     detail->class_name ? detail->class_name : "");
	add(text, width, "serial", detail->identity.serial);
	addf(text, width, "behind", "%s", facts->parent ? facts->parent : "a root bus, no bridge");
	if (device->iommu_group == IOMMU_GROUP_NONE)
		add(text, width, "group", "none: the IOMMU is off, or does not cover it");
	else
		addf(text, width, "group", "%d (%s): %s", device->iommu_group,
		     detail->group_type ? detail->group_type : "type unknown",
		     detail->members ? detail->members : "");
}

static void add_driver(struct text *text, size_t width, const struct detail *detail)
{
	const struct pci_device *device = &detail->row->entry->device;
	cleanup_free char *modules = detail->row->modules ? join(detail->row->modules, ", ") : NULL;

	add(text, width, "driver", device->driver ? device->driver : "none");
	if (detail->override.stuck)
		add(text, width, "override",
		    "cannot be read: a driver's probe or remove of the device does not end");
	else if (detail->override.result == 0)
		add(text, width, "override",
		    detail->override.override ? detail->override.override : "not set");
	add(text, width, "modules", modules && *modules ? modules : modules ? "none" : "not known");
}

static void add_uses(struct text *text, size_t width, const struct detail *detail)
{
	const struct safety *safety = detail->row->safety;

	if (safety->pass == PASS_YES)
		add(text, width, "pass", "yes");
	else if (safety->pass == PASS_GROUP)
		addf(text, width, "pass", "with its group: %s", safety->why);
	else
		addf(text, width, "pass", "no, because %s", safety->why);
	for (size_t i = 0; i < safety->uses.count; i++)
		add(text, width, i == 0 ? "used" : "", safety->uses.items[i]);
	if (detail->row->entry->facts.boot_display)
		add(text, width, "display", "the one the firmware started with");
}

static void add_reset(struct text *text, size_t width, const struct detail *detail)
{
	const struct pci_facts *facts = &detail->row->entry->facts;
	const struct pci_health *health = &detail->health;

	if (!facts->has_reset)
		add(text, width, "reset",
		    facts->parent ? "none of its own; only its bus can be" : "none");
	else
		add(text, width, "reset",
		    facts->reset_methods && *facts->reset_methods ? facts->reset_methods : "yes");
	if (facts->power || health->power_control)
		addf(text, width, "power", "%s%s%s%s", facts->power ? facts->power : "not known",
		     health->power_control ? ", control " : "",
		     health->power_control ? health->power_control : "",
		     !health->d3cold_allowed			? ""
		     : strcmp(health->d3cold_allowed, "1") == 0 ? ", may go to D3cold"
								: ", kept out of D3cold");
	if (health->link_speed && health->link_speed_most)
		addf(text, width, "link", "%s x%s of %s x%s", health->link_speed,
		     health->link_width ? health->link_width : "?", health->link_speed_most,
		     health->link_width_most ? health->link_width_most : "?");
	if (health->errors.known)
		addf(text, width, "errors",
		     "%" PRIu64 " corrected, %" PRIu64 " not fatal, %" PRIu64 " fatal (AER)",
		     health->errors.correctable, health->errors.nonfatal, health->errors.fatal);
	if (health->numa_node && strcmp(health->numa_node, "-1") != 0)
		add(text, width, "NUMA node", health->numa_node);
}

static void add_regions(struct text *text, size_t width, const struct detail *detail)
{
	const struct pci_facts *facts = &detail->row->entry->facts;

	for (size_t i = 0; i < PCI_REGION_ROM && !detail->row->entry->device.bridge; i++) {
		uint64_t most = pci_region_most(&detail->health, i);
		char label[16], size[24], greatest[24];

		if (facts->regions[i].size == 0)
			continue;
		snprintf(label, sizeof(label), "BAR %zu", i);
		addf(text, width, label, "%s at %" PRIx64 "%s%s%s",
		     pci_size_words(facts->regions[i].size, size), facts->regions[i].start,
		     facts->regions[i].prefetchable ? ", prefetchable" : "",
		     most ? ", resizable up to " : "", most ? pci_size_words(most, greatest) : "");
	}
	add(text, width, "ROM",
	    facts->has_rom ? "has a ROM BAR" : "no ROM BAR; see 'pve-vfio rom dump'");
	if (facts->physical)
		addf(text, width, "SR-IOV", "virtual function of %s", facts->physical);
	if (facts->functions_most > 0)
		addf(text, width, "SR-IOV", "%u of %u virtual functions", facts->functions,
		     facts->functions_most);
	if (detail->row->parts)
		add(text, width, "shared", detail->row->parts);
}

static void print_text(const struct detail *detail)
{
	struct terminal terminal = terminal_of_output();
	cleanup_free char *words = NULL;
	struct text text = { 0 };

	text_add(&text, "%s %s\n", detail->row->entry->device.name, detail->row->name);
	add_uses(&text, terminal.width, detail);
	add_driver(&text, terminal.width, detail);
	add_identity(&text, terminal.width, detail);
	add_reset(&text, terminal.width, detail);
	add_regions(&text, terminal.width, detail);
	words = text_take(&text);
	fputs(words ? words : "", stdout);
}

static json_t *errors_json(const struct pci_errors *errors)
{
	if (!errors->known)
		return json_null();
	return json_pack("{s:I, s:I, s:I}", "correctable", (json_int_t)errors->correctable,
			 "nonfatal", (json_int_t)errors->nonfatal, "fatal",
			 (json_int_t)errors->fatal);
}

static json_t *regions_json(const struct detail *detail)
{
	json_t *array = json_array();

	for (size_t i = 0; i < PCI_REGION_ROM; i++) {
		const struct pci_region *region = &detail->row->entry->facts.regions[i];
		uint64_t most = pci_region_most(&detail->health, i);

		if (region->size > 0)
			json_array_append_new(array,
					      json_pack("{s:I, s:I, s:I, s:b, s:o}", "bar",
							(json_int_t)i, "start",
							(json_int_t)region->start, "size",
							(json_int_t)region->size, "prefetchable",
							region->prefetchable, "resizable_to",
							most ? json_integer((json_int_t)most)
							     : json_null()));
	}
	return array;
}

/* What the detail adds to the row's object. */
static void add_json(json_t *object, const struct detail *detail)
{
	const struct pci_health *health = &detail->health;
	const char *override = detail->override.override;
	json_t *more =
		json_pack("{s:s, s:s?, s:s?, s:b, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:o}",
			  "class_name", detail->class_name ? detail->class_name : "",
			  "bridge_above", detail->row->entry->facts.parent, "override", override,
			  "stuck", detail->override.stuck, "group_type", detail->group_type,
			  "serial", *detail->identity.serial ? detail->identity.serial : NULL,
			  "link_speed", health->link_speed, "link_speed_most",
			  health->link_speed_most, "link_width", health->link_width,
			  "link_width_most", health->link_width_most, "errors",
			  errors_json(&health->errors), "regions", regions_json(detail));

	json_object_update(object, more);
	json_decref(more);
}

/* The domain may be left out, and the function: as PVE takes an address in hostpciN. */
static bool is_meant(const char *word, const char *address)
{
	const char *short_address = strchr(address, ':') + 1;
	size_t length = strlen(word);
	const char *candidates[] = { address,
				     text_starts_with(address, "0000:") ? short_address : address };

	for (size_t i = 0; i < 2; i++)
		if (text_starts_with(candidates[i], word) &&
		    (candidates[i][length] == '\0' || candidates[i][length] == '.'))
			return true;
	return false;
}

bool device_is_address(const char *word)
{
	return strchr(word, ':') && word[strspn(word, "0123456789abcdefABCDEF:.")] == '\0' &&
	       strlen(word) != strlen("vvvv:dddd");
}

int device_print(struct command *command, const struct pve_node *node,
		 const struct device_rows *rows, struct error *err)
{
	cleanup_pci_names struct pci_names names = { 0 };
	cleanup_json json_t *array = device_rows_json(rows);
	cleanup_json json_t *shown = json_array();
	const char *word = command->argv[0];

	for (size_t i = 0; i < rows->count; i++) {
		cleanup(detail_done) struct detail detail = { 0 };

		if (!is_meant(word, rows->items[i].entry->device.name))
			continue;
		if (read_detail(node, &rows->items[i], &names, &detail) < 0)
			return error_set_memory(err);
		if (!command->json)
			print_text(&detail);
		else
			add_json(json_array_get(array, i), &detail);
		json_array_append(shown, json_array_get(array, i));
	}
	if (json_array_size(shown) == 0)
		return error_set(err, -ENODEV,
				 "there is no PCI device '%s'; 'pve-vfio devices' lists them",
				 word);
	return command->json ? print_json(json_pack("{s:O}", "devices", shown), err) : 0;
}
