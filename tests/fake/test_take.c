/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: taking devices and giving them back, on a kernel that does what it should. */
#include "fake_kernel.h"

#define GPU   "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define NIC   "0000:02:00.0"
#define PORT  "0000:00:01.0"

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "pcieport", "", "8086:3420");
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_device(kernel,
		    &(struct tree_device){ PORT, 0x8086, 0x3420, 0x060400, .driver = "pcieport",
					   .group = 14, .bridge = true });
	fake_gpu(kernel, GPU, AUDIO, 14);
	fake_device(kernel, &(struct tree_device){ NIC, .driver = "e1000e", .group = 15 });
	return 0;
}

static void assert_untouched(struct fake_kernel *kernel)
{
	assert_binding(kernel, GPU, "nouveau (null)");
	assert_binding(kernel, AUDIO, "snd_hda_intel (null)");
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_binding(kernel, PORT, "pcieport (null)");
	assert_false(tree_has(&kernel->tree, "dev/vfio/14"));
	assert_false(tree_has(&kernel->tree, "dev/vfio/15"));
	assert_false(fake_has_journal(kernel));
}

static void test_one_device(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_told(kernel, NIC " ok\n");
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	assert_true(tree_has(&kernel->tree, "dev/vfio/15"));
	assert_int_equal(journal.actions.count, 1);
	assert_int_equal(journal.actions.items[0].state, ACTION_DONE);
	assert_string_equal(journal.actions.items[0].before, "e1000e");
	assert_string_equal(journal.actions.items[0].module, "e1000e");
	assert_null(journal.actions.items[0].override);
	assert_int_equal(journal.actions.items[0].group, 15);
	assert_writes(kernel, NIC, "override=vfio-pci unbind=e1000e probe");

	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC " ok\n");
	/* by name, since vfio-pci may have learned the id; and the override is cleared behind */
	assert_writes(kernel, NIC, "override=e1000e unbind=vfio-pci probe override=");
	assert_untouched(kernel);
}

/* PVE gives the whole group to vfio-pci, but for bridges; so what comes along is given back. */
static void test_group(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, GPU, 5000, &journal), 0);
	assert_told(kernel, GPU " ok\n" AUDIO " ok\n");
	assert_binding(kernel, GPU, "vfio-pci vfio-pci");
	assert_binding(kernel, AUDIO, "vfio-pci vfio-pci");
	assert_binding(kernel, PORT, "pcieport (null)");
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_int_equal(journal.actions.count, 2);
	assert_string_equal(journal.actions.items[0].source, "hostpci0");
	assert_string_equal(journal.actions.items[1].source, "group 14");
	assert_string_equal(journal.actions.items[1].before, "snd_hda_intel");
	assert_writes(kernel, PORT, "");

	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, GPU " ok\n" AUDIO " ok\n");
	assert_writes(kernel, PORT, "");
	assert_untouched(kernel);
}

static void test_two_lines(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, NIC " " AUDIO " " GPU, 5000, &journal), 0);
	assert_told(kernel, GPU " ok\n" AUDIO " ok\n" NIC " ok\n");
	assert_int_equal(journal.actions.count, 3);
	assert_string_equal(journal.actions.items[0].target, NIC);
	assert_string_equal(journal.actions.items[1].target, AUDIO);
	assert_string_equal(journal.actions.items[1].source, "hostpci1");
	assert_string_equal(journal.actions.items[2].source, "hostpci2");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_untouched(kernel);
}

/* By the journal in memory, as when a start fails later on. */
static void test_roll_back(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, GPU " " NIC, 5000, &journal), 0);
	assert_true(fake_has_journal(kernel));
	assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
	assert_int_equal(journal.actions.count, 0);
	assert_untouched(kernel);
}

static void test_driverless(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_give(kernel, NIC, NULL);
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	assert_null(journal.actions.items[0].before);
	assert_writes(kernel, NIC, "override=vfio-pci probe");

	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_binding(kernel, NIC, "none (null)");
	/* no probe: e1000e would take it */
	assert_writes(kernel, NIC, "unbind=vfio-pci override=");
	assert_false(fake_has_journal(kernel));
}

