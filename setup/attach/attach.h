/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: pve-vfio attach and detach: from a device to a VM that has it, and back. Looks first, says
 * each command, and changes nothing before everything has been looked at.
 */
#pragma once

#include "host/task.h"
#include "pci/select.h"
#include "pve/copies.h"
#include "pve/mapping.h"
#include "pve/storage.h"
#include "settings/attached.h"
#include "settings/settings.h"
#include "setup/deeds.h"
#include "setup/setup.h"
#include "wanted/layout.h"
#include "wanted/wanted.h"

/* ---- the VM (attach_vm.c) */

struct attach_vm {
	uint32_t vmid;
	char *node; /* this one */
	char *text; /* of the configuration */
	struct vm_config config;
};

/* Refuses another tree than the running node's, and a user who is not root. `for_what`: "attach". */
int attach_is_possible(const struct sysroot *root, const char *for_what,
		       struct error *err) must_check;

/*
 * Reads the VM, and refuses one that is not here, is locked, a template or a container, runs, or has
 * changes pending: qm would put off what is asked, or refuse half of it. `for_what` as above.
 */
int attach_vm_read(const struct sysroot *root, uint32_t vmid, const char *for_what,
		   struct attach_vm *ret, struct error *err) must_check;

/* The same of one that runs, with its QEMU; what is pending is no reason against it. */
int attach_vm_read_running(const struct sysroot *root, uint32_t vmid, const char *for_what,
			   struct attach_vm *ret, struct task *ret_qemu,
			   struct error *err) must_check;

/* -EAGAIN when somebody has changed the configuration since it was read. */
int attach_vm_look_again(const struct sysroot *root, const struct attach_vm *vm,
			 struct error *err) must_check;

/* An error while Proxmox VE has the VM locked, as a start, a stop or an edit does. */
int attach_vm_refuse_busy(const struct sysroot *root, const struct attach_vm *vm,
			  struct error *err) must_check;
void attach_vm_done(struct attach_vm *vm);
#define cleanup_attach_vm cleanup(attach_vm_done)

/* The functions that hostpci`number` means on this node; none for no line. 0 or -ENOMEM. */
int attach_vm_line(const struct attach_vm *vm, const struct vm_config *config, unsigned number,
		   const struct mappings *mappings, const struct pci_addresses *present,
		   struct pci_addresses *ret);

/* ---- everything that attach is asked and finds */

struct attach_options {
	const char *layout, *guest, *mapping, *storage, *romfile, *gop, *mdev, *displace, *vfs_of;
	bool chain, dry_run, yes;
	bool asks;    /* a person at a terminal can be asked which of several is meant */
	bool guided;  /* ... and is asked for all of it */
	char **words; /* devices */
	int word_count;
};

/* What becomes of the hookscript. Strings are NULL where nothing is to be done. */
struct attach_hook {
	char *volume;  /* "local:snippets/pve-vfio-hook" */
	char *path;    /* of the volume */
	char *storage; /* of the volume */
	char *content; /* the storage's content is set to this */
	char *chain;   /* the other hookscript of the VM: it is chained */
	bool shared;
	bool place; /* the file is missing or not current */
};

/* The setting "displace": NULL for none; `after` is NULL where nothing is to be changed. */
struct attach_displace {
	json_t *before, *after;
};

/* A device and how it is given. */
struct attach_device {
	struct pci_selection selection;
	struct layout_device device;
	const struct layout *layout; /* NULL: the VM has it, and nothing is to be changed */
	unsigned line;		     /* that has it; HOSTPCI_COUNT: args; above: none */
	char vbios[32];		     /* the name of an APU's video BIOS file */
};

struct attach {
	const struct sysroot *root;
	const struct guard_link *link; /* for setup_show() */
	struct deeds *deeds;
	const struct attach_options *options;
	struct attach_vm vm;
	struct pci_names names;
	struct pci_addresses present;
	struct mappings mappings;
	struct attached attached; /* by earlier runs */
	struct attach_hook hook;
	struct attach_displace displace;
	struct attach_device *devices;
	size_t device_count;
	const char *mapping;	      /* its name; NULL: the line names the device */
	char *own_name;		      /* of one that nobody has named */
	struct strings mapping_words; /* the pvesh command that makes the mapping, or empty */
	bool mapping_is_new;
	/* Of --vfs-of; "" and none without it. */
	char physical[PCI_ADDRESS_TEXT];
	struct pci_addresses functions; /* of which a start takes one */
	char first[PCI_ADDRESS_TEXT];	/* of them the one that is checked */
	struct vm_edit edit;		/* what is set */
	size_t warnings;		/* of the checks */
	size_t errors; /* that were there before, and keep nobody from registering the hook */
};

