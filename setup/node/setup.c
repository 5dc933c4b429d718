/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio setup. Looks, shows, asks, and only then writes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "pci/claim.h"
#include "setup/node/configure.h"
#include "setup/print.h"

/* How often it is planned, where somebody edits a file each time. */
#define ATTEMPTS 5

static void configure_done(struct configure *configure)
{
	strings_done(&configure->options.asked);
	record_done(&configure->record);
	boot_plan_done(&configure->plan);
	boot_request_done(&configure->request);
	boot_commands_done(&configure->commands);
}

/* Asked anew, with another value perhaps. */
static bool is_asked_anew(const struct strings *asked, const char *before)
{
	for (size_t i = 0; i < asked->count; i++)
		if (configure_is_against(asked->items[i], before))
			return true;
	return false;
}

/* With --add, what was asked before is asked again, ahead of what is new. */
static int add_recorded(struct configure *configure, struct error *err)
{
	const struct strings *before = &configure->record.options;
	struct strings *asked = &configure->options.asked;
	cleanup_strings struct strings all = { 0 };
	int r = 0;

	for (size_t i = 0; i < before->count && r == 0; i++)
		if (!is_asked_anew(asked, before->items[i]))
			r = strings_add(&all, before->items[i]);
	for (size_t i = 0; i < asked->count && r == 0; i++)
		if (!strings_has(&all, asked->items[i]))
			r = strings_add(&all, asked->items[i]);
	if (r < 0)
		return error_set_memory(err);
	strings_done(asked);
	*asked = TAKE_STRUCT(all);
	return 0;
}

static int read_machine(struct configure *configure, struct error *err)
{
	const struct sysroot *root = configure->root;
	int r = record_read(root, &configure->record, err);

	if (r == 0 && configure->options.add)
		r = add_recorded(configure, err);
	return r < 0 ? r : boot_plan_read(&configure->plan, root, &configure->record, err);
}

/* The kernel that is pinned now, NULL for none. */
static char *read_pin(const struct sysroot *root)
{
	cleanup_free char *pin = NULL;

	if (sysroot_read_attribute(root, LAYOUT_PIN, &pin) < 0 || *pin == '\0')
		return NULL;
	return TAKE_PTR(pin);
}

/* The kernel that an earlier setup pinned, or NULL. */
static const char *recorded_pin(const struct record *record)
{
	for (size_t i = 0; i < record->settings.count; i++)
		if (record->settings.items[i].kind == BOOT_PIN)
			return record->settings.items[i].name;
	return NULL;
}

/* What is to be done about the pin: another one than ours is somebody else's. */
static void plan_pin(const struct configure *configure, const char *now,
		     struct layout_refresh *refresh)
{
	const char *wanted = configure->request.pin_kernel;
	const char *before = configure->record.pin_before;
	const char *ours = recorded_pin(&configure->record);

	if (wanted && !text_equal(now, wanted))
		refresh->pin = wanted;
	else if (!wanted && ours && text_equal(now, ours)) {
		refresh->pin = before;
		refresh->unpin = !before;
	}
}

static int make_plan(struct configure *configure, struct error *err)
{
	const struct boot_settings *devices = &configure->request.devices;
	cleanup_strings struct strings asked = { 0 }, replaced = { 0 };
	const struct boot_kept_away kept_away = { &asked, &replaced };
	const struct boot_wish wish = { &configure->request, &kept_away,
					configure->options.clean_up };
	cleanup_free char *pin = read_pin(configure->root);
	struct boot_plan *plan = &configure->plan;
	struct layout_refresh refresh;
	int r = pci_modules_replaced(configure->root, &replaced);

	for (size_t i = 0; i < devices->count && r == 0; i++)
		if (devices->items[i].kind == BOOT_BLACKLIST)
			r = strings_add(&asked, devices->items[i].name);
	if (r < 0)
		return error_set_memory(err);
	r = boot_plan_make(plan, configure->root, &wish, err);
	if (r < 0)
		return r;
	refresh = layout_refresh_for(&plan->draft);
	if (configure->record.pending)
		refresh = (struct layout_refresh){ .initramfs = true, .loader = true };
	refresh.dracut = plan->machine.dracut;
	plan_pin(configure, pin, &refresh);
	return boot_commands_for(&configure->commands, refresh, &plan->machine.loader, err);
}

/* ---- applying */

/* The words that the boot menu has to have. */
static int list_words(const struct configure *configure, struct strings *words)
{
	for (size_t i = 0; i < configure->plan.settings.count; i++)
		if (configure->plan.settings.items[i].kind == BOOT_PARAMETER &&
		    strings_add(words, configure->plan.settings.items[i].name) < 0)
			return -ENOMEM;
	return 0;
}

