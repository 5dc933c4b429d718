/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio attach --live and plan --live. Looks at everything, then changes; see live.h. */
#include "setup/attach/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "check/check.h"
#include "report/json.h"
#include "report/words.h"
#include "use/vfio.h"

/* Another that joins or leaves is waited for: its guest has some time, too. */
#define LOCK_WAIT_MS	   60000

#define CLAIM_LOCK_WAIT_MS 10000

/* How long the guest gets to find a driver before that is said. */
#define SEEN_MS 10000

void live_tell(const struct action *action, const struct run_result *result, void *context)
{
	struct live_telling *telling = context;
	cleanup_free char *line =
		words_result(telling->names, telling->root, telling->direction, action, result);

	if (line)
		deeds_note(telling->deeds, "%s", line);
}

/* ---- words */

/* The members that attach has without --live, too; and where the device goes. */
static int add_json(const struct live_look *look, struct error *err)
{
	const struct attach *attach = look->attach;
	cleanup_vm_edit struct vm_edit edit = { 0 };
	json_t *functions = json_array(), *changes = vm_edit_json(&attach->edit);
	cleanup_json json_t *more = NULL;
	char line[SOURCE_MAX];

	snprintf(line, sizeof(line), "hostpci%u", look->number);
	if (!look->written && vm_edit_set(&edit, line, NULL, look->value, NULL) < 0)
		return error_set_memory(err);
	more = vm_edit_json(&edit);
	json_array_extend(changes, more);
	for (size_t i = 0; i < look->functions.count; i++)
		json_array_append_new(functions, json_string(look->functions.items[i]));
	deeds_add(attach->deeds, "devices",
		  json_pack("[{s:o, s:n}]", "functions", functions, "layout"));
	deeds_add(attach->deeds, "changes", changes);
	deeds_add(attach->deeds, "findings", findings_json(&look->findings));
	deeds_add(attach->deeds, "live",
		  json_pack("{s:s, s:s?, s:b}", "line", line, "bus",
			    look->joined ? NULL : look->slot.bus, "joined", look->joined));
	return 0;
}

/* With the first device QEMU pins the VM's memory, which it does at once. */
static bool is_first(const struct live_look *look)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };

	return vfio_holders_find(look->attach->root, look->qemu.pid, &holders, NULL) == 0 &&
	       holders.count == 0;
}

static void print_plan(struct live_look *look)
{
	struct deeds *deeds = look->attach->deeds;
	const struct plan *plan = &look->start.plan;
	const uint32_t vmid = look->attach->vm.vmid;

	for (size_t i = 0; i < plan->device_count; i++) {
		const struct pci_device *device = &plan->devices[i].device;
		cleanup_free char *name =
			words_name(&look->attach->names, look->attach->root, device->name);
		bool sibling = plan->devices[i].sibling;

		if (!plan->devices[i].foreseen)
			deeds_note(deeds, "# %s %s: %s -> %s%s%s", device->name, name ? name : "",
				   device->driver ? device->driver : "no driver",
				   plan->devices[i].vfio.name, sibling ? ", with its " : "",
				   sibling ? plan->devices[i].source : "");
	}
	for (size_t i = 0; i < plan->actions.count; i++) {
		cleanup_free char *words = words_planned(&plan->actions.items[i]);

		if (words)
			deeds_note(deeds, "# %s", words);
	}
	deeds_note(deeds, "# It joins VM %u as hostpci%u, at '%s'.", vmid, look->number,
		   look->slot.bus);
	if (is_first(look))
		deeds_note(deeds,
			   "# It is the first device that VM %u gets: QEMU pins all of its memory "
			   "(%" PRIu64 " MiB), and the guest stands still meanwhile.",
			   vmid, look->memory_mib);
}

/* ---- the steps */

static int record(struct attach *attach, const struct vm_edit *edit, struct error *err)
{
	if (attached_name(&attach->attached, &attach->vm.config) < 0 ||
	    attached_add(&attach->attached, edit) < 0)
		return error_set_memory(err);
	return attached_write(attach->root, attach->vm.vmid, &attach->attached, err);
}

