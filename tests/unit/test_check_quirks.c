/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/quirks.c and check/condition.c. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "check/quirks.h"

#define ENTRY(more)                                                                                      \
	"{\"format\":2,\"quirks\":[{\"id\":\"x\",\"level\":\"warning\",\"what\":\"w\",\"remedy\":\"r\"," \
	"\"sources\":[{\"url\":\"u\",\"date\":\"2025-01-02\"}]," more "}]}"
#define DEVICES                                                                                    \
	"\"devices\":[{\"vendor\":\"1002\",\"from\":\"67c0\",\"to\":\"67ff\",\"class\":\"03\"}]"

/* What is shipped has an id, a source and devices in each entry, and no id twice. */
static void test_built_in(void **state)
{
	const struct tree *tree = *state;
	struct quirks quirks = { 0 };
	struct error err = { 0 };

	if (quirks_read(&tree->root, NULL, 0, &quirks, &err) != 0)
		fail_msg("%s", err.message);
	assert_false(quirks.replaced);
	assert_true(quirks.count >= 10);
	for (size_t i = 0; i < quirks.count; i++) {
		cleanup_free char *sources = quirk_sources(&quirks.items[i]);

		assert_row(quirks.items[i].id, *sources && !strstr(sources, "undated"));
		assert_row(quirks.items[i].id, *quirks.items[i].remedy);
		assert_row(quirks.items[i].id, !strstr(quirks.items[i].remedy, "VMID"));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(quirks.items[i].id, quirks.items[k].id);
	}
	quirks_done(&quirks);
}

/* Of the built-in ones a start parses what can concern its devices, and misses none of that. */
static void test_kinds(void **state)
{
	const struct tree *tree = *state;
	static const struct quirk_kind kinds[] = {
		{ 0x10de, 0x030000 }, { 0x10de, 0x030200 }, { 0x1002, 0x038000 },
		{ 0x8086, 0x020000 }, { 0x1000, 0x010700 }, { 0xffff, 0x020000 },
	};
	struct error err = { 0 };
	cleanup_quirks struct quirks all = { 0 };

	assert_int_equal(quirks_read(&tree->root, NULL, 0, &all, &err), 0);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		cleanup_quirks struct quirks some = { 0 };
		size_t of_it = 0;

		assert_int_equal(quirks_read(&tree->root, &kinds[i], 1, &some, &err), 0);
		for (size_t k = 0; k < all.count; k++) {
			const json_t *devices = json_object_get(all.items[k].entry, "devices"),
				     *one;
			char vendor[8], base[8];
			size_t at;
			bool is_of_it = json_array_size(devices) == 0;

			snprintf(vendor, sizeof(vendor), "%04x", kinds[i].vendor);
			snprintf(base, sizeof(base), "%02x", kinds[i].class_code >> 16);
			json_array_foreach(devices, at, one) {
				const char *own = json_string_value(json_object_get(one, "vendor"));
				const char *class =
					json_string_value(json_object_get(one, "class"));

				is_of_it |= !own || (strcmp(own, vendor) == 0 &&
						     (!class || strncmp(class, base, 2) == 0));
			}
			of_it += is_of_it;
		}
		assert_int_equal(some.count, of_it);
		assert_true(some.count < all.count);
	}
}

static void test_file_replaces(void **state)
{
	const struct tree *tree = *state;
	struct quirks quirks = { 0 };
	struct error err = { 0 };

	tree_file(tree, "usr/share/pve-vfio/quirks.json", "%s", ENTRY(DEVICES));
	assert_int_equal(quirks_read(&tree->root, NULL, 0, &quirks, &err), 0);
	assert_true(quirks.replaced);
	assert_int_equal(quirks.count, 1);
	quirks_done(&quirks);
	tree_file(tree, "usr/share/pve-vfio/quirks.json", "{");
	assert_int_equal(quirks_read(&tree->root, NULL, 0, &quirks, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "/usr/share/pve-vfio/quirks.json"));
}

