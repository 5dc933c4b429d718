/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: the sources of a device's ROM. Changes nothing itself: that is left to sysfs.c. */
#include "rom/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rom/image.h"
#include "rom/sysfs.h"
#include "rom/vfct.h"

void rom_dump_done(struct rom_dump *dump)
{
	free(dump->data);
	strings_done(&dump->notes);
	*dump = (struct rom_dump){ 0 };
}

static int read_sysfs(const struct sysroot *root, const struct pci_device *device,
		      struct rom_dump *dump, struct error *err)
{
	dump->shadow = rom_is_shadowed(root, device->name);
	return rom_sysfs_read(root, device, &dump->data, &dump->size, err);
}

/* The number of the device's DRM card, which debugfs goes by; the caller frees it. */
static int find_card(const struct sysroot *root, const struct pci_device *device, char **ret)
{
	cleanup_strings struct strings names = { 0 };
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, device->name, "drm");
	r = sysroot_list(root, path, &names);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.count; i++) {
		if (!text_starts_with(names.items[i], "card"))
			continue;
		*ret = strdup(names.items[i] + strlen("card"));
		return *ret ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

static int read_amdgpu(const struct sysroot *root, const struct pci_device *device,
		       struct rom_dump *dump, struct error *err)
{
	cleanup_free char *card = NULL, *path = NULL;
	int r;

	if (!text_equal(device->driver, "amdgpu"))
		return error_set(err, -ENODEV, "the driver amdgpu does not have the device");
	r = find_card(root, device, &card);
	if (r < 0)
		return error_set(err, r, "amdgpu has made no card for the device");
	path = text_format("sys/kernel/debug/dri/%s/amdgpu_vbios", card);
	if (!path)
		return error_set_memory(err);
	r = sysroot_read(root, path, ROM_SIZE_MAX, &dump->data, &dump->size);
	if (r == -EPERM)
		return error_set(err, r, "'/%s' is closed: the kernel is locked down (Secure Boot)",
				 path);
	if (r < 0)
		return error_set(err, r, "cannot read '/%s': %s%s", path, strerror(-r),
				 r == -ENOENT ? "; is debugfs mounted?" : "");
	return 0;
}

static int copy_image(const struct vfct_image *image, struct rom_dump *dump, struct error *err)
{
	dump->data = malloc(image->data.size);
	if (!dump->data)
		return error_set_memory(err);
	memcpy(dump->data, image->data.data, image->data.size);
	dump->size = image->data.size;
	return 0;
}

static int read_vfct(const struct sysroot *root, const struct pci_device *device,
		     struct rom_dump *dump, struct error *err)
{
	const struct vfct_image *image = NULL;
	cleanup_vfct struct vfct vfct = { 0 };
	cleanup_free char *table = NULL;
	enum vfct_match match;
	size_t size;
	int r;

	r = sysroot_read(root, VFCT_FILE, VFCT_SIZE_MAX, &table, &size);
	if (r < 0)
		return error_set(err, r, "the machine's firmware left no table (/%s: %s)",
				 VFCT_FILE, strerror(-r));
	r = vfct_parse((struct bytes){ (const uint8_t *)table, size }, &vfct, err);
	if (r < 0)
		return r;
	match = vfct_find(&vfct, device->address, device->vendor, device->device, &image);
	if (match == VFCT_MATCH_SEVERAL)
		return error_set(err, -ENOENT,
				 "several images of the table have its ids, and none its address");
	if (vfct_list_faults(&vfct, &dump->notes) < 0)
		return error_set_memory(err);
	if (!image)
		return error_set(err, -ENOENT, "the table has no image for it");
	return copy_image(image, dump, err);
}

static const struct {
	const char *name;
	int (*read)(const struct sysroot *root, const struct pci_device *device,
		    struct rom_dump *dump, struct error *err);
} sources[] = {
	[ROM_SOURCE_SYSFS] = { "sysfs", read_sysfs },
	[ROM_SOURCE_AMDGPU] = { "amdgpu", read_amdgpu },
	[ROM_SOURCE_VFCT] = { "vfct", read_vfct },
};
TABLE_FOLLOWS(sources, ROM_SOURCE_COUNT);

const char *rom_source_name(enum rom_source source)
{
	return sources[source].name;
}

/* Reads from one source, and makes sure that it is an option ROM. */
static int read_source(const struct sysroot *root, const struct pci_device *device,
		       enum rom_source source, struct rom_dump *ret, struct error *err)
{
	cleanup_rom_dump struct rom_dump dump = { .source = source };
	cleanup_rom struct rom rom = { 0 };
	int r;

	r = sources[source].read(root, device, &dump, err);
	if (r < 0)
		return r;
	r = rom_parse((struct bytes){ (const uint8_t *)dump.data, dump.size }, &rom, err);
	if (r < 0)
		return r;
	if (rom.count == 0)
		return error_set(err, -EBADMSG, "the %zu bytes read hold no option ROM", dump.size);
	*ret = TAKE_STRUCT(dump);
	return 0;
}

static int note(struct rom_dump *dump, enum rom_source source, const char *why)
{
	cleanup_free char *sentence = text_format("%s: %s", rom_source_name(source), why);

	return sentence ? strings_add(&dump->notes, sentence) : -ENOMEM;
}

/* The notes on all sources tried, in their order, become those of the dump. */
static int join_notes(struct rom_dump *best, struct rom_dump *dump)
{
	int r = 0;

	for (size_t i = 0; i < dump->notes.count && r == 0; i++)
		r = note(best, dump->source, dump->notes.items[i]);
	strings_done(&dump->notes);
	dump->notes = best->notes;
	best->notes = (struct strings){ 0 };
	return r;
}

/* A shadow is kept while something better is looked for. */
static int read_best(const struct sysroot *root, const struct pci_device *device,
		     struct rom_dump *ret, struct error *err)
{
	cleanup_rom_dump struct rom_dump best = { .source = ROM_SOURCE_COUNT };
	struct error why;

	for (enum rom_source source = 0; source < ROM_SOURCE_COUNT; source++) {
		struct rom_dump dump = { 0 };

		why = (struct error){ 0 };
		if (read_source(root, device, source, &dump, &why) == 0) {
			int r = join_notes(&best, &dump);

			rom_dump_done(&best);
			best = dump;
			if (r < 0)
				return error_set_memory(err);
			if (!best.shadow)
				break;
		} else if (note(&best, source, why.message) < 0) {
			return error_set_memory(err);
		}
	}
	if (best.source == ROM_SOURCE_COUNT)
		return error_set(err, -ENOENT, "%s: no source has its ROM: %s; %s; %s",
				 device->name, best.notes.items[0], best.notes.items[1],
				 best.notes.items[2]);
	*ret = TAKE_STRUCT(best);
	return 0;
}

int rom_read(const struct sysroot *root, const struct pci_device *device, enum rom_source source,
	     struct rom_dump *ret, struct error *err)
{
	struct error why = { 0 };
	int r;

	if (source == ROM_SOURCE_COUNT)
		return read_best(root, device, ret, err);
	r = read_source(root, device, source, ret, &why);
	if (r < 0)
		return error_set(err, r, "%s: %s", device->name, why.message);
	return 0;
}
