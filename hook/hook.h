/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook: pve-vfio-hook VMID PHASE, the hookscript Proxmox VE runs (GuestHelpers.pm in
 * pve-guest-common), as root, with the VM's configuration locked and without a time limit.
 */
#pragma once

#include "change/journal.h"
#include "change/notice.h"
#include "change/restore.h"
#include "change/start.h"
#include "change/watch.h"
#include "check/finding.h"
#include "pci/name.h"
#include "report/event.h"

/* How long QEMU gets to let go of its devices. */
#define QEMU_END_WAIT_MS 10000

/*
 * How long a start waits for those who had the devices before: another VM whose QEMU has ended and
 * whose post-stop is still to come, or what an ended QEMU still has open. Before qemu-server 9.1.13
 * post-stop comes from 'qm cleanup', which itself waits up to 30 s for the process.
 */
#define OWNER_WAIT_MS 30000

/* How long one access to a file may take in a start of a VM without devices, which is not for us. */
#define SPARED_LIMIT_S 5

/* How long to wait for the claims lock, which is held for a few file reads. */
#define CLAIM_LOCK_WAIT_MS 10000

struct hook {
	struct sysroot root;
	struct state state;
	uint32_t vmid;
	int lock; /* the VM's */
	/*
	 * The node the VM migrates from, where its configuration still lies (PVE_MIGRATED_FROM); NULL
	 * in all other cases.
	 */
	const char *migrated_from;
	struct pci_names names;
	bool trace;	    /* the settings ask for each step's time */
	bool leaves;	    /* something stays for another VM's start, which has it in a moment */
	bool starts_guests; /* a watch: it has time to start those again that gave way */
	unsigned *
		limit_ms; /* how long one access to a file may take: base/guard.h; NULL: for ever */
	bool *spared; /* set: the VM has no PCI device, and whatever becomes of this phase it starts */
	struct notices notices; /* what root gets a mail about */
	struct hook_log {
		int journal,
			syslog; /* sockets, or -1; where there is the first, it alone is written to */
		const char *phase; /* NULL: a watch */
	} log;
};

#define HOOK_EMPTY(id)                                                                             \
	{                                                                                          \
		.root = { .fd = -1 }, .state = { .fd = -1 }, .vmid = (id), .lock = -1,             \
		.log = { .journal = -1, .syslog = -1 },                                            \
	}
void hook_done(struct hook *hook);

/*
 * The phases. Each returns 0, or -errno with a sentence in `err` where one is not printed yet; the
 * exit status is 1 then, which in pre-start refuses the start.
 */
int phase_pre_start(struct hook *hook, struct error *err) must_check;
int phase_post_start(struct hook *hook, struct error *err) must_check;
int phase_post_stop(struct hook *hook, struct error *err) must_check;

/*
 * A line for the task log (standard output) and for systemd's journal, or syslog without one, since
 * PVE drops the output of post-stop. Longer text has one line for each '\n'. Never blocks on either.
 */
