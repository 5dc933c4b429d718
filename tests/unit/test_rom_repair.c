/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit: what a judgement says of repairs, held against lib/rom/fix.c: on ROMs of all kinds and on a
 * thousand that are damaged anywhere, each repair that is named is done, is enough, and is done only
 * once; and no repair makes a right checksum wrong.
 */
#include "rom/verdict.h"

#include <stdlib.h>

#include "base/array.h"
#include "test_rom_make.h"

#define MUTANTS 1000

static const struct rom_target targets[] = {
	{ .vendor = 0x10de, .device = 0x2484, .class_code = 0x030000 },
	{ .vendor = 0x1002, .device = 0x1637, .class_code = 0x030000 },
	{ .vendor = 0x8086, .device = 0x5a85, .class_code = 0x038000, .before = ROM_DISPLAYS_NONE },
	{ .vendor = 0x1002,
	  .device = 0x1640,
	  .class_code = 0x040300,
	  .siblings = { { 0x1002, 0x1637, 0x030000 } },
	  .sibling_count = 1 },
};

static void add_x86(struct made *made, uint16_t vendor, uint16_t device, bool last)
{
	made_add(made, (struct made_image){ .vendor = vendor,
					    .device = device,
					    .blocks = 8,
					    .last = last,
					    .class_code = 0x030000 });
}

static void add_efi(struct made *made, uint16_t vendor, uint16_t device, bool last)
{
	made_add(made, (struct made_image){ .code = 3,
					    .vendor = vendor,
					    .device = device,
					    .blocks = 8,
					    .last = last });
}

static void shift(struct made *made, size_t size, const char *name)
{
	memmove(made->data + size, made->data, made->size);
	memset(made->data, 0x11, size);
	memcpy(made->data, name, 4);
	made->size += size;
}

/* NVIDIA's way: no jump that leaves a byte free, and the balance at the end of filler. */
static void nvidia(struct made *made, const char *filler)
{
	memcpy(made->data + 3, "\xeb\x4b\x37\x34", 4);
	for (size_t i = 0; i < 64; i++)
		made->data[4032 + i] = (uint8_t)filler[i % 2];
	made->data[4095] = 0x33;
	made->data[4095] = (uint8_t)(0x33 - bytes_sum((struct bytes){ made->data, 4096 }));
}

/* The ROMs, by number; false behind the last. */
static bool make(struct made *made, size_t number)
{
	made->size = 0;
	switch (number) {
	case 0:
	case 1:
		made_display(made, 0x10de, 0x2484);
		made->data[1000] = (uint8_t)(made->data[1000] + number);
		return true;
	case 2: /* for another function of the slot, and of the AMD APU */
		made_display(made, 0x1002, 0x1637);
		made_atom(made, 0);
		return true;
	case 3: /* ids read as decimal */
		made_display(made, 1002, 1637);
		return true;
	case 4: /* the family's id, a copy of memory */
		add_x86(made, 0x8086, 0x0406, true);
		made->data[500] = 1;
		return true;
	case 5: /* half a ROM */
		add_x86(made, 0x10de, 0x2484, false);
		return true;
	case 6: /* the flag too early, and twice */
		add_x86(made, 0x10de, 0x2484, true);
		add_efi(made, 0x10de, 0x2484, true);
		add_efi(made, 0x10de, 0x2484, true);
		return true;
	case 7: /* no flag */
		add_x86(made, 0x10de, 0x2484, false);
		add_efi(made, 0x10de, 0x2484, false);
		made_fill(made, 1000, 0xff);
		return true;
	case 8:
	case 9: /* a flash image, whole and with a legacy image alone */
		if (number == 8)
			made_display(made, 0x10de, 0x2484);
		else
			add_x86(made, 0x10de, 0x2484, true);
		made->data[1000] = (uint8_t)(made->data[1000] + 1);
		shift(made, 1024, "NVGI");
		return true;
	case 10:
	case 11: /* what balances is at the end, wrong */
		made_display(made, 0x10de, 0x2484);
		nvidia(made, number == 10 ? "\xff\xff" : "\x8b\xc0");
		made->data[1000]++;
		return true;
	case 12: /* a gap */
		add_x86(made, 0x10de, 0x2484, false);
		made_fill(made, 1024, 0xff);
		add_efi(made, 0x10de, 0x2484, false);
		return true;
	case 13: /* wildcards */
		add_x86(made, 0x8086, 0xffff, false);
		add_efi(made, 0x0000, 0x0000, true);
		return true;
	case 14: /* a length of 0 */
		add_efi(made, 0x10de, 0x2484, false);
		add_x86(made, 0x10de, 0x2484, false);
		put_u16(made->data + 4096 + MADE_PCIR + 0x10, 0);
		return true;
	case 15: /* cut short */
		made_display(made, 0x10de, 0x2484);
		made->size -= 1;
		return true;
	case 16: /* what is summed up reaches into the next image */
		add_x86(made, 0x10de, 0x2484, false);
		add_x86(made, 0x10de, 0x2488, true);
		made->data[2] = 10;
		made_balance(made, 0, 5120);
		return true;
	case 17:
		made_fill(made, 4096, 0xff);
		return true;
	case 18: /* nothing is free for a checksum but the reserved word */
		add_x86(made, 0x10de, 0x2484, true);
		memcpy(made->data + 3, "\xeb\x4b\x37\x34", 4);
		memset(made->data + 4000, 0x77, 96);
		return true;
	case 19: /* a driver in byte code, and one for another machine */
		add_efi(made, 0x1002, 0x1637, false);
		put_u16(made->data + 0xc4, 0xaa64);
		add_efi(made, 0x1002, 0x1637, true);
		put_u16(made->data + 4096 + 0xc4, 0x0ebc);
		return true;
	default:
		return false;
	}
}

