/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: virtual functions: what VMs that have some owe to the host's own part of the card. */
#include <errno.h>
#include <string.h>

#include "doctor/doctor.h"
#include "doctor/sriov.h"

/* How many VMs are named before they are only counted. */
#define NAMES_MAX 4

static int list_vms(const struct sriov_card *card, struct strings *vms)
{
	for (size_t i = 0; i < card->count; i++) {
		cleanup_free char *vm = text_format("%u", card->functions[i].vmid);

		if (!vm ||
		    (card->functions[i].vmid && !strings_has(vms, vm) && strings_add(vms, vm) < 0))
			return -ENOMEM;
	}
	return 0;
}

/* Beforehand, and when it has happened. */
static int judge_link(const struct sriov_card *card, struct verdicts *verdicts)
{
	const char *address = card->entry->device.name, *interface;
	cleanup_strings struct strings vms = { 0 };
	cleanup_text struct text words = { 0 };
	cleanup_free char *remedy = NULL;

	if (list_vms(card, &vms) < 0)
		return -ENOMEM;
	if (vms.count == 0 || card->interfaces.count == 0)
		return 0;
	interface = card->interfaces.items[0];
	text_add(&words, "VM%s ", vms.count == 1 ? "" : "s");
	strings_words(&vms, 0, NAMES_MAX, &words);
	if (words.failed)
		return -ENOMEM;
	if (!card->link_down)
		return verdict_add(verdicts, VERDICT_INFO, "sriov-physical", address, NULL,
				   "%s %s virtual functions of it: without network while %s is "
				   "down, and without the device when %s is unloaded.",
				   words.data, vms.count == 1 ? "has" : "have", interface,
				   card->entry->device.driver ? card->entry->device.driver
							      : "its driver");
	remedy = card->down
			 ? text_format("'ip link set %s up'; 'auto %s' in /etc/network/interfaces "
				       "has it up after each boot.",
				       interface, interface)
			 : strdup("Look at the cable and the switch.");
	return remedy ? verdict_add(verdicts, VERDICT_WARNING, "sriov-link", address, remedy,
				    "%s %s, and %s %s virtual functions of it: these %s.",
				    interface, card->down ? "is down" : "has no link", words.data,
				    vms.count == 1 ? "has" : "have",
				    card->down
					    ? "have no link with most cards, and the address that "
					      "is set for them not with all"
					    : "reach nobody beyond the card")
		      : -ENOMEM;
}

static int judge_count(const struct sriov_card *card, struct verdicts *verdicts)
{
	const char *address = card->entry->device.name;
	cleanup_free char *remedy = NULL;

	if (!card->interrupted)
		return 0;
	remedy = text_format("'pve-vfio sriov %s=%s' puts these back, with what was set for them.",
			     address, card->interrupted);
	return remedy ? verdict_add(verdicts, VERDICT_WARNING, "sriov-count", address, remedy,
				    "A change of the number of its virtual functions was "
				    "interrupted: it had %s, and has %zu.",
				    card->interrupted, card->count)
		      : -ENOMEM;
}

static int judge_mode(const struct sriov_card *card, struct verdicts *verdicts)
{
	const char *address = card->entry->device.name;
	int r = 0;

	if (text_equal(card->mode, "switchdev"))
		r = verdict_add(verdicts, VERDICT_INFO, "sriov-switchdev", address, NULL,
				"Its switch is in switchdev mode: a virtual function is on the "
				"network by the bridge that its representor is a port of, and "
				"VLANs are that bridge's.");
	if (r == 0 && card->no_drivers)
		r = verdict_add(verdicts, VERDICT_INFO, "sriov-autoprobe", address, NULL,
				"No driver of the host takes its new virtual functions "
				"(sriov_drivers_autoprobe is 0); VMs get them all the same.");
	return r;
}

/* Nothing is said of a card that nobody has virtual functions of. */
int node_sriov(const struct doctor *doctor, struct verdicts *verdicts)
{
	cleanup_sriov_cards struct sriov_cards cards = { 0 };
	int r = sriov_cards_find(doctor->node, doctor->safeties, &cards, NULL);

	for (size_t i = 0; i < cards.count && r == 0; i++) {
		const struct sriov_card *card = &cards.items[i];

		r = judge_count(card, verdicts);
		if (r == 0 && card->count > 0)
			r = judge_mode(card, verdicts);
		if (r == 0 && card->count > 0)
			r = judge_link(card, verdicts);
	}
	return r < 0 ? -ENOMEM : 0;
}
