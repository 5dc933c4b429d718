/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom check. Says what will become of an option ROM in a VM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "setup/rom/rom.h"

static void print_text(const struct rom_file *file, const struct rom_audience *audience)
{
	printf("%s", file->name);
	if (audience->has_target)
		printf(", for %04x:%04x", audience->target.vendor, audience->target.device);
	printf("\n\n");
}

static int print_judgement_json(const struct rom_file *file, const char *path,
				const struct rom_audience *audience,
				const struct rom_judgement *judgement, struct error *err)
{
	json_t *readers = json_array(), *remarks = json_array(), *device = json_null();

	for (enum rom_reader reader = 0; reader < ROM_READER_COUNT; reader++) {
		const struct rom_verdict *verdict = &judgement->verdicts[reader];

		if (!rom_audience_has(audience, reader))
			continue;
		json_array_append_new(readers,
				      json_pack("{s:s, s:b, s:s, s:o}", "name",
						rom_reader_name(reader), "works", verdict->works,
						"why", verdict->why, "repair",
						json_repair(path, &verdict->repair)));
	}
	for (size_t i = 0; i < judgement->remark_count; i++) {
		const struct rom_remark *remark = &judgement->remarks[i];

		json_array_append_new(remarks,
				      json_pack("{s:s, s:s, s:o}", "id",
						rom_remark_name(remark->id), "text", remark->text,
						"repair", json_repair(path, &remark->repair)));
	}
	if (audience->has_target)
		device = json_pack("{s:o, s:o}", "vendor", json_hex_id(audience->target.vendor),
				   "device", json_hex_id(audience->target.device));
	return print_json(json_pack("{s:o, s:o, s:b, s:s?, s:b, s:o, s:o}", "file",
				    json_name(file->name), "target", device, "usable",
				    rom_audience_is_served(audience, judgement), "kind",
				    rom_kind_name(judgement->kind), "cut_short", judgement->cut,
				    "readers", readers, "remarks", remarks),
			  err);
}

int verb_rom_check(struct command *command, struct error *err)
{
	cleanup_rom_judgement struct rom_judgement judgement = { 0 };
	cleanup_rom_file struct rom_file file = { 0 };
	const char *path = command->argv[0];
	cleanup_rom struct rom rom = { 0 };
	struct rom_audience audience = { 0 };
	int r = rom_audience_read(command, &audience, err);

	if (r == 0)
		r = rom_file_read(path, &file, err);
	if (r == 0)
		r = rom_parse(rom_file_bytes(&file), &rom, err);
	if (r == 0)
		r = rom_judge(&rom, audience.has_target ? &audience.target : NULL, &judgement, err);
	if (r == 0 && command->json) {
		r = print_judgement_json(&file, path, &audience, &judgement, err);
	} else if (r == 0) {
		print_text(&file, &audience);
		rom_judgement_print(&audience, &rom, &judgement, path);
	}
	if (r < 0)
		return r;
	return rom_audience_is_served(&audience, &judgement) ? 0 : error_refuse_silently(err);
}