void attach_done(struct attach *attach);

/* ---- the steps (attach_hook.c, attach_device.c, attach_mapping.c, attach_check.c) */

/* Looks where the hookscript is to be, and at one that the VM has already. */
int attach_hook_look(struct attach *attach, struct error *err) must_check;

/* The volume of a hookscript is one of ours. */
bool attach_hook_is_ours(const char *volume);

/* Puts the file there; in a dry run only says so. */
int attach_hook_place(struct attach *attach, struct error *err) must_check;

/* Tells on which nodes of the cluster the file is missing. */
void attach_hook_tell_nodes(const struct attach *attach);

/* Finds the devices and their layouts. */
int attach_devices_look(struct attach *attach, struct error *err) must_check;

/* What the layouts set, with or without the mapping in the line. */
int attach_devices_edit(const struct attach *attach, bool mapped, struct vm_edit *edit,
			struct error *err) must_check;

/* functions.c: finds what --vfs-of means, and a name for its mapping. */
int attach_functions_look(struct attach *attach, struct error *err) must_check;

/* Looks whether --mapping is there, and how to make it where it is not. */
int attach_mapping_look(struct attach *attach, struct error *err) must_check;

/* ---- guests that give way (displace.c): the setting "displace", by --displace */

/* Finds what is set, and what is to be; refuses a number that no guest has. */
int attach_displace_look(struct attach *attach, struct error *err) must_check;

/* Notes it in what attach has changed. 0 or -ENOMEM. */
int attach_displace_record(const struct attach *attach, struct attached *attached) must_check;

/* Sets it; JSON's null or NULL takes it out. */
int attach_displace_set(const struct attach_vm *vm, const struct sysroot *root, json_t *value,
			struct error *err);

/* The line that says so before it is done. */
void attach_displace_tell(struct deeds *deeds, uint32_t vmid, const json_t *value);

/* Adds ", and 101 gives way to it". */
void attach_displace_words(const struct attach *attach, struct text *text);

/*
 * What goes back, JSON's null where it goes out, and says so; *ret is NULL, with a note if need be,
 * where it is not as attach has set it. The caller frees it.
 */
int detach_displace_look(struct deeds *deeds, const struct sysroot *root, uint32_t vmid,
			 const struct attached *attached, json_t **ret,
			 struct error *err) must_check;

/* The pins of the devices go, in the settings as read and as stored: a person says which are meant. */
void attach_forget_pins(struct settings *settings, const struct attach *attach);
int attach_unpin(const struct attach *attach, struct error *err) must_check;

/* The checks of the hook on the configuration as it would be. */
int attach_check(struct attach *attach, const struct vm_edit *edit, struct error *err) must_check;

/* Asks where machine or firmware of an installed system would change. */
int attach_ask(const struct attach *attach, struct error *err) must_check;

/* ---- questions at a terminal (guide.c); each is refused where it is not answered */

/* More than there are layouts. */
#define LAYOUTS_MAX 32

/* What a person has answered who gave no words. */
struct attach_guide {
	uint32_t vmid;
	char word[PCI_ADDRESS_TEXT]; /* the device */
};

/* Asks for a VM that is off, and for a device that can be passed. */
int attach_guide(const struct sysroot *root, struct attach_guide *ret,
		 struct error *err) must_check;

/* Asks which of these functions is meant; `word` names all of the device. */
int attach_ask_device(const struct sysroot *root, struct pci_names *names,
		      const struct pci_addresses *from, const char *question,
		      char word[PCI_ADDRESS_TEXT], struct error *err) must_check;

/* Asks for another layout than the device has. */
int attach_ask_layout(struct attach_device *device, struct error *err) must_check;

/* Says how the same is typed, and asks whether it is done. */
int attach_ask_all(const struct attach *attach, struct error *err) must_check;

/* ---- words (attach_print.c, attach_guest.c) */

/* Before all else: that the VM loses the console by which it is reached now. */
void attach_print_console(const struct attach *attach);
void attach_print_devices(struct attach *attach);
void attach_print_changes(const struct attach *attach);
void attach_print_guest(const struct attach *attach);

/* Whether the guest is Windows: --guest, else what Proxmox VE's configuration says. */
bool attach_guest_is_windows(const struct attach *attach);

/* Says the command and, but for a dry run, runs it. */
int attach_run(struct deeds *deeds, const struct strings *words, struct error *err);
