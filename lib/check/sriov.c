/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether virtual functions of a device of the plan are in use. */
#include "use/sriov.h"

#include <errno.h>
#include <string.h>

#include "check/check.h"
#include "use/network.h"
#include "use/storage.h"

static int add_sentence(struct strings *uses, const char *function, const char *words)
{
	cleanup_free char *sentence = text_format("its virtual function %s %s", function, words);

	return sentence ? strings_add(uses, sentence) : -ENOMEM;
}

/* The host's own use of one: "its virtual function 0000:03:10.0 is in use: eth4 has …". */
static int add_host_uses(const struct sysroot *root, const char *function, struct strings *uses,
			 struct error *reason)
{
	cleanup_strings struct strings words = { 0 };
	int r;

	r = storage_uses_find(root, function, &words, reason);
	if (r == 0)
		r = network_uses_find(root, function, &words, reason);
	for (size_t i = 0; r == 0 && i < words.count; i++) {
		cleanup_free char *sentence = text_format("is in use: %s", words.items[i]);

		r = sentence ? add_sentence(uses, function, sentence) : -ENOMEM;
	}
	return r;
}

/* All VFIO drivers have it in their name. */
static int add_uses(const struct start *start, struct pci_address address, struct strings *uses,
		    struct error *reason)
{
	cleanup_pci_device struct pci_device function = { 0 };
	cleanup_free char *words = NULL;
	int r;

	r = pci_device_read(start->root, address, &function, reason);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	if (plan_has_device(&start->plan, address))
		return add_sentence(uses, function.name, "is to go to the same VM");
	if (!function.driver || !strstr(function.driver, "vfio"))
		return add_host_uses(start->root, function.name, uses, reason);
	words = text_format("has the driver %s, so a VM has it or may have it", function.driver);
	return words ? add_sentence(uses, function.name, words) : -ENOMEM;
}

static int check_one(const struct start *start, const struct pci_device *device,
		     struct findings *findings)
{
	cleanup_pci_addresses struct pci_addresses functions = { 0 };
	cleanup_strings struct strings uses = { 0 };
	struct error reason = { 0 };
	int r = sriov_functions_find(start->root, device->name, &functions, &reason);

	for (size_t i = 0; r == 0 && i < functions.count; i++)
		r = add_uses(start, functions.items[i], &uses, &reason);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return finding_add(findings, CHECK_SRIOV_IN_USE, device->name,
				   "It cannot be told whether its virtual functions are in use: "
				   "%s.",
				   reason.message);
	return finding_add_list(findings, CHECK_SRIOV_IN_USE, device->name, &uses);
}

int check_sriov(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i].device, findings) < 0)
			return error_set_memory(err);
	return 0;
}
