/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/driver.c, write for write, against a kernel that does what it should not. */
#include "fake_kernel.h"

#include "pci/driver.h"

#define NIC "0000:01:00.0"

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_driver(kernel, "nouveau", "nouveau", "10de:2484");
	fake_device(kernel, &(struct tree_device){ NIC, .driver = "e1000e", .group = 14 });
	return 0;
}

static void test_bind(void **state)
{
	struct fake_kernel *kernel = *state;

	assert_int_equal(pci_driver_bind(&kernel->tree.root, NIC, "vfio-pci", &kernel->err), 0);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	/* the documented order: Documentation/ABI/testing/sysfs-bus-pci */
	assert_writes(kernel, NIC, "override=vfio-pci unbind=e1000e probe");
	assert_true(tree_has(&kernel->tree, "dev/vfio/14"));
}

static void test_bind_what_is_bound(void **state)
{
	struct fake_kernel *kernel = *state;

	assert_int_equal(pci_driver_bind(&kernel->tree.root, NIC, "e1000e", &kernel->err), 0);
	assert_binding(kernel, NIC, "e1000e e1000e");
	assert_writes(kernel, NIC, "override=e1000e");
}

static void test_bind_driverless(void **state)
{
	struct fake_kernel *kernel = *state;

	fake_give(kernel, NIC, NULL);
	assert_int_equal(pci_driver_bind(&kernel->tree.root, NIC, "vfio-pci", &kernel->err), 0);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	assert_writes(kernel, NIC, "override=vfio-pci probe");
}

/* A probe that ends by itself after drivers_probe has returned. */
static void test_bind_late(void **state)
{
	struct fake_kernel *kernel = *state;

	fake_misbehave(kernel, NIC, "probe", "late 300");
	assert_int_equal(pci_driver_bind(&kernel->tree.root, NIC, "vfio-pci", &kernel->err), 0);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
}

/* The last user of the group is just going: the probe fails, and a moment later it does not. */
static void test_bind_at_the_second_probe(void **state)
{
	struct fake_kernel *kernel = *state;

	fake_misbehave(kernel, NIC, "probe", "once fail 16");
	assert_int_equal(pci_driver_bind(&kernel->tree.root, NIC, "vfio-pci", &kernel->err), 0);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	assert_writes(kernel, NIC, "override=vfio-pci unbind=e1000e probe*");
}

/* Every way in which taking the device can fail: what is said, and where the device is then. */
static void test_bind_fails(void **state)
{
	static const struct {
		const char *where, *what;
		int result;
		const char *message, *binding, *writes;
	} rows[] = {
		{ "override", "fail 5", -EIO,
		  "cannot set driver_override to 'vfio-pci': Input/output error", "e1000e (null)",
		  "override=vfio-pci" },
		{ "override", "ignore", -EIO,
		  "driver_override was set to 'vfio-pci' and reads '(null)'", "e1000e (null)",
		  "override=vfio-pci" },
		{ "unbind", "fail 16", -EBUSY,
		  "cannot unbind it from 'e1000e': Device or resource busy", "e1000e vfio-pci",
		  "override=vfio-pci unbind=e1000e" },
		{ "unbind", "fail 5", -EIO, "cannot unbind it from 'e1000e': Input/output error",
		  "e1000e vfio-pci", "override=vfio-pci unbind=e1000e" },
		{ "unbind", "ignore", -EBUSY, "'e1000e' does not let it go", "e1000e vfio-pci",
		  "override=vfio-pci unbind=e1000e" },
		/* another process was quicker, says the kernel, and the driver is there still */
		{ "unbind", "fail 19", -EBUSY, "'e1000e' does not let it go", "e1000e vfio-pci",
		  "override=vfio-pci unbind=e1000e" },
		{ "unbind", "vanish", -ENODEV, "the device is no longer there", "gone",
		  "override=vfio-pci unbind=e1000e" },
		/* tried again for a moment */
		{ "probe", "fail 22", -EIO,
		  "'vfio-pci' did not take it: its probe failed (Invalid argument), see 'journalctl "
		  "-k'",
		  "none vfio-pci", "override=vfio-pci unbind=e1000e probe*" },
		{ "probe", "ignore", -EIO,
		  "'vfio-pci' did not take it: its probe failed, see 'journalctl -k'",
		  "none vfio-pci", "override=vfio-pci unbind=e1000e probe" },
		{ "probe", "wrong nouveau", -EIO, "'nouveau' took it in place of 'vfio-pci'",
		  "nouveau vfio-pci", "override=vfio-pci unbind=e1000e probe" },
		{ "probe", "vanish", -ENODEV, "the device is no longer there", "gone",
		  "override=vfio-pci unbind=e1000e probe" },
	};
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };

		fake_misbehave(kernel, NIC, rows[i].where, rows[i].what);
		assert_int_equal(pci_driver_bind(&kernel->tree.root, NIC, "vfio-pci", &err),
				 rows[i].result);
		assert_string_equal(err.message, rows[i].message);
		assert_binding(kernel, NIC, rows[i].binding);
		assert_writes(kernel, NIC, rows[i].writes);
		fake_behave(kernel, NIC, rows[i].where);
		if (strcmp(rows[i].binding, "gone") == 0)
			fake_device(kernel, &(struct tree_device){ NIC, .group = 14 });
		fake_give(kernel, NIC, "e1000e");
		fake_set_override(kernel, NIC, NULL);
	}
}