/* Which images had a right sum; whatever is repaired, they have it still. */
static void assert_sums_kept(const struct rom *before, const struct rom *after)
{
	for (size_t i = 0; i < before->reach_count && i < after->reach_count; i++)
		if (before->images[i].code == ROM_CODE_X86 && before->images[i].missing == 0 &&
		    before->images[i].sum == 0)
			assert_int_equal(after->images[i].sum, 0);
}

static void assert_only_once(const struct rom_fix *fix, const struct rom_repair *repair)
{
	struct rom_fix again = { 0 };

	struct error err = { 0 };

	assert_int_equal(rom_fix_start(fix->rom.file, &again, NULL), 0);
	if (rom_fix_apply(&again, repair, &err) < 0)
		fail_msg("steps %x do not go a second time: %s", repair->steps, err.message);
	if (!bytes_equal(fix->rom.file, again.rom.file))
		fail_msg("steps %x change more the second time: %zu bytes at 0x%zx, %zu trimmed",
			 repair->steps, again.change_count,
			 again.change_count ? again.changes[0].offset : 0, again.trimmed);
	rom_fix_done(&again);
}

/* What was named is done; the result is judged anew. */
static void assert_repair(const struct rom *rom, const struct rom_target *target,
			  const struct rom_repair *repair, struct rom_judgement *ret)
{
	struct rom_fix fix = { 0 };

	assert_int_equal(rom_fix_start(rom->file, &fix, NULL), 0);
	assert_int_equal(rom_fix_apply(&fix, repair, NULL), 0);
	assert_true(rom_fix_has_changed(&fix));
	assert_sums_kept(rom, &fix.rom);
	assert_only_once(&fix, repair);
	assert_int_equal(rom_judge(&fix.rom, target, ret, NULL), 0);
	rom_fix_done(&fix);
}

/* Counts the repairs that are named. */
static size_t check_judgement(const struct rom *rom, const struct rom_target *target)
{
	struct rom_judgement judgement = { 0 }, after = { 0 };
	size_t count = 0;

	assert_int_equal(rom_judge(rom, target, &judgement, NULL), 0);
	for (enum rom_reader reader = 0; reader < ROM_READER_COUNT; reader++) {
		const struct rom_verdict *verdict = &judgement.verdicts[reader];

		/* the sentence itself promises nothing */
		assert_null(strstr(verdict->why, "rom fix"));
		if (!verdict->repair.steps)
			continue;
		assert_false(verdict->works || judgement.cut);
		assert_repair(rom, target, &verdict->repair, &after);
		assert_true(after.verdicts[reader].works);
		rom_judgement_done(&after);
		count++;
	}
	for (size_t i = 0; i < judgement.remark_count; i++) {
		const struct rom_remark *remark = &judgement.remarks[i];

		assert_null(strstr(remark->text, "rom fix"));
		if (!remark->repair.steps)
			continue;
		assert_false(judgement.cut);
		assert_repair(rom, target, &remark->repair, &after);
		for (size_t k = 0; k < after.remark_count; k++)
			assert_int_not_equal(after.remarks[k].id, remark->id);
		rom_judgement_done(&after);
		count++;
	}
	if (judgement.cut)
		assert_true(rom_judgement_is_hopeless(&judgement, ROM_READER_COUNT));
	rom_judgement_done(&judgement);
	return count;
}

/* Whatever is asked for: a right sum stays right, and a second time nothing is left to do. */
static void check_steps(const struct rom *rom)
{
	for (unsigned steps = 1; steps < 2 * ROM_STEP_PAD; steps += 1 + steps / 8) {
		const struct rom_repair repair = { steps, 0x10de, 0x1234 };
		struct rom_fix fix = { 0 };

		if (rom_fix_start(rom->file, &fix, NULL) < 0)
			return;
		if (rom_fix_apply(&fix, &repair, NULL) == 0) {
			assert_sums_kept(rom, &fix.rom);
			assert_only_once(&fix, &repair);
		}
		rom_fix_done(&fix);
	}
}

static size_t check_bytes(const struct made *made)
{
	size_t count;
	struct rom rom;

	assert_int_equal(rom_parse(made_bytes(made), &rom, NULL), 0);
	count = check_judgement(&rom, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		count += check_judgement(&rom, &targets[i]);
	check_steps(&rom);
	rom_done(&rom);
	return count;
}

static struct made made;

static void test_every_kind(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; make(&made, i); i++)
		count += check_bytes(&made);
	/* the test is of something */
	assert_true(count > 30);
}

/* Not random: a failure comes again. */
static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void test_mutants(void **state)
{
	uint32_t seed = 20;
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < MUTANTS; i++) {
		if (!make(&made, i % 20))
			fail_msg("there are no 20 kinds");
		for (uint32_t k = next(&seed) % 4; k-- > 0;) {
			/* most of what is read is in the first 256 bytes of a block */
			size_t at = (next(&seed) % (made.size / 512)) * 512 + next(&seed) % 256;

			made.data[at] = (uint8_t)next(&seed);
		}
		if (next(&seed) % 4 == 0)
			made.size -= next(&seed) % 3000;
		count += check_bytes(&made);
	}
	assert_true(count > 500);
}

/* The words for the command line; 'rom fix' reads them (tests/cli/test-rom). */
static void test_options(void **state)
{
	struct rom_repair repair = { ROM_STEP_STRIP_HEADER | ROM_STEP_VENDOR | ROM_STEP_DEVICE |
					     ROM_STEP_CHECKSUM,
				     0x1002, 0x73bf };
	char *options = rom_repair_options(&repair);

	(void)state;
	assert_string_equal(options, "--strip-header --vendor 1002 --device 73bf --checksum");
	free(options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_mutants),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
