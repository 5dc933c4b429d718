/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: IOMMU groups. Changes no domain. */
#include "pci/group.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "host/kernel.h"

#define GROUPS_FOLDER "sys/kernel/iommu_groups"

/* "0x00000000bdf6a000 0x00000000bdf88fff direct" */
bool iommu_group_has_direct(const struct sysroot *root, int number)
{
	cleanup_free char *regions = NULL;
	char path[SYSROOT_PATH_MAX];
	char *rest, *line;

	snprintf(path, sizeof(path), GROUPS_FOLDER "/%d/reserved_regions", number);
	if (sysroot_read_attribute(root, path, &regions) < 0)
		return false;
	rest = regions;
	while ((line = strsep(&rest, "\n"))) {
		const char *kind = strrchr(line, ' ');

		if (kind && strcmp(kind, " direct") == 0)
			return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	return ((const struct iommu_group *)a)->number - ((const struct iommu_group *)b)->number;
}

int iommu_groups_read(const struct sysroot *root, bool types, struct iommu_groups *ret)
{
	cleanup_iommu_groups struct iommu_groups groups = { 0 };
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, GROUPS_FOLDER, &names);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < names.count; i++) {
		char path[SYSROOT_PATH_MAX];
		uint64_t number;

		if (parse_number(names.items[i], strlen(names.items[i]), 10, INT32_MAX, &number) <
		    0)
			continue;
		if (array_reserve(&groups.items, groups.count, sizeof(*groups.items)) < 0)
			return -ENOMEM;
		groups.items[groups.count] = (struct iommu_group){
			.number = (int)number,
			.reserved = iommu_group_has_direct(root, (int)number),
		};
		snprintf(path, sizeof(path), GROUPS_FOLDER "/%s/type", names.items[i]);
		if (types)
			(void)sysroot_read_attribute(root, path, &groups.items[groups.count].type);
		groups.count++;
	}
	if (groups.count > 1)
		qsort(groups.items, groups.count, sizeof(*groups.items), compare);
	*ret = TAKE_STRUCT(groups);
	return 0;
}

void iommu_groups_done(struct iommu_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		free(groups->items[i].type);
	free(groups->items);
	*groups = (struct iommu_groups){ 0 };
}

bool iommu_group_is_reserved(const struct iommu_groups *groups, int number)
{
	for (size_t i = 0; i < groups->count; i++)
		if (groups->items[i].number == number)
			return groups->items[i].reserved;
	return false;
}

enum iommu_vendor iommu_vendor_read(const struct sysroot *root)
{
	cleanup_strings struct strings units = { 0 };

	(void)sysroot_list(root, "sys/class/iommu", &units);
	for (size_t i = 0; i < units.count; i++) {
		if (text_starts_with(units.items[i], "dmar"))
			return IOMMU_INTEL;
		if (text_starts_with(units.items[i], "ivhd"))
			return IOMMU_AMD;
	}
	if (sysroot_exists(root, "sys/firmware/acpi/tables/DMAR"))
		return IOMMU_INTEL;
	return sysroot_exists(root, "sys/firmware/acpi/tables/IVRS") ? IOMMU_AMD : IOMMU_OTHER;
}

bool iommu_reserved_is_refused(const struct sysroot *root)
{
	static const struct kernel_version first = { .major = 6, .minor = 6 };
	cleanup_free char *release = NULL, *line = NULL, *intel = NULL;
	struct kernel_version running;

	if (iommu_vendor_read(root) == IOMMU_INTEL) {
		(void)sysroot_read_attribute(root, "proc/cmdline", &line);
		intel = kernel_parameter(line ? line : "", "intel_iommu");
		return !intel || !strstr(intel, "relax_rmrr");
	}
	return sysroot_read_attribute(root, "proc/sys/kernel/osrelease", &release) == 0 &&
	       kernel_version_parse(release, &running) == 0 &&
	       kernel_version_compare(running, first) >= 0;
}