/* What the record says while the files are written: all that may be ours. */
static int prepare_record(struct configure *configure, struct error *err)
{
	struct record *record = &configure->record;

	if (!recorded_pin(record) && configure->request.pin_kernel) {
		free(record->pin_before);
		record->pin_before = read_pin(configure->root);
	}
	for (size_t i = 0; i < configure->plan.cmdline.count; i++)
		if (!strings_has(&record->cmdline, configure->plan.cmdline.items[i]) &&
		    strings_add(&record->cmdline, configure->plan.cmdline.items[i]) < 0)
			return error_set_memory(err);
	record->exists = record->pending = true;
	return 0;
}

static int finish_record(struct configure *configure, struct error *err)
{
	struct record *record = &configure->record;

	strings_done(&record->cmdline);
	strings_done(&record->options);
	boot_settings_done(&record->settings);
	record->cmdline = configure->plan.cmdline;
	record->options = configure->options.asked;
	record->settings = configure->plan.settings;
	record->pending = false;
	int r = record_write(configure->root, record, err);

	record->cmdline = record->options = (struct strings){ 0 };
	record->settings = (struct boot_settings){ 0 };
	return r;
}

/*
 * After a failure: the files, the pin, what the commands made of them, and the record, as they were.
 * Says in `err`, behind what failed, that it is so, or what is not.
 */
static int put_all_back(const struct configure *configure, const struct record *previous,
			const char *pin, int failure, struct error *err)
{
	cleanup_boot_commands struct boot_commands commands = { 0 };
	struct layout_refresh refresh = layout_refresh_for(&configure->plan.draft);
	cleanup_free char *now = read_pin(configure->root);
	struct error files = { 0 }, second = { 0 }, first = *err;
	int r, written = transaction_put_back(configure->root, &configure->plan.draft, &files);

	refresh.dracut = configure->plan.machine.dracut;
	if (!text_equal(now, pin)) {
		refresh.pin = pin;
		refresh.unpin = !pin;
	}
	r = boot_commands_for(&commands, refresh, &configure->plan.machine.loader, &second);
	if (r == 0)
		r = configure_run(configure->root, &commands, NULL, &second);
	transaction_sweep(configure->root, &configure->record);
	transaction_remove_folders(configure->root, &configure->record.folders);
	if (previous->exists)
		(void)record_write(configure->root, previous, NULL);
	else
		(void)record_remove(configure->root, NULL);
	if (written < 0)
		return error_set(err, failure, "%s\nNot everything is as it was before: %s",
				 first.message, files.message);
	if (r < 0)
		return error_set(err, failure,
				 "%s\nThe files are as they were before, but what starts the "
				 "machine may not be made from them: %s",
				 first.message, second.message);
	return error_set(err, failure, "%s\nEverything is as it was before.", first.message);
}

/* A signal in the midst would leave it to the next run to finish; it is short, so it waits. */
static void hold_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

static int apply(struct configure *configure, struct error *err)
{
	cleanup_record struct record previous = { 0 };
	cleanup_strings struct strings words = { 0 };
	cleanup_free char *pin = read_pin(configure->root);
	cleanup_close int lock = transaction_lock(configure->root, err);
	int r;

	if (lock < 0)
		return lock;
	r = boot_draft_look_again(&configure->plan.draft, configure->root, err);
	if (r < 0)
		return r;
	hold_signals();
	r = record_read(configure->root, &previous, err);
	if (r == 0 && list_words(configure, &words) < 0)
		r = error_set_memory(err);
	if (r == 0)
		r = prepare_record(configure, err);
	if (r < 0)
		return r;
	transaction_sweep(configure->root, &previous);
	r = transaction_write(configure->root, &configure->record, &configure->plan.draft, err);
	if (r == 0)
		r = configure_run(configure->root, &configure->commands, &words, err);
	return r < 0 ? put_all_back(configure, &previous, pin, r, err) : 0;
}

static int finish(struct configure *configure, struct error *err)
{
	bool reboot;
	int r = 0;

	configure->applied = true;
	reboot = configure_needs_reboot(configure);
	if (configure->json)
		r = configure_print_json(configure, reboot, err);
	else if (!configure->root->live)
		puts("Done.");
	else
		print_sentence(STDOUT_FILENO, "", "", "%s",
			       reboot ? "Done. Reboot for all of it to take effect; then look with "
					"'pve-vfio doctor'."
				      : "Done. Everything is in effect: no reboot is needed.");
	if (r < 0) {
		(void)finish_record(configure, NULL);
		return r;
	}
	return finish_record(configure, err);
}

/* The record says what was asked for, also where all of it was there already. */
static bool is_recorded(const struct configure *configure)
{
	const struct strings *asked = &configure->options.asked;
	const struct strings *known = &configure->record.options;
	bool same = configure->record.exists && asked->count == known->count;

	for (size_t i = 0; i < asked->count && same; i++)
		same = strcmp(asked->items[i], known->items[i]) == 0;
	return same;
}

