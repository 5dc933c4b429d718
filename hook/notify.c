/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook: tells root of a device that is lost, stuck or changed. A process of its own does it, which nobody
 * waits for: neither a start nor a give-back is longer by more than a fork, or fails, for a mail.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/process.h"
#include "base/stream.h"
#include "hook.h"
#include "host/task.h"
#include "pve/node_name.h"
#include "report/mail.h"
#include "settings/settings.h"

/* What sends mail takes it to a queue; it is not waited for while it is delivered. */
#define SENDMAIL_DEADLINE_MS 60000
#define SENDMAIL_OUTPUT_MAX  512

/*
 * What a line names and is not there: those that the VM has had before, by its pins. Any other may be a slip
 * of who has just written the line.
 */
static void notice_absent(struct hook *hook, const struct start *start, const char *line_name,
			  const char *text)
{
	const struct hostpci *line = vm_config_line(&start->config, line_name);

	for (size_t i = 0; line && i < start->settings.pin_count; i++) {
		const struct pin *pin = &start->settings.pins[i];
		char address[PCI_ADDRESS_TEXT];

		if (*pin->node && !text_equal(pin->node, start->node))
			continue;
		pci_address_format(pin->address, address);
		for (size_t k = 0; k < line->host.count; k++)
			if (hostpci_host_is(line->host.items[k], address))
				(void)!notices_add(&hook->notices, NOTICE_LOST, address, text);
	}
}

void notify_finding(struct hook *hook, const struct start *start, const struct finding *finding)
{
	static const struct {
		enum check_id id;
		enum notice_kind kind;
	} noticed[] = {
		{ CHECK_DEVICE_DEAD, NOTICE_LOST },
		{ CHECK_DEVICE_STUCK, NOTICE_STUCK },
		{ CHECK_DEVICE_CHANGED, NOTICE_CHANGED },
		{ CHECK_MAPPING_WRONG, NOTICE_CHANGED },
	};
	cleanup_free char *text = text_format("%s %s", finding->evidence, finding_remedy(finding));

	if (!text || finding->allowed)
		return;
	if (finding->id == CHECK_DEVICE_ABSENT)
		notice_absent(hook, start, finding->subject, text);
	for (size_t i = 0; i < ARRAY_SIZE(noticed); i++)
		if (finding->id == noticed[i].id)
			(void)!notices_add(&hook->notices, noticed[i].kind, finding->subject, text);
}

void notify_result(struct hook *hook, enum run_direction direction, const struct action *action,
		   const struct run_result *result, const char *words)
{
	char address[PCI_ADDRESS_TEXT];
	enum notice_kind kind;

	if (!notice_of_result(direction, action, result, &kind))
		return;
	(void)action_split(action, address);
	/* The line begins with it, and so does the mail's. */
	if (text_starts_with(words, address))
		words += strlen(address) + strspn(words + strlen(address), " ");
	(void)!notices_add(&hook->notices, kind, address, words);
}

/* /sys/bus/pci/devices/0000:01:00.0/driver_override: the last address of it is the device. */
void notify_silence(struct hook *hook, const char *path, const char *words)
{
	char device[PCI_ADDRESS_TEXT] = "";

	for (const char *at = path; *at; at += strcspn(at, "/")) {
		char name[PCI_ADDRESS_TEXT];
		struct pci_address address;
		size_t size;

		at += strspn(at, "/");
		size = strcspn(at, "/");
		if (size == 0 || size >= sizeof(name))
			continue;
		memcpy(name, at, size);
		name[size] = '\0';
		if (pci_address_parse(name, &address) == 0)
			(void)pci_address_format(address, device);
	}
	if (*device)
		(void)!notices_add(&hook->notices, NOTICE_STUCK, device, words);
}

static void send(struct hook *hook, const char *mail)
{
	static const char *const argv[] = { "sendmail", "-i", "root", NULL };
	const struct notice *first = &hook->notices.items[0];
	cleanup_process_end struct process_end end = { 0 };
	struct error err = { 0 };
	int r = process_run_fed(argv, mail, SENDMAIL_DEADLINE_MS, SENDMAIL_OUTPUT_MAX, &end, &err);

	/* Not every node sends mail, and that is no fault. */
	if (r == -ENOENT && !hook->trace)
		return;
	if (r < 0)
		hook_say(hook, "%s %s, and no mail tells root: %s", first->subject,
			 notice_words(first->kind), err.message);
	else if (end.status != 0)
		hook_say(hook, "%s %s, and no mail tells root: 'sendmail' ended with status %d: %s",
			 first->subject, notice_words(first->kind), end.status, end.output);
	else
		hook_say(hook, "%s %s; a mail tells root", first->subject,
			 notice_words(first->kind));
}

/* In the process of its own, which may wait for what does not answer, and holds up nobody. */
static void tell(struct hook *hook)
{
	cleanup_settings struct settings settings = { .notify = true };
	cleanup_free char *node = NULL, *mail = NULL;

	hook_log_open(hook);
	(void)!settings_read(&hook->root, hook->vmid, hook->migrated_from, &settings, NULL);
	if (!settings.notify || state_open(&hook->root, true, &hook->state, NULL) < 0)
		return;
	hook->trace = settings.trace;
	notices_mark(&hook->state, hook->vmid, time(NULL), &hook->notices);
	if (hook->notices.count == 0 || node_name_read(&hook->root, &node, NULL) < 0)
		return;
	mail = mail_words(node, hook->vmid, hook->log.phase ? hook->log.phase : "watch",
			  &hook->notices);
	if (mail)
		send(hook, mail);
}

static _Noreturn void run_apart(const struct hook *parent)
{
	static const int ignored[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE };
	struct hook hook = HOOK_EMPTY(parent->vmid);

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	/* The VM's lock among them, and the pipes that a caller reads to their end. */
	streams_silence();
	streams_close_others(-1, -1);
	(void)setsid();
	(void)prctl(PR_SET_NAME, "pve-vfio-mail");
	(void)!chdir("/");
	hook.migrated_from = parent->migrated_from;
	hook.log.phase = parent->log.phase;
	hook.notices = parent->notices;
	if (sysroot_open("/", &hook.root, NULL) == 0) {
		task_leave_cgroup(&hook.root);
		tell(&hook);
	}
	_exit(0);
}

void notify_leave(struct hook *hook)
{
	if (hook->notices.count > 0 && hook->root.live && fork() == 0)
		run_apart(hook);
	notices_done(&hook->notices);
}
