/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom vfct. Lists and extracts the images of the ACPI table VFCT. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rom/vendor.h"
#include "rom/vfct.h"
#include "setup/print.h"
#include "setup/rom/rom.h"

static int read_table(const struct command *command, struct rom_file *ret, struct error *err)
{
	const char *path = command_value(command, "--table");
	int r;

	if (path)
		return rom_file_read(path, ret, err);
	ret->name = "/" VFCT_FILE;
	r = sysroot_read(&command->root, VFCT_FILE, VFCT_SIZE_MAX, &ret->data, &ret->size);
	if (r == -ENOENT)
		return error_set(err, r,
				 "this machine has no ACPI table VFCT: only AMD's firmware makes "
				 "one, and only for AMD graphics that it started");
	if (r < 0)
		return error_set(err, r, "cannot read '%s': %s%s", ret->name, strerror(-r),
				 r == -EACCES ? "; run this as root" : "");
	return 0;
}

/* "03:00.0", or the numbers as they are where they are no address. */
static void format_place(const struct vfct_image *image, char buffer[40])
{
	snprintf(buffer, 40, "%02x:%02x.%x", image->bus, image->device, image->function);
}

/* What kind of bytes the image is made of. */
static const char *describe_data(const struct vfct_image *image)
{
	cleanup_rom struct rom rom = { 0 };
	struct rom_atom atom;

	if (rom_parse(image->data, &rom, NULL) < 0 || rom.count == 0)
		return "not an option ROM";
	if (rom_is_cut(&rom))
		return "option ROM, cut short";
	return rom_atom_find(&rom.images[0], &atom) ? "AMD video BIOS" : "option ROM without ATOM";
}

/* What is wrong with the table, a line each. */
static void print_faults(FILE *stream, const char *start, const struct vfct *vfct)
{
	cleanup_strings struct strings faults = { 0 };

	if (vfct_list_faults(vfct, &faults) < 0)
		return;
	for (size_t i = 0; i < faults.count; i++)
		fprintf(stream, "%s%s\n", start, faults.items[i]);
}

static void print_table(const struct rom_file *file, const struct vfct *vfct)
{
	printf("%s: %u bytes, %zu image%s, checksum %s\n", file->name, vfct->length, vfct->count,
	       vfct->count == 1 ? "" : "s", vfct->checksum_ok ? "right" : "wrong");
	if (vfct->count > 0)
		printf("\n  %-9s %-10s %8s  %s\n", "address", "device", "bytes", "what");
	for (size_t i = 0; i < vfct->count; i++) {
		const struct vfct_image *image = &vfct->images[i];
		char place[40];

		format_place(image, place);
		printf("  %-9s %04x:%04x  %8zu  %s\n", place, image->vendor_id, image->device_id,
		       image->data.size, describe_data(image));
	}
	print_faults(stdout, "", vfct);
}

static int print_vfct_json(const struct rom_file *file, const struct vfct *vfct, struct error *err)
{
	json_t *images = json_array();

	for (size_t i = 0; i < vfct->count; i++) {
		const struct vfct_image *image = &vfct->images[i];

		json_array_append_new(
			images,
			json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "bus",
				  (json_int_t)image->bus, "device_number",
				  (json_int_t)image->device, "function",
				  (json_int_t)image->function, "vendor",
				  json_hex_id(image->vendor_id), "device",
				  json_hex_id(image->device_id), "subsystem_vendor",
				  json_hex_id(image->subsystem_vendor), "subsystem_device",
				  json_hex_id(image->subsystem_device), "revision",
				  (json_int_t)image->revision, "offset", (json_int_t)image->offset,
				  "size", (json_int_t)image->data.size));
	}
	return print_json(json_pack("{s:o, s:I, s:b, s:b, s:o}", "file", json_name(file->name),
				    "length", (json_int_t)vfct->length, "checksum_right",
				    vfct->checksum_ok, "complete",
				    vfct->end == VFCT_END_MARK || vfct->end == VFCT_END_TABLE,
				    "images", images),
			  err);
}

static const struct vfct_image *find_by_ids(const struct vfct *vfct, uint16_t vendor,
					    uint16_t device, struct error *err)
{
	const struct vfct_image *found = NULL;

	for (size_t i = 0; i < vfct->count; i++) {
		const struct vfct_image *image = &vfct->images[i];

		if (image->vendor_id != vendor || image->device_id != device)
			continue;
		if (found) {
			error_set(err, -EINVAL,
				  "several images are for %04x:%04x; give the address of one",
				  vendor, device);
			return NULL;
		}
		found = image;
	}
	if (!found)
		error_set(err, -ENOENT, "the table has no image for %04x:%04x", vendor, device);
	return found;
}

