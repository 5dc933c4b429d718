/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: what somebody has open through VFIO, in whatever form, is not given back, whoever asks;
 * once it is closed it is.
 */
#include "fake_kernel.h"

#include "base/clock.h"

#define NIC   "0000:01:00.0"
#define GPU   "0000:04:00.0"
#define AUDIO "0000:04:00.1" /* of the GPU's group and slot */
#define BOTH  NIC " " GPU

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_device(kernel, &(struct tree_device){ NIC, .driver = "e1000e", .group = 14 });
	fake_device(kernel, &(struct tree_device){ GPU, .driver = "e1000e", .group = 17 });
	fake_device(kernel, &(struct tree_device){ AUDIO, .driver = "e1000e", .group = 17 });
	tree_attribute(&kernel->tree, GPU, "reset_method", FAKE_RESET_METHODS);
	tree_process(&kernel->tree, 1, "systemd", 0);
	return 0;
}

static void assert_back(const struct fake_kernel *kernel)
{
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_binding(kernel, GPU, "e1000e (null)");
	assert_binding(kernel, AUDIO, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

/* The ways in which a process can have the GPU. */
static const struct form {
	const char *name;
	bool device, groups;
	const char *words;
} forms[] = {
	{ "group", false, true, "its group 17 is still open, by a process that ends" },
	{ "iommufd", true, true, "process N (kvm) still holds its group 17" },
	{ "iommufd alone", true, false, "process N (kvm) still holds its group 17" },
};

static void hold(struct fake_kernel *kernel, const struct form *form)
{
	if (form->device)
		fake_open_device(kernel, GPU, 300, form->groups);
	else
		fake_open_group(kernel, GPU);
}

static void assert_held(struct fake_kernel *kernel, const struct form *form)
{
	char told[512];

	snprintf(told, sizeof(told), NIC " ok\n" GPU " EBUSY: %s\n" AUDIO " EBUSY: %s\n",
		 form->words, form->words);
	assert_told(kernel, told);
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_binding(kernel, GPU, "vfio-pci vfio-pci");
	assert_binding(kernel, AUDIO, "vfio-pci vfio-pci");
	assert_true(fake_has_journal(kernel));
}

/* By another process, and by the one that took them. */
static void test_not_given_back(void **state)
{
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < 2 * COUNT(forms); i++) {
		cleanup_journal struct journal journal = { 0 };
		const struct form *form = &forms[i / 2];
		int left;

		assert_int_equal(fake_take(kernel, BOTH, 5000, &journal), 0);
		text_done(&kernel->told);
		hold(kernel, form);
		left = i % 2 ? fake_roll_back(kernel, 5000, &journal) : fake_restore(kernel, 5000);
		assert_row(form->name, left == 2);
		assert_held(kernel, form);
		fake_close(kernel, GPU);
		assert_int_equal(fake_restore(kernel, 5000), 0);
		text_done(&kernel->told);
		assert_back(kernel);
	}
}

/* What else was done to a device that is open stays: it is not reset, removed or resized. */
static void test_all_of_it_stays(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings =
		"{\"devices\": {\"" GPU "\": {\"reset_method\": \"bus\", \"rescan\": true}}}";
	assert_int_equal(fake_take(kernel, BOTH, 5000, &journal), 0);
	text_done(&kernel->told);
	tree_remove(&kernel->tree, ".fake/" GPU "/writes");
	fake_open_group(kernel, GPU);
	assert_int_equal(fake_restore(kernel, 5000), 2);
	assert_held(kernel, &forms[0]);
	assert_writes(kernel, GPU, "");
	fake_close(kernel, GPU);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	text_done(&kernel->told);
	assert_writes(kernel, GPU, "remove reset_method=flr bus");
	assert_back(kernel);
}

/* It is waited for, but no longer than was asked, and no longer than it takes. */
static void test_waited_for(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	struct restore restore = fake_giving_back(kernel, 5000);
	uint64_t began = clock_now_us();
	pid_t child;

	assert_int_equal(fake_take(kernel, BOTH, 5000, &journal), 0);
	fake_open_group(kernel, GPU);
	restore.wait_ms = 300;
	assert_int_equal(restore_journal(&restore, &journal, NULL, &kernel->err), 2);
	assert_in_range((clock_now_us() - began) / 1000, 300, 20000);
	assert_int_equal(restore.held, 2);

	child = fork();
	if (child == 0) {
		clock_sleep_ms(200);
		fake_close(kernel, GPU);
		_exit(0);
	}
	began = clock_now_us();
	restore = fake_giving_back(kernel, 5000);
	restore.wait_ms = 60000;
	assert_int_equal(restore_journal(&restore, &journal, NULL, &kernel->err), 0);
	assert_in_range((clock_now_us() - began) / 1000, 100, 50000);
	assert_int_equal(restore.held, 0);
	text_done(&kernel->told);
	assert_back(kernel);
}

/* What does not answer is not waited for longer than the run's deadline, and is named. */
static void test_silent(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	struct restore restore = fake_giving_back(kernel, 5000);
	char told[3 * PATH_MAX], path[PATH_MAX];
	uint64_t began;

	assert_int_equal(fake_take(kernel, BOTH, 5000, &journal), 0);
	text_done(&kernel->told);
	journal.deadline_s = 1;
	fake_silence_group(kernel, GPU);
	restore.wait_ms = 60000;
	began = clock_now_us();
	assert_int_equal(restore_journal(&restore, &journal, NULL, &kernel->err), 2);
	assert_in_range((clock_now_us() - began) / 1000, 1000, 10000);
	assert_int_equal(restore.held, 2);
	tree_format(path, "%s/.fake/open/17", kernel->tree.root.path);
	snprintf(told, sizeof(told),
		 NIC
		 " ok\n" GPU
		 " EBUSY: %s has not answered within 1 s, so its group 17 counts as open\n" AUDIO
		 " EBUSY: %s has not answered within 1 s, so its group 17 counts as open\n",
		 path, path);
	assert_told(kernel, told);
	fake_close(kernel, GPU);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	text_done(&kernel->told);
	assert_back(kernel);
}

#define held_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		held_test(test_not_given_back),
		held_test(test_all_of_it_stays),
		held_test(test_waited_for),
		held_test(test_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
