/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: resource mappings. What each row expects is what PVE's own Perl gave for it: SectionConfig
 * and JSONSchema of pve-common, Mapping/PCI.pm of pve-guest-common 6.0.2.
 */
#include "test.h"

#include <errno.h>
#include <stdbool.h>

#include "pve/mapping.h"
#include "tree.h"

#define MAP   "node=pve,id=10de:2204,path=0000:01:00.0"
#define ENTRY "pve 10de:2204 - - 0000:01:00.0;"
#define GPU   "gpu\n\tmap " MAP "\n"

/* The mapping "gpu" as one line, "-" where there is none. */
static char *describe(const struct mappings *mappings)
{
	const struct mapping *mapping = mappings_find(mappings, "gpu");
	struct text text = { 0 };

	if (!mapping)
		return strdup("-");
	text_add(&text, "%s", mapping->mdev ? "mdev " : "");
	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_entry *entry = &mapping->entries[i];

		text_add(&text, "%s %s %s %s", entry->node, entry->id,
			 entry->subsystem_id ? entry->subsystem_id : "-",
			 entry->iommu_group ? entry->iommu_group : "-");
		for (size_t j = 0; j < entry->paths.count; j++)
			text_add(&text, " %s", entry->paths.items[j]);
		text_add(&text, ";");
	}
	return text_take(&text);
}

/* ---- sections: parse_config() and check_value() in SectionConfig.pm */

static const struct {
	const char *content;
	const char *gpu;
	const char *dropped; /* the numbers of the lines; a section without a map at its end */
} section_rows[] = {
	{ "", "-", "" },
	{ GPU, ENTRY, "" },
	{ "gpu\n\tmap " MAP, ENTRY, "" },
	{ "gpu\r\n\tmap " MAP "\r\n", ENTRY, "" },
	{ "\n\n0\n" GPU, ENTRY, "" },
	{ "gpu \t\n  map   " MAP "  \n", ENTRY, "" },
	{ GPU "\tmap " MAP "\n", ENTRY ENTRY, "" },
	/* what is a header */
	{ "pci: gpu\n\tmap " MAP "\n", "-", " 1 2" },
	{ " gpu\n\tmap " MAP "\n", "-", " 1 2" },
	{ "gpu x\n\tmap " MAP "\n", "-", " 1 2" },
	{ "g\n\tmap " MAP "\n\tnosuch 1\n\n" GPU, ENTRY, " 1" },
	{ "0gpu\n\tmap " MAP "\n\n" GPU, ENTRY, " 1" },
	{ "\xc3\xbcx\n\n" GPU, ENTRY, " 1" },
	/* what ends a section */
	{ GPU "nic\n\tmap " MAP "\n", ENTRY ENTRY, " 3" },
	{ GPU " \nnic\n\tmap " MAP "\n", ENTRY ENTRY, " 3 4" },
	{ GPU "\r\nnic\r\n\tmap " MAP "\n", ENTRY ENTRY, " 3 4" },
	{ GPU "\nnic\n\tmap " MAP "\n", ENTRY, "" },
	{ GPU "0\nnic\n\tmap " MAP "\n", ENTRY, "" },
	{ GPU "00\n\tmap " MAP "\n", ENTRY ENTRY, " 3" },
	{ GPU "\n\tmdev 1\n", ENTRY, " 4" },
	/* comments go first, and end nothing */
	{ "# a\ngpu\n #b\n\t# map x\n\tmap " MAP "\n", ENTRY, "" },
	{ "gpu\n\tmap " MAP " # x\n", "-", " 2 1" },
	/* a section without a map is none, and replaces an earlier one */
	{ "gpu\n", "-", " 1" },
	{ "gpu\n\tmdev 1\n", "-", " 1" },
	{ GPU "\ngpu\n", "-", " 4" },
	{ GPU "\ngpu\n\tmdev\n\tmap " MAP ",iommugroup=1\n", "mdev pve 10de:2204 - 1 0000:01:00.0;",
	  "" },
	/* booleans */
	{ GPU "\tmdev 1\n", "mdev " ENTRY, "" },
	{ GPU "\tmdev\n", "mdev " ENTRY, "" },
	{ GPU "\tmdev 0\n", ENTRY, "" },
	{ GPU "\tmdev on\n", ENTRY, " 3" },
	{ GPU "\tmdev 1 # x\n", ENTRY, " 3" },
	{ GPU "\tmdev 2\n\tmdev 1\n", "mdev " ENTRY, " 3" },
	{ GPU "\tmdev 0\n\tmdev 1\n", ENTRY, " 4" },
	{ GPU "\tlive-migration-capable\n\tlive-migration-capable 1\n", ENTRY, " 4" },
	{ GPU "\tlive-migration-capable yes\n", ENTRY, " 3" },
	/* other keys */
	{ GPU "\tdescription a: b, c\n", ENTRY, "" },
	{ GPU "\tdescription\n", ENTRY, " 3" },
	{ GPU "\tdescription a\rb\n", ENTRY, " 3" },
	{ GPU "\tdescription a\n\tdescription b\n", ENTRY, " 4" },
	{ GPU "\tid gpu\n\tnosuch 1\n\tMDEV 1\n", ENTRY, " 3 4 5" },
	{ GPU "\tmap\n", ENTRY, " 3" },
	{ GPU "\tmap node=pve\r,id=10de:2204\n", ENTRY, " 3" },
};

