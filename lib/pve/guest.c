/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: guests. Runs nothing but qm and pct, which do the rest. */
#include "pve/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/process.h"
#include "pve/config.h"
#include "pve/qemu.h"
#include "pve/section.h"
#include "use/container.h"

#define OUTPUT_MAX 4096

/* What qm and pct need beside the guest's own time: they load some hundred modules of Perl. */
#define COMMAND_S 3

static const struct {
	const char *prefix, *name, *command, *folder, *resource;
} kinds[] = {
	[GUEST_VM] = { "vm/", "VM", "qm", "qemu-server", "vm" },
	[GUEST_CONTAINER] = { "ct/", "container", "pct", "lxc", "ct" },
};

const char *guest_name(const struct guest *guest, char name[GUEST_NAME])
{
	snprintf(name, GUEST_NAME, "%s%u", kinds[guest->kind].prefix, guest->vmid);
	return name;
}

int guest_parse(const char *name, struct guest *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t size = strlen(kinds[i].prefix);

		if (strncmp(name, kinds[i].prefix, size) == 0 &&
		    parse_u32(name + size, &ret->vmid) == 0 && ret->vmid) {
			ret->kind = (enum guest_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *guest_kind_name(enum guest_kind kind)
{
	return kinds[kind].name;
}

int guest_is_running(const struct sysroot *root, const struct guest *guest, bool *ret,
		     struct error *err)
{
	struct task qemu = { 0 };
	int r;

	if (guest->kind == GUEST_VM) {
		r = qemu_find(root, guest->vmid, &qemu, err);
		*ret = qemu.pid != 0;
		return r;
	}
	r = container_is_running(root, guest->vmid, ret);
	return r < 0 ? error_set(err, r, "cannot read /proc/net/unix: %s", strerror(-r)) : 0;
}

/* The value of a key in the section before the first [header], whose end at the line's it has. */
static char *find_value(char *config, const char *key)
{
	size_t size = strlen(key);
	char *rest = config, *line;

	while ((line = strsep(&rest, "\n")) && *line != '[')
		if (strncmp(line, key, size) == 0 && line[size] == ':') {
			line += size + 1;
			line += strspn(line, " \t");
			line[strcspn(line, " \t\r")] = '\0';
			return line;
		}
	return NULL;
}

/* A resource that HA looks at: PVE::HA::Config. */
static bool is_managed(const struct sysroot *root, const struct guest *guest)
{
	cleanup_sections struct sections resources = { 0 };
	const struct section *resource;
	char number[16];

	snprintf(number, sizeof(number), "%u", guest->vmid);
	(void)sections_read(root, "etc/pve/ha/resources.cfg", &resources);
	resource = sections_find(&resources, kinds[guest->kind].resource, number);
	return resource && !text_equal(section_get(resource, "state"), "ignored");
}

int guest_why_not(const struct sysroot *root, const struct guest *guest, char **ret_why)
{
	cleanup_free char *config = NULL;
	char path[SYSROOT_PATH_MAX];
	const char *lock;
	size_t size;
	int r;

	*ret_why = NULL;
	snprintf(path, sizeof(path), "etc/pve/%s/%u.conf", kinds[guest->kind].folder, guest->vmid);
	r = sysroot_read(root, path, VM_CONFIG_MAX, &config, &size);
	if (r == -ENOENT)
		*ret_why = strdup("it is not a guest of this node");
	else if (r < 0)
		*ret_why = text_format("its configuration cannot be read: %s", strerror(-r));
	else if ((lock = find_value(config, "lock")))
		*ret_why = text_format("it is locked (%s)", lock);
	else if (is_managed(root, guest))
		*ret_why = strdup("HA decides whether it runs, and would start it again");
	else
		return 0;
	return *ret_why ? 0 : -ENOMEM;
}

/* The last line that a command has said, as a part of a sentence. */
static const char *last_line(char *output)
{
	size_t size = strlen(output);
	char *line;

	while (size > 0 && output[size - 1] == '\n')
		output[--size] = '\0';
	line = strrchr(output, '\n');
	return line ? line + 1 : output;
}

/* Runs it, then waits for what it is to come to; both until `timeout_s` after the beginning. */
static int change(const struct sysroot *root, const struct guest *guest, const char *const argv[],
		  bool wanted, unsigned timeout_s, struct error *err)
{
	struct deadline deadline = deadline_in_ms((uint64_t)timeout_s * 1000);
	cleanup_process_end struct process_end end = { 0 };
	struct error reason = { 0 };
	unsigned step = 0;
	char after[32];
	bool running;
	int r;

	if (!root->live)
		return error_set(err, -EOPNOTSUPP, "no guest can be changed in '%s'", root->path);
	r = process_run_to_end(argv, timeout_s * 1000, OUTPUT_MAX, &end, &reason);
	if (r < 0 && r != -ETIMEDOUT)
		return error_set(err, r, "%s", reason.message);
	do
		r = guest_is_running(root, guest, &running, err);
	while (r == 0 && running != wanted && end.status == 0 &&
	       deadline_wait_step(deadline, &step));
	if (r < 0 || running == wanted)
		return r;
	snprintf(after, sizeof(after), "after %u s", timeout_s);
	return error_set(err, -ETIMEDOUT, "%s %u %s %s (%s %s: %s)", guest_kind_name(guest->kind),
			 guest->vmid, wanted ? "does not run" : "still runs",
			 wanted && end.status != 0 ? "again" : after, argv[0], argv[1],
			 end.output && *end.output ? last_line(end.output) : "no word");
}

int guest_stop(const struct sysroot *root, const struct guest *guest, bool hard, unsigned timeout_s,
	       struct error *err)
{
	char vmid[16], seconds[16];
	const char *const argv[] = { kinds[guest->kind].command,
				     hard ? "stop" : "shutdown",
				     vmid,
				     "--timeout",
				     seconds,
				     NULL };
	const char *const stop[] = { argv[0], argv[1], vmid, NULL };

	snprintf(vmid, sizeof(vmid), "%u", guest->vmid);
	snprintf(seconds, sizeof(seconds), "%u", timeout_s > COMMAND_S ? timeout_s - COMMAND_S : 1);
	/* pct stop has no timeout: pct(1). */
	return change(root, guest, hard && guest->kind == GUEST_CONTAINER ? stop : argv, false,
		      timeout_s, err);
}

int guest_start(const struct sysroot *root, const struct guest *guest, unsigned timeout_s,
		struct error *err)
{
	char vmid[16];
	const char *const argv[] = { kinds[guest->kind].command, "start", vmid, NULL };

	snprintf(vmid, sizeof(vmid), "%u", guest->vmid);
	return change(root, guest, argv, true, timeout_s, err);
}
