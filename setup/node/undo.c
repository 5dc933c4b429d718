/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio undo. Takes back what setup made, and nothing else. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "setup/node/configure.h"
#include "setup/print.h"

struct undo {
	const struct sysroot *root;
	const struct guard_link *link; /* for setup_show() */
	bool json, yes, dry_run;
	struct record record;
	struct boot_draft draft;
	struct boot_machine machine;
	struct boot_commands commands;
	struct strings notes;
	struct strings kept; /* files whose originals stay */
};

static void undo_done(struct undo *undo)
{
	record_done(&undo->record);
	boot_draft_done(&undo->draft);
	boot_machine_done(&undo->machine);
	boot_commands_done(&undo->commands);
	strings_done(&undo->notes);
	strings_done(&undo->kept);
}

static int note(struct undo *undo, char *sentence, struct error *err)
{
	cleanup_free char *own = sentence;

	return !own || strings_add(&undo->notes, own) < 0 ? error_set_memory(err) : 0;
}

/* A file that somebody has edited since stays, but for the words of a command line that are ours. */
static int keep(struct undo *undo, const struct record_file *file, struct error *err)
{
	if (strcmp(file->path, BOOT_CMDLINE) == 0) {
		int r = layout_clear(&undo->draft, undo->root, &undo->record.cmdline, err);

		return r < 0 ? r
			     : note(undo,
				    text_format("/%s was edited since: only the words of setup are "
						"taken out",
						file->path),
				    err);
	}
	if (strings_add(&undo->kept, file->path) < 0)
		return error_set_memory(err);
	return note(undo,
		    text_format("/%s was edited since and stays as it is; what it was before setup "
				"is in /%s, %s...",
				file->path, RECORD_FOLDER, RECORD_KEPT),
		    err);
}

static int restore_file(struct undo *undo, const struct record_file *known, struct error *err)
{
	cleanup_free char *original = NULL;
	struct boot_file *file;
	int r = boot_draft_open(&undo->draft, undo->root, known->path, &file, err);

	if (r < 0 || (!known->existed && !file->before))
		return r;
	if (!known->existed)
		return boot_draft_set(&undo->draft, undo->root, known->path, NULL, 0, err);
	r = record_original(undo->root, known, &original, err);
	if (r < 0 || text_equal(file->before, original))
		return r;
	if (file->before ? record_hash(file->before) != known->written : known->written != 0)
		return keep(undo, known, err);
	file->owner = known->owner;
	return boot_draft_set(&undo->draft, undo->root, known->path, original, known->owner.mode,
			      err);
}

/* Another pin than ours is somebody else's. */
static void plan_pin(const struct undo *undo, struct layout_refresh *refresh)
{
	cleanup_free char *now = NULL;

	if (sysroot_read_attribute(undo->root, LAYOUT_PIN, &now) < 0)
		return;
	for (size_t i = 0; i < undo->record.settings.count; i++) {
		const struct boot_setting *setting = &undo->record.settings.items[i];

		if (setting->kind != BOOT_PIN || strcmp(setting->name, now) != 0)
			continue;
		refresh->pin = undo->record.pin_before;
		refresh->unpin = !undo->record.pin_before;
	}
}

static int make_plan(struct undo *undo, struct error *err)
{
	struct layout_refresh refresh;
	int r = boot_machine_read(undo->root, &undo->machine, err);

	for (size_t i = 0; i < undo->record.file_count && r == 0; i++)
		r = restore_file(undo, &undo->record.files[i], err);
	if (r == 0)
		r = boot_draft_check(&undo->draft, err);
	if (r < 0)
		return r;
	refresh = layout_refresh_for(&undo->draft);
	if (undo->record.pending)
		refresh = (struct layout_refresh){ .initramfs = true, .loader = true };
	refresh.dracut = undo->machine.dracut;
	plan_pin(undo, &refresh);
	return boot_commands_for(&undo->commands, refresh, &undo->machine.loader, err);
}

/* The files go back one by one; a record that is still there lets another undo finish. */
static int write_back(struct undo *undo, struct error *err)
{
	cleanup_record struct record scratch = { 0 };
	int r = record_read(undo->root, &scratch, err);

	if (r < 0)
		return r;
	scratch.pending = true;
	r = record_write(undo->root, &scratch, err);
	if (r == 0)
		r = transaction_restore(undo->root, &undo->draft, err);
	if (r == 0)
		r = configure_run(undo->root, &undo->commands, NULL, err);
	return r;
}

/* Removes the record, but for originals of files that stay. */
static int forget(const struct undo *undo, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < undo->kept.count && r == 0; i++)
		r = record_keep_original(undo->root, undo->kept.items[i], err);
	transaction_sweep(undo->root, &undo->record);
	transaction_remove_folders(undo->root, &undo->record.folders);
	return r < 0 ? r : record_remove(undo->root, err);
}

static int print(const struct undo *undo, bool applied, struct error *err)
{
	json_t *notes;

	if (!undo->json) {
		configure_print_draft(&undo->draft, NULL);
		for (size_t i = 0; i < undo->notes.count; i++)
			print_sentence(STDOUT_FILENO, "Note: ", "      ", "%s",
				       undo->notes.items[i]);
		configure_print_commands(undo->root, &undo->commands);
		return 0;
	}
	notes = json_array();
	for (size_t i = 0; i < undo->notes.count; i++)
		json_array_append_new(notes, json_string(undo->notes.items[i]));
	return print_json(json_pack("{s:o, s:o, s:o, s:b}", "files",
				    configure_json_files(&undo->draft), "commands",
				    configure_json_commands(&undo->commands), "notes", notes,
				    "applied", applied),
			  err);
}

static int show_and_apply(struct undo *undo, struct error *err)
{
	cleanup_close int lock = -1;
	int r;

	if (undo->dry_run && !undo->json)
		puts(CONFIGURE_DRY_RUN);
	r = !undo->json || undo->dry_run ? print(undo, false, err) : 0;
	if (r == 0 && undo->dry_run && !undo->json)
		puts(CONFIGURE_DRY_RUN_END);
	if (r < 0 || undo->dry_run)
		return r;
	r = setup_show(undo->link, err);
	if (r < 0)
		return r;
	if (!undo->yes && (undo->json || !configure_ask("Take this back?")))
		return error_refuse(err, CONFIGURE_NOT_AGREED);
	lock = transaction_lock(undo->root, err);
	if (lock < 0)
		return lock;
	r = boot_draft_look_again(&undo->draft, undo->root, err);
	if (r < 0)
		return r;
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	r = write_back(undo, err);
	if (r == 0)
		r = forget(undo, err);
	if (r < 0)
		return r;
	if (undo->json)
		return print(undo, true, err);
	puts(undo->root->live ? "Done. Reboot for it to take effect." : "Done.");
	return 0;
}

int verb_undo(struct command *command, struct error *err)
{
	cleanup(undo_done) struct undo undo = {
		.root = &command->root,
		.link = command->link,
		.json = command->json,
		.yes = command_has(command, "--yes"),
		.dry_run = command_has(command, "--dry-run"),
	};
	int r = record_read(undo.root, &undo.record, err);

	if (r < 0)
		return r;
	if (!undo.record.exists) {
		if (!undo.dry_run)
			(void)record_remove(undo.root, NULL);
		if (undo.json)
			return print(&undo, false, err);
		puts("Nothing to undo: pve-vfio setup has changed nothing here.");
		return 0;
	}
	r = make_plan(&undo, err);
	return r < 0 ? r : show_and_apply(&undo, err);
}
