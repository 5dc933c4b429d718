/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: any bytes as an option ROM, through all that lib/rom does with one. */
#include <stdlib.h>

#include "rom/fix.h"
#include "rom/vendor.h"
#include "rom/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold stops the fuzzer when it does not. */
static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_images(const struct rom *rom)
{
	size_t offset = rom->header.size;

	must(rom->chain_count <= rom->reach_count && rom->reach_count <= rom->count &&
	     (rom->count == 0 || rom->chain_count > 0));
	for (size_t i = 0; i < rom->count; i++) {
		const struct rom_image *image = &rom->images[i];
		char code[ROM_CODE_TEXT];
		struct rom_atom atom;
		struct rom_npde npde;

		/* one after another, and none outside the file */
		offset += image->gap;
		must(image->gap == 0 || (i >= rom->chain_count && i < rom->reach_count));
		must(image->offset == offset && image->data.size <= rom->file.size - offset);
		must(image->data.size <= image->size);
		must(image->private == (i >= rom->reach_count));
		offset += image->data.size;
		(void)rom_code_name(image, code);
		(void)rom_atom_find(image, &atom);
		(void)rom_npde_find(image, &npde);
		(void)rom_image_lists_device(image, 0x1234);
	}
	must(offset + rom->trailer.size == rom->file.size || rom->count == 0);
}

static void judge(const struct rom *rom, const struct rom_target *target)
{
	struct rom_judgement judgement;

	must(rom_judge(rom, target, &judgement, NULL) == 0);
	for (enum rom_reader reader = 0; reader < ROM_READER_COUNT; reader++)
		must(judgement.verdicts[reader].why);
	for (enum rom_reader reader = 0; reader < ROM_READER_COUNT; reader++)
		must(!judgement.verdicts[reader].repair.steps || !judgement.cut);
	rom_judgement_done(&judgement);
}

/* What a step leaves has the sums that were right; a second time nothing is left to do. */
static void apply(struct bytes file, unsigned steps)
{
	const struct rom_repair repair = { steps, 0x1002, 0x73bf };
	struct rom_fix fix, again;
	struct rom rom;

	if (rom_fix_start(file, &fix, NULL) < 0)
		return;
	if (rom_fix_apply(&fix, &repair, NULL) == 0) {
		must(rom_parse(file, &rom, NULL) == 0);
		for (size_t i = 0; i < rom.reach_count && i < fix.rom.reach_count; i++)
			must(rom.images[i].code != ROM_CODE_X86 || rom.images[i].missing > 0 ||
			     rom.images[i].sum != 0 || fix.rom.images[i].sum == 0 ||
			     fix.rom.images[i].code != ROM_CODE_X86);
		rom_done(&rom);
		must(rom_fix_start(fix.rom.file, &again, NULL) == 0);
		must(rom_fix_apply(&again, &repair, NULL) == 0);
		must(bytes_equal(fix.rom.file, again.rom.file));
		rom_fix_done(&again);
	}
	rom_fix_done(&fix);
}

/* A repair gives a ROM in which what was repaired is right. */
static void repair(struct bytes file)
{
	struct rom_fix fix;

	if (rom_fix_start(file, &fix, NULL) < 0)
		return;
	(void)rom_fix_strip_header(&fix, NULL);
	if (rom_fix_last(&fix, NULL) == 0)
		must(fix.rom.images[fix.rom.reach_count - 1].last);
	for (size_t i = 0; i < fix.rom.reach_count; i++) {
		(void)rom_fix_vendor(&fix, i, 0x1002, NULL);
		(void)rom_fix_device(&fix, i, 0x73bf, NULL);
		(void)rom_fix_checksum(&fix, i, NULL);
	}
	(void)rom_fix_trim(&fix, NULL);
	(void)rom_fix_pad(&fix, NULL);
	must(fix.rom.file.size == fix.size && fix.rom.file.data == fix.data);
	for (size_t i = 0; i < fix.change_count; i++)
		must(fix.changes[i].offset + fix.changes[i].size <= fix.size);
	check_images(&fix.rom);
	rom_fix_done(&fix);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rom_target target = {
		.vendor = 0x1002,
		.device = 0x1637,
		.siblings = { { 0x1002, 0x1638, 0x040300 } },
		.sibling_count = 1,
	};
	struct bytes file = { data, size };
	struct rom_vbt vbt;
	struct rom rom;

	must(rom_parse(file, &rom, NULL) == 0);
	check_images(&rom);
	(void)rom_header_name(rom.header);
	(void)rom_vbt_find(file, &vbt);
	judge(&rom, &target);
	judge(&rom, NULL);
	rom_done(&rom);
	repair(file);
	for (unsigned step = ROM_STEP_STRIP_HEADER; step <= ROM_STEP_PAD; step <<= 1)
		apply(file, step);
	apply(file, ROM_STEP_LAST | ROM_STEP_DEVICE | ROM_STEP_TRIM | ROM_STEP_PAD);
	return 0;
}
