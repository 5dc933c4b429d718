/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the VM's memory, all of which VFIO pins, is available. */
#include "use/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "check/check.h"

/* What PVE takes where the configuration says nothing: $memory_fmt in qemu-server's Memory.pm. */
#define MEMORY_DEFAULT_MIB 512

bool check_memory_read(const struct vm_config *config, uint64_t *ret_mib)
{
	const char *value = vm_config_get(config, "memory");

	*ret_mib = MEMORY_DEFAULT_MIB;
	if (!value)
		return true;
	if (text_starts_with(value, "current="))
		value += strlen("current=");
	return parse_number(value, strcspn(value, ","), 10, UINT32_MAX, ret_mib) == 0;
}

/* A VM that runs has a part of it already; with a device that is passed, all. */
static uint64_t missing_mib(const struct start *start, uint64_t wanted_mib)
{
	uint64_t had_kib;

	if (start->qemu.pid == 0 || memory_of_process(start->root, start->qemu.pid, &had_kib) < 0)
		return wanted_mib;
	return wanted_mib > had_kib / 1024 ? wanted_mib - had_kib / 1024 : 0;
}

static int check_size(const struct start *start, uint64_t wanted_mib, struct findings *findings)
{
	const uint64_t missing = missing_mib(start, wanted_mib);
	cleanup_free char *more = NULL;
	struct memory memory;
	uint64_t had_mib, fits_mib;

	/* A warning only, so what cannot be read is not reported. */
	if (memory_read(start->root, &memory, NULL) < 0)
		return 0;
	if (!vm_config_get(&start->config, "hugepages"))
		memory.hugepages_kib = 0;
	had_mib = (memory.available_kib + memory.arc_kib + memory.hugepages_kib) / 1024;
	if (missing <= had_mib)
		return 0;
	more = missing < wanted_mib ? text_format(" (%" PRIu64 " more than it has now)", missing)
				    : strdup("");
	if (!more ||
	    finding_add(findings, CHECK_MEMORY_SHORT, "memory",
			"VM %u wants %" PRIu64 " MiB%s, and %" PRIu64 " MiB are available: %" PRIu64
			" free or page cache, %" PRIu64 " of the ZFS cache, %" PRIu64
			" in huge pages.",
			start->vmid, wanted_mib, more, had_mib, memory.available_kib / 1024,
			memory.arc_kib / 1024, memory.hugepages_kib / 1024) < 0)
		return -ENOMEM;
	fits_mib = (had_mib + wanted_mib - missing) / 1024 * 1024;
	if (fits_mib == 0)
		return finding_advise(findings, "Stop other VMs.");
	return finding_advise(findings,
			      "Give the VM less memory ('qm set %u --memory %" PRIu64
			      "')%s or stop other VMs.",
			      start->vmid, fits_mib,
			      memory.arc_kib ? ", lower the limit of the ZFS cache (zfs_arc_max),"
					     : "");
}

/* `balloon` is the least the VM may be shrunk to; 0 switches it off. */
static int check_balloon(const struct start *start, uint64_t wanted_mib, struct findings *findings)
{
	const char *value = vm_config_get(&start->config, "balloon");
	uint64_t least_mib;

	if (!value || parse_u64(value, &least_mib) < 0 || least_mib == 0 || least_mib >= wanted_mib)
		return 0;
	if (finding_add(findings, CHECK_BALLOON_SET, "balloon",
			"VM %u may be shrunk to %" PRIu64 " MiB by its configuration; with "
			"these devices it keeps all of its %" PRIu64 " MiB.",
			start->vmid, least_mib, wanted_mib) < 0)
		return -ENOMEM;
	return finding_advise(findings, "Switch it off: 'qm set %u --balloon 0'.", start->vmid);
}

int check_memory(const struct start *start, struct findings *findings, struct error *err)
{
	uint64_t wanted_mib;
	int r;

	if (start->plan.device_count == 0 || !check_memory_read(&start->config, &wanted_mib))
		return 0;
	r = check_size(start, wanted_mib, findings);
	if (r == 0)
		r = check_balloon(start, wanted_mib, findings);
	return r < 0 ? error_set_memory(err) : 0;
}
