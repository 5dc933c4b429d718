/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom install. Puts a ROM where QEMU finds it; leaves the VM's lines to qm. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/number.h"
#include "pve/config.h"
#include "pve/pve.h"
#include "setup/deeds.h"
#include "setup/rom/rom.h"

/* What romfile= is relative to (qemu-server, PCI.pm). */
#define ROM_FOLDER "usr/share/kvm"
#define FILE_MODE  0644

/* PVE takes any name without , and ; but a slash leads elsewhere, and blanks are hard to see. */
static bool is_good_name(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "._+-";

	return *name != '\0' && *name != '.' && *name != '-' && strspn(name, good) == strlen(name);
}

static const char *choose_name(const struct command *command)
{
	const char *path = command->argv[0], *slash = strrchr(path, '/');

	if (command->argc > 1)
		return command->argv[1];
	return slash ? slash + 1 : path;
}

/* Refuses a ROM that is of no use for the device and VM it is meant for. */
static int check(const struct command *command, const struct rom_file *file, struct error *err)
{
	cleanup_rom_judgement struct rom_judgement judgement = { 0 };
	cleanup_rom struct rom rom = { 0 };
	struct rom_audience audience;
	int r = rom_audience_read(command, &audience, err);

	if (r == 0)
		r = rom_parse(rom_file_bytes(file), &rom, err);
	if (r == 0)
		r = rom_judge(&rom, audience.has_target ? &audience.target : NULL, &judgement, err);
	if (r < 0)
		return r;
	if (!command->json) {
		rom_judgement_print(&audience, &rom, &judgement, command->argv[0]);
		putchar('\n');
	}
	if (!rom_judgement_is_hopeless(&judgement, audience.firmware))
		return 0;
	return error_refuse(err, "'%s' is not installed: %s", file->name,
			    judgement.cut ? "it is cut short" : "no VM could use it");
}

/* 1 when the file is there with that content, 0 when there is none or it may be replaced. */
static int look_at_old(const struct command *command, const char *name, const struct rom_file *file,
		       struct error *err)
{
	cleanup_free char *path = text_format("%s/%s", ROM_FOLDER, name), *data = NULL;
	size_t size;
	int r;

	if (!path)
		return error_set_memory(err);
	r = sysroot_read_file(&command->root, path, ROM_SIZE_MAX, &data, &size);
	if (r == -ENOENT)
		return 0;
	if (r == 0 &&
	    bytes_equal((struct bytes){ (const uint8_t *)data, size }, rom_file_bytes(file)))
		return 1;
	if (command_has(command, "--replace"))
		return 0;
	return error_refuse(err,
			    "'/%s' is there with other content: give another NAME, or --replace",
			    path);
}

static int copy(const struct command *command, const char *name, const struct rom_file *file,
		struct error *err)
{
	cleanup_close int fd = -1;
	int r = look_at_old(command, name, file, err);

	if (r < 0)
		return r;
	if (r > 0) {
		deeds_note(command->deeds, "/%s/%s is there already, with the same content",
			   ROM_FOLDER, name);
		return 0;
	}
	fd = sysroot_openat(&command->root, ROM_FOLDER, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return error_set(err, fd, "cannot open '/%s': %s%s", ROM_FOLDER, strerror(-fd),
				 fd == -ENOENT ? "; is this a Proxmox VE node?" : "");
	r = file_replace_mode_at(fd, name, file->data, file->size, FILE_MODE);
	if (r < 0)
		return error_set(err, r, "cannot write '/%s/%s': %s", ROM_FOLDER, name,
				 strerror(-r));
	deeds_note(command->deeds, "/%s/%s: %zu bytes", ROM_FOLDER, name, file->size);
	return 0;
}

/* A hostpci value with romfile=NAME in place of what it had. NULL without memory. */
static char *set_romfile(char *value, const char *name)
{
	cleanup_text struct text text = { 0 };
	char *part;

	while ((part = strsep(&value, ",")))
		if (!text_starts_with(part, "romfile="))
			text_add(&text, "%s,", part);
	text_add(&text, "romfile=%s", name);
	return text_take(&text);
}

static int run_qm(struct deeds *deeds, const char *vmid, const char *key, const char *value,
		  struct error *err)
{
	cleanup_free char *option = text_format("--%s", key), *line = NULL;
	cleanup_strings struct strings words = { 0 };
	int r;

	if (!option || pve_words(&words, "qm", "set", vmid, option, value) < 0)
		return error_set_memory(err);
	line = pve_command_line(&words);
	r = line ? pve_run(&words, NULL, err) : error_set_memory(err);
	if (r == 0)
		deeds_command(deeds, line);
	return r;
}

static int give_to_vm(const struct command *command, const char *name, struct error *err)
{
	const char *vmid = command_value(command, "--vmid");
	cleanup_vm_config struct vm_config config = { 0 };
	cleanup_free char *key = NULL, *value = NULL;
	const struct vm_hostpci *line;
	uint32_t id, number;
	int r = rom_option_number(command, "--vmid", UINT32_MAX, &id, err);

	if (r == 0)
		r = rom_option_number(command, "--hostpci", HOSTPCI_COUNT - 1, &number, err);
	if (r < 0)
		return r;
	key = text_format("hostpci%u", number);
	if (!key)
		return error_set_memory(err);
	r = vm_config_read(&command->root, NULL, id, &config, err);
	if (r < 0)
		return r;
	line = &config.hostpci[number];
	if (!line->present)
		return error_set(err, -ENOENT, "%s has no valid %s", config.path, key);
	value = set_romfile(line->value, name);
	if (!value)
		return error_set_memory(err);
	if (!command->root.live)
		return error_set(err, -EOPNOTSUPP,
				 "qm works on the running node only, not below "
				 "--root; the line would be '%s: %s'",
				 key, value);
	return run_qm(command->deeds, vmid, key, value, err);
}

int verb_rom_install(struct command *command, struct error *err)
{
	cleanup_rom_file struct rom_file file = { 0 };
	cleanup_deeds struct deeds deeds = { 0 };
	const char *name = choose_name(command);
	bool for_vm = command_value(command, "--vmid");
	int r;

	if (!for_vm != !command_value(command, "--hostpci"))
		return usage_error(err, command, "--vmid and --hostpci go together");
	if (!is_good_name(name))
		return usage_error(err, command,
				   "'%s' is not a name for romfile=: letters, digits and . _ + - "
				   "only",
				   name);
	deeds_begin(&deeds, command);
	command->deeds = &deeds;
	r = rom_file_read(command->argv[0], &file, err);
	if (r == 0)
		r = check(command, &file, err);
	if (r == 0)
		r = copy(command, name, &file, err);
	if (r == 0 && for_vm)
		r = give_to_vm(command, name, err);
	command->deeds = NULL;
	return r < 0 ? r : deeds_end(&deeds, NULL, err);
}