static char *dropped_lines(const struct mappings *mappings)
{
	struct text text = { 0 };

	for (size_t i = 0; i < mappings->dropped_count; i++)
		text_add(&text, " %u", mappings->dropped[i].line);
	return text_take(&text);
}

static void sections_are_pves(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(section_rows); i++) {
		const char *content = section_rows[i].content;
		cleanup_mappings struct mappings mappings = { 0 };
		cleanup_free char *gpu = NULL, *dropped = NULL;
		struct error err = { 0 };

		assert_row(content, mappings_parse(content, strlen(content), &mappings, &err) == 0);
		gpu = describe(&mappings);
		dropped = dropped_lines(&mappings);
		if (!text_equal(gpu, section_rows[i].gpu))
			fail_msg("row '%s': %s", content, gpu);
		if (!text_equal(dropped, section_rows[i].dropped))
			fail_msg("row '%s': dropped%s", content, dropped);
	}
}

/* ---- map lines: parse_property_string() with $map_fmt */

#define NODE_ID "node=pve,id=10de:2204,"

static const struct {
	const char *map;
	const char *gpu; /* NULL: the line is dropped */
} map_rows[] = {
	{ MAP, ENTRY },
	{ "," MAP ",,", ENTRY },
	{ " ," MAP ", ", ENTRY },
	{ "path=0000:01:00.0,node=pve,id=10de:2204", ENTRY },
	{ MAP ",subsystem-id=1458:403b,iommugroup=14,description=a=b",
	  "pve 10de:2204 1458:403b 14 0000:01:00.0;" },
	/* parts */
	{ "node=pve,id=10de:2204", NULL },
	{ "node=pve,path=0000:01:00.0", NULL },
	{ "id=10de:2204,path=0000:01:00.0", NULL },
	{ MAP ",node=pve", NULL },
	{ MAP ",nosuch=1", NULL },
	{ MAP ",0000:01:00.0", NULL },
	{ MAP ",iommugroup=", NULL },
	{ MAP ",=1", NULL },
	{ MAP ", iommugroup=1", NULL },
	{ MAP ",Node=pve", NULL },
	/* node: get_standard_option('pve-node') */
	{ "node=a-B-1,id=10de:2204,path=0000:01:00.0", "a-B-1 10de:2204 - - 0000:01:00.0;" },
	{ "node=-a,id=10de:2204,path=0000:01:00.0", NULL },
	{ "node=a-,id=10de:2204,path=0000:01:00.0", NULL },
	{ "node=a.b,id=10de:2204,path=0000:01:00.0", NULL },
	/* ids */
	{ "node=pve,id=10DE:2204,path=0000:01:00.0", "pve 10DE:2204 - - 0000:01:00.0;" },
	{ "node=pve,id=10de:220,path=0000:01:00.0", NULL },
	{ "node=pve,id=10de:22044,path=0000:01:00.0", NULL },
	{ "node=pve,id=0x10de:2204,path=0000:01:00.0", NULL },
	{ MAP ",subsystem-id=1458", NULL },
	/* iommugroup: is_integer() */
	{ MAP ",iommugroup=+07", "pve 10de:2204 - +07 0000:01:00.0;" },
	{ MAP ",iommugroup=-1", "pve 10de:2204 - -1 0000:01:00.0;" },
	{ MAP ",iommugroup=-", NULL },
	{ MAP ",iommugroup=1.0", NULL },
	{ MAP ",iommugroup=1 ", "pve 10de:2204 - 1 0000:01:00.0;" }, /* the line's end is cut */
	/* path: $PCI_RE, whose dot is any character */
	{ NODE_ID "path=0000:01:00", "pve 10de:2204 - - 0000:01:00;" },
	{ NODE_ID "path=10000:e1:00.f", "pve 10de:2204 - - 10000:e1:00.f;" },
	{ NODE_ID "path=0000:01:00.0;0000:01:00.1",
	  "pve 10de:2204 - - 0000:01:00.0 0000:01:00.1;" },
	{ NODE_ID "path=0000:01:00:0", "pve 10de:2204 - - 0000:01:00:0;" },
	{ NODE_ID "path=0000:01:00=0", "pve 10de:2204 - - 0000:01:00=0;" },
	{ NODE_ID "path=0000:01:00;0", "pve 10de:2204 - - 0000:01:00 0;" },
	{ NODE_ID "path=0000:01:00;0;0001:02:00", "pve 10de:2204 - - 0000:01:00 0 0001:02:00;" },
	{ NODE_ID "path=01:00.0", NULL },
	{ NODE_ID "path=000:01:00.0", NULL },
	{ NODE_ID "path=0000:0A:00.0", NULL },
	{ NODE_ID "path=0000:01:00.00", NULL },
	{ NODE_ID "path=0000:01:00.", NULL },
	{ NODE_ID "path=0000:01:0", NULL },
	{ NODE_ID "path=0000:1:00.0", NULL },
	{ NODE_ID "path=0000:01:00.0;", NULL },
	{ NODE_ID "path=;0000:01:00.0", NULL },
	{ NODE_ID "path=0000:01:00.0;;0000:01:00.1", NULL },
	{ NODE_ID "path=0000:01:00.g", NULL },
};

