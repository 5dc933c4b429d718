/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what a start takes beside this program. Estimates nothing: what was not measured has no number. */
#include "check/forecast.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "check/check.h"
#include "host/kernel.h"
#include "pci/facts.h"
#include "pci/health.h"

#define MIB ((uint64_t)1 << 20)

/* A start is long, in a task log: so much time, or where none was measured so much memory. */
#define LONG_US	 (UINT64_C(5) * 1000000)
#define LONG_MIB (UINT64_C(32) * 1024)

/* Large BARs, and of so much memory all of a device's are worth a word. */
#define BAR_LARGE_MIB  UINT64_C(1024)
#define BARS_LEAST_MIB (UINT64_C(16) * 1024)

/* QEMU opens it: the VM gets it, and not only its group. */
static bool is_opened(const struct plan_device *planned)
{
	return !planned->foreseen && !planned->sibling && !planned->device.bridge;
}

static bool opens_any(const struct plan *plan)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (is_opened(&plan->devices[i]))
			return true;
	return false;
}

void forecast_memory(const struct start *start, struct forecast *ret)
{
	uint64_t memory_mib;

	if (!opens_any(&start->plan) || !check_memory_read(&start->config, &memory_mib))
		return;
	ret->memory_mib = memory_mib;
	ret->hugepages = vm_config_get(&start->config, "hugepages");
}

void forecast_measured(struct forecast *forecast, const struct tally_qemu *last)
{
	if (last->memory_mib == forecast->memory_mib && last->huge == (forecast->hugepages != NULL))
		forecast->last = *last;
}

/* The settings may set another for the time the VM has it. */
static int add_reset(const struct start *start, const struct pci_device *device,
		     struct forecast *forecast)
{
	const struct device_settings *settings = settings_device(&start->settings, device->address);
	struct forecast_reset reset = { .address = device->name };
	cleanup_free char *methods = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, device->name, "reset_method");
	if (settings && settings->reset_method)
		methods = strdup(settings->reset_method);
	else if (sysroot_read_attribute(start->root, path, &methods) < 0)
		return 0;
	if (!methods || array_reserve(&forecast->resets, forecast->reset_count, sizeof(reset)) < 0)
		return -ENOMEM;
	reset.method = strndup(methods, strcspn(methods, " "));
	if (!reset.method)
		return -ENOMEM;
	if (*reset.method)
		forecast->resets[forecast->reset_count++] = reset;
	else
		free(reset.method);
	return 0;
}

static bool kernel_maps_pages(const struct sysroot *root)
{
	const struct kernel_version huge = { 6, 12, 0, 0 };
	cleanup_free char *release = NULL;
	struct kernel_version version;

	return sysroot_read_attribute(root, "proc/sys/kernel/osrelease", &release) == 0 &&
	       kernel_version_parse(release, &version) == 0 &&
	       kernel_version_compare(version, huge) < 0;
}

static int add_bars(const struct start *start, const struct pci_device *device,
		    struct forecast *forecast)
{
	const struct device_settings *settings = settings_device(&start->settings, device->address);
	struct forecast_bars bars = { .address = device->name };
	struct pci_region regions[PCI_REGION_COUNT];

	pci_regions_read(start->root, device->name, regions);
	for (size_t i = 0; i < PCI_BAR_COUNT; i++) {
		uint64_t mib = settings && settings->resize_bar[i] > 0 ? settings->resize_bar[i]
								       : regions[i].size / MIB;

		if (mib >= BAR_LARGE_MIB)
			bars.mib += mib;
	}
	if (bars.mib < BARS_LEAST_MIB)
		return 0;
	if (array_reserve(&forecast->bars, forecast->bar_count, sizeof(bars)) < 0)
		return -ENOMEM;
	forecast->bars[forecast->bar_count++] = bars;
	return 0;
}

int forecast_devices(const struct start *start, struct forecast *forecast)
{
	bool pages = kernel_maps_pages(start->root);
	int r = 0;

	for (size_t i = 0; i < start->plan.device_count && r == 0; i++) {
		const struct plan_device *planned = &start->plan.devices[i];

		if (!is_opened(planned))
			continue;
		r = add_reset(start, &planned->device, forecast);
		if (r == 0 && pages)
			r = add_bars(start, &planned->device, forecast);
	}
	return r;
}

