/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: what is built on a function's disks, when the VM gets it and when the host has it again. */
#include "fake_kernel.h"

#include <sys/wait.h>

#include "base/clock.h"

#define ONE   "0000:01:00.0"
#define TWO   "0000:02:00.0"
#define OTHER "0000:03:00.0"

static int setup(void **state)
{
	static const char *const addresses[] = { ONE, TWO, OTHER };
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "nvme", "nvme", "144d:a80a");
	for (int i = 0; i < 3; i++)
		fake_device(kernel, &(struct tree_device){ addresses[i], 0x144d, 0xa80a, 0x010802,
							   .driver = "nvme", .group = 14 + i });
	fake_disk(kernel, ONE, "nvme0n1");
	fake_disk(kernel, TWO, "nvme1n1");
	fake_disk(kernel, OTHER, "nvme2n1");
	return 0;
}

/* A volume group on an array over two disks, and an encrypted volume on a volume of it. */
static void build_tower(const struct fake_kernel *kernel, bool again)
{
	fake_layer(kernel, "md127 nvme0n1,nvme1n1 md", again);
	fake_layer(kernel, "dm-0 md127 lvm guest-root", again);
	fake_layer(kernel, "dm-1 md127 lvm guest-home", again);
	fake_layer(kernel, "dm-2 dm-1 crypt secret", false);
}

static void assert_layers(const struct fake_kernel *kernel, const char *layers)
{
	static const char *const names[] = { "md127", "dm-0", "dm-1", "dm-2" };
	cleanup_text struct text now = { 0 };

	text_add(&now, "%s", "");
	for (size_t i = 0; i < COUNT(names); i++)
		if (fake_has_layer(kernel, names[i]))
			text_add(&now, "%s ", names[i]);
	assert_string_equal(now.data, layers);
}

static const struct action *disks_of(const struct journal *journal, const char *address)
{
	char target[32];

	snprintf(target, sizeof(target), "%s/disks", address);
	return actions_find(&journal->actions, ACTION_RELEASE_DISKS, target);
}

/* From the top, before the driver; and udev brings it up again, but for what needs a key. */
static void a_tower_over_two_disks_goes_and_comes(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	build_tower(kernel, true);
	assert_int_equal(fake_take(kernel, ONE " " TWO, 5000, &journal), 0);
	assert_layers(kernel, "");
	assert_string_equal(disks_of(&journal, ONE)->before,
			    "md:md127 lv:guest-root lv:guest-home crypt:secret");
	assert_string_equal(disks_of(&journal, ONE)->wanted, "released " TWO);
	assert_told(kernel, ONE " ok\n" ONE "/disks ok\n" TWO " ok\n" TWO "/disks ok\n");
	assert_binding(kernel, ONE, "vfio-pci vfio-pci");
	assert_binding(kernel, TWO, "vfio-pci vfio-pci");

	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_layers(kernel, "md127 dm-0 dm-1 ");
	assert_binding(kernel, ONE, "nvme (null)");
	assert_false(fake_has_journal(kernel));
}

/* One lane alone: each layer before what it lies on. */
static void the_innermost_goes_last(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_layer(kernel, "dm-0 nvme0n1 lvm guest-root", true);
	fake_layer(kernel, "dm-1 dm-0 crypt secret", false);
	assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
	assert_writes(kernel, FAKE_ALL,
		      "dm-1/remove=CRYPT-dm-1 dm-0/remove=LVM-dm-0 " ONE "/override=vfio-pci " ONE
		      "/unbind=nvme " ONE "/probe");
}

/* Nothing is said of it, and nothing done, but that udev may come. */
static void a_plain_disk(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
	assert_null(disks_of(&journal, ONE)->before);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_writes(kernel, FAKE_ALL,
		      ONE "/override=vfio-pci " ONE "/unbind=nvme " ONE "/probe " ONE
			  "/override=nvme " ONE "/unbind=vfio-pci " ONE "/probe " ONE "/override=");
}

/* It was down, udev brings it up with the disk: it is down again. */
static void what_was_down_stays_down(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	build_tower(kernel, true);
	assert_int_equal(fake_take(kernel, ONE " " TWO, 5000, &journal), 0);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	journal_done(&journal);

	/* the administrator's doing */
	tree_remove(&kernel->tree, "sys/class/block/dm-0");
	tree_remove(&kernel->tree, "sys/class/block/dm-1");
	tree_remove(&kernel->tree, "sys/class/block/md127");
	tree_remove(&kernel->tree, "sys/class/block/nvme0n1/holders/md127");
	tree_remove(&kernel->tree, "sys/class/block/nvme1n1/holders/md127");
	assert_int_equal(fake_take(kernel, ONE " " TWO, 5000, &journal), 0);
	assert_null(disks_of(&journal, ONE)->before);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_layers(kernel, "");
	assert_false(fake_has_journal(kernel));
}

