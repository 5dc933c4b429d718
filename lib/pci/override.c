/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: driver overrides, read in lanes. Writes none. */
#include "pci/override.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/lanes.h"
#include "pci/driver.h"

static void read_in_lane(int fd, void *work, void *context)
{
	const struct override_reading *reading = work;
	const struct sysroot *root = context;
	struct lane_report report = { 0 };
	cleanup_free char *override = NULL;

	report.result = pci_override_read(root, reading->address, &override);
	if (report.result == 0)
		snprintf(report.text, sizeof(report.text), "%s",
			 override ? override : DRIVER_OVERRIDE_UNSET);
	lane_send(fd, &report);
}

static void note(const struct lane_report *report, struct lane *lane, void *context)
{
	struct override_reading *reading = lane->work;

	(void)context;
	reading->result = report->result;
	if (report->result < 0 || strcmp(report->text, DRIVER_OVERRIDE_UNSET) == 0)
		return;
	reading->override = strdup(report->text);
	if (!reading->override)
		reading->result = -ENOMEM;
}

int pci_overrides_read(const struct sysroot *root, struct override_reading *readings, size_t count,
		       unsigned deadline_ms, struct error *err)
{
	static const struct lanes_callbacks callbacks = { read_in_lane, note };
	cleanup_free struct lane *lanes = calloc(count + 1, sizeof(*lanes));
	struct sysroot tree = *root;
	int r;

	if (!lanes)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++) {
		readings[i].result = -EIO;
		lanes[i].work = &readings[i];
	}
	r = count > 0 ? lanes_run(lanes, count, deadline_ms, &callbacks, &tree) : 0;
	if (r < 0)
		return error_set(err, r, "cannot start a child process: %s", strerror(-r));
	for (size_t i = 0; i < count; i++)
		readings[i].stuck = lanes[i].end == LANE_LATE || lanes[i].end == LANE_STUCK;
	return 0;
}

void pci_overrides_done(struct override_reading *readings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(readings[i].override);
		readings[i].override = NULL;
	}
}