static void map_lines_are_pves(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(map_rows); i++) {
		const char *map = map_rows[i].map, *expected = map_rows[i].gpu;
		cleanup_free char *content = text_format("gpu\n\tmap %s\n", map);
		cleanup_mappings struct mappings mappings = { 0 };
		cleanup_free char *gpu = NULL;
		struct error err = { 0 };

		assert_non_null(content);
		assert_row(map, mappings_parse(content, strlen(content), &mappings, &err) == 0);
		gpu = describe(&mappings);
		assert_row(map, text_equal(gpu, expected ? expected : "-"));
		/* the line, and the section that has no other */
		assert_row(map, mappings.dropped_count == (expected ? 0 : 2));
		assert_row(map, expected || mappings.dropped[0].line == 2);
	}
}

/* maxLength 4096 of both descriptions */
static void descriptions_have_a_length(void **state)
{
	(void)state;
	for (int size = 4095; size <= 4097; size++) {
		cleanup_free char *content = text_format("gpu\n\tdescription %0*d\n\tmap " MAP
							 ",description=%0*d\n\tmap " MAP "\n",
							 size, 0, size, 0);
		cleanup_mappings struct mappings mappings = { 0 };
		struct error err = { 0 };

		assert_non_null(content);
		assert_int_equal(mappings_parse(content, strlen(content), &mappings, &err), 0);
		assert_int_equal(mappings.dropped_count, size > 4096 ? 2 : 0);
		assert_int_equal(mappings_find(&mappings, "gpu")->count, size > 4096 ? 1 : 2);
	}
}

