/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: the way a device is reset, another while the VM has it. */
#include "fake_kernel.h"

#define NIC		 "0000:02:00.0"

#define SETTINGS(method) "{\"devices\": {\"" NIC "\": {\"reset_method\": \"" method "\"}}}"

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_device(kernel, &(struct tree_device){ NIC, .driver = "e1000e", .group = 15 });
	tree_attribute(&kernel->tree, NIC, "reset_method", "pm");
	return 0;
}

static void assert_method(const struct fake_kernel *kernel, const char *methods)
{
	cleanup_free char *now = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, NIC, "reset_method");
	assert_int_equal(sysroot_read_attribute(&kernel->tree.root, path, &now), 0);
	assert_string_equal(now, methods);
}

static void take(struct fake_kernel *kernel, const char *settings)
{
	cleanup_journal struct journal journal = { 0 };

	kernel->settings = settings;
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	text_done(&kernel->told);
	tree_remove(&kernel->tree, ".fake/" NIC "/writes");
}

/* "default" reads as the methods that the kernel then has. */
static void test_default(void **state)
{
	struct fake_kernel *kernel = *state;

	take(kernel, SETTINGS("default"));
	assert_method(kernel, FAKE_RESET_METHODS);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC " ok\n" NIC "/reset_method ok\n");
	assert_method(kernel, "pm");
	assert_false(fake_has_journal(kernel));
}

/* Nothing tells the kernel's choice from an administrator's but to ask the kernel again. */
static void test_default_set_since(void **state)
{
	struct fake_kernel *kernel = *state;

	take(kernel, SETTINGS("default"));
	tree_attribute(&kernel->tree, NIC, "reset_method", "bus");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC " ok\n" NIC "/reset_method ok: left as it has been set since\n");
	assert_writes(kernel, NIC,
		      "override=e1000e unbind=vfio-pci probe override= reset_method=default "
		      "reset_method=bus");
	assert_method(kernel, "bus");
}

/* The host has its own choice already: nothing differs, and nothing is asked. */
static void test_default_is_before(void **state)
{
	struct fake_kernel *kernel = *state;

	tree_attribute(&kernel->tree, NIC, "reset_method", FAKE_RESET_METHODS);
	take(kernel, SETTINGS("default"));
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_writes(kernel, NIC, "override=e1000e unbind=vfio-pci probe override=");
	assert_method(kernel, FAKE_RESET_METHODS);
}

static void test_default_fails(void **state)
{
	struct fake_kernel *kernel = *state;

	take(kernel, SETTINGS("default"));
	fake_misbehave(kernel, NIC, "reset_method@default", "once fail 5");
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, NIC " ok\n" NIC "/reset_method EIO: cannot set its reset_method to "
				"'default': Input/output error\n");
	assert_true(fake_has_journal(kernel));
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_method(kernel, "pm");
	assert_false(fake_has_journal(kernel));
}

/* An administrator has forbidden every reset: the attribute is empty, and is so again. */
static void test_none_before(void **state)
{
	struct fake_kernel *kernel = *state;

	tree_attribute(&kernel->tree, NIC, "reset_method", "");
	take(kernel, SETTINGS("bus"));
	assert_method(kernel, "bus");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC " ok\n" NIC "/reset_method ok\n");
	assert_method(kernel, "");
	assert_false(fake_has_journal(kernel));
}

#define method_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		method_test(test_default),	     method_test(test_default_set_since),
		method_test(test_default_is_before), method_test(test_default_fails),
		method_test(test_none_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
