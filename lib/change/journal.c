/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: journals. Makes no change but to its own files. */
#include "change/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/directory.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "host/kernel.h"
#include "pci/device.h"
#include "settings/settings.h"

/* No journal comes near: an action takes some 300 bytes. */
#define JOURNAL_MAX ((size_t)1 << 20)

static const char *const phases[] = {
	[JOURNAL_STARTING] = "starting", [JOURNAL_READY] = "ready", [JOURNAL_RUNNING] = "running",
	[JOURNAL_STOPPING] = "stopping", [JOURNAL_KEPT] = "kept",
};
TABLE_FOLLOWS(phases, JOURNAL_PHASE_COUNT);

const char *journal_phase_name(enum journal_phase phase)
{
	return phases[phase];
}

static int parse_phase(const char *name, enum journal_phase *ret)
{
	int at = TABLE_FIND(phases, name);

	if (at < 0)
		return at;
	*ret = (enum journal_phase)at;
	return 0;
}

#define NAME_SIZE 40

/* Those of virtual functions: "sriov-0000:05:00.0.json". */
#define PHYSICAL_START "sriov-"
#define JSON_END       ".json"

static void file_name(uint32_t vmid, const char *physical, char name[NAME_SIZE])
{
	if (vmid == 0)
		snprintf(name, NAME_SIZE, PHYSICAL_START "%s" JSON_END, physical);
	else
		snprintf(name, NAME_SIZE, "%u" JSON_END, vmid);
}

static int parse_bind(const json_t *json, struct action *action, struct error *err)
{
	struct pci_address address;
	const json_t *none = json_object_get(json, "group");
	uint64_t group = 0;
	int r;

	if (pci_address_parse(action->target, &address) < 0)
		return error_set(err, -EBADMSG, "'%s' is not a PCI address", action->target);
	r = json_member_string_or_null(json, "override", &action->override, err);
	if (r == 0)
		r = json_member_string_or_null(json, "module", &action->module, err);
	if (r == 0 && !json_is_null(none))
		r = json_member_u64(json, "group", INT_MAX, &group, err);
	if (r < 0)
		return r;
	action->group = json_is_null(none) ? IOMMU_GROUP_NONE : (int)group;
	return 0;
}

static int parse_displace(const json_t *json, struct action *action, struct error *err)
{
	struct guest guest;
	uint64_t seconds;
	int r;

	if (guest_parse(action->target, &guest) < 0)
		return error_set(err, -EBADMSG, "'%s' is not a guest", action->target);
	r = json_member_u64(json, "timeout_s", INT_MAX, &seconds, err);
	action->timeout_s = r == 0 ? (unsigned)seconds : 0;
	return r;
}

int action_from_json(const json_t *json, struct action *action, struct error *err)
{
	cleanup_free char *type = NULL, *state = NULL;
	int r;

	r = json_member_string(json, "type", &type, err);
	if (r == 0)
		r = json_member_string(json, "state", &state, err);
	if (r == 0)
		r = json_member_string(json, "target", &action->target, err);
	if (r == 0)
		r = json_member_string(json, "source", &action->source, err);
	if (r == 0)
		r = json_member_string(json, "wanted", &action->wanted, err);
	if (r == 0)
		r = json_member_string_or_null(json, "before", &action->before, err);
	if (r == 0)
		r = json_member_bool(json, "keep", &action->keep, err);
	if (r < 0)
		return r;
	if (action_type_parse(type, &action->type) < 0)
		return error_set(err, -EBADMSG, "'%s' is not a type of action", type);
	if (action_state_parse(state, &action->state) < 0)
		return error_set(err, -EBADMSG, "'%s' is not a state of an action", state);
	if (action->type == ACTION_DISPLACE)
		return parse_displace(json, action, err);
	return action->type == ACTION_BIND ? parse_bind(json, action, err) : 0;
}

static int parse_actions(const json_t *array, struct actions *actions, struct error *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		struct action action = { 0 };
		int r = action_from_json(json_array_get(array, i), &action, err);

		if (r < 0) {
			action_done(&action);
			return r;
		}
		if (actions_add(actions, &action) < 0)
			return error_set_memory(err);
	}
	return 0;
}

/* A process; absent where there is none. */
static int parse_task(const json_t *json, const char *key, struct task *task, struct error *err)
{
	const json_t *member = json_object_get(json, key);
	uint64_t pid;
	int r;

	if (!member || json_is_null(member))
		return 0;
	r = json_member_u64(member, "pid", INT_MAX, &pid, err);
	if (r < 0)
		return r;
	task->pid = (pid_t)pid;
	return json_member_u64(member, "start_time", INT64_MAX, &task->start_time, err);
}

