/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom fix. Repairs a copy, and the file itself only with --in-place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "rom/fix.h"
#include "setup/print.h"
#include "setup/rom/ask.h"
#include "setup/rom/rom.h"

/* What the file was before --in-place. */
#define BACKUP_SUFFIX ".orig"

/* What each option asks for. */
static const struct {
	const char *option;
	enum rom_step step;
} repairs[] = {
	{ "--strip-header", ROM_STEP_STRIP_HEADER },
	{ "--last", ROM_STEP_LAST },
	{ "--vendor", ROM_STEP_VENDOR },
	{ "--device", ROM_STEP_DEVICE },
	{ "--checksum", ROM_STEP_CHECKSUM },
	{ "--trim", ROM_STEP_TRIM },
	{ "--pad", ROM_STEP_PAD },
};

/* The repair that the options ask for. */
static int read_repair(const struct command *command, struct rom_repair *ret, struct error *err)
{
	int r = 0;

	*ret = (struct rom_repair){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(repairs); i++)
		if (command_has(command, repairs[i].option))
			ret->steps |= repairs[i].step;
	if (ret->steps & ROM_STEP_VENDOR)
		r = rom_option_id(command, "--vendor", &ret->vendor, err);
	if (r == 0 && ret->steps & ROM_STEP_DEVICE)
		r = rom_option_id(command, "--device", &ret->device, err);
	return r;
}

/* Each byte that is different. */
static void print_changes(const struct rom_fix *fix, const char *output)
{
	if (fix->stripped)
		printf("%zu bytes before the first image removed\n", fix->stripped);
	for (size_t i = 0; i < fix->change_count; i++) {
		const struct rom_change *change = &fix->changes[i];
		int digits = (int)change->size * 2;

		printf("at 0x%05zx  %-16s %0*x -> %0*x\n", change->offset, change->what, digits,
		       change->before, digits, change->after);
	}
	if (fix->trimmed)
		printf("%zu bytes after the last image removed\n", fix->trimmed);
	if (fix->padded)
		printf("%zu bytes of padding added\n", fix->padded);
	if (!rom_fix_has_changed(fix))
		printf("There was nothing to do: the result is identical.\n");
	printf("%s: %zu bytes\n", output, fix->size);
}

/* What is for a person to know: only SeaBIOS and the like do without the device list. */
static void print_device_lists(const struct rom_fix *fix)
{
	size_t at = 0;

	/* both are in the order of the file */
	for (size_t i = 0; i < fix->rom.reach_count; i++) {
		const struct rom_image *image = &fix->rom.images[i];
		size_t field = image->offset + image->pcir + PCIR_AT_DEVICE;

		while (at < fix->change_count && (fix->changes[at].offset < field ||
						  strcmp(fix->changes[at].what, "device id") != 0))
			at++;
		if (at < fix->change_count && fix->changes[at].offset == field &&
		    image->devices.size > 0 && !rom_image_lists_device(image, image->device))
			printf("The device list of the image at 0x%zx does not name %04x; "
			       "it is left as it is.\n",
			       image->offset, image->device);
	}
}

static int print_fix_json(const struct rom_fix *fix, const char *output, struct error *err)
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
	return print_json(json_pack("{s:o, s:I, s:b, s:I, s:o, s:I, s:I}", "file",
				    json_name(output), "size", (json_int_t)fix->size, "changed",
				    rom_fix_has_changed(fix), "stripped", (json_int_t)fix->stripped,
				    "changes", changes, "trimmed", (json_int_t)fix->trimmed,
				    "padded", (json_int_t)fix->padded),
			  err);
}

/* The backup is the oldest state: a second repair keeps it. */
static int keep_backup(const struct rom_file *file, struct error *err)
{
	cleanup_free char *backup = text_format("%s%s", file->name, BACKUP_SUFFIX);

	if (!backup)
		return error_set_memory(err);
	if (access(backup, F_OK) == 0)
		return 0;
	print_sentence(STDERR_FILENO, "pve-vfio: ", "  ", "'%s' keeps what the file was", backup);
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

static int write_result(const struct command *command, const struct rom_file *file,
			const struct rom_fix *fix, struct error *err)
{
	const char *output = command_value(command, "-o");
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

static int check_output(const struct command *command, const struct rom_repair *repair,
			struct error *err)
{
	const char *input = command->argv[0], *output = command_value(command, "-o");
	bool in_place = command_has(command, "--in-place");

	if (!output == !in_place)
		return usage_error(err, command, "it takes -o FILE or --in-place");
	if (in_place && strcmp(input, "-") == 0)
		return usage_error(err, command, "--in-place does not go with standard input");
	if (strcmp(input, "-") == 0 && !repair->steps)
		return usage_error(err, command,
				   "the answers cannot come from where the ROM comes from");
	if (output && rom_file_is_same(input, output))
		return usage_error(err, command, "'%s' is the file itself; that takes --in-place",
				   output);
	return 0;
}

int verb_rom_fix(struct command *command, struct error *err)
{
	cleanup_rom_file struct rom_file file = { 0 };
	cleanup_rom_fix struct rom_fix fix = { 0 };
	const char *output = command_value(command, "-o");
	struct rom_repair repair;
	int r = read_repair(command, &repair, err);

	if (r == 0)
		r = check_output(command, &repair, err);
	if (r == 0)
		r = rom_file_read(command->argv[0], &file, err);
	if (r == 0)
		r = rom_fix_start(rom_file_bytes(&file), &fix, err);
	if (r == 0)
		r = repair.steps ? rom_fix_apply(&fix, &repair, err) : rom_ask(&fix, err);
	if (r == 0)
		r = write_result(command, &file, &fix, err);
	if (r < 0)
		return r;
	if (!output)
		output = file.name;
	if (strcmp(output, "-") == 0)
		return 0;
	if (command->json)
		return print_fix_json(&fix, output, err);
	print_changes(&fix, output);
	print_device_lists(&fix);
	return 0;
}
