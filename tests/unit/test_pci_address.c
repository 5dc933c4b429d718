/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/address.c. */
#include "test.h"

#include <errno.h>

#include "pci/address.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		struct pci_address address;
		const char *formatted; /* NULL: as it was */
	} rows[] = {
		{ "0000:00:00.0", { 0, 0, 0, 0 }, NULL },
		{ "0000:01:00.1", { 0, 1, 0, 1 }, NULL },
		{ "0000:ff:1f.7", { 0, 0xff, 0x1f, 7 }, NULL },
		{ "0001:0a:1b.2", { 1, 0x0a, 0x1b, 2 }, NULL },
		{ "ffff:00:00.0", { 0xffff, 0, 0, 0 }, NULL },
		/* VMD: Documentation/PCI, domains from 0x10000 on */
		{ "10000:e1:00.0", { 0x10000, 0xe1, 0, 0 }, NULL },
		{ "ffffffff:ff:1f.7", { UINT32_MAX, 0xff, 0x1f, 7 }, NULL },
		{ "0000:AB:1F.0", { 0, 0xab, 0x1f, 0 }, "0000:ab:1f.0" },
		{ "000A:00:00.0", { 10, 0, 0, 0 }, "000a:00:00.0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pci_address address = { 0 };
		char buffer[PCI_ADDRESS_TEXT];

		assert_row(rows[i].text, pci_address_parse(rows[i].text, &address) == 0);
		assert_row(rows[i].text, pci_address_equal(address, rows[i].address));
		assert_string_equal(pci_address_format(address, buffer),
				    rows[i].formatted ? rows[i].formatted : rows[i].text);
	}
}

static void test_parse_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"01:00.0",    /* no domain: not as in sysfs */
		"0000:01:00", /* no function */
		"0000:01:00.",
		"0000:01:00.8", /* three bits */
		"0000:01:00.f",
		"0000:01:00.10",
		"0000:01:20.0",	     /* five bits */
		"0000:100:00.0",     /* eight bits */
		"100000000:00:00.0", /* 32 bits */
		"0000:01:00.0 ",
		" 0000:01:00.0",
		"0000:01:00.0\n",
		"0000:01:00.0.0",
		"0000:01:00:0",
		"0000.01:00.0",
		"0000::00.0",
		":01:00.0",
		"0000:01:.0",
		"+000:01:00.0",
		"-1:01:00.0",
		"0x00:01:00.0",
		"000g:01:00.0",
		"0000:0g:00.0",
		"0000:00:0g.0",
		"0000:00:00.g",
		"0000:01:00.0/../..",
		"pci0000:00",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct pci_address address = { 1, 2, 3, 4 };

		assert_row(bad[i], pci_address_parse(bad[i], &address) == -EINVAL);
		assert_row(bad[i], pci_address_equal(address, (struct pci_address){ 1, 2, 3, 4 }));
	}
}

/* A full address of sysfs has four digits or more, two, two and one. */
static void test_parse_refuses_other_widths(void **state)
{
	static const char *const bad[] = {
		"0:01:00.0",	      "000:01:00.0",	  "0000:1:00.0",   "0000:01:0.0",
		"0000:001:00.0",      "0000:01:000.0",	  "0000:01:00.00", "00000:01:00.0",
		"0000000001:01:00.0", "00010000:01:00.0",
	};
	struct pci_address address;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], pci_address_parse(bad[i], &address) == -EINVAL);
}

static void test_compare(void **state)
{
	static const struct pci_address ordered[] = {
		{ 0, 0, 0, 0 },	     { 0, 0, 0, 1 },	   { 0, 0, 0x1f, 0 },	    { 0, 1, 0, 0 },
		{ 0, 9, 0, 0 },	     { 0, 0x10, 0, 0 },	   { 0, 0xff, 0, 0 },	    { 1, 0, 0, 0 },
		{ 0xffff, 0, 0, 0 }, { 0x10000, 0, 0, 0 }, { UINT32_MAX, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(ordered); i++) {
		for (size_t k = 0; k < COUNT(ordered); k++) {
			int order = pci_address_compare(ordered[i], ordered[k]);

			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
			assert_int_equal(pci_address_equal(ordered[i], ordered[k]), i == k);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_refuses_other_widths),
		cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
