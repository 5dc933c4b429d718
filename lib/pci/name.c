/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: names from pci.ids. Uses libpci for nothing but this list, and gives it little of that. */
#include "pci/name.h"

#include <errno.h>
#include <fcntl.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"

/* Where Debian's package pci.ids has it; Proxmox VE depends on it through pciutils. */
#define PCI_IDS_FILE	"usr/share/misc/pci.ids"
#define PCI_IDS_MAX	((size_t)16 << 20)

#define NAME_MAX_LENGTH 256

/*
 * The list, as its own head explains it; the classes come last:
 *
 *   8086  Intel Corporation
 *   <tab>1533  I210 Gigabit Network Connection
 *   C 02  Network controller
 *   <tab>00  Ethernet controller
 */

/* Of which a name was asked for; a class has no vendor, and `device` has it. */
#define NO_VENDOR 0x10000u

struct pci_known_name {
	unsigned vendor, device;
	char *name; /* as pci_name() or pci_class_name() gives it */
};

/*
 * What is asked for most is a device or two of a list of 35000 lines, which libpci takes some
 * milliseconds to load. So it gets two lines of it: a vendor and the device, or a class and the subclass.
 */
/* A line that starts with `key`, of those that start with no blank. */
static const char *find_upper(const char *list, const char *key)
{
	char start[16];
	const char *found;

	snprintf(start, sizeof(start), "\n%s", key);
	if (text_starts_with(list, start + 1))
		return list;
	found = strstr(list, start);
	return found ? found + 1 : NULL;
}

/* Below it, up to the next that starts with no blank, remarks and empty lines aside. */
static const char *find_lower(const char *line, const char *key)
{
	while (*(line = strchrnul(line, '\n'))) {
		line++;
		if (*line != '\t' && *line != '#' && *line != '\n')
			return NULL;
		if (text_starts_with(line, key))
			return line;
	}
	return NULL;
}

/* NULL where it cannot be read. */
static const char *get_list(struct pci_names *names, const struct sysroot *root)
{
	size_t size;

	if (!names->opened)
		(void)sysroot_read(root, PCI_IDS_FILE, PCI_IDS_MAX, &names->list, &size);
	names->opened = true;
	return names->list;
}

static const char *find_known(const struct pci_names *names, unsigned vendor, unsigned device)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->known[i].vendor == vendor && names->known[i].device == device)
			return names->known[i].name;
	return NULL;
}

/* A copy of the name, which is kept for the next who asks. */
static char *keep_name(struct pci_names *names, unsigned vendor, unsigned device, char *name)
{
	struct pci_known_name known = { vendor, device, name };
	char *copy = name ? strdup(name) : NULL;

	if (!copy || array_reserve(&names->known, names->count, sizeof(known)) < 0) {
		free(name);
		return copy;
	}
	names->known[names->count++] = known;
	return copy;
}

void pci_names_done(struct pci_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->known[i].name);
	free(names->known);
	free(names->list);
	*names = (struct pci_names){ 0 };
}

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

/* A file in memory that has the lines, for libpci takes nothing but a path; or -errno. */
static int lines_file(const char *upper, const char *lower)
{
	cleanup_close int fd = memfd_create("pci.ids", MFD_CLOEXEC);
	cleanup_text struct text lines = { 0 };

	text_add(&lines, "%.*s\n", (int)strcspn(upper, "\n"), upper);
	if (lower)
		text_add(&lines, "%.*s\n", (int)strcspn(lower, "\n"), lower);
	if (fd < 0 || lines.failed || file_write_fd(fd, lines.data, lines.size) < 0)
		return -EIO;
	return TAKE_FD(fd);
}

static struct pci_access *load(const struct sysroot *root, const char *upper, const char *lower)
{
	cleanup_close int fd = upper ? lines_file(upper, lower) : -ENOENT;
	struct pci_access *access = fd >= 0 ? pci_alloc() : NULL;
	volatile bool loaded = false;
	char path[32];
	jmp_buf here;