/* The hook gives the device back when the VM stops; Proxmox VE runs it for a VM that runs already. */
static int set_hook(struct attach *attach, struct error *err)
{
	cleanup_strings struct strings words = { 0 };
	int r = attach_hook_place(attach, err);

	if (r < 0 || attach->edit.count == 0)
		return r;
	if (vm_edit_words(&attach->edit, attach->vm.vmid, &words) < 0)
		return error_set_memory(err);
	if (!attach->options->dry_run)
		r = record(attach, &attach->edit, err);
	return r < 0 ? r : attach_run(attach->deeds, &words, err);
}

/* Last: a line without its device would be the next start's, which nobody has asked for yet. */
static int set_line(struct live_look *look, struct error *err)
{
	struct attach *attach = look->attach;
	cleanup_strings struct strings words = { 0 };
	cleanup_vm_edit struct vm_edit edit = { 0 };
	char key[SOURCE_MAX];
	int r = 0;

	snprintf(key, sizeof(key), "hostpci%u", look->number);
	if (vm_edit_set(&edit, key, NULL, look->value, NULL) < 0 ||
	    vm_edit_words(&edit, attach->vm.vmid, &words) < 0)
		return error_set_memory(err);
	if (!attach->options->dry_run && !vm_config_value(&attach->vm.config, key))
		r = record(attach, &edit, err);
	if (r == 0)
		r = attach_run(attach->deeds, &words, err);
	if (r == 0)
		deeds_note(attach->deeds,
			   "%sProxmox VE has the line pending until VM %u is started the next time "
			   "('qm pending %u'); the device is there now.",
			   attach->options->dry_run ? "# " : "", attach->vm.vmid, attach->vm.vmid);
	return r;
}

/* No other VM can claim it between the look at the journals and the writing of ours. */
static int announce(struct live_look *look, const struct live *live,
		    const struct live_device *device, size_t *ret_first, struct error *err)
{
	cleanup_findings struct findings findings = { 0 };
	cleanup_close int claims =
		state_lock_claims(&look->state, deadline_in_ms(CLAIM_LOCK_WAIT_MS), err);
	int r;

	if (claims < 0)
		return claims;
	r = start_read_claims(&look->start, err);
	if (r == 0)
		r = check_claims_run(&look->start, &findings, err);
	if (r == 0 && findings_count(&findings, LEVEL_ERROR) > 0)
		r = error_refuse(err, "%s", findings.items[0].evidence);
	if (r == 0)
		r = live_announce(live, device, ret_first, err);
	return r < 0 ? r
		     : claims_take_over(look->attach->root, &look->state, &look->start.claims,
					live->journal, err);
}

static int tell_unknown(const struct live_look *look, const struct error *reason, struct error *err)
{
	const uint32_t vmid = look->attach->vm.vmid;

	return error_set(
		err, -ETIMEDOUT,
		"%s; it may have the device all the same: 'pve-vfio status %u' shows it, "
		"'pve-vfio attach %u %s --live' goes on, and 'pve-vfio restore %u' gives back "
		"what it does not have",
		reason->message, vmid, vmid,
		look->functions.count > 0 ? look->functions.items[0] : "", vmid);
}

/* With the VM's lock. */
static int take(struct live_look *look, const struct live *live, struct error *err)
{
	const struct live_device device = {
		.plan = &look->start.plan,
		.functions = &look->functions,
		.slot = &look->slot,
		.line = &look->line,
		.add_ms = LIVE_ADD_MS(look->memory_mib),
	};
	size_t first;
	int r;

	first = live->journal->actions.count;
	r = announce(look, live, &device, &first, err);
	if (r < 0)
		return first < live->journal->actions.count ? live_roll_back(live, first, err) : r;
	r = live_take(live, &device, first, err);
	if (r == -EINPROGRESS) {
		struct error reason = *err;

		return tell_unknown(look, &reason, err);
	}
	return r;
}

static int begin_journal(struct live_look *look, struct error *err)
{
	struct journal *journal = &look->start.journal;

	if (journal->actions.count > 0)
		return 0;
	journal_done(journal);
	return live_begin(look->attach->root, look->attach->vm.vmid,
			  look->start.settings.deadline_s, &look->qemu, journal, err);
}