/* The address alone tells, since a recorded table may be of another machine. */
static const struct vfct_image *find_by_address(const struct vfct *vfct, struct pci_address address,
						struct error *err)
{
	for (size_t i = 0; i < vfct->count; i++)
		if (vfct_image_is_at(&vfct->images[i], address))
			return &vfct->images[i];
	error_set(err, -ENOENT, "the table has no image for %02x:%02x.%x", address.bus,
		  address.device, address.function);
	return NULL;
}

/* A device of this machine may have got another bus number since its firmware made the table. */
static const struct vfct_image *find_by_device(const struct command *command,
					       const struct vfct *vfct, struct pci_address address,
					       struct error *err)
{
	cleanup_pci_device struct pci_device device = { 0 };
	const struct vfct_image *image = NULL;

	if (command_value(command, "--table") ||
	    pci_device_read(&command->root, address, &device, NULL) < 0)
		return find_by_address(vfct, address, err);
	switch (vfct_find(vfct, address, device.vendor, device.device, &image)) {
	case VFCT_MATCH_EXACT:
		break;
	case VFCT_MATCH_ID:
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ",
			       "%s: the table has it at %02x:%02x.%x: the bus numbers have "
			       "changed since",
			       device.name, image->bus, image->device, image->function);
		break;
	case VFCT_MATCH_NONE:
		error_set(err, -ENOENT, "%s: the table has no image for it (%04x:%04x)",
			  device.name, device.vendor, device.device);
		break;
	case VFCT_MATCH_SEVERAL:
		error_set(
			err, -ENOENT,
			"%s: several images have its ids (%04x:%04x) and none its address; choose "
			"one with --table /" VFCT_FILE " --device ADDRESS",
			device.name, device.vendor, device.device);
		break;
	}
	return image;
}

/* The device that --device names; without it, of one image, that one. */
struct wish {
	bool given, is_address;
	struct pci_address address;
	uint16_t vendor, device;
};

static int read_wish(const struct command *command, struct wish *ret, struct error *err)
{
	const char *text = command_value(command, "--device");

	*ret = (struct wish){ .given = text };
	if (text &&
	    rom_device_parse(text, &ret->address, &ret->vendor, &ret->device, &ret->is_address) < 0)
		return usage_error(err, command,
				   "'%s' is not a device: neither an address nor VVVV:DDDD", text);
	return 0;
}

static const struct vfct_image *choose(const struct command *command, const struct wish *wish,
				       const struct vfct *vfct, struct error *err)
{
	if (!wish->given && vfct->count == 1)
		return &vfct->images[0];
	if (!wish->given) {
		error_set(err, -EINVAL, "the table has %zu images; choose one with --device",
			  vfct->count);
		return NULL;
	}
	return wish->is_address ? find_by_device(command, vfct, wish->address, err)
				: find_by_ids(vfct, wish->vendor, wish->device, err);
}

/* What is taken out of a damaged table may be damaged too. */
static int extract(const struct command *command, const struct wish *wish, const struct vfct *vfct,
		   struct error *err)
{
	const char *path = command_value(command, "-o");
	const struct vfct_image *image = choose(command, wish, vfct, err);
	char place[40];
	int r = image ? rom_file_write(path, image->data, err) : -ENOENT;

	if (r < 0)
		return r;
	format_place(image, place);
	print_faults(stderr, "pve-vfio: ", vfct);
	fprintf(stderr, "%s: %zu bytes, for %04x:%04x at %s: %s\n", path, image->data.size,
		image->vendor_id, image->device_id, place, describe_data(image));
	return 0;
}

int verb_rom_vfct(struct command *command, struct error *err)
{
	bool list = command_has(command, "--list") || command->json;
	cleanup_rom_file struct rom_file file = { 0 };
	cleanup_vfct struct vfct vfct = { 0 };
	struct wish wish;
	int r = read_wish(command, &wish, err);

	if (r < 0)
		return r;
	if (command_value(command, "-o") && list)
		return usage_error(err, command,
				   "-o writes one image, and does not go with a list");
	if (command_value(command, "--device") && !command_value(command, "-o"))
		return usage_error(err, command, "--device needs -o FILE");
	r = read_table(command, &file, err);
	if (r == 0)
		r = vfct_parse(rom_file_bytes(&file), &vfct, err);
	if (r < 0)
		return r;
	if (command_value(command, "-o"))
		return extract(command, &wish, &vfct, err);
	if (command->json)
		return print_vfct_json(&file, &vfct, err);
	print_table(&file, &vfct);
	return 0;
}
