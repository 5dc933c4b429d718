/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/effect.c. */
#include "test.h"
#include "tree.h"

#include "boot/effect.h"
#include "boot/record.h"

static char where[] = "/etc/somewhere";

static const struct row {
	const char *name, *value, *device;
	enum boot_setting_kind kind;
	enum boot_effect_state state;
	const char *seen;
} rows[] = {
	{ "iommu=pt", NULL, NULL, BOOT_PARAMETER, BOOT_IN_EFFECT, "iommu=pt on /proc/cmdline" },
	{ "intel_iommu=on", NULL, NULL, BOOT_PARAMETER, BOOT_NOT_IN_EFFECT,
	  "intel_iommu=off on /proc/cmdline" },
	{ "hugepages=4", NULL, NULL, BOOT_PARAMETER, BOOT_NOT_IN_EFFECT, "not on /proc/cmdline" },
	{ "vfio_pci", NULL, NULL, BOOT_MODULE, BOOT_IN_EFFECT, "loaded" },
	{ "vfio-pci", NULL, NULL, BOOT_MODULE, BOOT_IN_EFFECT, "loaded" },
	{ "vfio_iommu_type1", NULL, NULL, BOOT_MODULE, BOOT_NOT_IN_EFFECT, "not loaded" },
	{ "nouveau", NULL, NULL, BOOT_BLACKLIST, BOOT_IN_EFFECT, "not loaded" },
	{ "kvm", NULL, NULL, BOOT_BLACKLIST, BOOT_NOT_IN_EFFECT, "loaded" },
	{ "kvm", "ignore_msrs=1", NULL, BOOT_OPTION, BOOT_IN_EFFECT, "ignore_msrs=Y" },
	{ "kvm", "ignore_msrs=0", NULL, BOOT_OPTION, BOOT_NOT_IN_EFFECT, "ignore_msrs=Y" },
	{ "kvm", "halt_poll_ns=5", NULL, BOOT_OPTION, BOOT_NOT_IN_EFFECT, "halt_poll_ns=200" },
	{ "kvm", "secret=1", NULL, BOOT_OPTION, BOOT_UNKNOWN, "the module kvm does not show it" },
	{ "i915", "enable_guc=2", NULL, BOOT_OPTION, BOOT_UNKNOWN,
	  "the module i915 is not loaded" },
	{ "0000:01:00.0", NULL, "10de:2484", BOOT_EARLY, BOOT_IN_EFFECT, "the driver vfio-pci" },
	{ "0000:02:00.0", NULL, "8086:10d3", BOOT_EARLY, BOOT_NOT_IN_EFFECT, "the driver e1000e" },
	{ "0000:02:00.0", NULL, "10de:2484", BOOT_EARLY, BOOT_NOT_IN_EFFECT,
	  "another device is there, 8086:10d3 and not 10de:2484" },
	{ "0000:09:00.0", NULL, NULL, BOOT_EARLY, BOOT_NOT_IN_EFFECT, "there is no such device" },
	{ "0000:02:00.0", "4", "8086:10d3", BOOT_SRIOV, BOOT_NOT_IN_EFFECT, "2 virtual functions" },
	{ "0000:02:00.0", "2", "8086:10d3", BOOT_SRIOV, BOOT_IN_EFFECT, "2 virtual functions" },
	{ "0000:01:00.0", "2", NULL, BOOT_SRIOV, BOOT_NOT_IN_EFFECT, "the device has no SR-IOV" },
	{ "6.5.13-5-pve", NULL, NULL, BOOT_PIN, BOOT_NOT_IN_EFFECT,
	  "the kernel 6.8.12-4-pve runs" },
	{ "6.8.12-4-pve", NULL, NULL, BOOT_PIN, BOOT_IN_EFFECT, "the kernel 6.8.12-4-pve runs" },
};

static void build(const struct tree *tree)
{
	tree_file(tree, "proc/cmdline", "root=x iommu=pt intel_iommu=off\n");
	tree_file(tree, "proc/sys/kernel/osrelease", "6.8.12-4-pve\n");
	tree_file(tree, "sys/module/vfio_pci/initstate", "live\n");
	tree_file(tree, "sys/module/kvm/parameters/ignore_msrs", "Y\n");
	tree_file(tree, "sys/module/kvm/parameters/halt_poll_ns", "200\n");
	tree_driver(tree, "vfio-pci", "vfio_pci");
	tree_add_device(tree, &(struct tree_device){ "0000:01:00.0", 0x10de, 0x2484, 0x030000,
						     .driver = "vfio-pci" });
	tree_add_device(tree, &(struct tree_device){ "0000:02:00.0", .driver = "e1000e" });
	tree_attribute(tree, "0000:02:00.0", "sriov_numvfs", "2");
}

/* One row as a list of its own; the strings are not changed. */
static void list(const struct row *row, struct boot_settings *settings)
{
	cleanup_free char *name = strdup(row->name);
	cleanup_free char *value = row->value ? strdup(row->value) : NULL;
	cleanup_free char *device = row->device ? strdup(row->device) : NULL;

	assert_int_equal(boot_settings_add(settings, &(struct boot_setting){ .kind = row->kind,
									     .name = name,
									     .value = value,
									     .device = device,
									     .where = where }),
			 0);
}

static void test_look(void **state)
{
	const struct tree *tree = *state;

	build(tree);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_boot_settings struct boot_settings settings = { 0 };
		cleanup_boot_effects struct boot_effects effects = { 0 };
		struct error err = { 0 };

		list(&rows[i], &settings);
		assert_int_equal(boot_effects_look(&tree->root, &settings, &effects, &err), 0);
		assert_int_equal(effects.count, 1);
		assert_string_equal(effects.items[0].seen, rows[i].seen);
		if (effects.items[0].state != rows[i].state)
			fail_msg("row '%s': %s", rows[i].seen,
				 boot_effect_state_name(effects.items[0].state));
		assert_string_equal(effects.items[0].where, where);
	}
}

/* An image shows nothing. */
static void test_image(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_boot_settings struct boot_settings settings = { 0 };
		cleanup_boot_effects struct boot_effects effects = { 0 };
		struct error err = { 0 };

		list(&rows[i], &settings);
		assert_int_equal(boot_effects_look(&tree->root, &settings, &effects, &err), 0);
		assert_row(rows[i].name, effects.items[0].state == BOOT_UNKNOWN);
	}
}

/* By the record, in its order. */
static void test_read(void **state)
{
	const struct tree *tree = *state;
	cleanup_record struct record record = { 0 };
	cleanup_boot_effects struct boot_effects effects = { 0 };
	struct error err = { 0 };

	build(tree);
	assert_int_equal(boot_effects_read(&tree->root, &effects, &err), 0);
	assert_int_equal(effects.count, 0);
	list(&rows[0], &record.settings);
	list(&rows[8], &record.settings);
	assert_int_equal(record_write(&tree->root, &record, &err), 0);
	assert_int_equal(boot_effects_read(&tree->root, &effects, &err), 0);
	assert_int_equal(effects.count, 2);
	assert_string_equal(effects.items[0].asked, "iommu=pt");
	assert_string_equal(effects.items[1].asked, "options kvm ignore_msrs=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_look),
		tree_test(test_image),
		tree_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
