/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the entry of pve-vfio. Reads the command line and runs the verb. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/guard.h"
#include "base/number.h"
#include "base/output.h"
#include "base/stream.h"
#include "host/silence.h"
#include "report/version.h"
#include "settings/settings.h"
#include "setup/setup.h"
#include "setup/terminal.h"

static const struct verb {
	const char *name;
	const char *arguments;
	int least, most; /* how many arguments it takes */
	bool json;	 /* knows --json */
	bool options;	 /* reads options of its own */
	bool looks;	 /* only looks, so that it can be begun anew without what does not answer */
	int (*run)(struct command *command, struct error *err);
	const char *what; /* NULL: not for people, so not in the help */
} verbs[] = {
	{ "doctor", "[VMID]", 0, 1, true, false, true, verb_doctor,
	  "what is wrong with this node, or with a VM, and what to do" },
	{ "devices", "[ADDRESS]", 0, 1, true, false, true, verb_devices,
	  "devices by IOMMU group: who uses them, and which can be passed" },
	{ "plan", "VMID", 1, 1, true, false, true, verb_plan,
	  "what a start would do, and what speaks against it; changes nothing" },
	{ "status", "[VMID]", 0, 1, true, false, true, verb_status,
	  "which VM holds which devices" },
	{ "report", "...", 0, INT_MAX, false, true, true, verb_report,
	  "one page to post when asking for help; --html FILE, --record FILE" },
	{ "config", "[VMID]", 0, 1, true, false, true, verb_config,
	  "validate the settings of this node, or of a VM, and show them" },
	{ "attach", "VMID ...", 0, INT_MAX, false, true, false, verb_attach,
	  "give a VM the hookscript, and devices in a layout that is known to work" },
	{ "detach", "VMID", 1, 2, false, true, false, verb_detach,
	  "take away what attach has changed" },
	{ "restore", "VMID|--stale", 1, 1, false, true, false, verb_restore,
	  "give the devices of a VM that does not run back to the host" },
	{ "setup", "[...]", 0, INT_MAX, true, true, false, verb_setup,
	  "set this node up for passthrough, once; shows everything before" },
	{ "undo", "[...]", 0, INT_MAX, true, true, false, verb_undo,
	  "take back what setup has set" },
	{ "rom", "...", 0, INT_MAX, true, true, false, verb_rom,
	  "show, check, read, repair and install option ROMs" },
	/* For the shells' completion, and the package's own scripts. */
	{ "list", "WHAT", 1, 1, false, false, false, verb_list, NULL },
	{ "package", "WHAT", 1, 2, false, false, false, verb_package, NULL },
};

#define VERB_COUNT (sizeof(verbs) / sizeof(*verbs))

