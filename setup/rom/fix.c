/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom fix. Repairs a copy, and the file itself only with --in-place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "rom/fix.h"
#include "setup/rom/ask.h"
#include "setup/rom/rom.h"

/* What the file was before --in-place. */
#define BACKUP_SUFFIX ".orig"

static bool is_asked_for_something(const struct rom_command *command)
{
	static const enum rom_option repairs[] = {
		OPTION_STRIP_HEADER, OPTION_VENDOR, OPTION_DEVICE, OPTION_LAST,
		OPTION_CHECKSUM,     OPTION_TRIM,   OPTION_PAD,
	};

	for (size_t i = 0; i < sizeof(repairs) / sizeof(*repairs); i++)
		if (command->given[repairs[i]])
			return true;
	return false;
}

/* The ids of every image, and the checksum of those that had a right one before. */
static int repair_ids(struct rom_fix *fix, const uint16_t *vendor, const uint16_t *device,
		      struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < fix->rom.chain_count && r == 0; i++) {
		bool was_right = fix->rom.images[i].sum == 0;

		if (vendor)
			r = rom_fix_vendor(fix, i, *vendor, err);
		if (r == 0 && device)
			r = rom_fix_device(fix, i, *device, err);
		if (r == 0 && was_right)
			r = rom_fix_checksum(fix, i, err);
	}
	return r;
}

/* Repairs in the order in which one needs the other: checksums come behind what they cover. */
static int repair(const struct rom_command *command, struct rom_fix *fix, const uint16_t *vendor,
		  const uint16_t *device, struct error *err)
{
	int r = 0;

	if (command->given[OPTION_STRIP_HEADER])
		r = rom_fix_strip_header(fix, err);
	if (r == 0 && command->given[OPTION_LAST])
		r = rom_fix_last(fix, err);
	if (r == 0)
		r = repair_ids(fix, vendor, device, err);
	for (size_t i = 0; r == 0 && command->given[OPTION_CHECKSUM] && i < fix->rom.chain_count;
	     i++)
		r = rom_fix_checksum(fix, i, err);
	if (r == 0 && command->given[OPTION_TRIM])
		r = rom_fix_trim(fix, err);
	if (r == 0 && command->given[OPTION_PAD])
		r = rom_fix_pad(fix, err);
	return r;
}

static int repair_as_told(const struct rom_command *command, struct rom_fix *fix, struct error *err)
{
	uint16_t vendor, device;

	if (!is_asked_for_something(command))
		return rom_ask(fix, err) < 0 ? STATUS_FAILED : STATUS_DONE;
	if (command->given[OPTION_VENDOR] && !rom_option_id(command, OPTION_VENDOR, &vendor))
		return STATUS_USAGE;
	if (command->given[OPTION_DEVICE] && !rom_option_id(command, OPTION_DEVICE, &device))
		return STATUS_USAGE;
	return repair(command, fix, command->given[OPTION_VENDOR] ? &vendor : NULL,
		      command->given[OPTION_DEVICE] ? &device : NULL, err) < 0
		       ? STATUS_FAILED
		       : STATUS_DONE;
}

/* Each byte that is different. */
static void print_changes(const struct rom_fix *fix, const char *output)
{
	if (fix->stripped)
		printf("%zu bytes ahead of the first image removed\n", fix->stripped);
	for (size_t i = 0; i < fix->change_count; i++) {
		const struct rom_change *change = &fix->changes[i];
		int digits = (int)change->size * 2;

		printf("at 0x%05zx  %-16s %0*x -> %0*x\n", change->offset, change->what, digits,
		       change->before, digits, change->after);
	}
	if (fix->trimmed)
		printf("%zu bytes behind the last image removed\n", fix->trimmed);
	if (fix->padded)
		printf("%zu bytes of padding added\n", fix->padded);
	if (!rom_fix_has_changed(fix))
		printf("There was nothing to do: the result is identical.\n");
	printf("%s: %zu bytes\n", output, fix->size);
}

/* What is for a person to know: only SeaBIOS and the like do without the device list. */
static void print_device_lists(const struct rom_fix *fix)
{
	for (size_t i = 0; i < fix->change_count; i++) {
		for (size_t j = 0; j < fix->rom.chain_count; j++) {
			const struct rom_image *image = &fix->rom.images[j];

			if (fix->changes[i].offset ==
				    image->offset + image->pcir + PCIR_AT_DEVICE &&
			    image->devices.size > 0 &&
			    !rom_image_lists_device(image, image->device))
				printf("The device list of the image at 0x%zx does not name %04x; "
				       "it is left as it is.\n",
				       image->offset, image->device);
		}
	}
}

