/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pve/schema.c and pve/version.c: what the installed Proxmox VE knows. */
#include "test.h"
#include "tree.h"

#include "pve/schema.h"
#include "pve/version.h"

/* In the manner of a PCI.pm: inner hashes, text of a here document, quoted keys. */
static const char pci_pm[] = "package PVE::QemuServer::PCI;\n"
			     "\n"
			     "my $PCIRE = qr/x/;\n"
			     "my $hostpci_fmt = {\n"
			     "    host => {\n"
			     "        default_key => 1,\n"
			     "        description => <<EODESCR,\n"
			     "Text with a 'word' => {\n"
			     "EODESCR\n"
			     "    },\n"
			     "    'x-vga' => {\n"
			     "\ttype => 'boolean',\n"
			     "    },\n"
			     "    \"mdev\"=> {\n"
			     "    },\n"
			     "};\n"
			     "my $other = {\n"
			     "    future => {\n"
			     "    },\n"
			     "};\n";

static void test_schema(void **state)
{
	cleanup_strings struct strings keys = { 0 };

	(void)state;
	assert_int_equal(hostpci_schema_parse(pci_pm, &keys), 0);
	assert_int_equal(keys.count, 3);
	assert_string_equal(keys.items[0], "host");
	assert_string_equal(keys.items[1], "x-vga");
	assert_string_equal(keys.items[2], "mdev");
}

static void test_schema_unreadable(void **state)
{
	static const char *const texts[] = {
		"",
		"my $hostpci_fmt = {\n",
		"my $hostpci_fmt = {\n};\n",
		"my $hostpci_fmt = {\n    host => {\n    },\n",
		"my $hostpci_fmt = {\n    mdev => {\n    },\n};\n",
		"my $hostpci_fmt = get_format();\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct strings keys = { 0 };

		assert_row(texts[i], hostpci_schema_parse(texts[i], &keys) == -EBADMSG);
		assert_null(keys.items);
	}
}

static void test_possible(void **state)
{
	(void)state;
	assert_true(pve_key_is_possible("sub-vendor-id"));
	assert_true(pve_key_is_possible("a1_b"));
	assert_false(pve_key_is_possible(" pcie"));
	assert_false(pve_key_is_possible("pcie "));
	assert_false(pve_key_is_possible("PCIE"));
	assert_false(pve_key_is_possible("1a"));
	assert_false(pve_key_is_possible(""));
}

/* The versions of qemu-server in which the commits came, by its debian/changelog. */
static void test_rules(void **state)
{
	static const struct {
		enum pve_rule rule;
		const char *version;
		bool holds;
	} rows[] = {
		{ PVE_RULE_MACHINE_FORMAT, "7.4-6", false },
		{ PVE_RULE_MACHINE_FORMAT, "8.1.2", true },
		{ PVE_RULE_NVIDIA_SYSFS, "8.2.4", false },
		{ PVE_RULE_NVIDIA_SYSFS, "8.2.5", true },
		{ PVE_RULE_MAPPING_MDEV, "8.3.8", false },
		{ PVE_RULE_MAPPING_MDEV, "8.4.10", true },
		{ PVE_RULE_SHOWCMD_DRY, "8.4.10", false },
		{ PVE_RULE_SHOWCMD_DRY, "9.0.1", true },
		{ PVE_RULE_HOSTPCI_DRIVER, "8.4.10", false },
		{ PVE_RULE_HOSTPCI_DRIVER, "9.0.24", false },
		{ PVE_RULE_HOSTPCI_DRIVER, "9.0.25", true },
		{ PVE_RULE_NVML, "9.1.10", false },
		{ PVE_RULE_NVML, "9.1.11", true },
		{ PVE_RULE_CLEANUP_FLAG, "9.1.12", false },
		{ PVE_RULE_CLEANUP_FLAG, "9.1.13", true },
		{ PVE_RULE_ROMFILE_ROOT, "8.4.9", false },
		{ PVE_RULE_ROMFILE_ROOT, "8.4.10", true },
		{ PVE_RULE_ROMFILE_ROOT, "9.0.1", false },
		{ PVE_RULE_ROMFILE_ROOT, "9.2.5", false },
		{ PVE_RULE_ROMFILE_ROOT, "9.2.6", true },
		{ PVE_RULE_ROMFILE_ROOT, NULL, true },
		{ PVE_RULE_HOSTPCI_DRIVER, NULL, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(pve_rule_describe(rows[i].rule)->name,
			   pve_rule_holds_in(rows[i].rule, rows[i].version) == rows[i].holds);
	assert_true(pve_version_is_known("9.2.6"));
	assert_false(pve_version_is_known("9.2.7"));
	assert_false(pve_version_is_known(NULL));
}

static void test_knowledge(void **state)
{
	const struct tree *tree = *state;

	/* nothing can be determined of the node */
	assert_int_equal(hostpci_key_knowledge(&tree->root, "driver", true), KEY_KNOWN);
	assert_int_equal(hostpci_key_knowledge(&tree->root, "future", false), KEY_UNTOLD);
	assert_int_equal(hostpci_key_knowledge(NULL, "future", false), KEY_UNTOLD);
	tree_file(tree, "var/lib/dpkg/status",
		  "Package: qemu-server\nStatus: install ok installed\nVersion: 9.0.24\n");
	assert_int_equal(hostpci_key_knowledge(&tree->root, "driver", true), KEY_UNKNOWN);
	assert_int_equal(hostpci_key_knowledge(&tree->root, "mdev", true), KEY_KNOWN);
	assert_int_equal(hostpci_key_knowledge(&tree->root, "future", false), KEY_UNKNOWN);
	assert_true(pve_rule_holds(&tree->root, PVE_RULE_MAPPING_MDEV));
	assert_false(pve_rule_holds(&tree->root, PVE_RULE_HOSTPCI_DRIVER));
	tree_file(tree, PCI_PM_PATH, "%s", pci_pm);
	assert_int_equal(hostpci_key_knowledge(&tree->root, "x-vga", true), KEY_KNOWN);
	assert_int_equal(hostpci_key_knowledge(&tree->root, "pcie", true), KEY_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema),	 cmocka_unit_test(test_schema_unreadable),
		cmocka_unit_test(test_possible), cmocka_unit_test(test_rules),
		tree_test(test_knowledge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
