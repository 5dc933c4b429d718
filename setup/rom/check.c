/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom check. Says what will become of an option ROM in a VM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "setup/rom/rom.h"

static void print_text(const struct rom_file *file, const struct rom_audience *audience,
		       const struct rom_judgement *judgement)
{
	printf("%s", file->name);
	if (audience->has_target)
		printf(", for %04x:%04x", audience->target.vendor, audience->target.device);
	printf("\n\n");
	rom_judgement_print(audience, judgement);
}

static void print_json(const struct rom_file *file, const struct rom_audience *audience,
		       const struct rom_judgement *judgement, bool usable)
{
	json_t *readers = json_array(), *remarks = json_array(), *device = json_null();

	for (enum rom_reader reader = 0; reader < ROM_READER_COUNT; reader++)
		if (rom_audience_has(audience, reader))
			json_array_append_new(readers,
					      json_pack("{s:s, s:b, s:s}", "name",
							rom_reader_name(reader), "works",
							judgement->verdicts[reader].works, "why",
							judgement->verdicts[reader].why));
	for (size_t i = 0; i < judgement->remark_count; i++)
		json_array_append_new(remarks, json_pack("{s:s, s:s}", "id",
							 rom_remark_name(judgement->remarks[i].id),
							 "text", judgement->remarks[i].text));
	if (audience->has_target)
		device = json_pack("{s:o, s:o}", "vendor", json_hex_id(audience->target.vendor),
				   "device", json_hex_id(audience->target.device));
	print_json_document(json_pack("{s:o, s:o, s:b, s:o, s:o}", "file", json_name(file->name),
				      "target", device, "usable", usable, "readers", readers,
				      "remarks", remarks));
}

int rom_check(const struct rom_command *command, struct error *err)
{
	cleanup_rom_judgement struct rom_judgement judgement = { 0 };
	cleanup_rom_file struct rom_file file = { 0 };
	cleanup_rom struct rom rom = { 0 };
	struct rom_audience audience = { 0 };
	int status = rom_audience_read(command, &audience, err);
	bool usable;

	if (status != STATUS_DONE)
		return status;
	if (rom_file_read(command->words[0], &file, err) < 0 ||
	    rom_parse(rom_file_bytes(&file), &rom, err) < 0 ||
	    rom_judge(&rom, audience.has_target ? &audience.target : NULL, &judgement, err) < 0)
		return STATUS_FAILED;
	/* Who names the firmware asks whether that runs it; a driver's use is not enough then. */
	usable = !rom_judgement_is_hopeless(&judgement, audience.firmware) &&
		 (audience.firmware == ROM_READER_COUNT ||
		  judgement.verdicts[audience.firmware].works);
	if (command->json)
		print_json(&file, &audience, &judgement, usable);
	else
		print_text(&file, &audience, &judgement);
	return usable ? STATUS_DONE : STATUS_REFUSED;
}
