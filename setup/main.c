/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the entry of pve-vfio. Runs the verb of the command line, watched. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/output.h"
#include "base/stream.h"
#include "host/silence.h"
#include "report/version.h"
#include "settings/settings.h"
#include "setup/print.h"
#include "setup/setup.h"
#include "setup/terminal.h"

enum exit_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_REFUSED = 3,
};

/* "unknown verb 'stat'; did you mean 'status'? See 'pve-vfio --help'" */
static void print_error(const struct verb *of, const struct error *err)
{
	size_t size = strlen(err->message);
	bool asks = size > 0 && err->message[size - 1] == '?';
	cleanup_text struct text words = { 0 };

	text_add(&words, "pve-vfio%s%s: %s", of ? " " : "", of ? of->name : "", err->message);
	if (*err->remedy && asks)
		text_add(&words, " %c%s", toupper((unsigned char)*err->remedy), err->remedy + 1);
	else if (*err->remedy)
		text_add(&words, "; %s", err->remedy);
	print_sentence(STDERR_FILENO, "", "  ", "%s", words.data ? words.data : err->message);
}

/*
 * What who called is to know of a result: a sentence for a person, an exit status for a script, and a
 * document for a program that has got none yet.
 */
static int finish(const struct command *command, int r, const struct error *err)
{
	bool usage = r < 0 && err->kind == ERROR_USAGE;

	if (*err->message)
		print_error(usage ? command->verb : NULL, err);
	if (r < 0 && *err->message && command->json && !printed_json())
		print_json_error(r, err);
	if (r >= 0)
		return STATUS_DONE;
	if (usage)
		return STATUS_USAGE;
	return err->kind == ERROR_REFUSED ? STATUS_REFUSED : STATUS_FAILED;
}

static int print_version(void)
{
	cleanup_free char *words = version_words("pve-vfio");

	fputs(words ? words : "", stdout);
	return STATUS_DONE;
}

/* How long one access to a file may take: to who looks, and to who changes something. */
#define LOOK_LIMIT_MS	5000
#define CHANGE_LIMIT_MS (SETTINGS_DEADLINE_S * 1000)

/* More than any verb prints that only looks. */
#define OUTPUT_BUFFER ((size_t)1 << 20)

/* Whether it only looks, and can be begun anew. */
static bool looks(const struct command *command)
{
	const struct verb *verb = command->verb;

	return verb->looks && !(verb->changes && verb->changes(command));
}

/* A run of a verb, as both processes know it: the one that does it, and the one that waits. */
struct call {
	const char *root;
	struct command *command;
	struct strings silent;
};

static int run_verb(const struct guard_link *link, void *context)
{
	static char output[OUTPUT_BUFFER];
	const struct call *call = context;
	struct command *command = call->command;
	const struct verb *verb = command->verb;
	struct error err = { 0 };
	int r;

	command->link = link;
	/* What has been printed when it is begun anew would be printed twice. */
	if (looks(command))
		setvbuf(stdout, output, _IOFBF, sizeof(output));
	r = sysroot_open(call->root, &command->root, &err);
	if (r == 0) {
		command->root.silent = call->silent.count > 0 ? &call->silent : NULL;
		command->root.anew = looks(command);
		r = verb->run(command, &err);
		sysroot_done(&command->root);
	}
	return finish(command, r, &err);
}

static bool tell_silence(const struct guard_silence *silence, void *context)
{
	struct call *call = context;
	cleanup_free char *words = silence_words(silence);
	bool again = looks(call->command) && silence_add(&call->silent, silence->path);

	print_sentence(STDERR_FILENO, "pve-vfio: ", "  ", "%s; %s", words ? words : silence->path,
		       again ? "going on without it" : "gave up");
	if (!again && call->command->json) {
		struct error err = { 0 };

		print_json_error(error_set(&err, -ETIMEDOUT, "%s; gave up",
					   words ? words : silence->path),
				 &err);
	}
	return again;
}

/* What was not looked at may be what is wrong. */
static int run_guarded(struct command *command, const char *root, struct outputs *outputs)
{
	const struct verb *verb = command->verb;
	struct call call = { .root = root, .command = command };
	struct guarded guarded = {
		.run = run_verb,
		.silent = tell_silence,
		.context = &call,
		.limit_ms = looks(command) ? LOOK_LIMIT_MS : CHANGE_LIMIT_MS,
		.reads_input = !looks(command),
		.outputs = outputs,
	};
	int status;

	/* a list in the program, which touches no file */
	if (verb->run == verb_list || verb->run == verb_help)
		return run_verb(&(struct guard_link){ &guarded.limit_ms, -1 }, &call);
	status = guard_run(&guarded, STATUS_FAILED);
	if (status == STATUS_DONE && call.silent.count > 0)
		status = STATUS_FAILED;
	strings_done(&call.silent);
	return status;
}

static int run(int argc, char **argv, struct outputs *outputs)
{
	cleanup(command_done) struct command command = { .root = { .fd = -1 } };
	enum command_wish wish;
	const char *root;
	struct error err = { 0 };
	int r = command_parse(argc, argv, &command, &root, &wish, &err);

	if (r < 0)
		return finish(&command, r, &err);
	if (wish == WISH_HELP) {
		help_print(command.verb);
		return STATUS_DONE;
	}
	if (wish == WISH_VERSION)
		return print_version();
	if (command.json || command.verb->run == verb_config)
		outputs->out.form = OUTPUT_JSON;
	return run_guarded(&command, root, outputs);
}

int main(int argc, char **argv)
{
	struct outputs outputs;
	int status;

	streams_open();
	/* A reader that goes is noticed at the write, when everything is in order again. */
	signal(SIGPIPE, SIG_IGN);
	guard_json();
	if (outputs_open(&outputs) < 0) {
		guard_tell_no_memory();
		return STATUS_FAILED;
	}
	if (terminal_of_output().colour)
		outputs.out.form = OUTPUT_COLOUR;
	status = run(argc, argv, &outputs);
	return outputs_close(&outputs, "pve-vfio") ? status : STATUS_FAILED;
}