static struct live_look look_for(struct attach *attach, const struct task *qemu, bool takes)
{
	return (struct live_look){
		.attach = attach,
		.word = attach->options->word_count > 0 ? attach->options->words[0] : NULL,
		.takes = takes,
		.qemu = *qemu,
		.state = { .fd = -1 },
	};
}

static void forget_look(struct attach *attach)
{
	for (size_t i = 0; i < attach->device_count; i++)
		pci_selection_done(&attach->devices[i].selection);
	free(attach->devices);
	attach->devices = NULL;
	attach->device_count = 0;
	pci_addresses_done(&attach->present);
	mappings_done(&attach->mappings);
}

static void tell_seen(const struct live_look *look, const struct live *live)
{
	struct error err = { 0 };
	int r = live_wait_seen(live, SEEN_MS, &err);

	if (r == 0)
		deeds_note(
			look->attach->deeds,
			"The guest has not switched the device on within %d s: it has no driver for "
			"it, or does not look at its PCI slots while it runs; it finds it when it "
			"boots the next time. 'pve-vfio detach %u %s --live' asks for it back.",
			SEEN_MS / 1000, look->attach->vm.vmid, look->functions.items[0]);
	else if (r < 0)
		deeds_note(look->attach->deeds, "Whether the guest has it is not known: %s",
			   err.message);
}

/* An earlier run was killed after it had taken the device, or the guest has released it since. */
static int settle_earlier(const struct live *live, bool *ret_any, struct error *err)
{
	cleanup_free bool *chosen = calloc(live->journal->actions.count + 1, sizeof(*chosen));
	int r;

	if (!chosen)
		return error_set_memory(err);
	*ret_any = live_choose_line(live, chosen) > 0;
	if (!*ret_any)
		return 0;
	r = live_give_back(live, chosen, err);
	return r > 0 ? error_set(
			       err, -EBUSY,
			       "what VM %u had of the device before is not back with the host; see "
			       "'pve-vfio status %u'",
			       live->journal->vmid, live->journal->vmid)
		     : r;
}

/* Under the VM's lock all is looked at anew; and once more where something had to go back first. */
static int look_again(struct live_look *look, struct live *live, struct error *err)
{
	struct attach *attach = look->attach;
	bool any = false;
	int r;

	forget_look(attach);
	r = live_look(look, err);
	live->number = look->number;
	if (r == 0 && !look->joined)
		r = settle_earlier(live, &any, err);
	if (r < 0 || !any)
		return r;
	live_look_done(look);
	*look = look_for(attach, &look->qemu, true);
	forget_look(attach);
	r = live_look(look, err);
	live->number = look->number;
	return r;
}

static int join(struct live_look *look, struct error *err)
{
	struct attach *attach = look->attach;
	struct live_telling telling = { attach->root, &attach->names, attach->deeds, RUN_APPLY };
	struct live live = {
		.root = attach->root,
		.state = &look->state,
		.journal = &look->start.journal,
		.report = live_tell,
		.context = &telling,
	};
	cleanup_state struct state state = { .fd = -1 };
	cleanup_close int lock = -1;
	int r = state_open(attach->root, true, &state, err);

	if (r < 0)
		return r;
	lock = journal_lock(attach->root, &state, attach->vm.vmid, LOCK_WAIT_MS, err);
	if (lock < 0)
		return lock;
	r = look_again(look, &live, err);
	if (r < 0 || look->joined)
		return r;
	r = begin_journal(look, err);
	if (r == 0)
		r = take(look, &live, err);
	if (r == 0)
		tell_seen(look, &live);
	return r;
}

static int change(struct attach *attach, const struct task *qemu, char **ret_now, struct error *err)
{
	cleanup_live_look struct live_look look = look_for(attach, qemu, true);
	int r = set_hook(attach, err);

	if (r == 0)
		r = attach_unpin(attach, err);
	if (r == 0)
		r = join(&look, err);
	if (r == 0 && !(look.joined && look.written)) {
		struct error reason = { 0 };

		if (set_line(&look, &reason) < 0)
			return error_set(err, -EIO,
					 "VM %u has the device, until it stops: its line is not "
					 "written: %s. The same command once more tries again",
					 attach->vm.vmid, reason.message);
	}
	if (r < 0)
		return r;
	attach_hook_tell_nodes(attach);
	*ret_now = text_format("VM %u has %s as hostpci%u.", attach->vm.vmid,
			       look.functions.items[0], look.number);
	return 0;
}

