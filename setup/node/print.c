/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what setup and undo say. Changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diff.h"
#include "report/words.h"
#include "setup/ask.h"
#include "setup/node/configure.h"
#include "setup/print.h"
#include "setup/terminal.h"

/* Select Graphic Rendition (ECMA-48). */
#define GREEN "\033[32m"
#define RED   "\033[31m"
#define PLAIN "\033[0m"

static const char *action_of(const struct boot_file *file)
{
	if (!file->before)
		return "new";
	return file->after ? "changed" : "removed";
}

/* The reasons of words in places where no comment can be. */
static void print_reasons(const struct boot_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];
		cleanup_text struct text text = { 0 };

		if (setting->kind != BOOT_PARAMETER || setting->found)
			continue;
		words_wrap(&text, print_findings_width(STDOUT_FILENO), "   ", "     ",
			   setting->name);
		words_wrap(&text, print_findings_width(STDOUT_FILENO), "     ", "     ",
			   setting->reason);
		fputs(text.data ? text.data : "", stdout);
	}
}

static void print_early(const struct boot_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];
		cleanup_text struct text text = { 0 };

		if (setting->kind != BOOT_EARLY)
			continue;
		words_wrap(&text, print_findings_width(STDOUT_FILENO), "   ", "     ",
			   setting->name);
		words_wrap(&text, print_findings_width(STDOUT_FILENO), "     ", "     ",
			   setting->reason);
		fputs(text.data ? text.data : "", stdout);
	}
}

/*
 * Lines of a difference, in colours on a terminal. Of a script only what differs from machine to machine:
 * the lines "hold ADDRESS ..."
 */
static void print_diff(const char *diff, bool script)
{
	bool colour = terminal_of_output().colour;

	while (*diff) {
		size_t size = strcspn(diff, "\n");
		const char *mark = !colour ? "" : *diff == '+' ? GREEN : *diff == '-' ? RED : "";

		if (!script || text_starts_with(diff + 1, " hold 0"))
			printf("%s%.*s%s\n", mark, (int)size, diff, *mark ? PLAIN : "");
		diff += size + (diff[size] == '\n');
	}
}

/* `settings` NULL: nothing has a reason. */
void configure_print_draft(const struct boot_draft *draft, const struct boot_settings *settings)
{
	for (size_t i = 0; i < draft->count; i++) {
		const struct boot_file *file = draft->items[i];
		cleanup_text struct text text = { 0 };

		if (!boot_file_changes(file))
			continue;
		diff_lines(&text, file->before ? file->before : "", file->after ? file->after : "");
		printf("/%s (%s)\n", file->path, action_of(file));
		print_diff(text.data ? text.data : "", file->owner.mode & S_IXUSR);
		if (settings && strcmp(file->path, LAYOUT_EARLY_HOOK) == 0)
			puts("  puts vfio-pci into the initramfs");
		if (settings && strcmp(file->path, LAYOUT_EARLY_SCRIPT) == 0)
			print_early(settings);
		if (settings && strcmp(file->path, BOOT_CMDLINE) == 0)
			print_reasons(settings);
		putchar('\n');
	}
}

static void print_found(const struct boot_settings *settings)
{
	bool first = true;

	for (size_t i = 0; i < settings->count; i++) {
		cleanup_free char *words = NULL;

		if (!settings->items[i].found)
			continue;
		words = boot_setting_words(&settings->items[i]);
		if (first)
			puts("Set already:");
		first = false;
		printf("  %s (%s)\n", words ? words : "", settings->items[i].where);
	}
	if (!first)
		putchar('\n');
}

