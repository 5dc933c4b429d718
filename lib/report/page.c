/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: collects what the page is made of, and writes it as Markdown. */
#include "report/page.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "host/package.h"

#define BLOCK_FILE_MAX ((size_t)1 << 20)

int page_add_block(struct page *page, const char *title, const char *text)
{
	struct page_block block = { strdup(title), strdup(text) };

	if (!block.title || !block.text ||
	    array_reserve(&page->blocks, page->block_count, sizeof(block)) < 0) {
		free(block.title);
		free(block.text);
		return -ENOMEM;
	}
	page->blocks[page->block_count++] = block;
	return 0;
}

void page_done(struct page *page)
{
	strings_done(&page->versions);
	for (size_t i = 0; i < page->vm_count; i++)
		verdicts_done(&page->vms[i].verdicts);
	free(page->vms);
	for (size_t i = 0; i < page->block_count; i++) {
		free(page->blocks[i].title);
		free(page->blocks[i].text);
	}
	free(page->blocks);
}

#define CPUINFO_MAX ((size_t)4 << 20)

/* "board ASUSTeK COMPUTER INC. PRIME X570-P", of attributes that name the machine and not whose it is. */
static int add_firmware_names(struct page *page, const char *what, const char *const keys[3])
{
	cleanup_text struct text words = { 0 };

	for (size_t i = 0; i < 3 && keys[i]; i++) {
		cleanup_free char *value = NULL;
		char path[SYSROOT_PATH_MAX];

		snprintf(path, sizeof(path), "sys/class/dmi/id/%s", keys[i]);
		if (sysroot_read_attribute(page->node->root, path, &value) == 0 && *value)
			text_add(&words, "%s%s", words.size ? " " : what, value);
	}
	if (words.failed)
		return -ENOMEM;
	return words.size ? strings_add(&page->versions, words.data) : 0;
}

/* When it was made, and on which machine. */
static int add_machine(struct page *page)
{
	static const char *const board[3] = { "board_vendor", "board_name" };
	static const char *const bios[3] = { "bios_vendor", "bios_version", "bios_date" };
	cleanup_free char *cpuinfo = NULL, *cpu = NULL;
	const char *model = NULL;
	char date[32];
	time_t now = time(NULL);
	struct tm parts;
	size_t size;
	int r = 0;

	/* a recording says nothing of today */
	if (page->node->root->live && localtime_r(&now, &parts) &&
	    strftime(date, sizeof(date), "made on %Y-%m-%d", &parts) > 0)
		r = strings_add(&page->versions, date);
	if (sysroot_read(page->node->root, "proc/cpuinfo", CPUINFO_MAX, &cpuinfo, &size) == 0)
		model = text_field(cpuinfo, "model name");
	cpu = model ? text_format("CPU%.*s", (int)strcspn(model, "\n"), model) : NULL;
	if (r == 0 && cpu)
		r = strings_add(&page->versions, cpu);
	if (r == 0)
		r = add_firmware_names(page, "board ", board);
	return r == 0 ? add_firmware_names(page, "BIOS ", bios) : r;
}

int page_add_versions(struct page *page)
{
	static const char *const names[] = { "pve-manager", "qemu-server", "pve-qemu-kvm",
					     "pve-edk2-firmware" };
	char *versions[ARRAY_SIZE(names)] = { 0 };
	int r = strings_add(&page->versions, "pve-vfio " PVE_VFIO_VERSION);
	cleanup_free char *kernel = text_format("kernel %s", page->node->release);

	if (r == 0)
		r = kernel ? strings_add(&page->versions, kernel) : -ENOMEM;
	(void)package_versions(page->node->root, names, ARRAY_SIZE(names), versions);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *words =
			versions[i] ? text_format("%s %s", names[i], versions[i]) : NULL;

		if (r == 0 && versions[i])
			r = words ? strings_add(&page->versions, words) : -ENOMEM;
		free(versions[i]);
	}
	return r == 0 ? add_machine(page) : r;
}

/* The keys of a VM's configuration that matter here; all others stay at home. */
static const char *const vm_keys[] = {
	"args",	   "balloon",	"bios",	    "boot",   "cores",	 "cpu",	     "hookscript",
	"hostpci", "hugepages", "machine",  "memory", "numa",	 "onboot",   "ostype",
	"sockets", "startup",	"template", "vga",    "vmgenid", "efidisk0", "kvm",
};

static bool is_relevant(const char *line)
{
	if (*line == '[')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(vm_keys); i++) {
		size_t size = strlen(vm_keys[i]);

		if (strncmp(line, vm_keys[i], size) != 0)
			continue;
		size += strspn(line + size, "0123456789");
		if (line[size] == ':')
			return true;
	}
	return false;
}

/* Of the main section: snapshots and what is pending do not count for a start. */
static int add_vm(struct page *page, const struct node_vm *vm)
{
	cleanup_free char *data = NULL, *title = NULL;
	cleanup_text struct text lines = { 0 };
	char path[SYSROOT_PATH_MAX];
	char *rest, *line;
	size_t size;

	snprintf(path, sizeof(path), "etc/pve/qemu-server/%u.conf", vm->vmid);
	if (sysroot_read(page->node->root, path, VM_CONFIG_MAX, &data, &size) < 0)
		return 0;
	rest = data;
	while ((line = strsep(&rest, "\n")) && *line != '[')
		if (is_relevant(line) && !text_starts_with(line, "vmgenid"))
			text_add(&lines, "%s\n", line);
	title = text_format("%u.conf (what matters here)", vm->vmid);
	if (lines.failed || !title)
		return -ENOMEM;
	return lines.size ? page_add_block(page, title, lines.data) : 0;
}