/* Nobody had brought it up. LVM's service does, and has the disk open for that: it is waited for. */
static void what_a_service_brings_up_goes_again(void **state)
{
	static const char unit[] = "sys/fs/cgroup/system.slice/lvm-activate-guest.service";
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	int status;
	pid_t child;

	tree_bytes(&kernel->tree, "run/udev/control", "", 0);
	tree_file(&kernel->tree, "run/udev/data/b250:7", "E:LVM_VG_NAME_COMPLETE=guest\n");
	assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
	tree_folder(&kernel->tree, unit);
	tree_process(&kernel->tree, 500, "lvm", 0);
	tree_process_opens(&kernel->tree, 500, 3, "/dev/nvme0n1");
	child = fork();
	if (child == 0) {
		clock_sleep_ms(2500);
		fake_layer(kernel, "dm-0 nvme0n1 lvm guest-root", true);
		tree_remove(&kernel->tree, "proc/500/fd/3");
		tree_remove(&kernel->tree, unit);
		_exit(0);
	}
	assert_int_equal(fake_restore(kernel, 20000), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_false(fake_has_layer(kernel, "dm-0"));
	assert_binding(kernel, ONE, "nvme (null)");
	assert_false(fake_has_journal(kernel));
}

/* udev was quicker than the plan is old. */
static void what_comes_after_the_plan_goes_too(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	cleanup_plan struct plan plan = { 0 };
	struct fake_kernel *kernel = *state;

	fake_plan(kernel, ONE " " TWO, NULL, &plan);
	build_tower(kernel, true);
	fake_announce(kernel, &plan, &journal);
	assert_int_equal(run_actions(&kernel->tree.root, &journal.actions, RUN_APPLY, NULL, 5000,
				     fake_told, kernel, &kernel->err),
			 0);
	assert_layers(kernel, "");
}

/* The plan knows of nothing; the kernel does. The rest of the tower is not touched, and all is back. */
static void one_layer_is_open(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	tree_bytes(&kernel->tree, "run/udev/control", "", 0);
	build_tower(kernel, true);
	fake_misbehave(kernel, "dm-0", "remove", "fail 16");
	assert_true(fake_take(kernel, ONE " " TWO, 20000, &journal) > 0);
	assert_binding(kernel, ONE, "nvme (null)");
	assert_binding(kernel, TWO, "nvme (null)");
	assert_true(fake_has_layer(kernel, "dm-0"));
	assert_true(fake_has_layer(kernel, "md127"));
	text_done(&kernel->told);
	assert_int_equal(fake_roll_back(kernel, 20000, &journal), 0);
	/* what was let go of by then is up again, for udev is told of the disk */
	assert_layers(kernel, "md127 dm-0 dm-1 ");
	assert_false(fake_has_journal(kernel));
}

/* With less time than it would take to see whether what comes again and again ends: a sentence, in time. */
static void a_short_deadline_is_kept(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	tree_bytes(&kernel->tree, "run/udev/control", "", 0);
	build_tower(kernel, true);
	fake_misbehave(kernel, "dm-0", "remove", "fail 16");
	assert_true(fake_take(kernel, ONE " " TWO, 3000, &journal) > 0);
	assert_non_null(strstr(kernel->told.data, "/disks EBUSY: "));
	assert_null(strstr(kernel->told.data, "not done within"));
	assert_int_equal(fake_roll_back(kernel, 20000, &journal), 0);
	assert_layers(kernel, "md127 dm-0 dm-1 ");
}

/* A part of the array is on a disk that stays. */
static void an_array_that_is_not_all_the_vms_stays(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	build_tower(kernel, true);
	assert_true(fake_take(kernel, ONE, 20000, &journal) > 0);
	assert_layers(kernel, "md127 dm-0 dm-1 dm-2 ");
	assert_binding(kernel, ONE, "nvme (null)");
	assert_told(kernel, ONE " ECANCELED: not tried\n" ONE
				"/disks EBUSY: nvme0n1 belongs to the RAID array md127, which lies "
				"on nvme1n1 too\n");
}

/* mdadm gives the next number that is free, and what was one before may be another now. */
static void an_array_comes_back_with_another_number(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	tree_bytes(&kernel->tree, "run/udev/control", "", 0);
	fake_layer(kernel, "md126 nvme0n1 md", false);
	assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
	assert_false(fake_has_layer(kernel, "md126"));
	assert_told(kernel, ONE " ok\n" ONE "/disks ok\n");

	fake_layer(kernel, "md127 nvme0n1 md", true);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, ONE " ok\n" ONE "/disks ok\n");
	assert_true(fake_has_layer(kernel, "md127"));
	assert_false(fake_has_journal(kernel));
}

