/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a lane can still do that has confined itself: what its actions need, and of many hostile deeds none.
 * Each deed is done so that it harms nobody where it is let through.
 */
#include "change/reach.h"
#include "test.h"
#include "tree.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/cage.h"

#define OURS  "0000:01:00.0"
#define OTHER "0000:02:00.0"

/* A deed's result is 0 or an errno. */
static int of(long r)
{
	return r < 0 ? errno : 0;
}

static int write_to(const struct tree *tree, const char *path)
{
	return -sysroot_write_attribute(&tree->root, path, "1");
}

static int read_from(const struct tree *tree, const char *path, int flags)
{
	int fd = sysroot_openat(&tree->root, path, O_RDONLY | flags);

	return fd < 0 ? -fd : 0;
}

static int open_here(const char *path)
{
	return of(open(path, O_RDONLY | O_CLOEXEC));
}

/* The path in the tree, as system calls want it. */
static const char *whole(const struct tree *tree, const char *path)
{
	static char full[PATH_MAX];

	tree_path(tree, path, full);
	return full;
}

#define DEED(name, call)                                                                           \
	static int name(const struct tree *tree)                                                   \
	{                                                                                          \
		(void)tree;                                                                        \
		return call;                                                                       \
	}

DEED(another_override, write_to(tree, "sys/bus/pci/devices/" OTHER "/driver_override"))
DEED(another_reset, write_to(tree, "sys/bus/pci/devices/" OTHER "/reset"))
DEED(another_driver, write_to(tree, "sys/bus/pci/devices/" OTHER "/driver/unbind"))
DEED(new_id, write_to(tree, "sys/bus/pci/drivers/vfio-pci/new_id"))
DEED(new_id_of_host, write_to(tree, "sys/bus/pci/drivers/e1000e/new_id"))
DEED(bus_rescan, write_to(tree, "sys/bus/pci/rescan"))
DEED(power_state, write_to(tree, "sys/power/state"))
DEED(sysrq, write_to(tree, "proc/sysrq-trigger"))
DEED(core_pattern, write_to(tree, "proc/sys/kernel/core_pattern"))
DEED(journal, write_to(tree, "run/pve-vfio/101.json"))
DEED(configuration, write_to(tree, "etc/pve/qemu-server/101.conf"))
DEED(disk, write_to(tree, "dev/sda"))
DEED(shadow_write, write_to(tree, "etc/shadow"))
DEED(shadow_read, read_from(tree, "etc/shadow", 0))
DEED(list_etc, read_from(tree, "etc", O_DIRECTORY))
DEED(shadow_here, open_here("/etc/shadow"))
DEED(environment_of_init, open_here("/proc/1/environ"))
DEED(make_file, of(open(whole(tree, "etc/cron.d"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)))
DEED(make_folder, of(mkdir(whole(tree, "etc/folder"), 0700)))
DEED(make_link, of(symlink("/bin/sh", whole(tree, "etc/link"))))
DEED(make_node, of(mknod(whole(tree, "dev/node"), S_IFIFO | 0600, 0)))
DEED(remove_file, of(unlink(whole(tree, "etc/passwd"))))
DEED(shorten, of(truncate(whole(tree, "etc/shadow"), 0)))
DEED(open_to_all, of(chmod(whole(tree, "etc/shadow"), 0666)))
DEED(own, of(chown(whole(tree, "etc/shadow"), getuid(), getgid())))
DEED(trace, of(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL)))
DEED(signal_parent, of(kill(getppid(), 0)))
DEED(signal_thread, of(syscall(SYS_tgkill, getppid(), getppid(), 0)))
DEED(socket_inet, of(socket(AF_INET, SOCK_STREAM, 0)))
DEED(socket_unix, of(socket(AF_UNIX, SOCK_STREAM, 0)))
DEED(socket_netlink, of(socket(AF_NETLINK, SOCK_RAW, 0)))
DEED(connect_any, of(connect(-1, NULL, 0)))
DEED(mount_any, of(mount("none", "/no-such", "no-such", 0, NULL)))
DEED(unmount_any, of(umount2("/no-such", 0)))
DEED(change_root, of(chroot("/no-such")))
DEED(load_module, of(syscall(SYS_init_module, NULL, 0, "")))
DEED(load_module_file, of(syscall(SYS_finit_module, -1, "", 0)))
DEED(unload_module, of(syscall(SYS_delete_module, "no_such_module", O_NONBLOCK)))
DEED(new_kernel, of(syscall(SYS_kexec_load, 0, 0, NULL, ~0ul)))
DEED(reboot_any, of(syscall(SYS_reboot, 0, 0, 0, NULL)))
DEED(load_bpf, of(syscall(SYS_bpf, ~0u, NULL, 0)))
DEED(watch_events, of(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0)))
DEED(ring, of(syscall(SYS_io_uring_setup, 0, NULL)))
DEED(other_namespace, of(setns(-1, 0)))
DEED(own_namespace, of(unshare(0)))
DEED(swap, of(syscall(SYS_swapon, "/no-such", 0)))
DEED(set_clock, of(syscall(SYS_clock_settime, -1, NULL)))