/* Where it is absent the journal belongs to no start that a watch waits for. */
static int parse_run(const json_t *json, uint64_t *ret, struct error *err)
{
	return json_object_get(json, "run") ? json_member_u64(json, "run", INT64_MAX, ret, err) : 0;
}

static int parse_journal(const json_t *json, struct journal *journal, struct error *err)
{
	cleanup_free char *phase = NULL;
	const json_t *actions;
	uint64_t number = 0;
	int r;

	r = json_member_u64(json, "format", INT_MAX, &number, err);
	if (r < 0)
		return r;
	if (number != JOURNAL_FORMAT)
		return error_set(err, -EBADMSG, "format %ju; this version of pve-vfio reads %d",
				 (uintmax_t)number, JOURNAL_FORMAT);
	/* A file that was copied by hand would give away the devices of another VM. */
	r = json_member_u64(json, "vmid", UINT32_MAX, &number, err);
	if (r == 0 && number != journal->vmid)
		r = error_set(err, -EBADMSG, "it is of VM %ju", (uintmax_t)number);
	if (r == 0)
		r = json_member_string(json, "boot_id", &journal->boot_id, err);
	if (r == 0)
		r = json_member_string(json, "phase", &phase, err);
	if (r < 0)
		return r;
	if (parse_phase(phase, &journal->phase) < 0)
		return error_set(err, -EBADMSG, "'%s' is not a phase", phase);
	r = json_member_u64(json, "since", INT64_MAX, &number, err);
	if (r < 0)
		return r;
	journal->since = (time_t)number;
	r = json_member_u64(json, "deadline_s", INT_MAX, &number, err);
	if (r < 0)
		return r;
	journal->deadline_s = (unsigned)number;
	r = parse_run(json, &journal->run, err);
	if (r == 0)
		r = parse_task(json, "watch", &journal->watch, err);
	if (r == 0)
		r = parse_task(json, "qemu", &journal->qemu, err);
	if (r == 0)
		r = json_member_array(json, "actions", &actions, err);
	if (r < 0)
		return r;
	return parse_actions(actions, &journal->actions, err);
}