void hook_say(struct hook *hook, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hook_log_open(struct hook *hook);

/* The same text, of something that the journal has fields for (report/event.h). */
void hook_tell(struct hook *hook, const struct event *event, const char *text);

/*
 * notify.c: what root gets a mail about, which Proxmox VE turns into a notification (report/mail.h):
 * noticed while a phase does its work, where it is that a device is lost, stuck or changed.
 */
void notify_finding(struct hook *hook, const struct start *start, const struct finding *finding);
void notify_result(struct hook *hook, enum run_direction direction, const struct action *action,
		   const struct run_result *result, const char *words);
void notify_silence(struct hook *hook, const char *path, const char *words);

/*
 * Leaves what was noticed to a process, which sends one mail about all that is new of it, and
 * forgets it. Waits for nothing, and nothing fails by it; in a tree that is not live nothing is sent.
 */
void notify_leave(struct hook *hook);

/* With the setting "trace": says how long a step took that began then (clock_now_us()). */
void hook_trace(struct hook *hook, const char *step, uint64_t began_us);

/* With it: what the kernel lacks of what confines those who act (base/cage.h), if anything. */
void hook_trace_cage(struct hook *hook);

/* From now on an access to a file may take as long as the settings, or the journal, say. */
void hook_limit(struct hook *hook, unsigned deadline_s);

/* Reads that setting alone, for phases that go by the journal; without the file it is off. */
void hook_read_trace(struct hook *hook);

/* run_report for both directions: a line for each action. The context is the hook. */
void hook_tell_applied(const struct action *action, const struct run_result *result, void *context);
void hook_tell_reverted(const struct action *action, const struct run_result *result,
			void *context);

enum hook_need {
	HOOK_CREATES, /* the state directory is made where there is none */
	HOOK_READS,   /* there is something to do only where the VM has a journal */
	HOOK_NO_WAIT, /* the same, and not while another process has the lock */
};

/*
 * Opens the state directory and takes the VM's lock, for which it waits as long as the longest phase
 * of the VM can take. -ENOENT, silently, without HOOK_CREATES when the VM has no journal, hence
 * nothing to give back.
 */
int hook_begin(struct hook *hook, enum hook_need need, struct error *err) must_check;

/*
 * Reads the VM's journal; of one that cannot be understood it takes what can be recognised, and
 * says so. -ENOENT, silently, when the VM has none.
 */
int hook_read_journal(struct hook *hook, struct journal *ret, struct error *err) must_check;

/* What the hook gives back with: its tree, its words. */
struct restore hook_restore(struct hook *hook, unsigned wait_ms, unsigned deadline_s);

/*
 * Gives the devices of a journal back, but for those that are to be kept, and those that another VM
 * takes over to whose start this one gives way; says what it does. The caller has begun. -EBUSY when
 * all that is left is what somebody has open: so many devices are it that *ret_held tells, after the
 * wait.
 */
int hook_give_back(struct hook *hook, struct journal *journal, unsigned wait_ms, size_t *ret_held,
		   struct error *err) must_check;

/* What a watch of the hook does when the devices are free: change/watch.h. */
bool hook_settle(const struct watched *watched);
int hook_leave_watch(struct hook *hook, struct journal *journal);

/*
 * Leaves a watch where devices were left since they are open, and says so. Returns `r`, what the giving
 * back came to, or 0 where these devices were all that was wrong with it.
 */
int hook_watch_held(struct hook *hook, struct journal *journal, size_t held, int r);

/*
 * prepare.c: the plan; made twice where another VM first had to give back what it was done with.
 * With the caller's lock on the VM.
 */
int hook_prepare(struct hook *hook, struct start *start, struct error *err) must_check;

/* Drops the plan and what was reserved for it, to prepare the start anew. */
int hook_forget_plan(struct hook *hook, struct start *start, struct error *err) must_check;

/* Looks for what would harm the host or the start, and says what it finds. -EPERM: it is refused. */
int hook_check(struct hook *hook, const struct start *start, struct error *err) must_check;

/*
 * Takes the claims lock, reads the journals of the other VMs again and checks them: one may have claimed
 * a device since. Until the lock is closed none can. The rest was checked before: that can take long, and
 * this lock is one for all VMs. The lock, or -errno; -EPERM: it is refused.
 */
int hook_lock_claims(struct hook *hook, struct start *start, struct error *err) must_check;

/*
 * Gives back what another VM has whose QEMU has ended, and that the start wants: its post-stop is
 * still to come, was lost, or is just running. Waits for that no longer than OWNER_WAIT_MS for all.
 * True when a device has come free, and the plan is to be made anew.
 */
bool owners_settle(struct hook *hook, const struct start *start);

/* The same of one VM, which has given way to a start that came to nothing. Waits for nobody. */
void owner_settle(struct hook *hook, uint32_t vmid);

/*
 * The guests of the plan give way, if there are any; where it returns 0 the plan has been made anew,
 * and checked, without them. What has been done is in the journal, whatever it returns.
 */
int displace_guests(struct hook *hook, struct start *start, struct error *err) must_check;

/*
 * Runs the hookscript that the settings name as `chain`, as Proxmox VE runs one: with its own
 * environment and streams, and without a time limit. 0 too when there is none, or where that
 * cannot be read for a VM without devices.
 */
int hook_chain(struct hook *hook, const char *phase, struct error *err) must_check;
