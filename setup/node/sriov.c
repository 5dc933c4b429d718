/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio sriov. Shows virtual functions, and changes how many there are while none is in use. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "change/sriov_count.h"
#include "pve/reservation.h"
#include "report/sriov.h"
#include "report/words.h"
#include "settings/settings.h"
#include "setup/deeds.h"
#include "setup/node/configure.h"
#include "setup/print.h"
#include "setup/terminal.h"

/* A phase of a VM has this lock for the look at a few files. */
#define CLAIM_LOCK_WAIT_MS 10000

/* How many uses are named before they are only counted. */
#define USES_MAX 4

/* The node as both forms of the verb look at it. Started as { 0 } with node.root set. */
struct sight {
	struct pve_node node;
	struct safeties safeties;
	struct sriov_cards cards;
	struct pci_names names;
};

static void sight_done(struct sight *sight)
{
	sriov_cards_done(&sight->cards);
	safeties_done(&sight->safeties);
	pve_node_done(&sight->node);
	pci_names_done(&sight->names);
}

static int look(struct sight *sight, struct error *err)
{
	int r = pve_node_read(&sight->node, err);

	if (r == 0)
		r = safeties_judge(&sight->node, &sight->safeties, err);
	return r < 0 ? r : sriov_cards_find(&sight->node, &sight->safeties, &sight->cards, err);
}

static const struct sriov_card *find_card(const struct sight *sight, const char *address)
{
	for (size_t i = 0; i < sight->cards.count; i++)
		if (strcmp(sight->cards.items[i].entry->device.name, address) == 0)
			return &sight->cards.items[i];
	return NULL;
}

/* ---- showing */

/* The physical function at an address, or all of a slot, or the one that the function there is of. */
static int choose(const struct sight *sight, const char *word, struct sriov_card *chosen,
		  size_t *ret_count, struct error *err)
{
	const struct pci_inventory *inventory = &sight->node.inventory;
	struct pci_address address;
	const char *physical = NULL;
	size_t count = 0;
	bool all, there = false;
	int r = configure_parse_address(word, &address, &all, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_address *at = &inventory->items[i].device.address;

		if (all ? !pci_same_slot(*at, address) : !pci_address_equal(*at, address))
			continue;
		there = true;
		physical = inventory->items[i].facts.physical;
		if (!physical)
			physical = inventory->items[i].device.name;
		if (find_card(sight, physical))
			chosen[count++] = *find_card(sight, physical);
	}
	if (!there)
		return error_set(err, -ENODEV,
				 "there is no PCI device '%s'; 'pve-vfio devices' lists them",
				 word);
	if (count == 0)
		return error_set(err, -ENOTSUP, "%s has no virtual functions (SR-IOV)", physical);
	*ret_count = count;
	return 0;
}

static int show(struct command *command, struct error *err)
{
	cleanup(sight_done) struct sight sight = { .node.root = &command->root };
	cleanup_free struct sriov_card *chosen = NULL; /* borrowed */
	struct terminal terminal = terminal_of_output();
	cleanup_free char *words = NULL;
	const struct sriov_card *cards;
	size_t count;
	int r = look(&sight, err);

	if (r < 0)
		return r;
	cards = sight.cards.items;
	count = sight.cards.count;
	chosen = calloc(sight.node.inventory.count + 1, sizeof(*chosen));
	if (!chosen)
		return error_set_memory(err);
	if (command->argc > 0) {
		r = choose(&sight, command->argv[0], chosen, &count, err);
		cards = chosen;
	}
	if (r < 0)
		return r;
	print_node_faults(&sight.node);
	if (command->json)
		return print_json(json_pack("{s:o}", "physical_functions",
					    sriov_json(cards, count, &sight.names, &command->root)),
				  err);
	words = sriov_words(cards, count, &sight.names, &command->root, &terminal);
	fputs(words ? words : "", stdout);
	if (count == 0)
		puts("No device of this node can have virtual functions (SR-IOV), or the firmware "
		     "has it switched off.");
	return 0;
}

/* ---- changing */

struct changing {
	struct command *command;
	struct sight sight;
	const struct sriov_card *card;
	unsigned wanted;
	struct deeds deeds;
	struct sriov_count count;
};

