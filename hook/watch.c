/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: the start watch. Takes nothing from a QEMU, and nothing that another run has taken. */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pve/lock.h"

/* A QEMU whose start has failed may be just ending. */
#define QEMU_ENDING_MS 60000

/* The standard streams and the two given; all else is the hook's. */
static void drop_descriptors(int keep, int other)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int low = keep < other ? keep : other, high = keep < other ? other : keep;

	for (int fd = 0; fd <= 2; fd++)
		if (null >= 0)
			(void)dup2(null, fd);
	(void)syscall(SYS_close_range, 3, low - 1, 0);
	(void)syscall(SYS_close_range, low + 1, high - 1, 0);
	(void)syscall(SYS_close_range, high + 1, ~0u, 0);
}

/* True when the process has ended. */
static bool wait_for_end(pid_t pid, int timeout_ms)
{
	cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd entry = { .fd = pidfd, .events = POLLIN };

	return pidfd < 0 ? errno == ESRCH : poll(&entry, 1, timeout_ms) > 0;
}

/* Not seen by post-start, and not left over on purpose. */
static bool is_ours(const struct journal *journal, uint64_t run)
{
	return journal->run == run && journal->phase != JOURNAL_RUNNING &&
	       journal->phase != JOURNAL_KEPT;
}

/*
 * Under the VM's lock: another phase may have been at work meanwhile. Gives the devices back, or,
 * where a QEMU of the VM runs, gives that.
 */
static int settle(uint32_t vmid, uint64_t run, struct task *ret_qemu)
{
	cleanup(hook_done) struct hook hook = HOOK_EMPTY(vmid);
	cleanup_journal struct journal journal = { 0 };
	struct error err = { 0 };
	int r;

	*ret_qemu = (struct task){ 0 };
	r = sysroot_open("/", &hook.root, &err);
	hook_log_open(&hook);
	if (r == 0)
		r = hook_begin(&hook, false, &err);
	if (r == 0)
		r = hook_read_journal(&hook, &journal, &err);
	if (r == 0 && is_ours(&journal, run))
		r = qemu_find(&hook.root, vmid, ret_qemu, &err);
	if (r == 0 && is_ours(&journal, run) && ret_qemu->pid == 0) {
		hook_say(&hook, "VM %u has not started; giving its devices back", vmid);
		r = hook_give_back(&hook, &journal, &err);
	}
	if (r < 0 && r != -ENOENT)
		hook_say(&hook, "%s", err.message);
	return r;
}

static void watch_over(uint32_t vmid, uint64_t run, int lock)
{
	struct task qemu;

	if (vm_lock_wait(lock) < 0 || settle(vmid, run, &qemu) < 0)
		return;
	/* post-start has not seen it: its start failed, and it may be just ending. */
	if (qemu.pid && wait_for_end(qemu.pid, QEMU_ENDING_MS))
		(void)settle(vmid, run, &qemu);
}

/* In the child. Returns to nobody. */
static _Noreturn void watch(uint32_t vmid, uint64_t run, int lock, int go)
{
	char byte;

	drop_descriptors(lock, go);
	(void)setsid();
	(void)prctl(PR_SET_NAME, "pve-vfio-watch");
	(void)!chdir("/");
	while (read(go, &byte, 1) < 0 && errno == EINTR)
		continue;
	close(go);
	watch_over(vmid, run, lock);
	_exit(0);
}

int watch_start(struct hook *hook, uint64_t run, struct watch *ret, struct error *err)
{
	cleanup_close int lock = vm_lock_open(&hook->root, hook->vmid);
	int go[2];
	pid_t pid;

	if (!hook->root.live || lock < 0 || !vm_lock_is_held(lock))
		return 0;
	if (pipe2(go, O_CLOEXEC) < 0)
		return error_set(err, -errno, "cannot start the start watch: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		watch(hook->vmid, run, lock, go[0]);
	close(go[0]);
	if (pid < 0) {
		close(go[1]);
		return error_set(err, -errno, "cannot start the start watch: %s", strerror(errno));
	}
	ret->go = go[1];
	return task_read(&hook->root, pid, &ret->task);
}

void watch_release(struct watch *watch)
{
	cleanup_close_fd(&watch->go);
}
