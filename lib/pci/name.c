/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: names from pci.ids. Uses libpci for nothing but this list. */
#include "pci/name.h"

#include <errno.h>
#include <fcntl.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where Debian's package pci.ids has it; Proxmox VE depends on it through pciutils. */
#define PCI_IDS_FILE	"usr/share/misc/pci.ids"

#define NAME_MAX_LENGTH 256

/*
 * libpci reports a broken pci.ids through a callback that must not return and gets no context,
 * which leaves a jump out of it, and this one variable that the callback can find.
 */
static _Thread_local jmp_buf *on_error;

__attribute__((noreturn)) static void libpci_error(char *message, ...)
{
	(void)message;
	longjmp(*on_error, 1);
}

static void libpci_silent(char *message, ...)
{
	(void)message;
}

/* What libpci is to open; a descriptor that must be open until it has, or -errno. */
static int list_path(const struct sysroot *root, char path[SYSROOT_PATH_MAX])
{
	struct stat status;
	int fd = sysroot_openat(root, PCI_IDS_FILE, O_PATH);

	if (fd < 0)
		return fd;
	/* A pipe would block, here and for ever. */
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	/* By its path a symbolic link would lead libpci out of a tree that is not the machine's. */
	if (root->live)
		snprintf(path, SYSROOT_PATH_MAX, "/%s", PCI_IDS_FILE);
	else
		snprintf(path, SYSROOT_PATH_MAX, "/proc/self/fd/%d", fd);
	return fd;
}

static void load_list(struct pci_names *names, const char *path)
{
	struct pci_access *access = pci_alloc();
	jmp_buf here;

	names->access = access;
	if (!access)
		return;
	access->error = libpci_error;
	access->warning = libpci_silent;
	access->debug = libpci_silent;
	pci_set_name_list_path(access, strdup(path), 1);
	on_error = &here;
	if (setjmp(here) == 0)
		names->failed = !pci_load_name_list(names->access);
	else
		names->failed = true;
	on_error = NULL;
}

static void open_list(struct pci_names *names, const struct sysroot *root)
{
	char path[SYSROOT_PATH_MAX];
	cleanup_close int fd = list_path(root, path);

	if (fd >= 0)
		load_list(names, path);
	names->failed |= !names->access;
}

void pci_names_done(struct pci_names *names)
{
	if (names->access)
		pci_cleanup(names->access);
	*names = (struct pci_names){ 0 };
}

static bool look_up_both(struct pci_access *access, const struct pci_device *device, char *vendor,
			 char *name)
{
	return pci_lookup_name(access, vendor, NAME_MAX_LENGTH,
			       PCI_LOOKUP_VENDOR | PCI_LOOKUP_NO_NUMBERS, device->vendor) &&
	       pci_lookup_name(access, name, NAME_MAX_LENGTH,
			       PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS, device->vendor,
			       device->device);
}

/* False where the vendor or the device is not in the list. */
static bool look_up(struct pci_names *names, const struct pci_device *device, char *vendor,
		    char *name)
{
	volatile bool found = false;
	jmp_buf here;

	if (names->failed)
		return false;
	on_error = &here;
	if (setjmp(here) == 0)
		found = look_up_both(names->access, device, vendor, name);
	else
		names->failed = true;
	on_error = NULL;
	return found;
}

/* What pci.ids puts in brackets is the name on the box: "GA104 [GeForce RTX 3070]". */
static bool keep_brackets(char *name)
{
	char *open = strrchr(name, '['), *close = strrchr(name, ']');

	if (!open || !close || close <= open + 1)
		return false;
	*close = '\0';
	memmove(name, open + 1, strlen(open + 1) + 1);
	return true;
}

/*
 * "Advanced Micro Devices, Inc. [AMD/ATI]" is AMD/ATI to everybody, and the legal form and line
 * of business of the others only takes the room of the device's own name.
 */
static void shorten_vendor(char *vendor)
{
	static const char *const tails[] = {
		" Corporation",	 " Corp",	 ",",	     " Inc",	       " Co.",
		" Co ",		 " Ltd",	 " Limited", " Semiconductor", " Technology",
		" Technologies", " Electronics", " Systems", " Group",	       " GmbH",
		" AG",
	};

	if (keep_brackets(vendor))
		return;
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		char *tail = strstr(vendor, tails[i]);

		if (tail && tail > vendor)
			*tail = '\0';
	}
}

char *pci_name(struct pci_names *names, const struct sysroot *root, const struct pci_device *device)
{
	char vendor[NAME_MAX_LENGTH] = "", name[NAME_MAX_LENGTH] = "";

	if (!names->access && !names->failed)
		open_list(names, root);
	if (!look_up(names, device, vendor, name))
		return text_format("[%04x:%04x]", device->vendor, device->device);
	shorten_vendor(vendor);
	keep_brackets(name);
	return text_format("%s %s", vendor, name);
}

char *pci_class_name(struct pci_names *names, const struct sysroot *root, uint32_t class_code)
{
	char name[NAME_MAX_LENGTH] = "";
	volatile bool found = false;
	jmp_buf here;

	if (!names->access && !names->failed)
		open_list(names, root);
	if (names->failed || !names->access)
		return text_format("class %06x", class_code);
	on_error = &here;
	if (setjmp(here) == 0)
		found = pci_lookup_name(names->access, name, sizeof(name),
					PCI_LOOKUP_CLASS | PCI_LOOKUP_NO_NUMBERS, class_code >> 8);
	else
		names->failed = true;
	on_error = NULL;
	return found ? strdup(name) : text_format("class %06x", class_code);
}