/* To chain it would change what its phases do, which is for a VM that is off. */
static int refuse_other_hook(const struct attach *attach, struct error *err)
{
	const char *now = vm_config_get(&attach->vm.config, "hookscript");

	if (!now || attach_hook_is_ours(now))
		return 0;
	return error_refuse(
		err,
		"VM %u has another hookscript ('%s'), and ours is what gives the device "
		"back: shut it down, and 'pve-vfio attach %u --chain' keeps both",
		attach->vm.vmid, now, attach->vm.vmid);
}

static int look_and_change(struct attach *attach, const struct task *qemu, struct error *err)
{
	cleanup_live_look struct live_look look = look_for(attach, qemu, false);
	cleanup_free char *now = NULL;
	int r = attached_read(attach->root, attach->vm.vmid, &attach->vm.config, &attach->attached,
			      err);

	if (r == -ENOENT)
		r = 0;
	if (r == 0)
		r = refuse_other_hook(attach, err);
	if (r == 0)
		r = live_look(&look, err);
	if (r == 0)
		r = attach_hook_look(attach, err);
	if (r == 0)
		r = add_json(&look, err);
	if (r < 0)
		return r;
	if (look.joined && look.written && attach->edit.count == 0 && !attach->hook.place) {
		deeds_note(attach->deeds, "VM %u has %s already, as hostpci%u.", attach->vm.vmid,
			   look.functions.items[0], look.number);
		return deeds_end(attach->deeds, NULL, err);
	}
	deeds_open(attach->deeds);
	if (!look.joined)
		print_plan(&look);
	r = setup_show(attach->link, err);
	if (r == 0 && !attach->options->dry_run)
		r = change(attach, qemu, &now, err);
	else if (r == 0)
		r = set_hook(attach, err);
	if (r == 0 && attach->options->dry_run && !(look.joined && look.written))
		r = set_line(&look, err);
	return r < 0 ? r : deeds_end(attach->deeds, now, err);
}

/* ---- the verb */

/* What belongs to a start, or needs somebody to choose, is not for a VM that runs. */
static int check_options(const struct command *command, struct error *err)
{
	static const char *const known[] = { "--live", "--mapping", "--storage", "--dry-run",
					     "--yes" };
	bool mapped = command_has(command, "--mapping");

	for (size_t i = 0; i < command->given_count; i++) {
		const char *name = command->given[i].option->name;
		bool fits = false;

		for (size_t k = 0; k < ARRAY_SIZE(known); k++)
			fits |= strcmp(name, known[k]) == 0;
		for (size_t k = 0; global_options[k].name; k++)
			fits |= strcmp(name, global_options[k].name) == 0;
		if (!fits)
			return usage_error(err, command, "%s does not go with --live", name);
	}
	if (command->argc != (mapped ? 1 : 2))
		return usage_error(err, command,
				   "--live takes a VM and one device, or --mapping in its place");
	return 0;
}

int attach_live(struct command *command, bool dry_run, struct error *err)
{
	cleanup_deeds struct deeds deeds = { 0 };
	const struct attach_options options = {
		.mapping = command_value(command, "--mapping"),
		.storage = command_value(command, "--storage"),
		.yes = command_has(command, "--yes"),
		.dry_run = dry_run,
		.words = command->argv + 1,
		.word_count = command->argc - 1,
	};
	cleanup(attach_done) struct attach attach = {
		.root = &command->root,
		.link = command->link,
		.deeds = &deeds,
		.options = &options,
		.mapping = options.mapping,
	};
	struct task qemu = { 0 };
	uint32_t vmid;
	int r = check_options(command, err);

	if (r == 0)
		r = command_parse_vmid(command, 0, &vmid, err);
	if (r < 0)
		return r;
	deeds_begin(&deeds, command);
	deeds.dry_run = dry_run;
	deeds_add(&deeds, "vmid", json_integer(vmid));
	r = attach_vm_read_running(&command->root, vmid, "attach", &attach.vm, &qemu, err);
	return r < 0 ? r : look_and_change(&attach, &qemu, err);
}

int plan_live(struct command *command, struct error *err)
{
	return attach_live(command, true, err);
}
