/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: the node at a glance in Prometheus' text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), or as OpenMetrics 1.0 has it
 * (https://openmetrics.io), which names the families of counters otherwise and ends with "# EOF".
 */
#pragma once

#include "doctor/glance.h"

/* The text, which the caller frees. NULL without memory. */
char *metrics_text(const struct glance *glance, bool open_metrics);