static void says_what_is_wrong_with_a_line(void **state)
{
	static const char content[] = "gpu\n\tmap " MAP "\n \tmdev yes\nx\n\tmap node=pve,pci=1\n";
	cleanup_mappings struct mappings mappings = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(mappings_parse(content, strlen(content), &mappings, &err), 0);
	assert_int_equal(mappings.items[0].line, 1);
	assert_int_equal(mappings.items[0].entries[0].line, 2);
	assert_int_equal(mappings.dropped_count, 3);
	assert_int_equal(mappings.dropped[0].line, 3);
	assert_text(mappings.dropped[0].text, "mdev yes");
	assert_text(mappings.dropped[0].why, "mdev 'yes' is neither 0 nor 1");
	assert_text(mappings.dropped[1].text, "x");
	assert_text(mappings.dropped[2].why, "Proxmox VE knows no 'pci' here");
}

/* ---- files and bad input */

static void reads_the_file(void **state)
{
	const struct tree *tree = *state;
	cleanup_mappings struct mappings mappings = { 0 };
	cleanup_free char *large = calloc(1, MAPPING_MAX + 1);
	struct error err = { 0 };

	assert_int_equal(mappings_read(&tree->root, &mappings, &err), 0);
	assert_int_equal(mappings.count, 0);
	tree_file(tree, "etc/pve/mapping/pci.cfg", GPU);
	assert_int_equal(mappings_read(&tree->root, &mappings, &err), 0);
	assert_non_null(mappings_find(&mappings, "gpu"));
	assert_null(mappings_find(&mappings, "gp"));

	assert_non_null(large);
	tree_bytes(tree, "etc/pve/mapping/pci.cfg", large, MAPPING_MAX + 1);
	assert_int_equal(mappings_read(&tree->root, &mappings, &err), -EFBIG);
	assert_text(err.message,
		    "/etc/pve/mapping/pci.cfg: larger than the 1 MiB Proxmox VE allows");
	tree_remove(tree, "etc/pve/mapping/pci.cfg");
	tree_folder(tree, "etc/pve/mapping/pci.cfg");
	assert_int_equal(mappings_read(&tree->root, &mappings, &err), -EISDIR);
}

static void any_beginning_is_taken(void **state)
{
	static const char content[] =
		"# x\n" GPU "\tmdev\n\nnic\n\tdescription a b\n\tmap " MAP
		";0000:01:00.1,subsystem-id=1458:403b,iommugroup=14\n\n0\nx y";

	(void)state;
	for (size_t size = 0; size < sizeof(content); size++) {
		cleanup_mappings struct mappings mappings = { 0 };
		cleanup_free char *part = malloc(size ? size : 1);
		struct error err = { 0 };

		assert_non_null(part);
		memcpy(part, content, size);
		assert_int_equal(mappings_parse(part, size, &mappings, &err), 0);
	}
}

/* To PVE a NUL is one more character that is no blank. */
static void nuls_are_characters(void **state)
{
	static const char content[] = "gp\0u\n\tmap " MAP "\n\n" GPU "\tmap \0" MAP
				      "\n\tdescription \0\n#\0\n\tmap " MAP "\n";
	cleanup_mappings struct mappings mappings = { 0 };
	cleanup_free char *gpu = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(mappings_parse(content, sizeof(content) - 1, &mappings, &err), 0);
	gpu = describe(&mappings);
	assert_text(gpu, ENTRY ENTRY);
	assert_int_equal(mappings.dropped_count, 2);
	assert_int_equal(mappings.dropped[0].line, 1);
	assert_text(mappings.dropped[0].text, "gp\1u");
	assert_int_equal(mappings.dropped[1].line, 6);
}

static void large_is_taken(void **state)
{
	static const char *const lines[] = { "\tmap " MAP "\n", "\tx\n", "gpu\n\n",
					     "gpu\n",		"\n",	 "a" };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		cleanup_mappings struct mappings mappings = { 0 };
		cleanup_free char *data = malloc(MAPPING_MAX);
		size_t size = 4;

		assert_non_null(data);
		memcpy(data, "gpu\n", 4);
		for (; size + strlen(lines[i]) <= MAPPING_MAX; size += strlen(lines[i]))
			memcpy(data + size, lines[i], strlen(lines[i]));
		assert_int_equal(mappings_parse(data, size, &mappings, &err), 0);
		if (i == 0)
			assert_true(mappings_find(&mappings, "gpu")->count > 10000);
	}
}