/* "64 GiB of memory", "64 GiB of memory in huge pages" */
static char *memory_words(const struct forecast *forecast)
{
	char size[24];

	return text_format("%s of memory%s", pci_size_words(forecast->memory_mib * MIB, size),
			   forecast->hugepages ? " in huge pages" : "");
}

char *forecast_line(const struct forecast *forecast)
{
	const struct tally_phase *last = &forecast->last.phase;
	cleanup_free char *memory = memory_words(forecast);

	if (!memory || forecast->memory_mib == 0 ||
	    (last->at > 0 ? last->took_us < LONG_US : forecast->memory_mib < LONG_MIB))
		return NULL;
	if (last->at > 0)
		return text_format("next QEMU starts and pins %s, which took %.0f s last time",
				   memory, (double)last->took_us / 1000000);
	return text_format("next QEMU starts and pins %s, which can take a while", memory);
}

static int add_memory(const struct forecast *forecast, struct strings *words)
{
	const struct tally_phase *last = &forecast->last.phase;
	cleanup_free char *memory = memory_words(forecast), *sentence = NULL;

	if (!memory)
		return -ENOMEM;
	if (last->at > 0)
		sentence = text_format("QEMU's start pins %s; it took %.1f s last time.", memory,
				       (double)last->took_us / 1000000);
	else
		sentence = text_format(
			"QEMU's start pins %s%s.", memory,
			forecast->hugepages || forecast->memory_mib < LONG_MIB
				? ""
				: ", which can take a while; huge pages can make that quicker");
	return sentence ? strings_add(words, sentence) : -ENOMEM;
}

static int add_resets(const struct forecast *forecast, struct strings *words)
{
	cleanup_text struct text text = { 0 };
	cleanup_free char *sentence = NULL;

	for (size_t i = 0; i < forecast->reset_count; i++)
		text_add(&text, "%s%s (%s)", i > 0 ? ", " : "The kernel resets what QEMU opens: ",
			 forecast->resets[i].address, forecast->resets[i].method);
	text_add(&text, ".");
	sentence = text_take(&text);
	return sentence ? strings_add(words, sentence) : -ENOMEM;
}

int forecast_words(const struct forecast *forecast, struct strings *ret)
{
	int r = forecast->memory_mib > 0 ? add_memory(forecast, ret) : 0;

	if (r == 0 && forecast->reset_count > 0)
		r = add_resets(forecast, ret);
	for (size_t i = 0; i < forecast->bar_count && r == 0; i++) {
		char size[24];
		cleanup_free char *sentence = text_format(
			"%s: this kernel maps its large BARs (%s) in pages of 4 KiB, which slows the "
			"guest's firmware down; Linux 6.15 with QEMU 9.2 maps them at once.",
			forecast->bars[i].address,
			pci_size_words(forecast->bars[i].mib * MIB, size));

		r = sentence ? strings_add(ret, sentence) : -ENOMEM;
	}
	return r;
}

json_t *forecast_json(const struct forecast *forecast)
{
	json_t *resets = json_array(), *bars = json_array();
	const struct tally_phase *last = &forecast->last.phase;

	for (size_t i = 0; i < forecast->reset_count; i++)
		json_array_append_new(resets, json_pack("{s:s, s:s}", "address",
							forecast->resets[i].address, "method",
							forecast->resets[i].method));
	for (size_t i = 0; i < forecast->bar_count; i++)
		json_array_append_new(bars,
				      json_pack("{s:s, s:I}", "address", forecast->bars[i].address,
						"mib", (json_int_t)forecast->bars[i].mib));
	return json_pack("{s:I, s:s?, s:o, s:o, s:o}", "pinned_mib",
			 (json_int_t)forecast->memory_mib, "hugepages", forecast->hugepages,
			 "last_start_s",
			 last->at > 0 ? json_real((double)last->took_us / 1000000) : json_null(),
			 "resets", resets, "slow_bars", bars);
}

void forecast_done(struct forecast *forecast)
{
	for (size_t i = 0; i < forecast->reset_count; i++)
		free(forecast->resets[i].method);
	free(forecast->resets);
	free(forecast->bars);
	*forecast = (struct forecast){ 0 };
}
