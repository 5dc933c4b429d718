/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether an address that is to be set for a virtual function is somebody else's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "check/check.h"
#include "use/child.h"
#include "use/sriov.h"
#include "use/vf.h"

#define NET_CLASS "sys/class/net"

/* Who is asked about one address. */
struct asking {
	const struct start *start;
	struct findings *findings;
	char function[PCI_ADDRESS_TEXT]; /* that is to get it */
	uint8_t mac[ETH_ALEN];
	char text[VF_MAC_TEXT];
};

static int report(const struct asking *asking, const char *who)
{
	int r = finding_add(asking->findings, CHECK_MAC_TAKEN, asking->function,
			    "It is to get the address %s, which %s.", asking->text, who);

	return r < 0 ? r
		     : finding_advise(asking->findings,
				      "Give %s another \"mac\" in /etc/pve/pve-vfio/%u.json.",
				      asking->function, asking->start->vmid);
}

static bool is_same(const struct asking *asking, const uint8_t mac[ETH_ALEN])
{
	return memcmp(asking->mac, mac, ETH_ALEN) == 0;
}

/* "virtual function 3 of 0000:05:00.0, which VM 102 has, " */
static int report_function(const struct asking *asking, const char *physical, unsigned number)
{
	const struct start *start = asking->start;
	cleanup_free char *name = NULL, *who = NULL;
	const struct journal *owner;
	char path[SYSROOT_PATH_MAX], link[32];

	snprintf(link, sizeof(link), "virtfn%u", number);
	pci_attribute_path(path, physical, link);
	if (sysroot_link_name(start->root, path, &name) == 0 && strcmp(name, asking->function) == 0)
		return 0;
	owner = name ? claims_against(&start->claims, &start->journal, name) : NULL;
	who = owner ? text_format("virtual function %u of %s, which is VM %u's, has", number,
				  physical, owner->vmid)
		    : text_format("virtual function %u of %s has", number, physical);
	return who ? report(asking, who) : -ENOMEM;
}

/* Of all cards: what is set for a function is in effect whether or not somebody uses it now. */
static int ask_functions(const struct asking *asking)
{
	cleanup_pci_addresses struct pci_addresses present = { 0 };

	if (pci_devices_list(asking->start->root, &present, NULL) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; i < present.count; i++) {
		cleanup_vfs struct vfs vfs = { 0 };
		char path[SYSROOT_PATH_MAX], physical[PCI_ADDRESS_TEXT];

		pci_address_format(present.items[i], physical);
		pci_attribute_path(path, physical, "virtfn0");
		if (!sysroot_exists(asking->start->root, path) ||
		    vfs_read(asking->start->root, physical, &vfs, NULL) < 0)
			continue;
		for (size_t k = 0; k < vfs.count; k++)
			if (is_same(asking, vfs.items[k].mac) &&
			    report_function(asking, physical, vfs.items[k].number) < 0)
				return -ENOMEM;
	}
	return 0;
}

/* But for the function's own, which the VM has in place of the host. */
static int ask_interfaces(const struct asking *asking)
{
	const struct sysroot *root = asking->start->root;
	cleanup_strings struct strings own = { 0 }, names = { 0 };

	(void)child_list(root, NET_CLASS, asking->function, &own);
	(void)sysroot_list(root, NET_CLASS, &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *text = NULL, *who = NULL;
		char path[SYSROOT_PATH_MAX];

		snprintf(path, sizeof(path), NET_CLASS "/%s/address", names.items[i]);
		if (strings_has(&own, names.items[i]) ||
		    sysroot_read_attribute(root, path, &text) < 0 ||
		    strcasecmp(text, asking->text) != 0)
			continue;
		who = text_format("the host's interface %s has", names.items[i]);
		return who ? report(asking, who) : -ENOMEM;
	}
	return 0;
}

/* A VM's own virtio card may have it on purpose: a pair for failover has one address. */
static int look_for_address(uint32_t vmid, char *config, void *context)
{
	const struct asking *asking = context;
	char *rest = config, *line;

	while ((line = strsep(&rest, "\r\n")) && *line != '[') {
		cleanup_free char *who = NULL;

		if (!text_starts_with(line, "net") || !strcasestr(line, asking->text))
			continue;
		who = text_format("%.*s of VM %u, which runs, has", (int)strcspn(line, ":"), line,
				  vmid);
		return who ? report(asking, who) : -ENOMEM;
	}
	return 0;
}

/* Of two functions of the plan the later one is reported. */
static int ask_plan(const struct asking *asking, const struct action *action)
{
	const struct actions *actions = &asking->start->plan.actions;

	for (const struct action *other = actions->items; other < action; other++) {
		cleanup_free char *who = NULL;
		struct vf vf;

		if (other->type != ACTION_SET_VF || vf_parse(other->wanted, &vf) < 0 ||
		    !is_same(asking, vf.mac))
			continue;
		who = text_format("%s of this VM is to get too", other->source);
		return who ? report(asking, who) : -ENOMEM;
	}
	return 0;
}

static int check_one(const struct start *start, const struct action *action,
		     struct findings *findings)
{
	struct asking asking = { .start = start, .findings = findings };
	struct vf before, wanted;
	int r;

	if (vf_parse(action->before, &before) < 0 || vf_parse(action->wanted, &wanted) < 0 ||
	    !(vf_differences(&before, &wanted) & VF_MAC))
		return 0;
	(void)action_split(action, asking.function);
	memcpy(asking.mac, wanted.mac, ETH_ALEN);
	vf_mac_format(asking.mac, asking.text);
	r = ask_plan(&asking, action);
	if (r == 0)
		r = ask_functions(&asking);
	if (r == 0)
		r = ask_interfaces(&asking);
	return r < 0 ? r : check_running_vms(start, look_for_address, &asking);
}

int check_mac(const struct start *start, struct findings *findings, struct error *err)
{
	const struct actions *actions = &start->plan.actions;

	for (size_t i = 0; i < actions->count; i++)
		if (actions->items[i].type == ACTION_SET_VF &&
		    check_one(start, &actions->items[i], findings) < 0)
			return error_set_memory(err);
	return 0;
}