static void done_takes_an_empty_one(void **state)
{
	struct mappings mappings = { 0 };

	(void)state;
	mappings_done(&mappings);
	mappings_done(&mappings);
}

/* ---- an entry against the device: assert_valid() in Mapping/PCI.pm, its words to the letter */

#define IDENTITY ",subsystem-id=1458:403b,iommugroup=14"

/* 0000:01:00.0 and .1, 10000:e1:00.0 without a group, 0000:02:00.0 and 03:00.0 with mdevs. */
static void build_devices(const struct tree *tree)
{
	static const struct tree_device devices[] = {
		{ .address = "0000:01:00.0", .vendor = 0x10de, .device = 0x2204, .group = 14 },
		{ .address = "0000:01:00.1", .vendor = 0x10de, .device = 0x2204, .group = 15 },
		{ .address = "0000:02:00.0", .vendor = 0x10de, .device = 0x2204, .group = 14 },
		{ .address = "0000:03:00.0", .vendor = 0x10de, .device = 0x2204, .group = 14 },
		{ .address = "0000:04:00.0", .vendor = 0x10de, .device = 0x2205, .group = 14 },
		{ .address = "10000:e1:00.0", .vendor = 0x10de, .device = 0x2204 },
	};

	for (size_t i = 0; i < COUNT(devices); i++) {
		tree_add_device(tree, &devices[i]);
		tree_attribute(tree, devices[i].address, "subsystem_vendor", "0x1458");
		tree_attribute(tree, devices[i].address, "subsystem_device", "0x403b");
	}
	tree_folder(tree, "sys/devices/pci0000:00/0000:02:00.0/mdev_supported_types");
	tree_folder(tree, "sys/devices/pci0000:00/0000:03:00.0/nvidia");
}

static const struct {
	const char *rest; /* of the section, after node= */
	const char *fault;
} check_rows[] = {
	{ "id=10de:2204,path=0000:01:00.0" IDENTITY, NULL },
	{ "id=10de:2204,path=0000:01:00" IDENTITY, NULL },
	{ "id=10de:2204,path=0000:09:00.0" IDENTITY, "pci device '0000:09:00.0' not found" },
	{ "id=10de:2204,path=0000:09:00" IDENTITY, "pci device '0000:09:00.0' not found" },
	{ "id=10de:2204,path=00000:01:00.0" IDENTITY, "pci device '00000:01:00.0' not found" },
	{ "id=10de:2204,path=0000:01:00.8" IDENTITY, "pci device '0000:01:00.8' not found" },
	{ "id=10de:2204,path=0000:01:00:0" IDENTITY, "pci device '0000:01:00:0.0' not found" },
	/* text is compared, with care for case */
	{ "id=10de:2205,path=0000:01:00.0" IDENTITY,
	  "'id' does not match for 'gpu' (10de:2204 != 10de:2205)" },
	{ "id=10DE:2204,path=0000:01:00.0" IDENTITY,
	  "'id' does not match for 'gpu' (10de:2204 != 10DE:2204)" },
	{ "id=10de:2204,path=0000:01:00.0,subsystem-id=1458:403B,iommugroup=14",
	  "'subsystem-id' does not match for 'gpu' (1458:403b != 1458:403B)" },
	{ "id=10de:2204,path=0000:01:00.0,subsystem-id=1458:403b,iommugroup=12",
	  "'iommugroup' does not match for 'gpu' (14 != 12)" },
	{ "id=10de:2204,path=0000:01:00.0,subsystem-id=1458:403b,iommugroup=014",
	  "'iommugroup' does not match for 'gpu' (14 != 014)" },
	/* optional to the parser, but not here */
	{ "id=10de:2204,path=0000:01:00.0,subsystem-id=1458:403b",
	  "missing expected property 'iommugroup' for device '0000:01:00.0'" },
	{ "id=10de:2204,path=0000:01:00,iommugroup=14",
	  "missing expected property 'subsystem-id' for device '0000:01:00.0'" },
	{ "id=10de:2204,path=10000:e1:00.0" IDENTITY,
	  "unexpected property 'iommugroup' configured for device '10000:e1:00.0'" },
	{ "id=10de:2204,path=10000:e1:00.0,subsystem-id=1458:403b", NULL },
	/* the order is that of the names */
	{ "id=10de:2205,path=0000:01:00.0",
	  "'id' does not match for 'gpu' (10de:2204 != 10de:2205)" },
	{ "id=10de:2204,path=0000:02:00.0,iommugroup=14",
	  "'mdev' does not match for 'gpu' (1 != 0)" },
	/* mdev is of the section */
	{ "id=10de:2204,path=0000:02:00.0" IDENTITY, "'mdev' does not match for 'gpu' (1 != 0)" },
	{ "id=10de:2204,path=0000:03:00.0" IDENTITY, "'mdev' does not match for 'gpu' (1 != 0)" },
	{ "id=10de:2204,path=0000:02:00.0" IDENTITY "\n\tmdev 1", NULL },
	{ "id=10de:2204,path=0000:03:00.0" IDENTITY "\n\tmdev 1", NULL },
	{ "id=10de:2204,path=0000:01:00.0" IDENTITY "\n\tmdev 1",
	  "'mdev' does not match for 'gpu' (0 != 1)" },
	/* each path; the group of the first alone */
	{ "id=10de:2204,path=0000:01:00.0;0000:01:00.1" IDENTITY, NULL },
	{ "id=10de:2204,path=0000:01:00.1;0000:01:00.0" IDENTITY,
	  "'iommugroup' does not match for 'gpu' (15 != 14)" },
	{ "id=10de:2204,path=0000:01:00.0;0000:04:00.0" IDENTITY,
	  "'id' does not match for 'gpu' (10de:2205 != 10de:2204)" },
	{ "id=10de:2204,path=0000:01:00.0;0000:09:00" IDENTITY,
	  "pci device '0000:09:00.0' not found" },
};

