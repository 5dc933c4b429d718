/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: the entry. Reads the command line and runs the phase; knows nothing of devices. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/guard.h"
#include "base/number.h"
#include "base/output.h"
#include "base/stream.h"
#include "hook.h"
#include "host/silence.h"
#include "pve/config.h"
#include "report/version.h"
#include "settings/settings.h"

enum exit_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

/* A chained hookscript is around the devices' time with the VM: before pre-start, after the rest. */
static const struct phase {
	const char *name;
	int (*run)(struct hook *hook, struct error *err);
	bool chain_first;
	const char *what;
} phases[] = {
	{ "pre-start", phase_pre_start, true, "take the VM's devices, or refuse the start" },
	{ "post-start", phase_post_start, false, "confirm that the VM's QEMU holds them" },
	{ "pre-stop", NULL, false, "nothing" },
	{ "post-stop", phase_post_stop, false, "give the devices back to the host" },
};

static int print_help(void)
{
	printf("Usage: pve-vfio-hook [--root DIR] VMID PHASE\n\n"
	       "The hookscript that hands a Proxmox VE VM its PCI devices. Proxmox VE calls it;\n"
	       "register it with: qm set VMID --hookscript local:snippets/pve-vfio-hook\n\n"
	       "Phases:\n");
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		printf("  %-12s%s\n", phases[i].name, phases[i].what);
	printf("  %-12snothing: a later Proxmox VE may add phases\n\n"
	       "Options:\n"
	       "  --root DIR  work on the tree below DIR in place of /\n"
	       "  --help      print this and exit\n"
	       "  --version   print the version and exit\n\n"
	       "See pve-vfio-hook(8).\n",
	       "other");
	return STATUS_DONE;
}

static int print_version(void)
{
	cleanup_free char *words = version_words("pve-vfio-hook");

	fputs(words ? words : "", stdout);
	return STATUS_DONE;
}

static int print_usage_error(const char *what, const char *word)
{
	fprintf(stderr,
		"pve-vfio-hook: %s%s%s\n"
		"Usage: pve-vfio-hook [--root DIR] VMID PHASE; see 'pve-vfio-hook --help'\n",
		what, *word ? " " : "", word);
	return STATUS_USAGE;
}

