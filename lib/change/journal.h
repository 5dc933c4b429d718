/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: the journal of one VM, /run/pve-vfio/VMID.json: the changes made for it and the values
 * before. It is written before what it announces and lives exactly as long as the changes.
 * The format is described in pve-vfio-hook(8).
 * A change of how many virtual functions a physical one has (change/sriov_count.h) has a journal, too:
 * of no VM, vmid 0, in sriov-ADDRESS.json.
 */
#pragma once

#include <jansson.h>
#include <time.h>

#include "change/action.h"
#include "change/state.h"
#include "pve/qemu.h"

/* The version this program writes; it reads this one alone. */
#define JOURNAL_FORMAT 1

enum journal_phase {
	JOURNAL_STARTING, /* pre-start is running, or was killed in it */
	JOURNAL_READY,	  /* all is as the VM wants it; QEMU is to come */
	JOURNAL_RUNNING,  /* post-start saw QEMU with its devices */
	JOURNAL_STOPPING, /* devices are being given back */
	JOURNAL_KEPT,	  /* the VM has stopped; its devices wait for it, or for another VM */
};
#define JOURNAL_PHASE_COUNT (JOURNAL_KEPT + 1)

/* Started as { 0 }. */
struct journal {
	uint32_t vmid;
	char physical[PCI_ADDRESS_TEXT]; /* with vmid 0: of the virtual functions of this one */
	enum journal_phase phase;
	uint64_t run;		/* tells the starts of a boot apart */
	char *boot_id;		/* of the boot the changes belong to */
	time_t since;		/* when the phase began */
	unsigned deadline_s;	/* of the settings the run began with */
	struct task watch;	/* the watch that waits: change/watch.h */
	struct task qemu;	/* from JOURNAL_RUNNING on */
	struct actions actions; /* in the order in which they are made */
};

const char *journal_phase_name(enum journal_phase phase);

/*
 * -ENOENT, silently, when the VM has none; -EBADMSG for one that cannot be understood, or that
 * names another VM than its file does. In place of one of another boot comes one that has just begun:
 * the kernel that was changed is gone.
 */
int journal_read(const struct sysroot *root, const struct state *state, uint32_t vmid,
		 struct journal *ret, struct error *err) must_check;

/* The same of the virtual functions of `physical`. */
int journal_read_physical(const struct sysroot *root, const struct state *state,
			  const char *physical, struct journal *ret, struct error *err) must_check;

/* The file itself, with a NUL behind; and one action of it. For change/recover.h. */
int journal_read_text(const struct state *state, uint32_t vmid, char **ret_data, size_t *ret_size);
int action_from_json(const json_t *json, struct action *action, struct error *err) must_check;

/*
 * Takes the VM's lock, as state_lock_vm() does. Where it is held by a child that is stuck in the
 * kernel with a device it does not wait: -EBUSY, with the device.
 */
int journal_lock(const struct sysroot *root, const struct state *state, uint32_t vmid,
		 unsigned wait_ms, struct error *err) must_check;

/* Starts the journal of a new run: its VM, this boot, JOURNAL_STARTING. */
int journal_begin(const struct sysroot *root, uint32_t vmid, struct journal *ret,
		  struct error *err) must_check;

/* Replaces the file, or removes it where no action is left. */
int journal_write(const struct state *state, const struct journal *journal, struct error *err);

/*
 * The VM's QEMU: that of its pid file, else the one that the journal names, if that is still there:
 * PVE removes the file of one it has killed, and does not wait for its end (vm_stop_cleanup() in
 * QemuServer.pm). pid 0: none. Does not block.
 */
int journal_find_qemu(const struct sysroot *root, const struct journal *journal, struct task *ret,
		      struct error *err) must_check;

/* There is a file, whatever it holds; or that cannot be determined, which reading it does. */
bool journal_exists(const struct state *state, uint32_t vmid);

/* Guests that gave way and are to be started again; what phases leave to a watch. */
bool journal_has_guests(const struct journal *journal);

/* Sets the phase and its time. */
void journal_enter(struct journal *journal, enum journal_phase phase);

/*
 * After a restore: what is still there and was to be kept makes it a journal of JOURNAL_KEPT, but for
 * guests that are to be started again. Returns how many others are still there, or -errno.
 */
int journal_settle(const struct state *state, struct journal *journal,
		   struct error *err) must_check;

void journal_done(struct journal *journal);
#define cleanup_journal cleanup(journal_done)

/* In order of number. */
struct vmids {
	uint32_t *items;
	size_t count;
};

/* The VMs that have a file of that ending in the state's folder: ".json" is a journal. */
int vmids_list(const struct state *state, const char *end, struct vmids *ret, struct error *err);

/* The VMs that have a journal. */
int journal_list(const struct state *state, struct vmids *ret, struct error *err);

/* The physical functions whose virtual ones have one: addresses. */
int journal_list_physical(const struct state *state, struct strings *ret,
			  struct error *err) must_check;
void vmids_done(struct vmids *vmids);
#define cleanup_vmids cleanup(vmids_done)