static int read_text(const struct state *state, const char *name, char **ret_data, size_t *ret_size)
{
	cleanup_close int fd = openat(state->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : file_read_fd(fd, JOURNAL_MAX, ret_data, ret_size);
}

int journal_read_text(const struct state *state, uint32_t vmid, char **ret_data, size_t *ret_size)
{
	char name[NAME_SIZE];

	file_name(vmid, "", name);
	return read_text(state, name, ret_data, ret_size);
}

/* The processes it names are of that boot too. */
static int drop_other_boot(const struct sysroot *root, struct journal *journal, struct error *err)
{
	cleanup_journal struct journal now = { 0 };
	int r = journal_begin(root, journal->vmid, &now, err);

	if (r < 0 || strcmp(now.boot_id, journal->boot_id) == 0)
		return r;
	memcpy(now.physical, journal->physical, sizeof(now.physical));
	journal_done(journal);
	*journal = TAKE_STRUCT(now);
	return 0;
}

/* The journal of whom `journal` names. */
static int read_journal(const struct sysroot *root, const struct state *state,
			struct journal *journal, struct error *err)
{
	cleanup_free char *data = NULL;
	cleanup_json json_t *json = NULL;
	struct error problem = { 0 };
	char name[NAME_SIZE];
	size_t size;
	int r;

	file_name(journal->vmid, journal->physical, name);
	r = read_text(state, name, &data, &size);
	if (r == -ENOENT)
		return r;
	if (r == -EFBIG)
		return error_set(err, -EBADMSG, "%s/%s cannot be understood: larger than 1 MiB",
				 STATE_PATH, name);
	if (r < 0)
		return error_set(err, r, "cannot read %s/%s: %s", STATE_PATH, name, strerror(-r));
	r = json_parse_object("journal", data, size, &json, &problem);
	if (r == 0)
		r = parse_journal(json, journal, &problem);
	if (r < 0)
		return error_set(err, r, "%s/%s cannot be understood: %s", STATE_PATH, name,
				 problem.message);
	return drop_other_boot(root, journal, err);
}

int journal_read(const struct sysroot *root, const struct state *state, uint32_t vmid,
		 struct journal *ret, struct error *err)
{
	cleanup_journal struct journal journal = { .vmid = vmid };
	int r = read_journal(root, state, &journal, err);

	if (r == 0)
		*ret = TAKE_STRUCT(journal);
	return r;
}

int journal_read_physical(const struct sysroot *root, const struct state *state,
			  const char *physical, struct journal *ret, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	int r;

	snprintf(journal.physical, sizeof(journal.physical), "%s", physical);
	r = read_journal(root, state, &journal, err);
	if (r == 0)
		*ret = TAKE_STRUCT(journal);
	return r;
}

static const struct action *find_stuck(const struct journal *journal)
{
	for (size_t i = 0; i < journal->actions.count; i++)
		if (journal->actions.items[i].state == ACTION_STUCK)
			return &journal->actions.items[i];
	return NULL;
}

int journal_lock(const struct sysroot *root, const struct state *state, uint32_t vmid,
		 unsigned wait_ms, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	const struct action *stuck;
	int lock = state_lock_vm(state, vmid, deadline_in_ms(0), err);

	if (lock != -EWOULDBLOCK)
		return lock;
	/* Read without the lock: it is replaced whole, and who is stuck writes nothing. */
	if (journal_read(root, state, vmid, &journal, NULL) == 0) {
		stuck = find_stuck(&journal);
		if (stuck)
			return error_set(err, -EBUSY,
					 "a process of an earlier run of VM %u is still stuck in "
					 "the kernel with %s: see 'journalctl -k'; most often "
					 "only a reboot of the node frees it",
					 vmid, stuck->target);
	}
	lock = state_lock_vm(state, vmid, deadline_in_ms(wait_ms), err);
	if (lock == -EWOULDBLOCK)
		return error_set(err, lock,
				 "another process has been working on the devices of VM %u for "
				 "%u s; see 'pve-vfio status %u'",
				 vmid, wait_ms / 1000, vmid);
	return lock;
}

int journal_begin(const struct sysroot *root, uint32_t vmid, struct journal *ret, struct error *err)
{
	struct journal journal = { .vmid = vmid, .deadline_s = SETTINGS_DEADLINE_S };
	int r = kernel_boot_id(root, &journal.boot_id, err);

	if (r < 0)
		return r;
	journal_enter(&journal, JOURNAL_STARTING);
	*ret = journal;
	return 0;
}

static json_t *format_bind(const struct action *action)
{
	return json_pack("{s:s?, s:s?, s:o}", "override", action->override, "module",
			 action->module, "group",
			 action->group == IOMMU_GROUP_NONE ? json_null()
							   : json_integer(action->group));
}

/* NULL without memory, or for a name that is no UTF-8, which is what JSON is made of. */
static json_t *format_action(const struct action *action)
{
	cleanup_json json_t *json =
		json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:b}", "type",
			  action_operations(action->type)->name, "state",
			  action_state_name(action->state), "target", action->target, "source",
			  action->source, "before", action->before, "wanted", action->wanted,
			  "keep", action->keep);

	if (action->type == ACTION_BIND) {
		cleanup_json json_t *bind = format_bind(action);

		if (!bind || json_object_update(json, bind) < 0)
			return NULL;
	}
	if (action->type == ACTION_DISPLACE &&
	    json_object_set_new(json, "timeout_s", json_integer(action->timeout_s)) < 0)
		return NULL;
	return TAKE_PTR(json);
}

static bool add_task(json_t *json, const char *key, const struct task *task)
{
	return !task->pid ||
	       json_object_set_new(json, key,
				   json_pack("{s:i, s:I}", "pid", (int)task->pid, "start_time",
					     (json_int_t)task->start_time)) == 0;
}

static char *format_journal(const struct journal *journal)
{
	cleanup_json json_t *json = NULL;
	cleanup_free char *text = NULL;
	json_t *actions = json_array();

	for (size_t i = 0; i < journal->actions.count; i++)
		json_array_append_new(actions, format_action(&journal->actions.items[i]));
	json = json_pack("{s:i, s:I, s:I, s:s, s:s, s:I, s:i, s:o?}", "format", JOURNAL_FORMAT,
			 "vmid", (json_int_t)journal->vmid, "run", (json_int_t)journal->run,
			 "boot_id", journal->boot_id, "phase", phases[journal->phase], "since",
			 (json_int_t)journal->since, "deadline_s", (int)journal->deadline_s,
			 "actions", actions);
	if (!json || json_array_size(actions) != journal->actions.count)
		return NULL;
	/* one without its QEMU would count as left over */
	if (!add_task(json, "watch", &journal->watch) || !add_task(json, "qemu", &journal->qemu))
		return NULL;
	text = json_text(json, JSON_INDENT(2));
	return text ? text_format("%s\n", text) : NULL;
}