/* What is not a name of a node cannot lead to another place. */
static const char *migrated_from(void)
{
	const char *node = getenv("PVE_MIGRATED_FROM");

	if (!node || !*node || strlen(node) > NODE_NAME_MAX)
		return NULL;
	for (const char *c = node; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return NULL;
	return node;
}

static int run_ours(struct hook *hook, const struct phase *phase, struct error *err)
{
	int r = phase->run ? phase->run(hook, err) : 0;

	notify_leave(hook);
	return r;
}

/* Of a chain whose first link fails in pre-start the second does not run; else both do. */
static int run_both(struct hook *hook, const struct phase *phase, struct error *err)
{
	struct error chain_err = { 0 };
	int r, chained;

	if (phase->chain_first) {
		r = hook_chain(hook, phase->name, err);
		return r < 0 ? r : run_ours(hook, phase, err);
	}
	r = run_ours(hook, phase, err);
	/* It may take any time, and the devices are settled. */
	close_and_reset(&hook->lock);
	hook->lock = -1;
	chained = hook_chain(hook, phase->name, &chain_err);
	if (chained < 0 && r == 0)
		return error_set(err, chained, "%s", chain_err.message);
	if (chained < 0)
		hook_say(hook, "%s", chain_err.message);
	return r;
}

/* A run of the hook, as both processes know it: the one that does it, and the one that waits. */
struct call {
	const struct phase *phase;
	const char *root;
	uint32_t vmid;
	bool *spared; /* both see it: struct hook */
	struct strings silent;
};

static int run_phase(const struct guard_link *link, void *context)
{
	const struct call *call = context;
	const struct phase *phase = call->phase;
	cleanup(hook_done) struct hook hook = HOOK_EMPTY(call->vmid);
	struct event failure = { .kind = EVENT_FAILED };
	struct error err = { 0 };
	int r;

	hook.log.phase = phase->name;
	hook.limit_ms = link->limit_ms;
	hook.spared = call->spared;
	hook.migrated_from = migrated_from();
	r = sysroot_open(call->root, &hook.root, &err);
	hook.root.silent = call->silent.count > 0 ? &call->silent : NULL;
	if (r < 0 && !phase->run)
		return STATUS_DONE;
	hook_log_open(&hook);
	if (r == 0)
		r = run_both(&hook, phase, &err);
	if (r == 0)
		return STATUS_DONE;
	failure.result = err.kind == ERROR_REFUSED ? "refused" : "failed";
	hook_tell(&hook, &failure, *err.message ? err.message : strerror(-r));
	return STATUS_FAILED;
}

/*
 * Nothing in /etc/pve is needed to give a device back, so that is then done without it. A start is
 * not made without all that it looks at; what it has announced is in the journal.
 */
static bool tell_silence(const struct guard_silence *silence, void *context)
{
	struct call *call = context;
	cleanup(hook_done) struct hook hook = HOOK_EMPTY(call->vmid);
	cleanup_free char *words = silence_words(silence);
	bool again = !*call->spared && !call->phase->chain_first &&
		     strstr(silence->path, "/etc/pve") && silence_add(&call->silent, silence->path);

	/* It is not opened: that may be what does not answer. */
	hook.root.live = strcmp(call->root, "/") == 0;
	hook.log.phase = call->phase->name;
	hook_log_open(&hook);
	hook_say(&hook, "%s", words ? words : silence->path);
	if (*call->spared)
		hook_say(&hook, "VM %u has no PCI device and starts all the same", call->vmid);
	else if (again)
		hook_say(&hook, "going on without it");
	else
		hook_say(&hook, "%s; 'pve-vfio status %u' shows what the VM holds",
			 call->phase->chain_first ? "the VM is not started" : "gave up",
			 call->vmid);
	if (words)
		notify_silence(&hook, silence->path, words);
	notify_leave(&hook);
	return again;
}

static int run_guarded(const struct phase *phase, const char *root, uint32_t vmid, bool *spared,
		       struct outputs *outputs)
{
	struct call call = { .phase = phase, .root = root, .vmid = vmid, .spared = spared };
	struct guarded guarded = {
		.run = run_phase,
		.silent = tell_silence,
		.context = &call,
		.limit_ms = SETTINGS_DEADLINE_S * 1000,
		.outputs = outputs,
	};
	int status = guard_run(&guarded, STATUS_FAILED);

	strings_done(&call.silent);
	return *spared ? STATUS_DONE : status;
}

static int run(int argc, char **argv, bool *spared, struct outputs *outputs)
{
	const char *root = "/";
	uint32_t vmid;
	int at = 1;

	for (; at < argc && text_starts_with(argv[at], "--"); at++) {
		if (strcmp(argv[at], "--help") == 0)
			return print_help();
		if (strcmp(argv[at], "--version") == 0)
			return print_version();
		if (strcmp(argv[at], "--root") != 0)
			return print_usage_error("unknown option", argv[at]);
		if (++at == argc)
			return print_usage_error("--root needs a directory", "");
		root = argv[at];
	}
	if (argc - at != 2)
		return print_usage_error("a VM id and a phase are needed", "");
	if (parse_u32(argv[at], &vmid) < 0 || vmid == 0)
		return print_usage_error("not a VM id:", argv[at]);

	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		if (strcmp(phases[i].name, argv[at + 1]) == 0)
			return run_guarded(&phases[i], root, vmid, spared, outputs);
	return run_guarded(&(struct phase){ .name = argv[at + 1] }, root, vmid, spared, outputs);
}

int main(int argc, char **argv)
{
	bool *spared = mmap(NULL, sizeof(*spared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct outputs outputs;
	int status;

	streams_open();
	/* PVE's workers have descriptors open that a child must not keep alive. */
	streams_close_others(-1, -1);
	signal(SIGPIPE, SIG_IGN);
	guard_json();
	if (spared == MAP_FAILED || outputs_open(&outputs) < 0) {
		guard_tell_no_memory();
		return STATUS_FAILED;
	}
	status = run(argc, argv, spared, &outputs);
	/* Of a start whose log nobody can read PVE's task is gone; the start watch gives back. */
	return outputs_close(&outputs, "pve-vfio-hook") || *spared ? status : STATUS_FAILED;
}
