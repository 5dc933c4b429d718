/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: IOMMU groups. Changes no domain. */
#include "pci/group.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"

#define GROUPS_FOLDER "sys/kernel/iommu_groups"

/* "0x00000000bdf6a000 0x00000000bdf88fff direct" */
static bool has_direct(const struct sysroot *root, uint64_t number)
{
	cleanup_free char *regions = NULL;
	char path[SYSROOT_PATH_MAX];
	char *rest, *line;

	snprintf(path, sizeof(path), GROUPS_FOLDER "/%u/reserved_regions", (unsigned)number);
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
			.reserved = has_direct(root, number),
		};
		snprintf(path, sizeof(path), GROUPS_FOLDER "/%s/type", names.items[i]);
		if (types)
			(void)sysroot_read_attribute(root, path, &groups.items[groups.count].type);
		groups.count++;
	}
	if (groups.count > 1)
		qsort(groups.items, groups.count, sizeof(*groups.items), compare);
	*ret = groups;
	groups = (struct iommu_groups){ 0 };
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
