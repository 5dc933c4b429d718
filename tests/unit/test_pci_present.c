/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/present.c. */
#include "test.h"
#include "tree.h"

#include "pci/present.h"

static void assert_match(const struct pci_present *present, const char *start, const char *expected)
{
	cleanup_pci_addresses struct pci_addresses found = { 0 };
	cleanup_text struct text words = { 0 };

	assert_int_equal(pci_present_match(present, start, &found), 0);
	for (size_t i = 0; i < found.count; i++) {
		char name[PCI_ADDRESS_TEXT];

		text_add(&words, "%s%s", i > 0 ? " " : "",
			 pci_address_format(found.items[i], name));
	}
	assert_string_equal(words.data ? words.data : "", expected);
}

static void assert_all(const struct pci_present *present)
{
	assert_match(present, "01:00.0", "0000:01:00.0");
	assert_match(present, "01:00", "0000:01:00.0 0000:01:00.1");
	assert_match(present, "0000:01:00", "0000:01:00.0 0000:01:00.1");
	assert_match(present, "0001:01:00", "0001:01:00.0");
	assert_match(present, "10000:00:01", "10000:00:01.0");
	assert_match(present, "0000:00:01", "");
	assert_match(present, "00:01", "");
	assert_match(present, "01:00.2", "");
	assert_match(present, "1:00.0", "");
	assert_match(present, "0a:1f", "0000:0a:1f.7");
	assert_match(present, "0A:1F", "");
	/* each once, in order */
	assert_match(present, "0000", "0000:01:00.0 0000:01:00.1 0000:0a:1f.7");
	assert_match(present, "0000:", "0000:01:00.0 0000:01:00.1 0000:0a:1f.7");
	assert_match(present, "",
		     "0000:01:00.0 0000:01:00.1 0000:0a:1f.7 0001:01:00.0 10000:00:01.0");
}

static void assert_has(const struct pci_present *present, const char *name, bool expected)
{
	struct pci_address address;

	assert_int_equal(pci_address_parse(name, &address), 0);
	assert_int_equal(pci_present_has(present, address), expected);
}

static const char *const machine[] = { "0001:01:00.0", "0000:01:00.1", "0000:0a:1f.7",
				       "10000:00:01.0", "0000:01:00.0" };

static void test_read(void **state)
{
	cleanup_pci_present struct pci_present present = { 0 };
	const struct tree *tree = *state;
	struct error err = { 0 };

	assert_int_equal(pci_present_read(&tree->root, &present, &err), -ENOENT);
	assert_string_equal(err.message, "cannot list the PCI devices in /sys/bus/pci/devices: No "
					 "such file or directory");
	for (size_t i = 0; i < COUNT(machine); i++)
		tree_add_device(tree, &(struct tree_device){ .address = machine[i] });
	/* none of ours */
	tree_folder(tree, "sys/bus/pci/devices/a name that is longer than an address");
	tree_folder(tree, "sys/bus/pci/devices/01:00.0");
	assert_int_equal(pci_present_read(&tree->root, &present, &err), 0);
	assert_all(&present);
	assert_has(&present, "0000:01:00.0", true);
	assert_has(&present, "10000:00:01.0", true);
	assert_has(&present, "0000:00:01.0", false);
	assert_has(&present, "0002:01:00.0", false);
}

static void test_add(void **state)
{
	cleanup_pci_present struct pci_present present = { 0 };
	struct pci_address address;

	(void)state;
	assert_match(&present, "01:00.0", "");
	assert_int_equal(pci_address_parse(machine[0], &address), 0);
	assert_false(pci_present_has(&present, address));
	for (size_t i = 0; i < COUNT(machine); i++) {
		assert_int_equal(pci_address_parse(machine[i], &address), 0);
		pci_present_add(&present, address);
	}
	assert_all(&present);
	/* an entry that is there twice means a function twice */
	{
		cleanup_pci_addresses struct pci_addresses found = { 0 };

		assert_int_equal(pci_present_match(&present, "01:00.0", &found), 0);
		assert_int_equal(pci_present_match(&present, "01:00", &found), 0);
		assert_int_equal(found.count, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_read),
		tree_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
