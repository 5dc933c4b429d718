/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: the watch. Takes nothing from a QEMU, and nothing that another run has taken. */
#include "change/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/stream.h"
#include "change/held.h"
#include "pve/lock.h"
#include "use/vfio.h"

/*
 * Who has a device may close it without ending, and the kernel's own work shows no process at all:
 * then there is no event, and it is looked at again.
 */
#define LOOK_MS	      10000
#define LOOK_FIRST_MS 100

/* A task of Proxmox VE's, from one that had the lock to one that has it. */
#define REBOOT_MS 5000

/* The two given stay, and the standard streams lead nowhere; all else is the hook's. */
static void drop_descriptors(int keep, int other)
{
	streams_silence();
	streams_close_others(keep, other);
}

/* Not seen by post-start, and not left over on purpose. */
bool watch_is_for(const struct journal *journal, uint64_t run)
{
	return journal->run == run && journal->phase != JOURNAL_RUNNING &&
	       journal->phase != JOURNAL_KEPT;
}

/*
 * Any of its devices that somebody has open; a process that can be seen to have it in `holder`, or the
 * child that looked, where that stays in the kernel.
 */
static bool any_held(const struct sysroot *root, const struct journal *journal, struct task *holder)
{
	cleanup_free bool *held = calloc(journal->actions.count + 1, sizeof(*held));
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	struct held_silence silence;

	if (!held || held_find(root, journal, NULL, 0, held, &silence) == 0)
		return false;
	if (silence.stuck && task_read(root, silence.stuck, holder) == 0)
		return true;
	(void)vfio_holders_find(root, 0, &holders, NULL);
	for (size_t i = 0; i < journal->actions.count && holder->pid == 0; i++) {
		const struct action *action = &journal->actions.items[i];
		const struct vfio_holder *found = held[i] && action->type == ACTION_BIND
							  ? vfio_holder_of(&holders, action->group)
							  : NULL;

		if (found && task_read(root, found->pid, holder) < 0)
			*holder = (struct task){ 0 };
	}
	return true;
}

enum sight {
	WATCH_BUSY, /* QEMU runs, or somebody has a device open */
	WATCH_FREE, /* the devices can go back */
	WATCH_OVER, /* there is nothing to give back, or not for us */
};

/*
 * Without the VM's lock, which a phase may need: whoever is waited for is in `ret_task`, if a process
 * can be seen.
 */
static enum sight look(const struct sysroot *root, const struct state *state,
		       const struct watched *watched, struct task *ret_task)
{
	cleanup_journal struct journal journal = { 0 };
	int r;

	*ret_task = (struct task){ 0 };
	r = journal_read(root, state, watched->vmid, &journal, NULL);
	/* One that cannot be understood is of no run. */
	if (r == -ENOENT || r == -EBADMSG || (r == 0 && !watch_is_for(&journal, watched->run)))
		return WATCH_OVER;
	if (r < 0 || journal_find_qemu(root, &journal, ret_task, NULL) < 0 || ret_task->pid)
		return WATCH_BUSY;
	return any_held(root, &journal, ret_task) ? WATCH_BUSY : WATCH_FREE;
}

/* Until that process has ended, but no longer than it takes to look again. */
static void wait_for(const struct sysroot *root, const struct task *task, unsigned *wait_ms)
{
	cleanup_close int pidfd = task->pid ? (int)syscall(SYS_pidfd_open, task->pid, 0) : -1;
	struct pollfd entry = { .fd = pidfd, .events = POLLIN };

	/* Not a child of ours, but where one that looked stays in the kernel: so would another one. */
	if (task->pid && waitpid(task->pid, NULL, 0) == task->pid)
		return;
	if (pidfd >= 0 && task_is_alive(root, task)) {
		(void)poll(&entry, 1, LOOK_MS);
		*wait_ms = LOOK_FIRST_MS;
		return;
	}
	clock_sleep_ms(*wait_ms);
	*wait_ms = 2 * *wait_ms < LOOK_MS ? 2 * *wait_ms : LOOK_MS;
}

/* One look, with descriptors of its own; true when it was the last. */
static bool look_once(const struct watched *watched, unsigned *wait_ms)
{
	cleanup_sysroot struct sysroot root = { .fd = -1 };
	enum sight sight = WATCH_BUSY;
	struct task task = { 0 };

	if (sysroot_open("/", &root, NULL) == 0) {
		cleanup_state struct state state = { .fd = -1 };
		int r = state_open(&root, false, &state, NULL);

		sight = r == -ENOENT ? WATCH_OVER
			: r < 0	     ? WATCH_BUSY
				     : look(&root, &state, watched, &task);
	}
	if (sight == WATCH_OVER || (sight == WATCH_FREE && watched->settle(watched)))
		return true;
	wait_for(&root, &task, wait_ms);
	return false;
}

/* In the child. Returns to nobody. `lock`: PVE's on the VM, or -1. */
static _Noreturn void watch(const struct sysroot *root, const struct watched *watched, int lock,
			    int go)
{
	static const int ignored[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE };
	unsigned wait_ms = LOOK_FIRST_MS;
	char byte;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	task_leave_cgroup(root);
	drop_descriptors(lock >= 0 ? lock : go, go);
	(void)setsid();
	(void)prctl(PR_SET_NAME, "pve-vfio-watch");
	(void)!chdir("/");
	while (read(go, &byte, 1) < 0 && errno == EINTR)
		continue;
	close(go);
	if (lock >= 0) {
		(void)vm_lock_wait(lock);
		close(lock);
		clock_sleep_ms(watched->reboot_ms);
	}
	while (!look_once(watched, &wait_ms))
		continue;
	_exit(0);
}

static int start(const struct sysroot *root, const struct watched *watched, int lock,
		 struct watch *ret)
{
	int go[2];
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		watch(root, watched, lock, go[0]);
	}
	close(go[0]);
	if (pid < 0) {
		int r = -errno;

		close(go[1]);
		return r;
	}
	ret->go = go[1];
	return task_read(root, pid, &ret->task);
}

int watch_start(const struct sysroot *root, const struct watched *watched, struct watch *ret,
		struct error *err)
{
	cleanup_close int lock = vm_lock_open(root, watched->vmid);
	int r;

	if (!root->live || lock < 0 || !vm_lock_is_held(lock))
		return 0;
	r = start(root, watched, lock, ret);
	return r < 0 ? error_set(err, r, "cannot start the start watch: %s", strerror(-r)) : 0;
}

void watch_release(struct watch *watch)
{
	close_and_reset(&watch->go);
	watch->go = -1;
}

/*
 * A stop can be the first half of 'qm reboot', whose start is a task of its own and takes the devices
 * again: before guests are started the watch waits for Proxmox VE's lock, and then for that.
 */
int watch_leave(const struct sysroot *root, const struct state *state, struct journal *journal,
		watch_settle *settle)
{
	struct watched watched = { journal->vmid, journal->run, settle, 0 };
	cleanup_watch struct watch watch = { .go = -1 };
	cleanup_close int lock = -1;
	int r;

	if (!root->live)
		return -EOPNOTSUPP;
	if (task_is_alive(root, &journal->watch))
		return 0;
	if (journal_has_guests(journal)) {
		lock = vm_lock_open(root, journal->vmid);
		watched.reboot_ms = REBOOT_MS;
	}
	r = start(root, &watched, lock, &watch);
	if (r < 0)
		return r;
	/* For 'status', and so that there is no second one: in a full /run it waits all the same. */
	journal->watch = watch.task;
	(void)journal_write(state, journal, NULL);
	return 0;
}