static void print_leftovers(const struct configure *configure)
{
	const struct boot_leftovers *leftovers = &configure->plan.leftovers;

	if (leftovers->count == 0)
		return;
	puts(configure->options.clean_up ? "Left over from guides, and cleaned up:"
					 : "Left over from guides; --clean-up removes it:");
	for (size_t i = 0; i < leftovers->count; i++) {
		const struct boot_leftover *leftover = &leftovers->items[i];

		printf("  /%s, line %u: %s%s\n", leftover->path, leftover->line, leftover->text,
		       leftover->size == 0 ? " (by hand: there is more in it)" : "");
		/* once for lines that follow one another */
		if (i + 1 == leftovers->count || leftovers->items[i + 1].why != leftover->why)
			print_wrapped("    ", 4, leftover->why);
	}
	putchar('\n');
}

void configure_print_commands(const struct sysroot *root, const struct boot_commands *commands)
{
	for (size_t i = 0; i < commands->count; i++) {
		cleanup_free char *words = boot_command_words(&commands->items[i]);

		printf("%s %s\n",
		       i > 0	    ? "       "
		       : root->live ? "Runs:  "
				    : "Not run, as this is an image; run in it:\n       ",
		       words ? words : "");
	}
}

/* With a boot loader that nothing is written for: the words, and where they go. */
static void print_by_hand(const struct configure *configure)
{
	const struct boot_loader *loader = &configure->plan.machine.loader;
	cleanup_text struct text text = { 0 };
	bool any = false;

	if (!loader->other)
		return;
	for (size_t i = 0; i < configure->plan.settings.count; i++) {
		const struct boot_setting *setting = &configure->plan.settings.items[i];

		if (setting->kind != BOOT_PARAMETER || setting->found)
			continue;
		text_add(&text, "%s%s",
			 any ? " " : "Kernel parameters are not written for it. Put ",
			 setting->name);
		any = true;
	}
	if (!any)
		return;
	text_add(&text, " into %s. The running kernel was booted without.", loader->other_place);
	print_wrapped(" ", 1, text.data ? text.data : "");
	putchar('\n');
}

/* Before all else: without it nothing below is of use. */
static void print_iommu_off(const struct configure *configure)
{
	const struct boot_leftovers *leftovers = &configure->plan.leftovers;
	bool cleaned = configure->options.clean_up, by_hand = false, any = false;

	for (size_t i = 0; i < leftovers->count; i++) {
		const struct boot_leftover *leftover = &leftovers->items[i];

		if (strcmp(leftover->id, BOOT_IOMMU_OFF) != 0)
			continue;
		printf("%s '%s' (/%s, line %u)", any ? " and" : "The IOMMU is switched off by",
		       leftover->text, leftover->path, leftover->line);
		any = true;
		by_hand |= leftover->size == 0;
	}
	if (any)
		printf(".\n%s\n\n",
		       by_hand	 ? "No device can be passed like that: edit that file by hand."
		       : cleaned ? "That is taken out."
				 : "No device can be passed like that; --clean-up takes it out.");
}

void configure_print(const struct configure *configure)
{
	const struct boot_loader *loader = &configure->plan.machine.loader;

	print_iommu_off(configure);

	printf("This machine starts with %s%s.\n", boot_loader_name(loader),
	       loader->managed ? ", kept by proxmox-boot-tool" : "");
	for (size_t i = 0; i < loader->evidence.count; i++)
		print_wrapped("  ", 2, loader->evidence.items[i]);
	putchar('\n');
	print_by_hand(configure);
	configure_print_draft(&configure->plan.draft, &configure->plan.settings);
	print_found(&configure->plan.settings);
	for (size_t i = 0; i < configure->plan.notes.count; i++)
		print_wrapped("Note: ", 6, configure->plan.notes.items[i]);
	if (configure->plan.notes.count > 0)
		putchar('\n');
	print_leftovers(configure);
	configure_print_commands(configure->root, &configure->commands);
}

bool configure_ask(const char *question)
{
	return isatty(STDIN_FILENO) && ask_yes_no(question) > 0;
}