static int print_help(void)
{
	printf("Usage: pve-vfio [OPTION...] VERB [ARGUMENT...]\n\n"
	       "Passes PCI devices to Proxmox VE VMs: the companion of pve-vfio-hook.\n\n"
	       "Verbs:\n");
	for (size_t i = 0; i < VERB_COUNT && verbs[i].what; i++)
		printf("  %-8s %-12s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].what);
	printf("\nOptions:\n"
	       "  --json      print data as JSON\n"
	       "  --root DIR  work on the tree below DIR in place of /\n"
	       "  --help      print this and exit\n"
	       "  --version   print the version and exit\n\n"
	       "Exit status: 0 done; 1 failed; 2 usage; 3 refused, or found wanting.\n"
	       "See pve-vfio(8).\n");
	return STATUS_DONE;
}

void print_verbs(void)
{
	for (size_t i = 0; i < VERB_COUNT && verbs[i].what; i++)
		printf("%s\t%s\n", verbs[i].name, verbs[i].what);
}

static int print_version(void)
{
	cleanup_free char *words = version_words("pve-vfio");

	fputs(words ? words : "", stdout);
	return STATUS_DONE;
}

static int print_usage_error(const char *what, const char *word)
{
	fprintf(stderr, "pve-vfio: %s%s%s%s; see 'pve-vfio --help'\n", what, *word ? " '" : "",
		word, *word ? "'" : "");
	return STATUS_USAGE;
}

static int print_unknown_verb(const char *name)
{
	const char *names[VERB_COUNT];
	size_t count = 0;

	for (; count < VERB_COUNT && verbs[count].what; count++)
		names[count] = verbs[count].name;
	fprintf(stderr, "pve-vfio: unknown verb '%s'; did you mean '%s'? See 'pve-vfio --help'\n",
		name, text_nearest(name, names, count));
	return STATUS_USAGE;
}

int command_parse_vmid(const struct command *command, int at, uint32_t *ret)
{
	if (parse_u32(command->argv[at], ret) == 0 && *ret > 0)
		return STATUS_DONE;
	return print_usage_error("not a VM id:", command->argv[at]);
}

/* How long one access to a file may take: to who looks, and to who changes something. */
#define LOOK_LIMIT_MS	5000
#define CHANGE_LIMIT_MS (SETTINGS_DEADLINE_S * 1000)

/* More than any verb prints that only looks. */
#define OUTPUT_BUFFER ((size_t)1 << 20)

/* A run of a verb, as both processes know it: the one that does it, and the one that waits. */
struct call {
	const struct verb *verb;
	const char *root;
	struct command *command;
	struct strings silent;
};

static int run_verb(const struct guard_link *link, void *context)
{
	static char output[OUTPUT_BUFFER];
	const struct call *call = context;
	struct command *command = call->command;
	struct error err = { 0 };
	int status = STATUS_FAILED;

	command->link = link;
	/* What has been printed when it is begun anew would be printed twice. */
	if (call->verb->looks)
		setvbuf(stdout, output, _IOFBF, sizeof(output));
	if (sysroot_open(call->root, &command->root, &err) == 0) {
		command->root.silent = call->silent.count > 0 ? &call->silent : NULL;
		command->root.anew = call->verb->looks;
		status = call->verb->run(command, &err);
		sysroot_done(&command->root);
	}
	if (*err.message)
		fprintf(stderr, "pve-vfio: %s\n", err.message);
	return status;
}

static bool tell_silence(const struct guard_silence *silence, void *context)
{
	struct call *call = context;
	cleanup_free char *words = silence_words(silence);
	bool again = call->verb->looks && silence_add(&call->silent, silence->path);

	fprintf(stderr, "pve-vfio: %s; %s\n", words ? words : silence->path,
		again ? "going on without it" : "gave up");
	return again;
}

/* What was not looked at may be what is wrong. */
static int run_guarded(const struct verb *verb, struct command *command, const char *root,
		       struct outputs *outputs)
{
	struct call call = { .verb = verb, .root = root, .command = command };
	struct guarded guarded = {
		.run = run_verb,
		.silent = tell_silence,
		.context = &call,
		.limit_ms = verb->looks ? LOOK_LIMIT_MS : CHANGE_LIMIT_MS,
		.reads_input = !verb->looks,
		.outputs = outputs,
	};
	int status;

	if (command->argc < verb->least || command->argc > verb->most) {
		fprintf(stderr, "Usage: pve-vfio %s %s; see 'pve-vfio --help'\n", verb->name,
			verb->arguments);
		return STATUS_USAGE;
	}
	if (command->json && !verb->json)
		return print_usage_error("--json is not for the verb", verb->name);
	/* a list in the program, which touches no file */
	if (verb->run == verb_list)
		return run_verb(&(struct guard_link){ &guarded.limit_ms, -1 }, &call);
	status = guard_run(&guarded, STATUS_FAILED);
	if (status == STATUS_DONE && call.silent.count > 0)
		status = STATUS_FAILED;
	strings_done(&call.silent);
	return status;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int run(int argc, char **argv, struct outputs *outputs)
{
	struct command command = { .root = { .fd = -1 } };
	const struct verb *verb = NULL;
	const char *root = "/";
	int words = 0;

	/* Options may stand anywhere; what is left over is the verb and its arguments. */
	for (int at = 1; at < argc; at++) {
		if (!text_starts_with(argv[at], "-")) {
			if (words == 0)
				verb = find_verb(argv[at]);
			argv[words++] = argv[at];
		} else if (strcmp(argv[at], "--help") == 0) {
			return verb && verb->run == verb_setup ? configure_help() : print_help();
		} else if (strcmp(argv[at], "--version") == 0) {
			return print_version();
		} else if (strcmp(argv[at], "--json") == 0) {
			command.json = true;
		} else if (strcmp(argv[at], "--root") == 0) {
			if (++at == argc)
				return print_usage_error("--root needs a directory", "");
			root = argv[at];
		} else if (verb && verb->options) {
			argv[words++] = argv[at];
		} else {
			return print_usage_error("unknown option", argv[at]);
		}
	}
	if (words == 0)
		return print_usage_error("a verb is needed", "");
	if (!verb)
		return print_unknown_verb(argv[0]);
	command.argc = words - 1;
	command.argv = argv + 1;
	if (command.json || verb->run == verb_config)
		outputs->out.form = OUTPUT_JSON;
	return run_guarded(verb, &command, root, outputs);
}

int main(int argc, char **argv)
{
	struct outputs outputs;
	int status;

	streams_open();
	/* A reader that goes is told from the write, when everything is in order again. */
	signal(SIGPIPE, SIG_IGN);
	if (outputs_open(&outputs) < 0)
		return STATUS_FAILED;
	if (terminal_of_output().colour)
		outputs.out.form = OUTPUT_COLOUR;
	status = run(argc, argv, &outputs);
	return outputs_close(&outputs, "pve-vfio") ? status : STATUS_FAILED;
}
