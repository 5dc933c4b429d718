/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: what differs between versions of Proxmox VE. */
#include "pve/version.h"

#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "base/text.h"
#include "host/package.h"

/* The first version that was not read yet. */
static const unsigned unread[3] = { 9, 2, 7 };

/* In order of their versions. */
static const struct pve_rule_description rules[] = {
	[PVE_RULE_MACHINE_FORMAT] = { "machine-format",
				      { 8, 1, 2 },
				      { 0 },
				      "machine is a property string: quotes and other text drop the "
				      "line",
				      "8082eb8c" },
	[PVE_RULE_NVIDIA_SYSFS] = { "nvidia-sysfs",
				    { 8, 2, 5 },
				    { 0 },
				    "vGPUs of NVIDIA on kernel 6.8 and later: the line has one "
				    "device, which is reserved and gets its type",
				    "48ada698" },
	[PVE_RULE_MAPPING_MDEV] = { "mapping-mdev",
				    { 8, 3, 9 },
				    { 0 },
				    "mdev of a resource mapping must agree with the device",
				    "4a9d7737" },
	[PVE_RULE_SHOWCMD_DRY] = { "showcmd-dry",
				   { 9, 0, 1 },
				   { 0 },
				   "qm showcmd reserves and creates nothing",
				   "25161b43" },
	[PVE_RULE_HOSTPCI_DRIVER] = { "hostpci-driver",
				      { 9, 0, 25 },
				      { 0 },
				      "hostpci lines have the key driver; before, it drops the line",
				      "aa47045f" },
	[PVE_RULE_NVML] = { "nvidia-nvml",
			    { 9, 1, 11 },
			    { 0 },
			    "the types that a GPU of NVIDIA has left are asked of NVML, not read "
			    "from creatable_vgpu_types",
			    "008475ca" },
	[PVE_RULE_CLEANUP_FLAG] = { "cleanup-flag",
				    { 9, 1, 13 },
				    { 0 },
				    "post-stop runs once a start, by a flag; before, only from qm "
				    "cleanup",
				    "7d48d8ba" },
	[PVE_RULE_ROMFILE_ROOT] = { "romfile-root",
				    { 9, 2, 6 },
				    { 8, 4, 10 },
				    "of the API's users only root@pam can set a romfile, with a "
				    "resource mapping too",
				    "79782166" },
};
TABLE_FOLLOWS(rules, PVE_RULE_COUNT);

_Static_assert(ARRAY_SIZE(rules) == PVE_RULE_COUNT, "one row a rule");

const struct pve_rule_description *pve_rule_describe(enum pve_rule rule)
{
	return &rules[rule];
}

char *pve_version_read(const struct sysroot *root)
{
	static const char *const name = "qemu-server";
	char *version = NULL;

	(void)package_versions(root, &name, 1, &version);
	return version;
}

static bool has_major(const char *version, unsigned major)
{
	uint64_t number;

	return parse_number(version, strcspn(version, "."), 10, UINT32_MAX, &number) == 0 &&
	       number == major;
}

bool pve_rule_holds_in(enum pve_rule rule, const char *version)
{
	const struct pve_rule_description *row = &rules[rule];

	return !version || !package_is_older(version, row->since) ||
	       (has_major(version, row->also[0]) && !package_is_older(version, row->also));
}

bool pve_rule_holds(const struct sysroot *root, enum pve_rule rule)
{
	cleanup_free char *version = pve_version_read(root);

	return pve_rule_holds_in(rule, version);
}

bool pve_version_is_known(const char *version)
{
	return version && package_is_older(version, unread);
}