static void print_progress(const char *command, int64_t took_ms, void *context)
{
	struct sign_of_life *sign = context;

	if (took_ms < 0) {
		if (!isatty(STDERR_FILENO))
			fprintf(stderr, "%s ...\n", command);
		sign_of_life_begin(sign, command);
	} else {
		sign_of_life_end(sign);
		fprintf(stderr, "%s: done, %.1f s\n", command, (double)took_ms / 1000);
	}
}

static void print_warning(const char *sentence, void *context)
{
	(void)context;
	print_sentence(STDERR_FILENO, "pve-vfio: ", "  ", "%s", sentence);
}

int configure_run(const struct sysroot *root, const struct boot_commands *commands,
		  const struct strings *words, struct error *err)
{
	struct sign_of_life sign = { 0 };
	const struct transaction_callbacks callbacks = { .progress = print_progress,
							 .warn = print_warning,
							 .context = &sign };
	int r;

	if (!root->live)
		return 0;
	r = transaction_run(root, commands, words, &callbacks, err);
	sign_of_life_end(&sign);
	return r;
}

bool configure_needs_reboot(const struct configure *configure)
{
	cleanup_boot_effects struct boot_effects effects = { 0 };
	struct error err = { 0 };

	/* what a module that is not loaded will do is not known, and needs no reboot */
	if (!configure->root->live ||
	    boot_effects_look(configure->root, &configure->plan.settings, &effects, &err) < 0)
		return true;
	for (size_t i = 0; i < effects.count; i++)
		if (effects.items[i].state == BOOT_NOT_IN_EFFECT)
			return true;
	return false;
}

/* ---- JSON */

json_t *configure_json_files(const struct boot_draft *draft)
{
	json_t *files = json_array();

	for (size_t i = 0; i < draft->count; i++) {
		const struct boot_file *file = draft->items[i];
		cleanup_text struct text text = { 0 };

		if (!boot_file_changes(file))
			continue;
		diff_lines(&text, file->before ? file->before : "", file->after ? file->after : "");
		json_array_append_new(files, json_pack("{s:s, s:s, s:s}", "path", file->path,
						       "action", action_of(file), "diff",
						       text.data ? text.data : ""));
	}
	return files;
}

json_t *configure_json_commands(const struct boot_commands *commands)
{
	json_t *array = json_array();

	for (size_t i = 0; i < commands->count; i++) {
		cleanup_free char *words = boot_command_words(&commands->items[i]);

		json_array_append_new(array, json_string(words ? words : ""));
	}
	return array;
}

static json_t *json_strings(const struct strings *strings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < strings->count; i++)
		json_array_append_new(array, json_string(strings->items[i]));
	return array;
}

static json_t *json_leftovers(const struct boot_leftovers *leftovers)
{
	json_t *array = json_array();

	for (size_t i = 0; i < leftovers->count; i++) {
		const struct boot_leftover *leftover = &leftovers->items[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:i, s:s, s:s, s:b}", "id",
						leftover->id, "path", leftover->path, "line",
						(int)leftover->line, "text", leftover->text, "why",
						leftover->why, "removable", leftover->size > 0));
	}
	return array;
}

int configure_print_json(const struct configure *configure, bool reboot, struct error *err)
{
	const struct boot_loader *loader = &configure->plan.machine.loader;

	return print_json(json_pack("{s:{s:b, s:b, s:b, s:o}, s:o, s:o, s:o, s:o, s:o, s:b, s:b}",
				    "loader", "grub", loader->grub, "systemd_boot",
				    loader->systemd_boot, "managed", loader->managed, "evidence",
				    json_strings(&loader->evidence), "settings",
				    boot_settings_to_json(&configure->plan.settings), "files",
				    configure_json_files(&configure->plan.draft), "leftovers",
				    json_leftovers(&configure->plan.leftovers), "notes",
				    json_strings(&configure->plan.notes), "commands",
				    configure_json_commands(&configure->commands), "applied",
				    configure->applied, "reboot", reboot),
			  err);
}
