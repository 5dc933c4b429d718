/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: the phases of the hook on a fake kernel, and what they report. */
#include "fake_kernel.h"

#define VMID 101

/* "process 4711" becomes "process N". */
static void hide_pids(char *line)
{
	char *at = line;

	while ((at = strstr(at, "process "))) {
		char *digits = at + strlen("process ");
		size_t size = strspn(digits, "0123456789");

		at = digits;
		if (size == 0)
			continue;
		*digits = 'N';
		memmove(digits + 1, digits + size, strlen(digits + size) + 1);
	}
}

void fake_told(const struct action *action, const struct run_result *result, void *context)
{
	struct fake_kernel *kernel = context;

	text_add(&kernel->told, "%s %s%s%s\n", action->target,
		 result->result ? strerrorname_np(-result->result) : "ok",
		 *result->text ? ": " : "", result->text);
}

void assert_told(struct fake_kernel *kernel, const char *lines)
{
	char *told = text_take(&kernel->told);
	struct strings sorted = { 0 };
	struct text text = { 0 };
	char *rest = told, *line;

	hide_pids(told);
	while ((line = strsep(&rest, "\n")))
		if (*line)
			strings_add(&sorted, line);
	strings_sort(&sorted);
	for (size_t i = 0; i < sorted.count; i++)
		text_add(&text, "%s\n", sorted.items[i]);
	free(told);
	strings_done(&sorted);
	told = text_take(&text);
	assert_string_equal(told, lines);
	free(told);
}

int fake_make_plan(struct fake_kernel *kernel, const char *addresses, struct plan *plan)
{
	struct wanted_device devices[8] = { 0 };
	struct wanted wanted = { .devices = devices };
	const char *json = kernel->settings ? kernel->settings : "{}";
	cleanup_settings struct settings settings;
	cleanup_free char *copy = strdup(addresses);
	char *rest = copy, *address;

	while ((address = strsep(&rest, " "))) {
		struct wanted_device *device = &devices[wanted.count];

		assert_int_equal(pci_address_parse(address, &device->address), 0);
		snprintf(device->source, sizeof(device->source), "hostpci%zu", wanted.count++);
	}
	settings_init(&settings);
	if (settings_parse("settings", json, strlen(json), &settings, &kernel->err) != 0)
		fail_msg("%s", kernel->err.message);
	return plan_make(&kernel->tree.root, &wanted, &settings, plan, &kernel->err);
}

void fake_plan(struct fake_kernel *kernel, const char *addresses, const struct journal *earlier,
	       struct plan *plan)
{
	if (fake_make_plan(kernel, addresses, plan) != 0)
		fail_msg("plan_make: %s", kernel->err.message);
	if (earlier)
		assert_int_equal(plan_adopt(plan, earlier), 0);
	plan_prune(plan);
}

void fake_announce(struct fake_kernel *kernel, struct plan *plan, struct journal *journal)
{
	assert_int_equal(journal_begin(&kernel->tree.root, VMID, journal, &kernel->err), 0);
	journal->actions = plan->actions;
	plan->actions = (struct actions){ 0 };
	assert_int_equal(journal_write(&kernel->state, journal, &kernel->err), 0);
}

int fake_take(struct fake_kernel *kernel, const char *addresses, unsigned deadline_ms,
	      struct journal *journal)
{
	cleanup_plan struct plan plan = { 0 };

	fake_plan(kernel, addresses, NULL, &plan);
	fake_announce(kernel, &plan, journal);
	return run_actions(&kernel->tree.root, &journal->actions, RUN_APPLY, NULL, deadline_ms,
			   fake_told, kernel, &kernel->err);
}

struct restore fake_giving_back(struct fake_kernel *kernel, unsigned deadline_ms)
{
	return (struct restore){
		.root = &kernel->tree.root,
		.state = &kernel->state,
		.deadline_ms = deadline_ms,
		.report = fake_told,
		.context = kernel,
	};
}

int fake_roll_back(struct fake_kernel *kernel, unsigned deadline_ms, struct journal *journal)
{
	struct restore restore = fake_giving_back(kernel, deadline_ms);

	return restore_actions(&restore, journal, NULL, &kernel->err);
}

int fake_restore(struct fake_kernel *kernel, unsigned deadline_ms)
{
	cleanup_journal struct journal journal = { 0 };
	struct restore restore = fake_giving_back(kernel, deadline_ms);
	int r = journal_read(&kernel->tree.root, &kernel->state, VMID, &journal, &kernel->err);

	if (r < 0)
		return r;
	return restore_journal(&restore, &journal, NULL, &kernel->err);
}
