/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: what the verbs of pve-vfio rom share; each is in a file of its own.
 */
#pragma once

#include "base/json.h"
#include "pve/config.h"
#include "rom/line.h"
#include "setup/print.h"
#include "setup/setup.h"

/* Parses the four hexadecimal digits of an option, with or without 0x. */
int rom_option_id(const struct command *command, const char *option, uint16_t *ret,
		  struct error *err) must_check;

/* Parses the number of an option, up to `max`. */
int rom_option_number(const struct command *command, const char *option, uint32_t max,
		      uint32_t *ret, struct error *err) must_check;

/*
 * Parses a device given by its address, as lspci, sysfs or Proxmox VE write it (a slot means
 * its function 0), or as VVVV:DDDD. *ret_is_address tells which of the others is set. -EINVAL.
 */
int rom_device_parse(const char *text, struct pci_address *ret_address, uint16_t *ret_vendor,
		     uint16_t *ret_device, bool *ret_is_address);

/* ---- files */

/* A file in memory. */
struct rom_file {
	const char *name; /* for messages: the path, or "standard input" */
	char *data;
	size_t size;
};

/* Reads a whole file; "-" is standard input. */
int rom_file_read(const char *path, struct rom_file *ret, struct error *err) must_check;
void rom_file_done(struct rom_file *file);
#define cleanup_rom_file cleanup(rom_file_done)

struct bytes rom_file_bytes(const struct rom_file *file);

/*
 * Writes a file as a whole or not at all, readable by all; "-" is standard output. The folder must
 * be there.
 */
int rom_file_write(const char *path, struct bytes data, struct error *err) must_check;

/* Whether both paths lead to the same file. */
bool rom_file_is_same(const char *a, const char *b);

/* ---- printing */

/* "8086" for JSON. */
json_t *json_hex_id(uint16_t id);

/*
 * The command that repairs a file so: "pve-vfio rom fix FILE -o FILE.fixed --last". The caller frees
 * it; NULL without a repair or memory.
 */
char *rom_fix_command(const char *path, const struct rom_repair *repair);

/* A path as it is typed in a shell; the caller frees it. NULL without memory. */
char *rom_shell_word(const char *path);

/* The commands of a judgement as JSON, where there are any. */
json_t *json_repair(const char *path, const struct rom_repair *repair);

/* A file's name, or null when it is no UTF-8 and JSON cannot hold it. */
json_t *json_name(const char *name);

/* ---- for whom a ROM is judged */

struct rom_audience {
	bool has_target;
	struct rom_target target;
	enum rom_reader firmware; /* ROM_READER_COUNT: not known */
	/*
	 * The hostpci line, of another function of the slot, that has the driver OVMF runs;
	 * HOSTPCI_COUNT: there is none.
	 */
	size_t driver_line;
};

/* Whether the ROM is of use there: who names the firmware asks whether that runs it. */
bool rom_audience_is_served(const struct rom_audience *audience,
			    const struct rom_judgement *judgement);

/* From --device, --bios, --vmid and --hostpci, as far as they are given. */
int rom_audience_read(const struct command *command, struct rom_audience *ret,
		      struct error *err) must_check;

/*
 * Prints what becomes of the ROM: what the file is in place of one, a line or more for each reader of
 * interest, the remarks, and the repairs. `path` is the file, for the commands.
 */
void rom_judgement_print(const struct rom_audience *audience, const struct rom *rom,
			 const struct rom_judgement *judgement, const char *path);

/* Whether the reader is there at all: of the two firmwares only the VM's, when it is known. */
bool rom_audience_has(const struct rom_audience *audience, enum rom_reader reader);