/* A file without its comments and empty lines; nothing for one that is not there. */
static int add_file(struct page *page, const char *path)
{
	cleanup_free char *data = NULL, *title = text_format("/%s", path);
	cleanup_text struct text lines = { 0 };
	char *rest, *line;
	size_t size;

	if (!title)
		return -ENOMEM;
	if (sysroot_read(page->node->root, path, BLOCK_FILE_MAX, &data, &size) < 0)
		return 0;
	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		const char *words = line + strspn(line, " \t");

		/* A mapping's description is its owner's own words. */
		if (*words && *words != '#' && !text_starts_with(words, "description"))
			text_add(&lines, "%s\n", line);
	}
	if (lines.failed)
		return -ENOMEM;
	return lines.size ? page_add_block(page, title, lines.data) : 0;
}

static int add_folder(struct page *page, const char *folder)
{
	cleanup_strings struct strings names = { 0 };
	int r = 0;

	(void)sysroot_list(page->node->root, folder, &names);
	for (size_t i = 0; i < names.count && r == 0; i++) {
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);

		r = path ? add_file(page, path) : -ENOMEM;
	}
	return r;
}

int page_add_configuration(struct page *page)
{
	static const char *const files[] = { "etc/kernel/cmdline", "etc/modules",
					     "etc/pve/mapping/pci.cfg",
					     "etc/pve-vfio/config.json" };
	int r = page_add_block(page, "/proc/cmdline", page->node->command_line);

	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
		r = add_file(page, files[i]);
	if (r == 0)
		r = add_folder(page, "etc/modprobe.d");
	for (size_t i = 0; i < page->node->vm_count && r == 0; i++)
		if (node_vm_has_passthrough(&page->node->vms[i]))
			r = add_vm(page, &page->node->vms[i]);
	return r == 0 ? add_folder(page, "etc/pve/pve-vfio") : r;
}

/* ---- Markdown */

/* A '|' would end a cell, and '<' may begin HTML. */
static void add_markdown(struct text *text, const char *words)
{
	for (const char *at = words; *at;) {
		size_t size = strcspn(at, "|<*_`\n");

		text_add(text, "%.*s", (int)size, at);
		at += size;
		if (*at == '\n')
			text_add(text, " ");
		else if (*at)
			text_add(text, "\\%c", *at);
		at += *at != '\0';
	}
}

static const char *const marks[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_INFO] = "info",
	[VERDICT_WARNING] = "**warning**",
	[VERDICT_ERROR] = "**ERROR**",
	[VERDICT_UNKNOWN] = "**not known**",
};
TABLE_FOLLOWS(marks, VERDICT_LEVEL_COUNT);

static void add_verdicts(struct text *text, const struct verdicts *verdicts)
{
	cleanup_free char *summary = verdicts_summary(verdicts);
	const char *section = "";

	text_add(text, "%s\n", summary ? summary : "");
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		if (strcmp(section, verdict->section) != 0)
			text_add(text, "\n%s:\n\n", verdict->section);
		section = verdict->section;
		text_add(text, "- %s ", marks[verdict->level]);
		if (verdict->subject) {
			add_markdown(text, verdict->subject);
			text_add(text, ": ");
		}
		add_markdown(text, verdict->evidence);
		text_add(text, " [%s]\n", verdict->id);
		if (!verdict->remedy)
			continue;
		text_add(text, "  - What to do: ");
		add_markdown(text, verdict->remedy);
		text_add(text, "\n");
	}
}

static void add_devices(struct text *text, const struct device_rows *rows)
{
	text_add(text, "| group | address | device | ids | driver | pass | remarks |\n"
		       "|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < rows->count; i++) {
		const struct device_row *row = &rows->items[i];
		const struct pci_device *device = &row->entry->device;
		cleanup_strings struct strings remarks = { 0 };

		if (device_row_remarks(row, &remarks) < 0)
			text->failed = true;
		if (device->iommu_group == IOMMU_GROUP_NONE)
			text_add(text, "| - ");
		else
			text_add(text, "| %d ", device->iommu_group);
		text_add(text, "| %s | ", device->name);
		add_markdown(text, row->name);
		text_add(text, " | %04x:%04x | ", device->vendor, device->device);
		add_markdown(text, device->driver ? device->driver : "-");
		text_add(text, " | %s | ", device->bridge ? "-" : pass_name(row->safety->pass));
		for (size_t k = 0; k < remarks.count; k++) {
			add_markdown(text, k > 0 ? "; " : "");
			add_markdown(text, remarks.items[k]);
		}
		text_add(text, " |\n");
	}
}

char *page_markdown(const struct page *page)
{
	cleanup_text struct text text = { 0 };

	text_add(&text, "# pve-vfio report\n\n");
	for (size_t i = 0; i < page->versions.count; i++)
		text_add(&text, "- %s\n", page->versions.items[i]);
	text_add(&text, "\n## Node\n\n");
	add_verdicts(&text, page->verdicts);
	for (size_t i = 0; i < page->vm_count; i++) {
		text_add(&text, "\n## VM %u\n\n", page->vms[i].vmid);
		add_verdicts(&text, &page->vms[i].verdicts);
	}
	text_add(&text, "\n## Devices\n\n");
	add_devices(&text, page->devices);
	text_add(&text, "\n## Configuration\n");
	for (size_t i = 0; i < page->block_count; i++)
		text_add(&text, "\n%s\n\n```\n%s%s```\n", page->blocks[i].title,
			 page->blocks[i].text,
			 *page->blocks[i].text &&
					 page->blocks[i].text[strlen(page->blocks[i].text) - 1] ==
						 '\n'
				 ? ""
				 : "\n");
	return text.failed ? NULL : anonymise(page->anonymiser, text.data);
}