static void changing_done(struct changing *changing)
{
	sriov_count_done(&changing->count);
	deeds_done(&changing->deeds);
	sight_done(&changing->sight);
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* Its own driver makes virtual functions, and a VM that has the whole card has it no more. */
static int check_driver(const struct changing *changing, struct error *err)
{
	const struct pci_device *device = &changing->card->entry->device;
	const struct journal *owner = NULL;

	if (claims_find(&changing->sight.node.journals, device->name, &owner))
		return error_refuse(err, "VM %u has %s as a whole", owner->vmid, device->name);
	if (!device->driver)
		return error_refuse(err,
				    "%s has no driver, and only its driver makes virtual functions",
				    device->name);
	if (strstr(device->driver, "vfio"))
		return error_refuse(
			err, "%s has the driver %s, and only its own makes virtual functions",
			device->name, device->driver);
	return 0;
}

static int refuse_used(const struct sriov_card *card, const struct strings *uses, size_t used,
		       const struct strings *vms, struct error *err)
{
	cleanup_text struct text words = { 0 }, remedy = { 0 };
	uint32_t first = 0;

	strings_words(uses, 0, USES_MAX, &words);
	error_refuse(
		err,
		"%s keeps its virtual functions, for all of them would go and %zu %s in use: %s",
		card->entry->device.name, used, used == 1 ? "is" : "are",
		words.data ? words.data : "");
	if (vms->count == 0 || parse_u32(vms->items[0], &first) < 0)
		return -EPERM;
	text_add(&remedy, "shut down VM%s ", plural(vms->count));
	strings_words(vms, 0, USES_MAX, &remedy);
	return error_advise(err, -EPERM, "%s ('qm shutdown %u')", remedy.data ? remedy.data : "",
			    first);
}

/* Nobody, be it the host or a guest, loses one of them. */
static int check_unused(const struct changing *changing, struct error *err)
{
	cleanup_strings struct strings uses = { 0 }, vms = { 0 };
	const struct sriov_card *card = changing->card;
	size_t used = 0;
	int r = 0;

	for (size_t i = 0; i < card->count && r == 0; i++) {
		const struct sriov_function *function = &card->functions[i];
		cleanup_free char *words = NULL, *vm = text_format("%u", function->vmid);

		if (function->in_use.count == 0)
			continue;
		used++;
		words = text_format("%s (%s)", function->entry->device.name,
				    function->in_use.items[0]);
		r = words && vm ? strings_add(&uses, words) : -ENOMEM;
		if (r == 0 && text_starts_with(function->in_use.items[0], "VM ") &&
		    !strings_has(&vms, vm))
			r = strings_add(&vms, vm);
	}
	if (r < 0)
		return error_set_memory(err);
	if (used > 0)
		return refuse_used(card, &uses, used, &vms, err);
	if (card->representors.count > 0)
		return error_refuse(
			err,
			"%s keeps its virtual functions, for their representors would go, "
			"and are in use: %s",
			card->entry->device.name, card->representors.items[0]);
	return 0;
}

/* What is as it was when somebody looked, under the claims lock: a VM may have come since. */
static int check_claims_again(const struct changing *changing, struct error *err)
{
	const struct sriov_card *card = changing->card;
	const struct sysroot *root = &changing->command->root;
	cleanup_reservations struct reservations reservations = { 0 };
	cleanup_claims struct claims claims = { 0 };
	int r = claims_read(root, changing->count.state, 0, &claims, err);

	if (r == 0)
		r = reservations_read(root, &reservations, err);
	for (size_t i = 0; i <= card->count && r == 0; i++) {
		const char *address = i < card->count ? card->functions[i].entry->device.name
						      : card->entry->device.name;
		const struct journal *owner = NULL;
		const struct reservation *reservation =
			reservation_blocking(root, &reservations, address, 0, time(NULL));

		if (claims_find(&claims, address, &owner) || reservation)
			r = error_refuse(err, "%s has just been taken for VM %u", address,
					 owner ? owner->vmid : reservation->vmid);
	}
	return r;
}

/* From here on no start takes one of them: start_read_claims(). Returns the lock. */
static int announce(struct changing *changing, struct error *err)
{
	const char *address = changing->card->entry->device.name;
	const struct state *state = changing->count.state;
	cleanup_close int claims = -1, lock = -1;
	int r;

	claims = state_lock_claims(state, deadline_in_ms(CLAIM_LOCK_WAIT_MS), err);
	if (claims < 0)
		return claims;
	lock = state_lock_physical(state, address, deadline_in_ms(0), err);
	if (lock == -EWOULDBLOCK)
		return error_refuse(
			err,
			"how many virtual functions %s has is being changed just now by "
			"another process",
			address);
	if (lock < 0)
		return lock;
	r = check_claims_again(changing, err);
	if (r == 0)
		r = sriov_count_announce(&changing->count, err);
	return r < 0 ? r : TAKE_FD(lock);
}

/* A step that takes its time is reported while it runs, and the result at the end by the verb. */
static void tell(const struct action *action, const struct run_result *result, void *context)
{
	struct changing *changing = context;
	cleanup_free char *line = NULL;

	if (result->result != -EINPROGRESS)
		return;
	line = words_result(&changing->sight.names, &changing->command->root, RUN_APPLY, action,
			    result);
	fprintf(stderr, "pve-vfio: %s\n", line ? line : "");
}

/* The VMs that name a function which is not there afterwards. */
static void note_lost(struct changing *changing)
{
	const struct sriov_card *card = changing->card;

	for (size_t i = 0; i < card->count; i++) {
		const struct sriov_function *function = &card->functions[i];
		cleanup_text struct text vms = { 0 };

		if (function->number < changing->wanted || function->wanted.count == 0)
			continue;
		strings_words(&function->wanted, 0, USES_MAX, &vms);
		deeds_note(&changing->deeds, "%s goes, which is in the configuration of VM%s %s.",
			   function->entry->device.name, plural(function->wanted.count),
			   vms.data ? vms.data : "");
	}
}

static void note_boot(struct changing *changing)
{
	const struct sriov_card *card = changing->card;
	const char *address = card->entry->device.name;
	cleanup_free char *wanted = text_format("%u", changing->wanted);

	if (card->boot_unknown || text_equal(card->at_boot, wanted) ||
	    (!card->at_boot && changing->wanted == 0))
		return;
	if (changing->wanted == 0)
		deeds_note(&changing->deeds,
			   "The next boot makes %s again: 'pve-vfio setup' without '--sriov %s=%s' "
			   "takes that out.",
			   card->at_boot, address, card->at_boot);
	else if (card->at_boot)
		deeds_note(
			&changing->deeds,
			"The next boot makes %s: 'pve-vfio setup --add --sriov %s=%u' makes it %u.",
			card->at_boot, address, changing->wanted, changing->wanted);
	else
		deeds_note(
			&changing->deeds,
			"They are gone after the next boot: 'pve-vfio setup --add --sriov %s=%u' "
			"makes them at every boot.",
			address, changing->wanted);
}

static void note_before(struct changing *changing)
{
	const struct sriov_card *card = changing->card;

	note_lost(changing);
	if (card->in_use.count > 0)
		deeds_note(
			&changing->deeds,
			"Some drivers take the link down for some seconds meanwhile, and the host "
			"uses it: %s.",
			card->in_use.items[0]);
}

static int change_it(struct changing *changing, struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	cleanup_close int lock = -1;
	int r;

	r = setup_show(changing->command->link, err);
	if (r == 0)
		r = state_open(&changing->command->root, true, &state, err);
	if (r < 0)
		return r;
	changing->count.state = &state;
	r = sriov_count_read(&changing->count, &changing->card->entry->device, err);
	if (r < 0)
		return r;
	lock = announce(changing, err);
	return lock < 0 ? lock : sriov_count_run(&changing->count, err);
}

/* Nothing to do, unless an interrupted change left something undone. */
static bool is_as_wanted(const struct changing *changing)
{
	return changing->card->count == changing->wanted && !changing->card->interrupted;
}

static int make_change(struct changing *changing, struct error *err)
{
	const struct sriov_card *card = changing->card;
	struct deeds *deeds = &changing->deeds;
	cleanup_free char *now = NULL;
	int r;

	deeds_add(deeds, "address", json_string(card->entry->device.name));
	deeds_add(deeds, "before", json_integer((json_int_t)card->count));
	deeds_add(deeds, "count", json_integer(changing->wanted));
	if (is_as_wanted(changing)) {
		now = text_format("%s has %u virtual function%s: nothing to do.",
				  card->entry->device.name, changing->wanted,
				  plural(changing->wanted));
		note_boot(changing);
		return deeds_end(deeds, now, err);
	}
	r = check_driver(changing, err);
	if (r == 0)
		r = check_unused(changing, err);
	if (r < 0)
		return r;
	deeds_open(deeds);
	deeds_note(deeds, "%s: %zu -> %u virtual functions", card->entry->device.name, card->count,
		   changing->wanted);
	note_before(changing);
	if (!deeds->dry_run)
		r = change_it(changing, err);
	if (r < 0)
		return r;
	note_boot(changing);
	now = text_format("%s has %u virtual function%s now.", card->entry->device.name,
			  changing->wanted, plural(changing->wanted));
	return deeds_end(deeds, now, err);
}

static int change(struct command *command, struct error *err)
{
	cleanup(changing_done) struct changing changing = {
		.command = command,
		.sight.node.root = &command->root,
		.count = { .root = &command->root, .deadline_ms = SETTINGS_DEADLINE_S * 1000 },
	};
	cleanup_pci_device struct pci_device device = { 0 };
	int r = configure_parse_count(&command->root, command->argv[0], &device, &changing.wanted,
				      err);

	if (r == 0)
		r = look(&changing.sight, err);
	if (r < 0)
		return r;
	changing.card = find_card(&changing.sight, device.name);
	if (!changing.card)
		return error_set(err, -ENODEV, "%s has just gone", device.name);
	changing.count.wanted = changing.wanted;
	changing.count.report = tell;
	changing.count.context = &changing;
	deeds_begin(&changing.deeds, command);
	return make_change(&changing, err);
}

bool sriov_changes(const struct command *command)
{
	return command->argc > 0 && strchr(command->argv[0], '=');
}

int verb_sriov(struct command *command, struct error *err)
{
	if (sriov_changes(command))
		return change(command, err);
	if (command_has(command, "--dry-run"))
		return usage_error(err, command, "--dry-run is for ADDRESS=COUNT");
	return show(command, err);
}
