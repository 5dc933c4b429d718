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

/* All classes are one section, and no vendor's. */
#define CLASSES 0x10000u

/*
 * What is asked for most is a device or two of a list of 35000 lines, which libpci takes some
 * milliseconds to load. So it gets sections of it: a vendor with the one device, or the classes.
 */
struct pci_section {
	unsigned vendor, device;
	struct pci_access *access; /* NULL: it is not in the list, or broken */
};

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

static const char *find_section(const char *list, unsigned vendor)
{
	char start[16];
	const char *found;

	if (vendor == CLASSES)
		snprintf(start, sizeof(start), "\nC ");
	else
		snprintf(start, sizeof(start), "\n%04x ", vendor);
	if (text_starts_with(list, start + 1))
		return list;
	found = strstr(list, start);
	return found ? found + 1 : NULL;
}

/* The classes are last, behind all vendors. */
static bool is_of_section(const char *line, unsigned vendor)
{
	return *line == '\t' || *line == '#' || *line == '\n' || vendor == CLASSES;
}

/* The line of the vendor and that of the device, of the thousands some have; of classes all. */
static bool is_wanted(const char *line, unsigned vendor, const char *device)
{
	return vendor == CLASSES || (*line != '\t' && *line != '#' && *line != '\n') ||
	       text_starts_with(line, device);
}

/* A file in memory that has a section, for libpci takes nothing but a path; or -errno. */
static int section_file(const char *list, unsigned vendor, unsigned device)
{
	cleanup_close int fd = memfd_create("pci.ids", MFD_CLOEXEC);
	cleanup_text struct text section = { 0 };
	const char *line = find_section(list, vendor);
	char wanted[16];
	int ret;

	if (!line)
		return -ENOENT;
	snprintf(wanted, sizeof(wanted), "\t%04x ", device);
	do {
		const char *end = strchrnul(line, '\n');

		if (is_wanted(line, vendor, wanted))
			text_add(&section, "%.*s\n", (int)(end - line), line);
		line = end + (*end == '\n');
	} while (*line && is_of_section(line, vendor));
	if (fd < 0 || section.failed || file_write_fd(fd, section.data, section.size) < 0)
		return -EIO;
	ret = fd;
	fd = -1;
	return ret;
}

static struct pci_access *load_section(const struct sysroot *root, const char *list,
				       unsigned vendor, unsigned device)
{
	cleanup_close int fd = section_file(list, vendor, device);
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

/* Loaded, if it was not before; NULL where there is nothing to be asked. */
static struct pci_access *get_section(struct pci_names *names, const struct sysroot *root,
				      unsigned vendor, unsigned device)
{
	struct pci_section section = { .vendor = vendor, .device = device };
	size_t size;

	for (size_t i = 0; i < names->count; i++)
		if (names->sections[i].vendor == vendor && names->sections[i].device == device)
			return names->sections[i].access;
	if (!names->opened)
		(void)sysroot_read(root, PCI_IDS_FILE, PCI_IDS_MAX, &names->list, &size);
	names->opened = true;
	if (!names->list || array_reserve(&names->sections, names->count, sizeof(section)) < 0)
		return NULL;
	section.access = load_section(root, names->list, vendor, device);
	names->sections[names->count++] = section;
	return section.access;
}

void pci_names_done(struct pci_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->sections[i].access)
			pci_cleanup(names->sections[i].access);
	free(names->sections);
	free(names->list);
	*names = (struct pci_names){ 0 };
}

/* False where it is not in the list. `kind` is one of PCI_LOOKUP_*. */
static bool look_up(struct pci_access *access, int kind, unsigned id, unsigned device,
		    char name[NAME_MAX_LENGTH])
{
	volatile bool found = false;
	jmp_buf here;

	if (!access)
		return false;
	on_error = &here;
	if (setjmp(here) == 0)
		found = pci_lookup_name(access, name, NAME_MAX_LENGTH, kind | PCI_LOOKUP_NO_NUMBERS,
					id, device) != NULL;
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
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		char *tail = strstr(vendor, tails[i]);

		if (tail && tail > vendor)
			*tail = '\0';
	}
}

char *pci_name(struct pci_names *names, const struct sysroot *root, const struct pci_device *device)
{
	struct pci_access *section = get_section(names, root, device->vendor, device->device);
	char vendor[NAME_MAX_LENGTH] = "", name[NAME_MAX_LENGTH] = "";

	if (!look_up(section, PCI_LOOKUP_VENDOR, device->vendor, 0, vendor) ||
	    !look_up(section, PCI_LOOKUP_DEVICE, device->vendor, device->device, name))
		return text_format("[%04x:%04x]", device->vendor, device->device);
	shorten_vendor(vendor);
	keep_brackets(name);
	return text_format("%s %s", vendor, name);
}

char *pci_class_name(struct pci_names *names, const struct sysroot *root, uint32_t class_code)
{
	char name[NAME_MAX_LENGTH] = "";

	return look_up(get_section(names, root, CLASSES, 0), PCI_LOOKUP_CLASS, class_code >> 8, 0,
		       name)
		       ? strdup(name)
		       : text_format("class %06x", class_code);
}
