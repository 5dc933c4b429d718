/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/rom/vfct.c. A table as firmware makes it, then each bound that is broken in the field. */
#include "rom/vfct.h"

#include <errno.h>
#include <stdlib.h>

#include "test_rom_make.h"

#define FIRST 0x4c /* the first image's header */

static struct made made, first_rom, second_rom;
static struct vfct vfct;

static void add(uint32_t bus, uint16_t device_id, const struct made *data)
{
	made_vfct_add(&made, (struct made_vfct_image){ .bus = bus,
						       .vendor_id = 0x1002,
						       .device_id = device_id,
						       .data = made_bytes(data) });
}

/* Two devices and the empty header at the end: what most machines have. */
static int set_up(void **state)
{
	(void)state;
	made.size = first_rom.size = second_rom.size = 0;
	made_display(&first_rom, 0x1002, 0x1638);
	made_display(&second_rom, 0x1002, 0x73bf);
	made_fill(&second_rom, 512, 0xaa);
	made_vfct_start(&made);
	add(0xe4, 0x1638, &first_rom);
	add(0x03, 0x73bf, &second_rom);
	made_fill(&made, 28, 0);
	made_vfct_end(&made);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	vfct_done(&vfct);
	return 0;
}

static int parse(void)
{
	vfct_done(&vfct);
	return vfct_parse(made_bytes(&made), &vfct, NULL);
}

static void test_table(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(vfct.count, 2);
	assert_int_equal(vfct.end, VFCT_END_MARK);
	assert_true(vfct.checksum_ok);
	assert_int_equal(vfct.length, made.size);
	assert_int_equal(vfct.images[0].bus, 0xe4);
	assert_int_equal(vfct.images[0].device_id, 0x1638);
	assert_int_equal(vfct.images[0].revision, 1);
	assert_true(bytes_equal(vfct.images[0].data, made_bytes(&first_rom)));
	assert_true(bytes_equal(vfct.images[1].data, made_bytes(&second_rom)));
}

static void test_without_mark(void **state)
{
	(void)state;
	made.size -= 28;
	made_vfct_end(&made);
	assert_int_equal(parse(), 0);
	assert_int_equal(vfct.count, 2);
	assert_int_equal(vfct.end, VFCT_END_TABLE);
}

static void test_truncated_at_every_byte(void **state)
{
	(void)state;
	for (size_t size = 0; size < made.size; size++) {
		uint8_t *copy = malloc(size + !size);
		int r;

		assert_non_null(copy);
		memcpy(copy, made.data, size);
		vfct_done(&vfct);
		r = vfct_parse((struct bytes){ copy, size }, &vfct, NULL);
		assert_int_equal(r, size < FIRST ? -EBADMSG : 0);
		if (r == 0) {
			assert_false(vfct.checksum_ok);
			assert_int_equal(vfct.missing, made.size - size);
		}
		vfct_done(&vfct);
		free(copy);
	}
}

static void test_length_wraps(void **state)
{
	(void)state;
	put_u32(made.data + FIRST + 24, 0xffffffff);
	made_vfct_end(&made);
	assert_int_equal(parse(), 0);
	assert_int_equal(vfct.count, 0);
	assert_int_equal(vfct.end, VFCT_END_TRUNCATED);
}

static void test_second_is_too_long(void **state)
{
	size_t second = FIRST + 28 + first_rom.size;

	(void)state;
	put_u32(made.data + second + 24, (uint32_t)second_rom.size + 29);
	made_vfct_end(&made);
	assert_int_equal(parse(), 0);
	assert_int_equal(vfct.count, 1);
	assert_int_equal(vfct.end, VFCT_END_TRUNCATED);
}

static void test_first_offset(void **state)
{
	(void)state;
	put_u32(made.data + 0x34, 0x4b);
	assert_int_equal(parse(), -EBADMSG);
	put_u32(made.data + 0x34, (uint32_t)made.size + 1);
	assert_int_equal(parse(), -EBADMSG);
	put_u32(made.data + 0x34, 0xffffffff);
	assert_int_equal(parse(), -EBADMSG);
	put_u32(made.data + 0x34, (uint32_t)made.size);
	assert_int_equal(parse(), 0);
	assert_int_equal(vfct.count, 0);
}

static void test_not_a_table(void **state)
{
	(void)state;
	made.data[0] = 'X';
	assert_int_equal(parse(), -EBADMSG);
	made.data[0] = 'V';
	put_u32(made.data + 4, 35);
	assert_int_equal(parse(), -EBADMSG);
}

static void test_checksum_and_surplus(void **state)
{
	(void)state;
	made.data[FIRST + 40]++;
	made_fill(&made, 100, 0x33);
	assert_int_equal(parse(), 0);
	assert_false(vfct.checksum_ok);
	assert_int_equal(vfct.surplus, 100);
	assert_int_equal(vfct.count, 2);
}

static void test_find(void **state)
{
	const struct pci_address at_e4 = { .bus = 0xe4 }, at_e5 = { .bus = 0xe5 };
	const struct vfct_image *image = NULL;

	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(vfct_find(&vfct, at_e4, 0x1002, 0x1638, &image), VFCT_MATCH_EXACT);
	assert_ptr_equal(image, &vfct.images[0]);
	image = NULL;
	assert_int_equal(vfct_find(&vfct, at_e5, 0x1002, 0x1638, &image), VFCT_MATCH_ID);
	assert_ptr_equal(image, &vfct.images[0]);
	image = NULL;
	assert_int_equal(vfct_find(&vfct, at_e4, 0x1002, 0x9999, &image), VFCT_MATCH_NONE);
	assert_null(image);
}

static void test_find_among_equal_cards(void **state)
{
	const struct pci_address at_04 = { .bus = 4 }, at_09 = { .bus = 9 };
	const struct vfct_image *image = NULL;

	(void)state;
	made.size = 0;
	made_vfct_start(&made);
	add(3, 0x73bf, &first_rom);
	add(4, 0x73bf, &second_rom);
	made_vfct_end(&made);
	assert_int_equal(parse(), 0);
	assert_int_equal(vfct_find(&vfct, at_04, 0x1002, 0x73bf, &image), VFCT_MATCH_EXACT);
	assert_ptr_equal(image, &vfct.images[1]);
	image = NULL;
	assert_int_equal(vfct_find(&vfct, at_09, 0x1002, 0x73bf, &image), VFCT_MATCH_SEVERAL);
	assert_null(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_without_mark, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_truncated_at_every_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_length_wraps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_second_is_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_first_offset, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_a_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_checksum_and_surplus, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_find, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_find_among_equal_cards, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