static int take_name(const struct tree *tree)
{
	char other[PATH_MAX];

	tree_path(tree, "etc/other", other);
	return of(link(whole(tree, "etc/shadow"), other));
}

static int execute(const struct tree *tree)
{
	static char *const nothing[] = { NULL };
	static char name[] = "true";
	char *const arguments[] = { name, NULL };

	(void)tree;
	return of(execve("/bin/true", arguments, nothing));
}

static int read_parent(const struct tree *tree)
{
	static char here[8];
	struct iovec to = { here, sizeof(here) }, from = { here, sizeof(here) };

	(void)tree;
	return of(process_vm_readv(getppid(), &to, 1, &from, 1, 0));
}

static const struct {
	const char *name;
	int (*tried)(const struct tree *tree);
	bool calls;   /* system calls are all that stops it */
	bool as_root; /* somebody else is refused it anyway, or one in a container */
} deeds[] = {
	{ "another device's driver_override", another_override, false, false },
	{ "another device's reset", another_reset, false, false },
	{ "unbinding another device", another_driver, false, false },
	{ "new_id", new_id, false, false },
	{ "new_id of the host's driver", new_id_of_host, false, false },
	{ "a rescan of all buses", bus_rescan, false, false },
	{ "suspending the machine", power_state, false, false },
	{ "sysrq", sysrq, false, false },
	{ "core_pattern", core_pattern, false, false },
	{ "the journal", journal, false, false },
	{ "a VM's configuration", configuration, false, false },
	{ "a disk", disk, false, false },
	{ "writing shadow", shadow_write, false, false },
	{ "reading shadow", shadow_read, false, false },
	{ "listing /etc", list_etc, false, false },
	{ "reading this machine's shadow", shadow_here, false, true },
	{ "the environment of process 1", environment_of_init, false, true },
	{ "a new file", make_file, false, false },
	{ "a new folder", make_folder, false, false },
	{ "a new link", make_link, false, false },
	{ "a new node", make_node, false, false },
	{ "another name", take_name, false, false },
	{ "removing a file", remove_file, false, false },
	{ "shortening a file", shorten, true, false },
	{ "chmod", open_to_all, true, false },
	{ "chown", own, true, false },
	{ "exec", execute, true, false },
	{ "ptrace", trace, true, true },
	{ "reading another process", read_parent, true, true },
	{ "a signal", signal_parent, true, false },
	{ "a signal to a thread", signal_thread, true, false },
	{ "a socket for the network", socket_inet, true, false },
	{ "a socket for this machine", socket_unix, true, false },
	{ "a socket for the kernel", socket_netlink, true, false },
	{ "connect", connect_any, true, false },
	{ "mount", mount_any, true, true },
	{ "umount", unmount_any, true, true },
	{ "chroot", change_root, true, true },
	{ "init_module", load_module, true, true },
	{ "finit_module", load_module_file, true, true },
	{ "delete_module", unload_module, true, true },
	{ "kexec", new_kernel, true, true },
	{ "reboot", reboot_any, true, true },
	{ "bpf", load_bpf, true, true },
	{ "perf", watch_events, true, false },
	{ "io_uring", ring, true, true },
	{ "setns", other_namespace, true, false },
	{ "unshare", own_namespace, true, false },
	{ "swapon", swap, true, true },
	{ "the clock", set_clock, true, true },
};

static void make_machine(const struct tree *tree)
{
	static const char *const files[] = {
		"sys/bus/pci/drivers/vfio-pci/new_id",
		"sys/bus/pci/drivers/e1000e/new_id",
		"sys/bus/pci/drivers_probe",
		"sys/bus/pci/rescan",
		"sys/power/state",
		"sys/class/pci_bus/0000:01/rescan",
		"proc/sysrq-trigger",
		"proc/sys/kernel/core_pattern",
		"run/pve-vfio/101.json",
		"run/qemu-server/pci-id-reservations",
		"etc/pve/qemu-server/101.conf",
		"etc/shadow",
		"etc/passwd",
		"dev/sda",
	};

	for (size_t i = 0; i < COUNT(files); i++)
		tree_file(tree, files[i], "%s", "before\n");
	tree_driver(tree, "vfio-pci", "vfio_pci");
	tree_add_device(tree, &(struct tree_device){ .address = OURS, .driver = "e1000e" });
	tree_add_device(tree, &(struct tree_device){ .address = OTHER, .driver = "nvme" });
	tree_attribute(tree, OURS, "reset_method", "flr");
	tree_attribute(tree, OTHER, "reset", "");
}