static void faults_are_pves(void **state)
{
	const struct tree *tree = *state;

	build_devices(tree);
	for (size_t i = 0; i < COUNT(check_rows); i++) {
		const char *row = check_rows[i].rest;
		cleanup_free char *content = text_format("gpu\n\tmap node=pve,%s\n", row);
		cleanup_mappings struct mappings mappings = { 0 };
		cleanup_free char *fault = NULL;
		const struct mapping *gpu;
		struct error err = { 0 };

		assert_non_null(content);
		assert_row(row, mappings_parse(content, strlen(content), &mappings, &err) == 0);
		gpu = mappings_find(&mappings, "gpu");
		assert_row(row, gpu);
		assert_row(row, mapping_entry_check(&tree->root, gpu, &gpu->entries[0], true,
						    &fault, &err) == 0);
		if (!text_equal(fault, check_rows[i].fault))
			fail_msg("row '%s': %s", row, fault ? fault : "no fault");
	}
}

static void cannot_tell_is_an_error(void **state)
{
	const struct tree *tree = *state;
	cleanup_mappings struct mappings mappings = { 0 };
	char *fault = NULL;
	const struct mapping *gpu;
	struct error err = { 0 };

	build_devices(tree);
	tree_attribute(tree, "0000:01:00.0", "vendor", "broken");
	assert_int_equal(mappings_parse(GPU, strlen(GPU), &mappings, &err), 0);
	gpu = mappings_find(&mappings, "gpu");
	assert_int_equal(mapping_entry_check(&tree->root, gpu, &gpu->entries[0], true, &fault,
					     &err),
			 -EINVAL);
	assert_null(fault);
	assert_true(strlen(err.message) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_pves),
		cmocka_unit_test(map_lines_are_pves),
		cmocka_unit_test(descriptions_have_a_length),
		cmocka_unit_test(says_what_is_wrong_with_a_line),
		tree_test(reads_the_file),
		cmocka_unit_test(any_beginning_is_taken),
		cmocka_unit_test(nuls_are_characters),
		cmocka_unit_test(large_is_taken),
		cmocka_unit_test(done_takes_an_empty_one),
		tree_test(faults_are_pves),
		tree_test(cannot_tell_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
