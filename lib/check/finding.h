/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: what a check has found. Every check has an id that never changes, a level, and a remedy;
 * a finding adds whom it concerns and the evidence.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum check_level {
	LEVEL_ERROR,   /* harm to the host, or a start that is certain to fail: refused */
	LEVEL_WARNING, /* told; the start goes on */
	LEVEL_INFO,
};

/* The ids, in the order of the table in finding.c. */
enum check_id {
	CHECK_CONFIG_LINE_DROPPED,
	CHECK_CONFIG_UNKNOWN_KEY,
	CHECK_CONFIG_DEVICE_MISSING,
	CHECK_CONFIG_DEVICE_TWICE,
	CHECK_DEVICE_ABSENT,
	CHECK_DEVICE_BRIDGE,
	CHECK_DEVICE_STUCK,
	CHECK_DEVICE_OWNED,
	CHECK_DEVICE_HELD,
	CHECK_IOMMU_OFF,
	CHECK_ROMFILE,
	CHECK_COUNT,
};

struct check_description {
	const char *id; /* "device-absent" */
	enum check_level level;
	const char *meaning;
	const char *remedy; /* what to do */
};

const struct check_description *check_describe(enum check_id id);
const char *check_level_name(enum check_level level);

struct finding {
	enum check_id id;
	char *subject;	/* "hostpci0", "0000:01:00.0" */
	char *evidence; /* what was seen, in a sentence */
};

/* Started as { 0 }. */
struct findings {
	struct finding *items;
	size_t count;
};

/* Adds one; 0 or -ENOMEM. */
int finding_add(struct findings *findings, enum check_id id, const char *subject,
		const char *evidence, ...) __attribute__((format(printf, 4, 5)));
size_t findings_count(const struct findings *findings, enum check_level level);
void findings_done(struct findings *findings);
#define cleanup_findings cleanup(findings_done)
