/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: the devices of a known trouble: "devices" of its entry in quirks.json, made ready to be compared.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "pci/device.h"

/* One of the devices that an entry names. */
struct device_pattern {
	bool any_vendor, any_subsystem, any_class;
	uint16_t vendor, subsystem;
	uint16_t from, to; /* device ids */
	uint16_t *ids;	   /* or one of these; none: any */
	size_t id_count;
	uint32_t class_start; /* the class without its last `class_shift` bits */
	unsigned class_shift;
};

struct device_patterns {
	struct device_pattern *items;
	size_t count;
};

/*
 * What "devices" of an entry that has been checked names, in the order in which it is compared: hundreds
 * of functions are held against each. 0 or -ENOMEM.
 */
int device_patterns_make(const json_t *entry, struct device_patterns *ret) must_check;
bool device_patterns_meet(const struct device_patterns *patterns, const struct pci_device *device);
void device_patterns_done(struct device_patterns *patterns);
