/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: plans of addresses, and what is in them.
 */
#pragma once

#include "test.h"
#include "tree.h"

#include "change/plan.h"

/* The plan for addresses with blanks between; "~ADDRESS" is an alternative, "-ADDRESS" left. */
static inline int plan_of(const struct tree *tree, const char *addresses,
			  const struct settings *settings, struct plan *plan, struct error *err)
{
	cleanup_free char *copy = strdup(addresses);
	struct wanted_device devices[8] = { 0 };
	struct wanted wanted = { .devices = devices };
	struct settings defaults;
	char *rest = copy, *word;

	settings_init(&defaults);
	*plan = (struct plan){ 0 };
	while (*addresses && (word = strsep(&rest, " "))) {
		struct wanted_device *device = &devices[wanted.count];

		device->use = *word == '~'   ? WANTED_ALTERNATIVE
			      : *word == '-' ? WANTED_LEAVE
					     : WANTED_TAKE;
		word += *word == '~' || *word == '-';
		assert_int_equal(pci_address_parse(word, &device->address), 0);
		snprintf(device->source, sizeof(device->source), "hostpci%zu", wanted.count++);
	}
	return plan_make(&tree->root, &wanted, settings ? settings : &defaults, plan, err);
}

/* A line for each action: type, target, before, wanted, source, and what is not plain. */
static inline char *plan_summary(const struct plan *plan)
{
	struct text text = { 0 };

	for (size_t i = 0; i < plan->actions.count; i++) {
		const struct action *action = &plan->actions.items[i];

		text_add(&text, "%s %s %s", action_operations(action->type)->name, action->target,
			 action->before ? action->before : "none");
		if (action->type == ACTION_BIND)
			text_add(&text, "/%s/%s", action->module ? action->module : "-",
				 action->override ? action->override : "-");
		text_add(&text, " -> %s, %s", action->wanted, action->source);
		if (action->type == ACTION_BIND)
			text_add(&text, ", %d", action->group);
		text_add(&text, "%s%s%s\n", action->keep ? ", keep" : "",
			 action->adopted ? ", adopted" : "",
			 action->state == ACTION_FORESEEN ? ", foreseen" : "");
	}
	return text_take(&text);
}
