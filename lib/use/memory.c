/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: the host's memory. Frees none. */
#include "use/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define HUGEPAGES    "sys/kernel/mm/hugepages"
#define HUGEPAGE_DIR "hugepages-" /* and "2048kB" */
#define ARCSTATS_MAX ((size_t)64 * 1024)

/* A line for each zone of each NUMA node. */
#define BUDDYINFO_MAX ((size_t)256 * 1024)

/* Pages of 4 KiB: on x86 they have no other size. */
#define ORDER_HUGE    9u
#define ORDER_MOST    20u
#define PAGES_PER_MIB 256u

/* The last number of the line that begins with the word `name`: "c_min    4    33554432". */
static int find_number(const char *text, const char *name, uint64_t *ret)
{
	size_t length = strlen(name);

	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, name, length) == 0 && strchr(" \t:", line[length])) {
			const char *last = end, *digits = line + length;

			/* A unit may follow the number. */
			while (last > digits && !(last[-1] >= '0' && last[-1] <= '9'))
				last--;
			for (digits = last; digits[-1] >= '0' && digits[-1] <= '9';)
				digits--;
			return parse_number(digits, (size_t)(last - digits), 10, UINT64_MAX, ret);
		}
		line = *end ? end + 1 : end;
	}
	return -ENOENT;
}

static int read_arc(const struct sysroot *root, uint64_t *ret_kib)
{
	cleanup_free char *data = NULL;
	uint64_t used, least;
	size_t size;
	int r;

	r = sysroot_read(root, "proc/spl/kstat/zfs/arcstats", ARCSTATS_MAX, &data, &size);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = find_number(data, "size", &used);
	if (r == 0)
		r = find_number(data, "c_min", &least);
	if (r == 0 && used > least)
		*ret_kib = (used - least) / 1024;
	return r;
}

/* One size of huge page: its folder is named after it. */
static int add_hugepages(const struct sysroot *root, const char *folder, uint64_t *kib)
{
	cleanup_free char *value = NULL;
	char path[SYSROOT_PATH_MAX];
	uint64_t size_kib, free_pages;
	const char *number;
	int r;

	if (!text_starts_with(folder, HUGEPAGE_DIR))
		return 0;
	number = folder + strlen(HUGEPAGE_DIR);
	r = parse_number(number, strspn(number, "0123456789"), 10, UINT32_MAX, &size_kib);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), HUGEPAGES "/%s/free_hugepages", folder);
	r = sysroot_read_attribute(root, path, &value);
	if (r == 0)
		r = parse_number(value, strlen(value), 10, UINT32_MAX, &free_pages);
	if (r == 0)
		*kib += size_kib * free_pages;
	return r;
}

static int read_hugepages(const struct sysroot *root, uint64_t *ret_kib)
{
	cleanup_strings struct strings folders = { 0 };
	int r = sysroot_list(root, HUGEPAGES, &folders);

	if (r == -ENOENT)
		return 0;
	for (size_t i = 0; r == 0 && i < folders.count; i++)
		r = add_hugepages(root, folders.items[i], ret_kib);
	return r;
}

int memory_read(const struct sysroot *root, struct memory *ret, struct error *err)
{
	cleanup_free char *meminfo = NULL;
	struct memory memory = { 0 };
	size_t size;
	int r;

	r = sysroot_read(root, "proc/meminfo", ATTRIBUTE_MAX, &meminfo, &size);
	if (r == 0)
		r = find_number(meminfo, "MemAvailable", &memory.available_kib);
	if (r == 0)
		r = read_arc(root, &memory.arc_kib);
	if (r == 0)
		r = read_hugepages(root, &memory.hugepages_kib);
	if (r < 0)
		return error_set(err, r, "cannot read how much memory is left: %s", strerror(-r));
	*ret = memory;
	return 0;
}

/* "Node 0, zone   Normal   2145   1260 …": a number for each order. */
static void add_zone(char *line, uint64_t pages[2])
{
	char *rest = strstr(line, "zone"), *word;
	unsigned order = 0;

	if (rest)
		rest += strlen("zone") + strspn(rest + strlen("zone"), " ");
	if (rest)
		(void)strsep(&rest, " "); /* its name */
	while (rest && (word = strsep(&rest, " "))) {
		uint64_t count;

		if (!*word)
			continue;
		if (order > ORDER_MOST ||
		    parse_number(word, strlen(word), 10, UINT32_MAX, &count) < 0)
			return;
		pages[order >= ORDER_HUGE] += count << order;
		order++;
	}
}

int memory_blocks_read(const struct sysroot *root, struct memory_blocks *ret)
{
	cleanup_free char *data = NULL;
	uint64_t pages[2] = { 0 };
	char *rest, *line;
	size_t size;
	int r = sysroot_read(root, "proc/buddyinfo", BUDDYINFO_MAX, &data, &size);

	if (r < 0)
		return r;
	rest = data;
	while ((line = strsep(&rest, "\n")))
		add_zone(line, pages);
	*ret = (struct memory_blocks){ .huge_mib = pages[1] / PAGES_PER_MIB,
				       .small_mib = pages[0] / PAGES_PER_MIB };
	return 0;
}

int memory_of_process(const struct sysroot *root, pid_t pid, uint64_t *ret_kib)
{
	cleanup_free char *status = NULL;
	uint64_t resident = 0, huge = 0;
	char path[SYSROOT_PATH_MAX];
	size_t size;
	int r;

	snprintf(path, sizeof(path), "proc/%d/status", (int)pid);
	r = sysroot_read(root, path, ATTRIBUTE_MAX, &status, &size);
	if (r == 0)
		r = find_number(status, "VmRSS", &resident);
	if (r < 0)
		return r;
	r = find_number(status, "HugetlbPages", &huge);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_kib = resident + huge;
	return 0;
}
