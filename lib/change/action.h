/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: one change to the host, as data: what, from which value, to which value. A plan is a
 * list of these, a journal keeps them, and each type knows how to make, prove and revert itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/sysroot.h"
#include "pci/address.h"
#include "pve/guest.h"

/* In the order in which a start makes them. */
enum action_type {
	ACTION_RESERVE,		/* target: a PCI address, reserved with PVE; wanted: the VM's id */
	ACTION_DISPLACE,	/* target: "vm/101" (pve/guest.h); "running" to how, "shutdown" */
	ACTION_STOP_UNIT,	/* target: a service; "active" to "inactive" */
	ACTION_RELEASE_CONSOLE, /* target: a driver of the text console, "vtcon1"; "1" to "0" */
	ACTION_RELEASE_FRAMEBUFFER, /* target: "efi-framebuffer.0"; its driver to "none" */
	ACTION_UNLOAD_MODULE,	    /* target: a module; "loaded" to "unloaded" */
	ACTION_LOAD_MODULE,	    /* target: a module; wanted: "loaded" */
	ACTION_KEEP_ATTRIBUTE,	    /* target: "ADDRESS/power/control"; drivers change it, not we */
	ACTION_KEEP_VFS,      /* target: "ADDRESS/vfs"; what is set for each (use/vf.h) to "none" */
	ACTION_SET_ATTRIBUTE, /* target: "ADDRESS/reset_method"; values of the attribute */
	ACTION_KEEP_ESWITCH,  /* target: "ADDRESS/eswitch"; modes (use/eswitch.h) */
	ACTION_SET_VF,	      /* target: "ADDRESS/vf"; what is set for it, as one of use/vf.h */
	ACTION_RELEASE_DISKS, /* target: "ADDRESS/disks"; layers (use/stack.h) to "released" */
	ACTION_BIND,	      /* target: a PCI address; before, wanted: drivers */
	ACTION_KEEP_VF,	      /* the same again, to be as before when the host's driver asks */
	ACTION_RESCAN,	      /* target: "ADDRESS/remove"; wanted: its VFIO driver */
	ACTION_RESIZE_BAR,    /* target: "ADDRESS/resource1_resize"; MiB */
};
#define ACTION_TYPE_COUNT (ACTION_RESIZE_BAR + 1)

enum action_state {
	ACTION_ANNOUNCED, /* in the journal; may have happened, in part or whole */
	ACTION_DONE,	  /* happened, and was seen */
	ACTION_FAILED,	  /* was tried, and ended with an error */
	ACTION_STUCK,	  /* a child is in the kernel with it and does not come back */
	ACTION_FORESEEN,  /* not ours to do, though PVE might: an alternative it may choose */
};
#define ACTION_STATE_COUNT (ACTION_FORESEEN + 1)

/* Strings are owned; NULL means none: no driver, no override. Started as { 0 }. */
struct action {
	enum action_type type;
	enum action_state state;
	char *target;
	char *before;
	char *wanted;
	char *source; /* what asks for it: "hostpci0"; "group 14": comes along with its group; of an
			 ACTION_DISPLACE the devices, with blanks between */
	bool keep;    /* stays as it is `wanted` when the VM stops, as the settings ask */
	bool adopted; /* an earlier run had done it; not in the journal */

	/* ACTION_BIND alone. */
	char *override; /* driver_override before */
	char *module;	/* that brings the driver before; NULL: built in, or no driver */
	int group;	/* IOMMU group */
	/* ACTION_DISPLACE alone; with `keep` the guest is not started again. */
	unsigned timeout_s; /* how long the guest gets to shut down */
};

/* The note of a revert that found a value of somebody else's. */
#define NOTE_LEFT "left to the driver it has been given since"
#define NOTE_GONE "no longer there"

/* What a type can do. All run in a lane (base/lanes.h): they may block. */
struct action_operations {
	const char *name; /* in the journal */
	bool host_wide;	  /* runs first and in order; otherwise in the lane of its device */
	/* Makes the change and sees that it is in effect; to repeat it is harmless. */
	int (*apply)(const struct sysroot *root, const struct action *action, struct error *err);
	/*
	 * Puts the value before back and sees that it is in effect. Looks first: a value that is
	 * neither ours nor before is another's, and is left. One word on what was done, or why
	 * nothing was, in `note`.
	 */
	int (*revert)(const struct sysroot *root, const struct action *action, const char **note,
		      struct error *err);
};

const struct action_operations *action_operations(enum action_type type);

/* The names in the journal. -EINVAL for an unknown one. */
int action_type_parse(const char *name, enum action_type *ret);
const char *action_state_name(enum action_state state);
int action_state_parse(const char *name, enum action_state *ret);

/*
 * Makes an action of copies of the strings; `before` may be NULL. -ENOMEM leaves nothing behind.
 */
int action_make(enum action_type type, const char *target, const char *before, const char *wanted,
		const char *source, struct action *ret);
/* The rest of an ACTION_BIND; `override` and `module` may be NULL. */
int action_set_binding(struct action *action, const char *override, const char *module, int group);
/* A copy; -ENOMEM leaves nothing behind. */
int action_copy(const struct action *action, struct action *ret);
/* Of an ACTION_DISPLACE: the device at this address is what a guest gives way for. */
bool action_asks_for(const struct action *action, const char *address);

/* "ADDRESS/NAME", the target of most on one function: copies the address; the name, "" for none. */
const char *action_split(const struct action *action, char address[PCI_ADDRESS_TEXT]);

/* The PCI address of the function that an action is on; false for one on the host as a whole. */
bool action_address(const struct action *action, struct pci_address *ret);
void action_done(struct action *action);

/* A list of actions, started as { 0 }. */
struct actions {
	struct action *items;
	size_t count;
};

/* Moves `action` into the list; on -ENOMEM it is freed. */
int actions_add(struct actions *actions, struct action *action);
/* Takes those out that `drop` says, and frees them; the others keep their order. How many. */
size_t actions_drop(struct actions *actions,
		    bool (*drop)(const struct action *action, const void *context),
		    const void *context);
struct action *actions_find(const struct actions *actions, enum action_type type,
			    const char *target);
/* Whether that guest is to give way; or with `done` has. */
bool actions_displace(const struct actions *actions, enum guest_kind kind, uint32_t vmid,
		      bool done);

/* Moves the last action of the list to before that one, if it is there. */
void actions_move_last(struct actions *actions, enum action_type type, const char *target);
/* Takes an action out of the list, if it is there. */
void actions_remove(struct actions *actions, enum action_type type, const char *target);
void actions_done(struct actions *actions);
#define cleanup_actions cleanup(actions_done)