int journal_write(const struct state *state, const struct journal *journal, struct error *err)
{
	cleanup_free char *data = NULL;
	char name[NAME_SIZE];
	int r;

	file_name(journal->vmid, journal->physical, name);
	if (journal->actions.count == 0) {
		if (unlinkat(state->fd, name, 0) < 0 && errno != ENOENT)
			return error_set(err, -errno, "cannot remove %s/%s: %s", STATE_PATH, name,
					 strerror(errno));
		return 0;
	}
	data = format_journal(journal);
	if (!data)
		return error_set(
			err, -EILSEQ,
			"%s/%s cannot be written: no memory, or the name of a driver is no "
			"UTF-8 text",
			STATE_PATH, name);
	r = file_replace_at(state->fd, name, data, strlen(data));
	if (r < 0)
		return error_set(err, r, "cannot write %s/%s: %s", STATE_PATH, name, strerror(-r));
	return 0;
}

int journal_find_qemu(const struct sysroot *root, const struct journal *journal, struct task *ret,
		      struct error *err)
{
	int r = qemu_find(root, journal->vmid, ret, err);

	if (r == 0 && ret->pid == 0 && task_is_alive(root, &journal->qemu))
		*ret = journal->qemu;
	return r;
}

bool journal_exists(const struct state *state, uint32_t vmid)
{
	char name[NAME_SIZE];

	file_name(vmid, "", name);
	return faccessat(state->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

void journal_enter(struct journal *journal, enum journal_phase phase)
{
	journal->phase = phase;
	journal->since = time(NULL);
}

bool journal_has_guests(const struct journal *journal)
{
	for (size_t i = 0; i < journal->actions.count; i++)
		if (journal->actions.items[i].type == ACTION_DISPLACE)
			return true;
	return false;
}

int journal_settle(const struct state *state, struct journal *journal, struct error *err)
{
	int others = 0, r;

	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		others += action->type != ACTION_DISPLACE && !action->keep;
	}
	if (others == 0 && !journal_has_guests(journal))
		journal_enter(journal, JOURNAL_KEPT);
	r = journal_write(state, journal, err);
	return r < 0 ? r : others;
}

void journal_done(struct journal *journal)
{
	free(journal->boot_id);
	actions_done(&journal->actions);
	*journal = (struct journal){ 0 };
}

static int compare_vmids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* VMID and `end`, and no other name. */
static bool parse_name(const char *name, const char *end, uint32_t *ret)
{
	const char *dot = strchr(name, '.');
	uint64_t vmid;

	if (!dot || strcmp(dot, end) != 0 || name[0] == '0' ||
	    parse_number(name, (size_t)(dot - name), 10, UINT32_MAX, &vmid) < 0)
		return false;
	*ret = (uint32_t)vmid;
	return true;
}

static int list_names(const struct state *state, struct strings *names, struct error *err)
{
	/* A descriptor of its own: to list a directory moves its offset. */
	cleanup_close int fd = openat(state->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : directory_list(fd, names);

	return r < 0 ? error_set(err, r, "cannot list %s: %s", STATE_PATH, strerror(-r)) : 0;
}

int vmids_list(const struct state *state, const char *end, struct vmids *ret, struct error *err)
{
	cleanup_vmids struct vmids vmids = { 0 };
	cleanup_strings struct strings names = { 0 };
	int r = list_names(state, &names, err);

	for (size_t i = 0; i < names.count && r == 0; i++) {
		uint32_t vmid;

		if (!parse_name(names.items[i], end, &vmid))
			continue;
		if (array_reserve(&vmids.items, vmids.count, sizeof(vmid)) < 0)
			return error_set_memory(err);
		vmids.items[vmids.count++] = vmid;
	}
	if (r < 0)
		return r;
	if (vmids.count > 1)
		qsort(vmids.items, vmids.count, sizeof(*vmids.items), compare_vmids);
	*ret = TAKE_STRUCT(vmids);
	return 0;
}

int journal_list(const struct state *state, struct vmids *ret, struct error *err)
{
	return vmids_list(state, ".json", ret, err);
}

int journal_list_physical(const struct state *state, struct strings *ret, struct error *err)
{
	cleanup_strings struct strings names = { 0 }, physical = { 0 };
	int r = list_names(state, &names, err);

	for (size_t i = 0; i < names.count && r == 0; i++) {
		char *name = names.items[i], *end = strrchr(name, '.');
		struct pci_address address;

		if (!text_starts_with(name, PHYSICAL_START) || !end || strcmp(end, JSON_END) != 0)
			continue;
		*end = '\0';
		name += strlen(PHYSICAL_START);
		if (pci_address_parse(name, &address) == 0 && strings_add(&physical, name) < 0)
			r = error_set_memory(err);
	}
	if (r < 0)
		return r;
	strings_sort(&physical);
	*ret = TAKE_STRUCT(physical);
	return 0;
}

void vmids_done(struct vmids *vmids)
{
	free(vmids->items);
	*vmids = (struct vmids){ 0 };
}