static void test_faults(void **state)
{
	static const struct {
		const char *document, *words;
	} rows[] = {
		{ "{\"format\":1,\"quirks\":[]}", "format 1 is not known" },
		{ "{\"format\":2}", "quirks" },
		{ "{\"format\":2,\"quirks\":[1]}", "entry 1: it is not an object" },
		{ ENTRY("\"virtual\":true"), "no 'devices'" },
		{ ENTRY("\"devices\":[]"), "not a list" },
		{ ENTRY("\"devices\":[{}]"), "no vendor" },
		{ ENTRY("\"devices\":[{\"vendor\":\"10de\",\"from\":\"1\"}]"), "four digits" },
		{ ENTRY("\"devices\":[{\"vendor\":\"10de\",\"ids\":[\"1\"]}]"), "four digits" },
		{ ENTRY("\"devices\":[{\"vendor\":\"xyzw\"}]"), "four digits" },
		{ ENTRY("\"devices\":[{\"vendor\":\"10de\",\"clas\":\"03\"}]"),
		  "did you mean 'class'" },
		{ ENTRY(DEVICES ",\"kernels\":[]"), "did you mean 'kernel'" },
		{ ENTRY(DEVICES ",\"kernel\":[{\"from\":6}]"), "not a version" },
		{ ENTRY(DEVICES ",\"kernel\":{}"), "not a list" },
		{ ENTRY(DEVICES ",\"kernel\":[{\"form\":\"6.8\"}]"), "did you mean 'from'" },
		{ ENTRY(DEVICES ",\"modules\":\"x\""), "not a list" },
		{ ENTRY(DEVICES ",\"modules\":[1]"), "not a list" },
		{ ENTRY(DEVICES ",\"virtual\":1"), "not true or false" },
		{ ENTRY(DEVICES ",\"vm\":{\"bios\":\"uefi\"}"), "neither seabios nor ovmf" },
		{ ENTRY(DEVICES ",\"vm\":{\"boot\":\"x\"}"), "unknown key 'boot'" },
		{ ENTRY(DEVICES ",\"firmware\":{\"product\":\"x\"}"), "unknown key 'product'" },
		{ ENTRY(DEVICES ",\"packages\":{\"a\":{\"before\":1}}"), "not a version" },
		{ "{\"format\":2,\"quirks\":[{\"id\":\"x\",\"level\":\"bad\",\"what\":\"w\","
		  "\"remedy\":\"r\",\"sources\":[],\"devices\":[]}]}",
		  "not a list" },
		{ "{\"format\":2,\"quirks\":[{\"id\":\"x\",\"level\":\"bad\",\"what\":\"w\","
		  "\"remedy\":\"r\",\"sources\":[]," DEVICES "}]}",
		  "not a level" },
		{ "{\"format\":2,\"quirks\":[{\"id\":\"x\",\"level\":\"info\",\"what\":\"w\","
		  "\"remedy\":\"r\",\"sources\":[]," DEVICES "}]}",
		  "no 'sources'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct quirks quirks = { 0 };
		struct error err = { 0 };

		assert_row(rows[i].document,
			   quirks_parse("f", rows[i].document, strlen(rows[i].document), &quirks,
					&err) == -EBADMSG);
		if (!strstr(err.message, rows[i].words))
			fail_msg("'%s' is not in '%s'", rows[i].words, err.message);
	}
}

#define CARD "0000:01:00.0"

/* Whether an entry with these conditions applies to a Polaris card on `release`. */
static bool applies(const struct tree *tree, const char *release, const char *document,
		    const char *config)
{
	static char driver[] = "amdgpu";
	struct pci_device card = { .name = CARD,
				   .vendor = 0x1002,
				   .device = 0x67df,
				   .subsystem_vendor = 0x1458,
				   .class_code = 0x030000,
				   .driver = driver };
	cleanup_vm_config struct vm_config vm = { 0 };
	cleanup_quirks struct quirks quirks = { 0 };
	struct quirk_target target = { &tree->root, release, &card, NULL, NULL };
	struct error err = { 0 };

	if (quirks_parse("f", document, strlen(document), &quirks, &err) != 0)
		fail_msg("%s", err.message);
	if (config) {
		assert_int_equal(vm_config_parse(NULL, "f", config, strlen(config), &vm, &err), 0);
		target.config = &vm;
		target.line = vm.hostpci[0].present ? &vm.hostpci[0] : NULL;
	}
	return quirk_applies(&quirks.items[0], &target);
}

#define DEVICE(more) ENTRY("\"devices\":[{\"vendor\":\"1002\"," more "}]")
#define AND(more)    ENTRY(DEVICES "," more)
#define RANGE(more)  AND("\"kernel\":[{\"flavour\":\"pve\"," more "}]")

static void test_matching(void **state)
{
	static const struct {
		bool does;
		const char *release, *document, *config;
	} rows[] = {
		{ true, "6.8.12-4-pve", ENTRY(DEVICES), NULL },
		{ true, "", ENTRY(DEVICES), NULL },
		{ true, "6.8.12-4-pve", DEVICE("\"ids\":[\"67c0\",\"67df\"]"), NULL },
		{ false, "6.8.12-4-pve", DEVICE("\"ids\":[\"67c0\",\"67de\"]"), NULL },
		{ false, "6.8.12-4-pve", DEVICE("\"from\":\"6800\""), NULL },
		{ false, "6.8.12-4-pve", DEVICE("\"class\":\"0403\""), NULL },
		{ true, "6.8.12-4-pve", DEVICE("\"subsystem\":\"1458\""), NULL },
		{ false, "6.8.12-4-pve", DEVICE("\"subsystem\":\"1da2\""), NULL },
		{ true, "6.8.12-12-pve", RANGE("\"from\":\"6.8.12-12\",\"before\":\"6.8.12-14\""),
		  NULL },
		{ true, "6.8.12-13-pve", RANGE("\"from\":\"6.8.12-12\",\"before\":\"6.8.12-14\""),
		  NULL },
		{ false, "6.8.12-11-pve", RANGE("\"from\":\"6.8.12-12\",\"before\":\"6.8.12-14\""),
		  NULL },
		{ false, "6.8.12-14-pve", RANGE("\"from\":\"6.8.12-12\",\"before\":\"6.8.12-14\""),
		  NULL },
		{ false, "6.8.12-12-generic", RANGE("\"from\":\"6.8.12-12\""), NULL },
		{ false, "", RANGE("\"before\":\"7.0\""), NULL },
		{ true, "6.14.8-1-bpo12-pve",
		  AND("\"kernel\":[{\"before\":\"6.0\"},{\"from\":\"6.14.8\"}]"), NULL },
		{ true, "x", AND("\"drivers\":[\"radeon\",\"amdgpu\"]"), NULL },
		{ false, "x", AND("\"drivers\":[\"radeon\"]"), NULL },
		{ true, "x", AND("\"modules\":[\"vendor_reset\"]"), NULL },
		{ false, "x", AND("\"unless_modules\":[\"vendor-reset\"]"), NULL },
		{ true, "x", AND("\"unless_modules\":[\"other\"]"), NULL },
		{ false, "x", AND("\"virtual\":true"), NULL },
		{ true, "x", AND("\"virtual\":false"), NULL },
		{ true, "x", AND("\"boot_display\":true"), NULL },
		{ false, "x", AND("\"boot_display\":false"), NULL },
		{ true, "x", AND("\"reset\":\"bus\""), NULL },
		{ false, "x", AND("\"reset\":\"b\""), NULL },
		{ false, "x", AND("\"reset\":\"\""), NULL },
		{ true, "x", AND("\"parameter\":\"iommu=pt\""), NULL },
		{ true, "x", AND("\"parameter\":\"iommu\""), NULL },
		{ false, "x", AND("\"parameter\":\"iommu=off\""), NULL },
		{ false, "x", AND("\"unless_parameter\":\"iommu\""), NULL },
		{ true, "x", AND("\"firmware\":{\"sys_vendor\":\"HP\",\"product_name\":\"Gen8\"}"),
		  NULL },
		{ false, "x", AND("\"firmware\":{\"sys_vendor\":\"HP\",\"product_name\":\"Gen9\"}"),
		  NULL },
		{ false, "x", AND("\"firmware\":{\"board_name\":\"x\"}"), NULL },
		{ true, "x", AND("\"packages\":{\"qemu-server\":{\"before\":\"9.0.25\"}}"), NULL },
		{ false, "x", AND("\"packages\":{\"qemu-server\":{\"from\":\"9.0.25\"}}"), NULL },
		{ false, "x", AND("\"packages\":{\"absent\":{}}"), NULL },
		{ false, "x", AND("\"vm\":{\"bios\":\"seabios\"}"), NULL },
		{ true, "x", AND("\"vm\":{\"bios\":\"seabios\"}"), "cores: 2\n" },
		{ false, "x", AND("\"vm\":{\"bios\":\"ovmf\"}"), "cores: 2\n" },
		{ true, "x", AND("\"vm\":{\"bios\":\"ovmf\",\"machine\":\"q35\"}"),
		  "bios: ovmf\nmachine: q35\n" },
		{ true, "x", AND("\"vm\":{\"os\":\"windows\"}"), "ostype: win11\n" },
		{ false, "x", AND("\"vm\":{\"os\":\"windows\"}"), "ostype: l26\n" },
		{ true, "x", AND("\"vm\":{\"memory_from_mib\":65536}"), "memory: 65536\n" },
		{ false, "x", AND("\"vm\":{\"memory_from_mib\":65536}"), "memory: 8192\n" },
		{ true, "x", AND("\"vm\":{\"rombar\":true,\"romfile\":false}"),
		  "hostpci0: 01:00\n" },
		{ false, "x", AND("\"vm\":{\"rombar\":true}"), "hostpci0: 01:00,rombar=0\n" },
		{ false, "x", AND("\"vm\":{\"romfile\":false}"), "hostpci0: 01:00,romfile=a\n" },
		{ false, "x", AND("\"vm\":{\"romfile\":false}"), "cores: 2\n" },
		{ true, "x", AND("\"vm\":{\"args\":\"hv_vendor\"}"), "args: -cpu x,hv_vendor=y\n" },
		{ false, "x", AND("\"vm\":{\"args\":\"hv_vendor\"}"), "cores: 2\n" },
	};
	const struct tree *tree = *state;

	tree_file(tree, "sys/module/vendor_reset/initstate", "live\n");
	tree_add_device(tree, &(struct tree_device){ CARD, 0x1002, 0x67df, 0x030000,
						     .driver = "amdgpu" });
	tree_attribute(tree, CARD, "boot_vga", "1");
	tree_attribute(tree, CARD, "reset_method", "bus");
	tree_file(tree, "proc/cmdline", "quiet iommu=pt\n");
	tree_file(tree, "sys/class/dmi/id/sys_vendor", "HP\n");
	tree_file(tree, "sys/class/dmi/id/product_name", "ProLiant MicroServer Gen8\n");
	tree_file(tree, "var/lib/dpkg/status",
		  "Package: qemu-server\nStatus: install ok installed\nVersion: 9.0.24\n");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (applies(tree, rows[i].release, rows[i].document, rows[i].config) !=
		    rows[i].does)
			fail_msg("row %zu: %s", i, rows[i].document);
}

static void test_words(void **state)
{
	const char *document = "{\"format\":2,\"quirks\":[{\"id\":\"x\",\"level\":\"info\","
			       "\"what\":\"w\",\"remedy\":\"qm set {vm} --x {address} {y}\","
			       "\"sources\":[{\"url\":\"u\",\"date\":\"d\"},"
			       "{\"url\":\"v\",\"date\":\"e\"}]," DEVICES "}]}";
	cleanup_quirks struct quirks quirks = { 0 };
	cleanup_free char *with = NULL, *without = NULL, *sources = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(quirks_parse("f", document, strlen(document), &quirks, &err), 0);
	with = quirk_remedy(&quirks.items[0], CARD, 101, NULL);
	without = quirk_remedy(&quirks.items[0], CARD, 0, NULL);
	sources = quirk_sources(&quirks.items[0]);
	assert_string_equal(with, "qm set 101 --x " CARD " {y}");
	assert_string_equal(without, "qm set VMID --x " CARD " {y}");
	assert_string_equal(sources, "u (d), v (e)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_built_in),      tree_test(test_kinds),
		tree_test(test_file_replaces), cmocka_unit_test(test_faults),
		tree_test(test_matching),      cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