/* What is done, without the text of the files around it; NULL without memory. */
static char *describe(const struct configure *configure)
{
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < configure->plan.settings.count; i++) {
		const struct boot_setting *setting = &configure->plan.settings.items[i];

		text_add(&text, "%d %s %s %s\n", (int)setting->kind, setting->name,
			 setting->value ? setting->value : "", setting->found ? "found" : "");
	}
	for (size_t i = 0; i < configure->plan.draft.count; i++)
		if (boot_file_changes(configure->plan.draft.items[i]))
			text_add(&text, "%s\n", configure->plan.draft.items[i]->path);
	for (size_t i = 0; i < configure->plan.leftovers.count; i++)
		text_add(&text, "%s %s\n", configure->plan.leftovers.items[i].path,
			 configure->plan.leftovers.items[i].text);
	for (size_t i = 0; i < configure->commands.count; i++) {
		cleanup_free char *words = boot_command_words(&configure->commands.items[i]);

		text_add(&text, "%s\n", words ? words : "");
	}
	return text_take(&text);
}

/*
 * Asks, unless the same was agreed to before a file was edited: what is done to it is then only shown
 * once more. `agreed` is what was agreed to, NULL at first.
 */
static bool ask(const struct configure *configure, char **agreed)
{
	cleanup_free char *now = describe(configure);

	if (configure->options.yes || (*agreed && now && strcmp(*agreed, now) == 0))
		return true;
	free(*agreed);
	*agreed = NULL;
	if (configure->json || !configure_ask("Apply this?"))
		return false;
	*agreed = TAKE_PTR(now);
	return true;
}

/* Parameters are missing for a boot loader that setup writes nothing for. */
static bool is_left_to_hand(const struct configure *configure)
{
	const struct boot_settings *settings = &configure->plan.settings;

	return configure->plan.machine.loader.other &&
	       boot_settings_count(settings, BOOT_PARAMETER, true) > 0;
}

/* -ESTALE: somebody has edited a file since it was read, and nothing is done. */
static int show_and_apply(struct configure *configure, char **agreed, struct error *err)
{
	const struct configure_options *options = &configure->options;
	bool nothing = !boot_draft_changes(&configure->plan.draft) &&
		       configure->commands.count == 0 && !configure->record.pending;
	int r = 0;

	if (!configure->json && options->dry_run)
		puts(CONFIGURE_DRY_RUN);
	if (!configure->json)
		configure_print(configure);
	if (nothing && !configure->json)
		puts(is_left_to_hand(configure)
			     ? "Nothing to do: what setup writes is written; the kernel parameters above "
			       "are left to you."
			     : "Nothing to do: everything is set.");
	if (nothing || options->dry_run) {
		if (configure->json)
			r = configure_print_json(configure, configure_needs_reboot(configure), err);
		else if (options->dry_run)
			puts(CONFIGURE_DRY_RUN_END);
		if (r < 0 || !nothing || options->dry_run || is_recorded(configure))
			return r;
		return finish_record(configure, err);
	}
	r = setup_show(configure->link, err);
	if (r < 0)
		return r;
	if (!ask(configure, agreed)) {
		if (configure->json)
			r = configure_print_json(configure, false, err);
		return r < 0 ? r : error_refuse(err, CONFIGURE_NOT_AGREED);
	}
	r = apply(configure, err);
	return r < 0 ? r : finish(configure, err);
}

static int set_up(struct command *command, char **agreed, struct error *err)
{
	cleanup(configure_done) struct configure configure = { .root = &command->root,
							       .link = command->link,
							       .json = command->json };
	int r = configure_parse(command, &configure.options, err);

	if (r == 0)
		r = read_machine(&configure, err);
	if (r == 0)
		r = configure_request(configure.root, &configure.options.asked, &configure.request,
				      err);
	if (r < 0)
		return r;
	if (configure.plan.machine.dracut &&
	    boot_settings_count(&configure.request.devices, BOOT_EARLY, false) > 0)
		return error_refuse(
			err,
			"--early needs initramfs-tools, and dracut makes the initramfs of this "
			"machine: it would run no script that holds a device. Install "
			"initramfs-tools in its place, or leave the device to the hook, which "
			"takes it when the VM starts");
	r = make_plan(&configure, err);
	return r < 0 ? r : show_and_apply(&configure, agreed, err);
}

/* A file that was edited meanwhile is read again, and what is planned is shown anew. */
int verb_setup(struct command *command, struct error *err)
{
	cleanup_free char *agreed = NULL;

	for (unsigned left = ATTEMPTS;; left--) {
		int r = set_up(command, &agreed, err);

		if (r != -ESTALE || left == 1)
			return r;
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ", "%s; everything is read again",
			       err->message);
		*err = (struct error){ 0 };
	}
}