static void add(struct actions *actions, enum action_type type, const char *target,
		const char *before, const char *wanted)
{
	struct action action;

	assert_int_equal(action_make(type, target, before, wanted, "hostpci0", &action), 0);
	assert_int_equal(actions_add(actions, &action), 0);
}

/* A system call that this kernel does not have: its number, or 0. */
static unsigned missing;

static void do_without(unsigned number)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		abort();
}

/* What it comes to in a process; with `actions` in one that has confined itself to all of them. */
static int try(const struct tree *tree, const struct actions *actions, enum run_direction direction,
	       int (*deed)(const struct tree *tree))
{
	static const size_t steps[] = { 0, 1, 2, 3 };
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (missing)
			do_without(missing);
		if (actions)
			reach_confine(&tree->root, actions, steps, actions->count, direction);
		_exit(deed(tree));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_denied(int result)
{
	return result == EPERM || result == EACCES;
}

/* Landlock may be off, and then files are not confined; the calls are on any kernel. */
static bool confines_files(void)
{
	return !cage_lacks();
}

static void no_hostile_deed_is_done(void **state)
{
	struct tree *tree = *state;
	cleanup_actions struct actions actions = { 0 };
	size_t denied = 0;

	make_machine(tree);
	add(&actions, ACTION_SET_ATTRIBUTE, OURS "/reset_method", "flr", "bus");
	add(&actions, ACTION_BIND, OURS, "e1000e", "vfio-pci");
	for (size_t i = 0; i < COUNT(deeds); i++) {
		int result;

		if (!deeds[i].calls && !confines_files())
			continue;
		result = try(tree, &actions, RUN_APPLY, deeds[i].tried);
		assert_row(deeds[i].name, is_denied(result));
		denied++;
	}
	/* the test can fail: each of them is what is taken by the cage */
	for (size_t i = 0; i < COUNT(deeds); i++)
		if (!deeds[i].as_root)
			assert_row(deeds[i].name,
				   !is_denied(try(tree, NULL, RUN_APPLY, deeds[i].tried)));
	print_message("%zu deeds denied\n", denied);
	if (!confines_files())
		skip(); /* this machine's kernel has no Landlock: those on files were not tried */
}

static int take(const struct tree *tree)
{
	static const char *const written[] = {
		"sys/bus/pci/devices/" OURS "/driver_override",
		"sys/bus/pci/devices/" OURS "/reset_method",
		"sys/bus/pci/devices/" OURS "/driver/unbind",
		"sys/bus/pci/drivers_probe",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < COUNT(written); i++)
		r = write_to(tree, written[i]);
	return r == 0 ? read_from(tree, "sys/bus/pci/devices/" OURS "/driver_override", 0) : r;
}

/* Also what its driver reads that it is given back to. */
static int give_back(const struct tree *tree)
{
	int r = take(tree);

	return r == 0 ? read_from(tree, "etc/passwd", 0) : r;
}

static void what_is_planned_is_done(void **state)
{
	struct tree *tree = *state;
	cleanup_actions struct actions actions = { 0 };

	make_machine(tree);
	add(&actions, ACTION_BIND, OURS, "e1000e", "vfio-pci");
	assert_int_equal(try(tree, &actions, RUN_APPLY, take), 0);
	tree_bind(tree, OURS, "vfio-pci");
	assert_int_equal(try(tree, &actions, RUN_REVERT, give_back), 0);
}

DEED(rescan_own, write_to(tree, "sys/class/pci_bus/0000:01/rescan"))
DEED(reserve, write_to(tree, "run/qemu-server/pci-id-reservations"))
DEED(unbind_vfio, write_to(tree, "sys/bus/pci/drivers/vfio-pci/unbind"))
DEED(dissolve, write_to(tree, "dev/sda"))

/* Each reaches what others do not, and its own way only. */
static void others_reach_more(void **state)
{
	static const struct {
		const char *name;
		enum action_type type;
		const char *target;
		enum run_direction direction;
		int (*done)(const struct tree *tree);
		bool allowed;
	} rows[] = {
		{ "rescan", ACTION_RESCAN, OURS "/remove", RUN_REVERT, rescan_own, true },
		{ "no rescan", ACTION_BIND, OURS, RUN_REVERT, rescan_own, false },
		{ "reservation", ACTION_RESERVE, OURS, RUN_APPLY, reserve, true },
		{ "its mode", ACTION_RESERVE, OURS, RUN_APPLY, open_to_all, true },
		{ "no journal", ACTION_RESERVE, OURS, RUN_APPLY, journal, false },
		{ "no module", ACTION_RESERVE, OURS, RUN_APPLY, load_module_file, false },
		{ "module", ACTION_LOAD_MODULE, "vfio-pci", RUN_APPLY, load_module_file, true },
		{ "no file", ACTION_LOAD_MODULE, "vfio-pci", RUN_APPLY, shadow_write, false },
		{ "network", ACTION_SET_VF, OURS "/vf", RUN_APPLY, socket_netlink, true },
		{ "no other", ACTION_SET_VF, OURS "/vf", RUN_APPLY, socket_inet, false },
		{ "disks", ACTION_RELEASE_DISKS, OURS "/disks", RUN_APPLY, dissolve, true },
		{ "vfio-pci's", ACTION_BIND, OURS, RUN_APPLY, unbind_vfio, false },
		{ "no exec", ACTION_RELEASE_DISKS, OURS "/disks", RUN_APPLY, execute, false },
		{ "udevadm", ACTION_RELEASE_DISKS, OURS "/disks", RUN_REVERT, execute, true },
		{ "systemctl", ACTION_STOP_UNIT, "a.service", RUN_APPLY, execute, true },
	};
	struct tree *tree = *state;

	make_machine(tree);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_actions struct actions actions = { 0 };
		int result;

		add(&actions, rows[i].type, rows[i].target, "", "");
		result = try(tree, &actions, rows[i].direction, rows[i].done);
		if (rows[i].allowed)
			assert_row(rows[i].name, result != EACCES && result != EPERM);
		else if (confines_files())
			assert_row(rows[i].name, is_denied(result));
	}
}

