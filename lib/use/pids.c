/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: the processes of the machine. Signals none. */
#include "use/pids.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"

/* The one whose children kernel threads are, outside of PID namespaces: rest_init() in init/main.c. */
#define KTHREADD     2
#define CHILDREN     "proc/2/task/2/children"
#define CHILDREN_MAX ((size_t)8 << 20) /* PID_MAX_LIMIT of them would be 32 MiB */

static int compare(const void *a, const void *b)
{
	pid_t left = ((const struct process_id *)a)->pid;
	pid_t right = ((const struct process_id *)b)->pid;

	return left < right ? -1 : left > right;
}

static int add(struct pids *pids, const char *text)
{
	uint32_t pid;

	if (parse_u32(text, &pid) < 0 || pid > INT_MAX)
		return 0;
	if (array_reserve(&pids->items, pids->count, sizeof(*pids->items)) < 0)
		return -ENOMEM;
	pids->items[pids->count++] = (struct process_id){ .pid = (pid_t)pid };
	return 0;
}

static void sort(struct pids *pids)
{
	if (pids->count > 1)
		qsort(pids->items, pids->count, sizeof(*pids->items), compare);
}

/* "3 4 6 8 "; none where process 2 is another one, or where the kernel does not tell. */
static int read_children(const struct sysroot *root, struct pids *children)
{
	const struct process_id kthreadd = { .pid = KTHREADD };
	cleanup_free char *data = NULL;
	char *rest, *word;
	size_t size;
	int r = 0;

	if (!pid_is_thread(root, &kthreadd) ||
	    sysroot_read(root, CHILDREN, CHILDREN_MAX, &data, &size) < 0)
		return 0;
	rest = data;
	while (r == 0 && (word = strsep(&rest, " ")))
		r = add(children, word);
	sort(children);
	return r;
}

int pids_list(const struct sysroot *root, struct pids *ret)
{
	cleanup_pids struct pids pids = { 0 }, children = { 0 };
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, "proc", &names);

	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = add(&pids, names.items[i]);
	if (r == 0)
		r = read_children(root, &children);
	if (r < 0)
		return r;
	sort(&pids);
	for (size_t i = 0; i < pids.count && children.count > 0; i++)
		pids.items[i].kernels = bsearch(&pids.items[i], children.items, children.count,
						sizeof(*children.items), compare) != NULL;
	*ret = TAKE_STRUCT(pids);
	return 0;
}

bool pid_is_thread(const struct sysroot *root, const struct process_id *id)
{
	cleanup_free char *program = NULL;
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "proc/%d/exe", (int)id->pid);
	return sysroot_link_name(root, path, &program) == -ENOENT;
}

void pids_done(struct pids *pids)
{
	free(pids->items);
	*pids = (struct pids){ 0 };
}