/* Killed anywhere between two layers, before or after one goes: a restore leaves the host as it was. */
static void killed_between_layers(void **state)
{
	struct fake_kernel *kernel = *state;

	tree_bytes(&kernel->tree, "run/udev/control", "", 0);
	for (unsigned number = 1; number <= 8; number++) {
		for (int after = 0; after < 2; after++) {
			cleanup_plan struct plan plan = { 0 };
			cleanup_journal struct journal journal = { 0 };
			int status;
			pid_t child;

			fake_layer(kernel, "dm-0 nvme0n1 lvm guest-root", number == 1 && !after);
			fake_layer(kernel, "dm-1 nvme0n1 lvm guest-home", number == 1 && !after);
			fake_layer(kernel, "dm-2 dm-1 crypt secret", false);
			fake_plan(kernel, ONE, NULL, &plan);
			fake_announce(kernel, &plan, &journal);
			fake_kill_at(kernel, number, after);
			child = fork();
			if (child == 0)
				_exit(run_actions(&kernel->tree.root, &journal.actions, RUN_APPLY,
						  NULL, 5000, fake_told, kernel,
						  &kernel->err) != 0);
			assert_int_equal(waitpid(child, &status, 0), child);
			fake_kill_at(kernel, 0, false);
			assert_int_equal(fake_restore(kernel, 20000), 0);
			assert_true(fake_has_layer(kernel, "dm-0"));
			assert_true(fake_has_layer(kernel, "dm-1"));
			assert_binding(kernel, ONE, "nvme (null)");
			assert_false(fake_has_journal(kernel));
			text_done(&kernel->told);
		}
	}
}

/* The second start finds no disk and knows what was on it before the first. */
static void a_second_start_knows_what_was_up(void **state)
{
	cleanup_journal struct journal first = { 0 }, second = { 0 };
	cleanup_plan struct plan plan = { 0 };
	struct fake_kernel *kernel = *state;
	size_t at_disks = 0, at_bind = 0;

	fake_layer(kernel, "dm-0 nvme0n1 lvm guest-root", true);
	assert_int_equal(fake_take(kernel, ONE, 5000, &first), 0);
	fake_plan(kernel, ONE, &first, &plan);
	fake_announce(kernel, &plan, &second);
	assert_string_equal(disks_of(&second, ONE)->before, "lv:guest-root");
	for (size_t i = 0; i < second.actions.count; i++) {
		at_disks = second.actions.items[i].type == ACTION_RELEASE_DISKS ? i : at_disks;
		at_bind = second.actions.items[i].type == ACTION_BIND ? i : at_bind;
	}
	assert_true(at_disks < at_bind);
	assert_int_equal(run_actions(&kernel->tree.root, &second.actions, RUN_APPLY, NULL, 5000,
				     fake_told, kernel, &kernel->err),
			 0);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_true(fake_has_layer(kernel, "dm-0"));
}

/* Who has accepted a use has it as before: nothing is let go of. */
static void an_accepted_use_is_left(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_layer(kernel, "dm-0 nvme0n1 lvm guest-root", true);
	kernel->settings = "{\"allow\": [\"storage-in-use\"]}";
	assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
	assert_null(disks_of(&journal, ONE));
	assert_true(fake_has_layer(kernel, "dm-0"));
}

#define disks_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		disks_test(a_tower_over_two_disks_goes_and_comes),
		disks_test(the_innermost_goes_last),
		disks_test(a_plain_disk),
		disks_test(what_was_down_stays_down),
		disks_test(what_a_service_brings_up_goes_again),
		disks_test(what_comes_after_the_plan_goes_too),
		disks_test(one_layer_is_open),
		disks_test(a_short_deadline_is_kept),
		disks_test(an_array_that_is_not_all_the_vms_stays),
		disks_test(an_array_comes_back_with_another_number),
		disks_test(killed_between_layers),
		disks_test(a_second_start_knows_what_was_up),
		disks_test(an_accepted_use_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