static void print_json(const struct rom_fix *fix, const char *output)
{
	json_t *changes = json_array();

	for (size_t i = 0; i < fix->change_count; i++) {
		const struct rom_change *change = &fix->changes[i];

		json_array_append_new(changes,
				      json_pack("{s:I, s:I, s:i, s:i, s:s}", "offset",
						(json_int_t)change->offset, "size",
						(json_int_t)change->size, "before", change->before,
						"after", change->after, "what", change->what));
	}
	print_json_document(json_pack("{s:o, s:I, s:b, s:I, s:o, s:I, s:I}", "file",
				      json_name(output), "size", (json_int_t)fix->size, "changed",
				      rom_fix_has_changed(fix), "stripped",
				      (json_int_t)fix->stripped, "changes", changes, "trimmed",
				      (json_int_t)fix->trimmed, "padded", (json_int_t)fix->padded));
}

/* The backup is the oldest state: a second repair keeps it. */
static int keep_backup(const struct rom_file *file, struct error *err)
{
	cleanup_free char *backup = text_format("%s%s", file->name, BACKUP_SUFFIX);

	if (!backup)
		return error_set_memory(err);
	if (access(backup, F_OK) == 0)
		return 0;
	fprintf(stderr, "pve-vfio: '%s' keeps what the file was\n", backup);
	return rom_file_write(backup, rom_file_bytes(file), err);
}

/* What was written is what was meant: the file is read and compared. */
static int verify(const char *path, const struct rom_fix *fix, struct error *err)
{
	cleanup_rom_file struct rom_file written = { 0 };
	int r;

	if (strcmp(path, "-") == 0)
		return 0;
	r = rom_file_read(path, &written, err);
	if (r < 0)
		return r;
	if (!bytes_equal(rom_file_bytes(&written), fix->rom.file))
		return error_set(err, -EIO, "'%s' does not read as it was written", path);
	return 0;
}

static int write_result(const struct rom_command *command, const struct rom_file *file,
			const struct rom_fix *fix, struct error *err)
{
	const char *output = command->given[OPTION_OUTPUT];
	int r = 0;

	if (!output) {
		output = file->name;
		/* Nothing to do: not even the time of the last change. */
		if (!rom_fix_has_changed(fix))
			return 0;
		r = keep_backup(file, err);
	}
	if (r == 0)
		r = rom_file_write(output, fix->rom.file, err);
	return r == 0 ? verify(output, fix, err) : r;
}

static int check_output(const struct rom_command *command)
{
	const char *input = command->words[0], *output = command->given[OPTION_OUTPUT];
	bool in_place = command->given[OPTION_IN_PLACE];

	if (!output == !in_place)
		return rom_usage_error("'fix' takes -o FILE or --in-place");
	if (in_place && strcmp(input, "-") == 0)
		return rom_usage_error("--in-place does not go with standard input");
	if (strcmp(input, "-") == 0 && !is_asked_for_something(command))
		return rom_usage_error("the answers cannot come from where the ROM comes from");
	if (output && rom_file_is_same(input, output))
		return rom_usage_error("'%s' is the file itself; that takes --in-place", output);
	return STATUS_DONE;
}

int rom_fix(const struct rom_command *command, struct error *err)
{
	cleanup_rom_file struct rom_file file = { 0 };
	cleanup_rom_fix struct rom_fix fix = { 0 };
	const char *output = command->given[OPTION_OUTPUT];
	int status = check_output(command);

	if (status != STATUS_DONE)
		return status;
	if (rom_file_read(command->words[0], &file, err) < 0 ||
	    rom_fix_start(rom_file_bytes(&file), &fix, err) < 0)
		return STATUS_FAILED;
	status = repair_as_told(command, &fix, err);
	if (status != STATUS_DONE)
		return status;
	if (write_result(command, &file, &fix, err) < 0)
		return STATUS_FAILED;
	if (!output)
		output = file.name;
	if (command->json && strcmp(output, "-") != 0)
		print_json(&fix, output);
	if (command->json || strcmp(output, "-") == 0)
		return STATUS_DONE;
	print_changes(&fix, output);
	print_device_lists(&fix);
	return STATUS_DONE;
}
