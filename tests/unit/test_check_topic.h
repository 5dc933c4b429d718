/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: one topic of check/, run on a plan with devices of a built tree.
 */
#pragma once

#include "change/holding.h"
#include "check/check.h"
#include "test.h"
#include "tree.h"

typedef int check_topic(const struct start *start, struct findings *findings, struct error *err);

/* A plan of these addresses, in order, and what the topic finds; to be freed by check_over(). */
struct check_case {
	struct start start;
	struct findings findings;
};

static inline void check_add(const struct tree *tree, struct check_case *check, const char *address)
{
	struct plan_device *devices =
		reallocarray(check->start.plan.devices, check->start.plan.device_count + 1,
			     sizeof(*devices));
	struct pci_address parsed;

	assert_non_null(devices);
	check->start.plan.devices = devices;
	devices[check->start.plan.device_count] = (struct plan_device){ .source = "hostpci0" };
	assert_int_equal(pci_address_parse(address, &parsed), 0);
	assert_int_equal(pci_device_read(&tree->root, parsed,
					 &devices[check->start.plan.device_count].device, NULL),
			 0);
	check->start.plan.device_count++;
}

static inline void check_run(const struct tree *tree, struct check_case *check, check_topic *topic)
{
	struct error err = { 0 };

	findings_done(&check->findings);
	check->start.root = &tree->root;
	check->start.vmid = 101;
	nodes_done(&check->start.plan.nodes);
	openings_done(&check->start.plan.openings);
	assert_int_equal(holdings_read(&check->start.plan, &tree->root, &err), 0);
	assert_int_equal(topic(&check->start, &check->findings, &err), 0);
}

static inline void check_over(struct check_case *check)
{
	findings_done(&check->findings);
	start_done(&check->start);
}

/* The finding at `index` is of that id and level, about that subject, with that evidence. */
static inline void check_expect(const struct check_case *check, size_t index, const char *id,
				enum check_level level, const char *subject, const char *evidence)
{
	const struct finding *finding = &check->findings.items[index];

	assert_true(index < check->findings.count);
	assert_string_equal(check_describe(finding->id)->id, id);
	assert_int_equal(check_describe(finding->id)->level, level);
	assert_string_equal(finding->subject, subject);
	assert_string_equal(finding->evidence, evidence);
	assert_filled_in(finding_remedy(finding));
}
