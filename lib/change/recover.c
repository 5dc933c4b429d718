/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: journals that cannot be understood. Believes no value of theirs without a look. */
#include "change/recover.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "host/kernel.h"

/* An object that begins with it may be an action; so does every one that we write. */
#define FIRST_MEMBER "\"type\""

/* It names another boot than this one; a file in which none can be seen is of this one, as /run is. */
static bool is_of_other_boot(const char *data, const char *boot_id)
{
	const char *member = strstr(data, "\"boot_id\": \"");

	return member && strncmp(member + strlen("\"boot_id\": \""), boot_id, strlen(boot_id)) != 0;
}

static int add_action(const char *text, size_t size, struct actions *actions)
{
	cleanup_json json_t *json =
		json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
	struct action action = { 0 };

	if (!json || action_from_json(json, &action, NULL) < 0 ||
	    actions_find(actions, action.type, action.target)) {
		action_done(&action);
		return 0;
	}
	/* What has become of it is not known. */
	if (action.state != ACTION_FORESEEN)
		action.state = ACTION_ANNOUNCED;
	return actions_add(actions, &action);
}

/* Every whole object in the text that is an action. */
static int recognise(const char *data, size_t size, struct actions *actions)
{
	const char *end = data + size;
	int r = 0;

	for (const char *at = data; r == 0 && (at = memchr(at, '{', (size_t)(end - at))); at++) {
		const char *member = at + 1;

		while (member < end && isspace((unsigned char)*member))
			member++;
		if ((size_t)(end - member) > strlen(FIRST_MEMBER) &&
		    memcmp(member, FIRST_MEMBER, strlen(FIRST_MEMBER)) == 0)
			r = add_action(at, (size_t)(end - at), actions);
	}
	return r;
}

/*
 * What the journal of another VM has is that VM's: the file may be a copy of it, under another
 * VM's name, or have lost a device to it. Journals that cannot be read own nothing.
 */
static void drop_owned(const struct sysroot *root, const struct state *state,
		       struct journal *journal)
{
	cleanup_vmids struct vmids vmids = { 0 };

	(void)journal_list(state, &vmids, NULL);
	for (size_t i = 0; i < vmids.count; i++) {
		cleanup_journal struct journal other = { 0 };

		if (vmids.items[i] == journal->vmid ||
		    journal_read(root, state, vmids.items[i], &other, NULL) < 0)
			continue;
		for (size_t j = 0; j < other.actions.count; j++) {
			const struct action *action = &other.actions.items[j];

			if (action->state != ACTION_FORESEEN)
				actions_remove(&journal->actions, action->type, action->target);
		}
	}
}

/*
 * The file stays as VMID.json.broken, and what was recognised takes its place. Where that cannot be
 * written, as in a full /run, the broken one stays in its place too, and is recognised once more.
 */
static void keep_aside(const struct state *state, const struct journal *journal, const char *name,
		       const char *broken)
{
	(void)unlinkat(state->fd, broken, 0);
	if (linkat(state->fd, name, state->fd, broken, 0) == 0)
		(void)journal_write(state, journal, NULL);
}

int journal_recover(const struct sysroot *root, const struct state *state, uint32_t vmid,
		    struct journal *ret, bool *ret_broken, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	struct error ignored = { 0 };
	cleanup_free char *data = NULL;
	char name[32], broken[40];
	size_t size;
	int r;

	*ret_broken = false;
	r = journal_read(root, state, vmid, ret, err);
	if (r != -EBADMSG)
		return r;
	r = journal_read_text(state, vmid, &data, &size);
	/* No journal of ours is that large: there is nothing to recognise. */
	if (r == 0 || r == -EFBIG)
		r = journal_begin(root, vmid, &journal, &ignored);
	if (r == 0 && data && !is_of_other_boot(data, journal.boot_id))
		r = recognise(data, size, &journal.actions);
	if (r < 0)
		return r;
	drop_owned(root, state, &journal);
	*ret_broken = true;
	snprintf(name, sizeof(name), "%u.json", vmid);
	snprintf(broken, sizeof(broken), "%s.broken", name);
	keep_aside(state, &journal, name, broken);
	if (journal.actions.count == 0)
		return -ENOENT;
	*ret = TAKE_STRUCT(journal);
	return 0;
}

int journal_look(const struct sysroot *root, const struct state *state, uint32_t vmid,
		 struct journal *ret, struct error *err)
{
	struct error why = { 0 };
	int r = journal_read(root, state, vmid, ret, &why);

	if (r == 0 || r == -ENOENT)
		return r;
	if (r != -EBADMSG)
		return error_set(err, r, "%s", why.message);
	return error_set(err, r,
			 "%s; 'pve-vfio restore %u' gives back what can be recognised in it",
			 why.message, vmid);
}
