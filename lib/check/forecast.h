/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: what the start of a VM takes beside this program: its memory is pinned, its devices are reset, their
 * BARs are mapped. It is what the kernel is known to do with this machine, and seconds only where they
 * were measured on it.
 */
#pragma once

#include "change/start.h"
#include "change/tally.h"

/* Of less memory a start says nothing: it is pinned in a moment. */
#define FORECAST_LEAST_MIB 4096

struct forecast_reset {
	const char *address; /* the plan's */
	char *method;	     /* "flr": the first of reset_method, which the kernel takes */
};

/* BARs that the kernel maps for DMA page by page. */
struct forecast_bars {
	const char *address;
	uint64_t mib; /* all of them */
};

/* Started as { 0 }. */
struct forecast {
	uint64_t memory_mib;   /* that is pinned when QEMU starts; 0: none, or not known */
	const char *hugepages; /* as the configuration has it: "2", "1024", "any"; NULL: none */
	struct tally_qemu
		last; /* the VM's last start with as much in such pages; phase.at 0: none */
	struct forecast_reset *resets;
	size_t reset_count;
	struct forecast_bars *bars;
	size_t bar_count;
};

/*
 * Of the memory alone: VFIO pins all of the guest's, whatever is plugged into it (vfio_dma_do_map() in
 * drivers/vfio/vfio_iommu_type1.c, vfio_listener_region_add() in QEMU's hw/vfio), unless all devices are
 * mediated. Reads nothing.
 */
void forecast_memory(const struct start *start, struct forecast *ret);

/* What was measured at an earlier start, if that was one of such memory. */
void forecast_measured(struct forecast *forecast, const struct tally_qemu *last);

/*
 * Adds what happens to the devices that QEMU opens: the kernel resets each (vfio_pci_core_enable() in
 * drivers/vfio/pci/vfio_pci_core.c) by the first of its reset_method, and maps large BARs page by page
 * before Linux 6.12, which brought huge pages of them. From 6.12 on some kernels map them at once, and from
 * 6.15 on all (commit 0fd06844de5d). 0 or -ENOMEM. Does not block.
 */
int forecast_devices(const struct start *start, struct forecast *forecast);

/*
 * The line for a task log, of a start whose devices are ready; NULL where it is not worth one, or
 * without memory.
 */
char *forecast_line(const struct forecast *forecast);

/* All of it as sentences, for who looks at the plan. 0 or -ENOMEM. */
int forecast_words(const struct forecast *forecast, struct strings *ret);

json_t *forecast_json(const struct forecast *forecast);

void forecast_done(struct forecast *forecast);
#define cleanup_forecast cleanup(forecast_done)
