/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: processes that hold nodes of the plan's devices. Disks are in storage.c. */
#include <errno.h>
#include <string.h>

#include "change/holding.h"
#include "check/check.h"
#include "check/remedy.h"
#include "use/nvswitch.h"

static bool counts(const struct device_node *node)
{
	return (node->kind == NODE_OWN && node->id.type != 'b') || node->kind == NODE_SHARED;
}

static const struct device_node *first_node(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nodes.count; i++)
		if (counts(&plan->nodes.items[i]))
			return &plan->nodes.items[i];
	return NULL;
}

static int add_sentence(const struct holding *held, struct strings *uses)
{
	cleanup_free char *who = holder_words(&held->holder);
	cleanup_free char *sentence = who ? text_format("%s has %s open", who, held->path) : NULL;

	if (!sentence)
		return -ENOMEM;
	return strings_has(uses, sentence) ? 0 : strings_add(uses, sentence);
}

/* Takes the remedy over; NULL without memory. */
static char *add_displacing(const struct start *start, const struct holders *holders, char *remedy)
{
	struct text text = { 0 };

	text_add(&text, "%s", remedy);
	free(remedy);
	for (size_t i = 0; i < holders->count; i++) {
		const struct guest guest = { GUEST_CONTAINER, holders->items[i].vmid };
		cleanup_free char *advice = NULL;

		if (holders->items[i].kind != HOLDER_CONTAINER)
			continue;
		advice = check_displace_advice(start, &guest);
		if (advice && *advice)
			text_add(&text, "%s%s", text.size ? " " : "", advice);
	}
	return text_take(&text);
}

/* One finding for all devices: a display and its audio have the same users. */
int check_opener(const struct start *start, struct findings *findings, struct error *err)
{
	const struct device_node *first = first_node(&start->plan);
	cleanup_holders struct holders holders = { 0 };
	cleanup_strings struct strings uses = { 0 };
	cleanup_holdings struct holdings helds = { 0 };
	cleanup_free char *remedy = NULL;
	const char *subject = NULL;
	struct error reason = { 0 };
	int r;

	if (!first)
		return 0;
	r = holdings_find(&start->plan, start->root, &helds, &reason);
	if (r < 0)
		return finding_add(findings, CHECK_NODE_IN_USE, first->address,
				   "It cannot be determined who uses its device nodes: %s.",
				   reason.message) < 0 ||
				       remedy_unknown(start, findings) < 0
			       ? error_set_memory(err)
			       : 0;
	for (size_t i = 0; i < helds.count && r == 0; i++) {
		const struct holding *held = &helds.items[i];

		if (!counts(held->node) || (held->holder.kind == HOLDER_UNIT &&
					    strcmp(held->holder.unit, FABRIC_MANAGER_UNIT) == 0 &&
					    check_fabric_stays(start)))
			continue;
		if (!subject)
			subject = held->node->address;
		r = add_sentence(held, &uses);
		if (r == 0)
			r = holders_add(&holders, &held->holder);
	}
	if (r == 0 && subject) {
		remedy = holders_remedy(&holders, start->vmid);
		if (remedy)
			remedy = add_displacing(start, &holders, remedy);
		r = remedy ? finding_add_list(findings, CHECK_NODE_IN_USE, subject, &uses)
			   : -ENOMEM;
		if (r == 0)
			r = finding_advise(findings, "%s", remedy);
	}
	return r < 0 ? error_set_memory(err) : 0;
}
