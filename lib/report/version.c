/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: the version, which comes from debian/changelog through the Makefile. */
#include "report/version.h"

#include <gnu/libc-version.h>
#include <jansson.h>
#include <pci/pci.h>
#include <string.h>

#include "base/text.h"
#include "pve/copies.h"

/* Whole in the program's bytes: hook_version_find() looks for it in copies of the hook. */
static const char version[] = VERSION_MARK PVE_VFIO_VERSION;

char *version_words(const char *program)
{
	return text_format("%s %s\nlibpci %s, libkmod %s, jansson %s, glibc %s\n", program,
			   version + strlen(VERSION_MARK), PCILIB_VERSION, KMOD_VERSION,
			   jansson_version_str(), gnu_get_libc_version());
}
