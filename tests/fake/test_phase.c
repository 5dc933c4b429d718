/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: the phases of the hook themselves over the fake kernel: one VM after another, devices that
 * are open too long, and QEMUs with iommufd.
 */
#include "fake_kernel.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "hook/hook.h"

#define NIC "0000:01:00.0"
#define PID 4711

static int setup(void **state)
{
	struct fake_kernel *kernel;
	const struct tree *tree;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	tree = &kernel->tree;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_device(kernel, &(struct tree_device){ NIC, .driver = "e1000e", .group = 14 });
	tree_attribute(tree, NIC, "reset_method", FAKE_RESET_METHODS);
	fake_host(kernel);
	tree_config(tree, 101, "hostpci0: " NIC "\n");
	tree_config(tree, 102, "hostpci0: " NIC "\n");
	return 0;
}

/* One phase of a VM, in a process of its own as the hook is. */
static int run(struct fake_kernel *kernel, uint32_t vmid,
	       int (*phase)(struct hook *hook, struct error *err))
{
	struct hook hook = HOOK_EMPTY(vmid);
	int output = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY), r;

	kernel->err = (struct error){ 0 };
	hook.root = kernel->tree.root;
	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	r = phase(&hook, &kernel->err);
	fflush(stdout);
	dup2(output, STDOUT_FILENO);
	close(output);
	close(null);
	/* the tree is the test's */
	hook.root = (struct sysroot){ .fd = -1 };
	hook_done(&hook);
	return r;
}

static void assert_goes(struct fake_kernel *kernel, uint32_t vmid,
			int (*phase)(struct hook *hook, struct error *err))
{
	if (run(kernel, vmid, phase) != 0)
		fail_msg("VM %u: %s", vmid, kernel->err.message);
}

static void qemu_starts(struct fake_kernel *kernel, uint32_t vmid)
{
	tree_process(&kernel->tree, PID, "kvm", vmid);
	tree_process_opens(&kernel->tree, PID, 20, "/dev/vfio/14");
	fake_open_group(kernel, NIC);
}

/* Its process is gone; what it had open is closed by fake_close(). */
static void qemu_ends(struct fake_kernel *kernel, uint32_t vmid)
{
	char path[64];

	snprintf(path, sizeof(path), "run/qemu-server/%u.pid", vmid);
	tree_remove(&kernel->tree, path);
	for (const char *const *file =
		     (const char *const[]){ "fd/20", "comm", "stat", "cmdline", NULL };
	     *file; file++) {
		snprintf(path, sizeof(path), "proc/%d/%s", PID, *file);
		tree_remove(&kernel->tree, path);
	}
}

static void closes_after(struct fake_kernel *kernel, unsigned milliseconds)
{
	if (fork() != 0)
		return;
	clock_sleep_ms(milliseconds);
	fake_close(kernel, NIC);
	_exit(0);
}

static bool has_journal(const struct fake_kernel *kernel, uint32_t vmid)
{
	return journal_exists(&kernel->state, vmid);
}

static void test_round(void **state)
{
	struct fake_kernel *kernel = *state;

	assert_goes(kernel, 101, phase_pre_start);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	qemu_starts(kernel, 101);
	assert_goes(kernel, 101, phase_post_start);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	qemu_ends(kernel, 101);
	closes_after(kernel, 200);
	assert_goes(kernel, 101, phase_post_stop);
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_false(has_journal(kernel, 101));
}

/* QEMU of the one has ended, its post-stop comes later: the other one starts. */
static void test_switch(void **state)
{
	struct fake_kernel *kernel = *state;

	assert_goes(kernel, 101, phase_pre_start);
	for (uint32_t vmid = 101, other = 102, i = 0; i < 20; i++) {
		uint32_t next = other;

		qemu_starts(kernel, vmid);
		assert_goes(kernel, vmid, phase_post_start);
		assert_true(run(kernel, other, phase_pre_start) < 0); /* it runs */
		assert_binding(kernel, NIC, "vfio-pci vfio-pci");
		qemu_ends(kernel, vmid);
		closes_after(kernel, i % 2 ? 0 : 100);
		assert_goes(kernel, other, phase_pre_start);
		assert_binding(kernel, NIC, "vfio-pci vfio-pci");
		assert_false(has_journal(kernel, vmid));
		assert_true(has_journal(kernel, other));
		assert_goes(kernel, vmid, phase_post_stop); /* and finds nothing to do */
		assert_binding(kernel, NIC, "vfio-pci vfio-pci");
		other = vmid;
		vmid = next;
	}
}

/* The same VM again, before its own post-stop: what it took first is what it gives back. */
static void test_again(void **state)
{
	struct fake_kernel *kernel = *state;

	assert_goes(kernel, 101, phase_pre_start);
	qemu_starts(kernel, 101);
	assert_goes(kernel, 101, phase_post_start);
	qemu_ends(kernel, 101);
	closes_after(kernel, 300);
	assert_goes(kernel, 101, phase_pre_start);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	assert_goes(kernel, 101, phase_post_stop);
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_false(has_journal(kernel, 101));
}

/* With iommufd, with and without group nodes, the VM keeps its device and the host gets it after. */
static void test_iommufd(void **state)
{
	struct fake_kernel *kernel = *state;

	for (int groups = 1; groups >= 0; groups--) {
		assert_goes(kernel, 101, phase_pre_start);
		tree_process(&kernel->tree, PID, "kvm", 101);
		fake_open_device(kernel, NIC, PID, groups);
		tree_process(&kernel->tree, PID, "kvm", 101);
		tree_file(&kernel->tree, "run/qemu-server/101.pid", "%d\n", PID);
		assert_goes(kernel, 101, phase_post_start);
		assert_binding(kernel, NIC, "vfio-pci vfio-pci");
		assert_true(has_journal(kernel, 101));
		assert_true(run(kernel, 102, phase_pre_start) < 0);
		fake_close(kernel, NIC);
		qemu_ends(kernel, 101);
		assert_goes(kernel, 101, phase_post_stop);
		assert_binding(kernel, NIC, "e1000e (null)");
	}
}

/* A device that is with vfio-pci already is nothing to do; without a node QEMU could not have it. */
static void test_no_node(void **state)
{
	struct fake_kernel *kernel = *state;

	tree_file(&kernel->tree, "etc/pve/pve-vfio/101.json", "{\"deadline_s\": 1}\n");
	fake_give(kernel, NIC, "vfio-pci");
	tree_remove(&kernel->tree, "dev/vfio/14");
	assert_true(run(kernel, 101, phase_pre_start) < 0);
	assert_false(has_journal(kernel, 101));
}

/* What is to be done is in the journal before it is. */
static void test_killed_at_once(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	int status;
	pid_t pid;

	fake_kill_at(kernel, 1, false);
	pid = fork();
	if (pid == 0)
		_exit(run(kernel, 101, phase_pre_start) == 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fake_kill_at(kernel, 0, false);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(journal_read(&kernel->tree.root, &kernel->state, 101, &journal,
				      &kernel->err),
			 0);
	assert_non_null(actions_find(&journal.actions, ACTION_BIND, NIC));
	assert_goes(kernel, 101, phase_post_stop);
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_false(has_journal(kernel, 101));
}

#define phase_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		phase_test(test_round),	  phase_test(test_switch),  phase_test(test_again),
		phase_test(test_iommufd), phase_test(test_no_node), phase_test(test_killed_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