	if (!access)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* Where procfs is not mounted the whole list will do. */
	if (root->live && faccessat(AT_FDCWD, path, R_OK, 0) < 0)
		snprintf(path, sizeof(path), "/%s", PCI_IDS_FILE);
	access->error = libpci_error;
	access->warning = libpci_silent;
	access->debug = libpci_silent;
	pci_set_name_list_path(access, strdup(path), 1);
	on_error = &here;
	if (setjmp(here) == 0)
		loaded = pci_load_name_list(access);
	on_error = NULL;
	if (!loaded) {
		pci_cleanup(access);
		return NULL;
	}
	return access;
}

/* False where it is not in the list. `kind` is one of PCI_LOOKUP_*. */
static bool ask(struct pci_access *access, int kind, unsigned id, unsigned device,
		char name[NAME_MAX_LENGTH])
{
	volatile bool found = false;
	jmp_buf here;

	on_error = &here;
	if (access && setjmp(here) == 0)
		found = pci_lookup_name(access, name, NAME_MAX_LENGTH, kind | PCI_LOOKUP_NO_NUMBERS,
					id, device) != NULL;
	on_error = NULL;
	return found;
}

static void access_done(struct pci_access **access)
{
	if (*access)
		pci_cleanup(*access);
}
#define cleanup_access cleanup(access_done)

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
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		char *tail = strstr(vendor, tails[i]);

		if (tail && tail > vendor)
			*tail = '\0';
	}
}

/* Most of a machine's functions are of one or two vendors: the one before is remembered. */
static const char *find_vendor(struct pci_names *names, const struct sysroot *root, const char *key)
{
	const char *list = get_list(names, root);

	if (!list)
		return NULL;
	if (!names->vendor || !text_starts_with(names->vendor, key))
		names->vendor = find_upper(list, key);
	return names->vendor;
}

static char *look_up(struct pci_names *names, const struct sysroot *root,
		     const struct pci_device *device)
{
	char vendor_key[16], device_key[16], vendor[NAME_MAX_LENGTH], name[NAME_MAX_LENGTH];
	cleanup_access struct pci_access *access = NULL;
	const char *line, *lower;

	snprintf(vendor_key, sizeof(vendor_key), "%04x ", device->vendor);
	snprintf(device_key, sizeof(device_key), "\t%04x ", device->device);
	line = find_vendor(names, root, vendor_key);
	lower = line ? find_lower(line, device_key) : NULL;
	access = lower ? load(root, line, lower) : NULL;
	if (!ask(access, PCI_LOOKUP_VENDOR, device->vendor, 0, vendor) ||
	    !ask(access, PCI_LOOKUP_DEVICE, device->vendor, device->device, name))
		return text_format("[%04x:%04x]", device->vendor, device->device);
	shorten_vendor(vendor);
	keep_brackets(name);
	return text_format("%s %s", vendor, name);
}

static char *look_up_class(const struct sysroot *root, const char *list, uint32_t class_code)
{
	char class_key[16], subclass_key[16], name[NAME_MAX_LENGTH];
	cleanup_access struct pci_access *access = NULL;
	const char *line;

	snprintf(class_key, sizeof(class_key), "C %02x ", class_code >> 16 & 0xff);
	snprintf(subclass_key, sizeof(subclass_key), "\t%02x ", class_code >> 8 & 0xff);
	line = list ? find_upper(list, class_key) : NULL;
	access = line ? load(root, line, find_lower(line, subclass_key)) : NULL;
	return ask(access, PCI_LOOKUP_CLASS, class_code >> 8, 0, name)
		       ? strdup(name)
		       : text_format("class %06x", class_code);
}

char *pci_name(struct pci_names *names, const struct sysroot *root, const struct pci_device *device)
{
	const char *known = find_known(names, device->vendor, device->device);

	if (known)
		return strdup(known);
	return keep_name(names, device->vendor, device->device, look_up(names, root, device));
}

char *pci_class_name(struct pci_names *names, const struct sysroot *root, uint32_t class_code)
{
	const char *known = find_known(names, NO_VENDOR, class_code);

	if (known)
		return strdup(known);
	return keep_name(names, NO_VENDOR, class_code,
			 look_up_class(root, get_list(names, root), class_code));
}