/* An unbind that fails because another process was quicker is none. */
static void test_bind_unbound_meanwhile(void **state)
{
	struct fake_kernel *kernel = *state;

	fake_misbehave(kernel, NIC, "unbind", "beaten");
	assert_int_equal(pci_driver_bind(&kernel->tree.root, NIC, "vfio-pci", &kernel->err), 0);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
}

/* So quick that the driver link was gone before anything was written. */
static void test_bind_link_vanishes(void **state)
{
	struct fake_kernel *kernel = *state;

	fake_misbehave(kernel, NIC, "unbind", "forestalled");
	assert_int_equal(pci_driver_bind(&kernel->tree.root, NIC, "vfio-pci", &kernel->err), 0);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
}

static void test_bind_no_such_driver(void **state)
{
	struct fake_kernel *kernel = *state;

	assert_int_equal(pci_driver_bind(&kernel->tree.root, NIC, "nosuch", &kernel->err), -EIO);
	assert_string_equal(kernel->err.message,
			    "'nosuch' did not take it: its probe failed, see 'journalctl -k'");
	assert_binding(kernel, NIC, "none nosuch");
}

static void test_bind_no_such_device(void **state)
{
	struct fake_kernel *kernel = *state;

	assert_int_equal(pci_driver_bind(&kernel->tree.root, "0000:02:00.0", "vfio-pci",
					 &kernel->err),
			 -ENOENT);
	assert_string_equal(kernel->err.message,
			    "cannot set driver_override to 'vfio-pci': No such file or directory");
}

static void test_override(void **state)
{
	struct fake_kernel *kernel = *state;
	char *override = NULL;

	assert_int_equal(pci_override_read(&kernel->tree.root, NIC, &override), 0);
	assert_null(override);
	assert_int_equal(pci_override_write(&kernel->tree.root, NIC, "none", &kernel->err), 0);
	assert_int_equal(pci_override_read(&kernel->tree.root, NIC, &override), 0);
	assert_string_equal(override, "none");
	free(override);
	/* cleared by a line, not by no bytes at all: those change nothing */
	assert_int_equal(pci_override_write(&kernel->tree.root, NIC, NULL, &kernel->err), 0);
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_writes(kernel, NIC, "override=none override=");

	assert_int_equal(pci_override_read(&kernel->tree.root, "0000:02:00.0", &override), -ENOENT);
}

static void test_unbind(void **state)
{
	struct fake_kernel *kernel = *state;

	fake_set_override(kernel, NIC, "vfio-pci");
	assert_int_equal(pci_driver_unbind(&kernel->tree.root, NIC, &kernel->err), 0);
	assert_binding(kernel, NIC, "none vfio-pci");
	assert_writes(kernel, NIC, "unbind=e1000e");
	/* nothing is bound: nothing is written */
	assert_int_equal(pci_driver_unbind(&kernel->tree.root, NIC, &kernel->err), 0);
	assert_writes(kernel, NIC, "");

	assert_int_equal(pci_driver_unbind(&kernel->tree.root, "0000:02:00.0", &kernel->err),
			 -ENODEV);
	assert_string_equal(kernel->err.message, "the device is no longer there");
}

static void test_read(void **state)
{
	struct fake_kernel *kernel = *state;
	char *driver = NULL, *module = NULL;

	assert_int_equal(pci_driver_read(&kernel->tree.root, NIC, &driver), 0);
	assert_string_equal(driver, "e1000e");
	free(driver);
	assert_int_equal(pci_driver_module(&kernel->tree.root, NIC, &module), 0);
	assert_string_equal(module, "e1000e");
	free(module);

	fake_driver(kernel, "ahci", "", "8086:2922");
	fake_give(kernel, NIC, "ahci");
	assert_int_equal(pci_driver_module(&kernel->tree.root, NIC, &module), 0);
	assert_null(module);

	fake_give(kernel, NIC, NULL);
	assert_int_equal(pci_driver_read(&kernel->tree.root, NIC, &driver), 0);
	assert_null(driver);
	assert_int_equal(pci_driver_module(&kernel->tree.root, NIC, &module), 0);
	assert_null(module);

	fake_vanish(kernel, NIC);
	assert_int_equal(pci_driver_read(&kernel->tree.root, NIC, &driver), -ENODEV);
}

#define driver_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		driver_test(test_bind),
		driver_test(test_bind_what_is_bound),
		driver_test(test_bind_driverless),
		driver_test(test_bind_late),
		driver_test(test_bind_at_the_second_probe),
		driver_test(test_bind_fails),
		driver_test(test_bind_unbound_meanwhile),
		driver_test(test_bind_link_vanishes),
		driver_test(test_bind_no_such_driver),
		driver_test(test_bind_no_such_device),
		driver_test(test_override),
		driver_test(test_unbind),
		driver_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