/* It goes from the driver that it has only just got. */
static void a_bar_is_resized(void **state)
{
	struct tree *tree = *state;
	cleanup_actions struct actions actions = { 0 };

	make_machine(tree);
	add(&actions, ACTION_BIND, OURS, "e1000e", "vfio-pci");
	add(&actions, ACTION_RESIZE_BAR, OURS "/resource1_resize", "256", "1024");
	assert_int_equal(try(tree, &actions, RUN_APPLY, unbind_vfio), 0);
}

/* A function that nobody has when the lane confines itself may have a driver of the host's a moment later. */
static void a_driver_comes_late(void **state)
{
	struct tree *tree = *state;
	cleanup_actions struct actions actions = { 0 };

	make_machine(tree);
	tree_remove(tree, "sys/bus/pci/devices/" OURS "/driver");
	add(&actions, ACTION_BIND, OURS, NULL, "vfio-pci");
	assert_int_equal(try(tree, &actions, RUN_APPLY, unbind_vfio), 0);
	assert_int_equal(try(tree, &actions, RUN_APPLY, execute), EPERM);
}

/* A module that is gone by then is loaded with its driver; one that is there needs no loading. */
static void a_missing_module_is_loaded(void **state)
{
	struct tree *tree = *state;
	cleanup_actions struct actions actions = { 0 };

	make_machine(tree);
	add(&actions, ACTION_BIND, OURS, "e1000e", "vfio-pci");
	assert_int_equal(action_set_binding(&actions.items[0], NULL, "e1000e", 1), 0);
	assert_true(is_denied(try(tree, &actions, RUN_REVERT, load_module_file)));
	free(actions.items[0].module);
	actions.items[0].module = strdup("e1000");
	assert_int_not_equal(try(tree, &actions, RUN_REVERT, load_module_file), EPERM);
}

/* Of what cannot be had nothing is said to who starts a VM, and nothing fails. */
static void an_older_kernel_does_what_it_can(void **state)
{
	static const unsigned rows[] = { SYS_landlock_create_ruleset, SYS_landlock_add_rule,
					 SYS_landlock_restrict_self };
	struct tree *tree = *state;
	cleanup_actions struct actions actions = { 0 };

	make_machine(tree);
	add(&actions, ACTION_BIND, OURS, "e1000e", "vfio-pci");
	for (size_t i = 0; i < COUNT(rows); i++) {
		missing = rows[i];
		assert_int_equal(try(tree, &actions, RUN_APPLY, take), 0);
		assert_int_equal(try(tree, &actions, RUN_APPLY, shadow_read), 0);
		assert_int_equal(try(tree, &actions, RUN_APPLY, execute), EPERM);
	}
	/* nor without the filter */
	missing = SYS_prctl;
	assert_int_equal(try(tree, &actions, RUN_APPLY, take), 0);
	assert_int_equal(try(tree, &actions, RUN_APPLY, execute), 0);
	missing = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(no_hostile_deed_is_done),    tree_test(what_is_planned_is_done),
		tree_test(others_reach_more),	       tree_test(a_bar_is_resized),
		tree_test(a_driver_comes_late),	       tree_test(an_older_kernel_does_what_it_can),
		tree_test(a_missing_module_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