/* An administrator's override, such as "none" for a device the host shall not use. */
static void test_earlier_override(void **state)
{
	static const struct {
		const char *driver, *override, *binding;
	} rows[] = {
		{ "e1000e", "e1000e", "e1000e e1000e" },
		{ NULL, "none", "none none" },
		/* set by hand, and not probed yet */
		{ "e1000e", "vfio-pci", "e1000e vfio-pci" },
		{ "e1000e", "none", "e1000e none" },
	};
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_journal struct journal journal = { 0 };

		fake_give(kernel, NIC, rows[i].driver);
		fake_set_override(kernel, NIC, rows[i].override);
		assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
		assert_binding(kernel, NIC, "vfio-pci vfio-pci");
		assert_string_equal(journal.actions.items[0].override, rows[i].override);
		assert_int_equal(fake_restore(kernel, 5000), 0);
		assert_binding(kernel, NIC, rows[i].binding);
		assert_false(fake_has_journal(kernel));
	}
}

/* An id that vfio-pci has learned (PVE writes new_id) wins a plain probe. */
static void test_learned_id(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_learn(kernel, "vfio-pci", "8086:10d3");
	fake_give(kernel, NIC, NULL);
	assert_int_equal(kernel->tree.root.fake_write(&kernel->tree.root,
						      "sys/bus/pci/drivers_probe", NIC),
			 0);
	assert_binding(kernel, NIC, "vfio-pci (null)"); /* so it is, without us */

	fake_give(kernel, NIC, "e1000e");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_untouched(kernel);
}

/* Bound to vfio-pci by the administrator, at boot: it stays there. */
static void test_vfio_before(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_give(kernel, NIC, "vfio-pci");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_string_equal(journal.actions.items[0].before, "vfio-pci");
	assert_writes(kernel, NIC, "override=vfio-pci");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC " ok\n" NIC " ok: already there\n");
	assert_binding(kernel, NIC, "vfio-pci (null)");
	assert_writes(kernel, NIC, "override=");
	assert_false(fake_has_journal(kernel));
}

/* Its driver is built in: there is no module to load. */
static void test_built_in_driver(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_driver(kernel, "ahci", "", "8086:2922");
	fake_give(kernel, NIC, "ahci");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_null(journal.actions.items[0].module);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_binding(kernel, NIC, "ahci (null)");
}

/* Without the module there is no driver, and in a tree none can be loaded. */
static void test_no_vfio(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	char told[256];

	tree_remove(&kernel->tree, "sys/bus/pci/drivers/vfio-pci");
	tree_remove(&kernel->tree, "sys/module/vfio_pci");
	assert_int_equal(fake_take(kernel, GPU, 5000, &journal), 1);
	assert_int_equal(journal.actions.count, 3);
	assert_int_equal(journal.actions.items[0].type, ACTION_LOAD_MODULE);
	assert_int_equal(journal.actions.items[0].state, ACTION_FAILED);
	assert_int_equal(journal.actions.items[1].state, ACTION_ANNOUNCED);
	snprintf(told, sizeof(told),
		 "vfio-pci EOPNOTSUPP: module 'vfio-pci' is not loaded, and none can be loaded in "
		 "'%s'\n",
		 kernel->tree.path);
	assert_told(kernel, told);
	/* not one device was touched */
	assert_writes(kernel, GPU, "");
	assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
	assert_told(kernel, GPU " ok: already there\n" AUDIO " ok: already there\n"
				"vfio-pci ok: stays loaded\n");
	assert_writes(kernel, GPU, "");
	assert_untouched(kernel);
}

#define take_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		take_test(test_one_device),	 take_test(test_group),
		take_test(test_two_lines),	 take_test(test_roll_back),
		take_test(test_driverless),	 take_test(test_earlier_override),
		take_test(test_learned_id),	 take_test(test_vfio_before),
		take_test(test_built_in_driver), take_test(test_no_vfio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
