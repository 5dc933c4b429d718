/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: a journal that cannot be understood: cut off, damaged, or of a newer version. What it
 * says is not believed, but devices that it names are not to stay with vfio-pci for that: restore
 * looks at each anyway, and reverts only what is as we set it. What the journal of another VM has
 * stays with that VM: one that names another VM than its file does is most likely a copy.
 */
#pragma once

#include "change/journal.h"

/*
 * journal_read() for those that only look: the error about one that cannot be understood names the command
 * that gives back what can be recognised in it.
 */
int journal_look(const struct sysroot *root, const struct state *state, uint32_t vmid,
		 struct journal *ret, struct error *err) must_check;

/*
 * As journal_read(), but where that gives -EBADMSG the actions that can be recognised are returned,
 * in a journal of JOURNAL_STARTING; the file is renamed to VMID.json.broken, and the sentence on
 * what was wrong with it is in `err`; -ENOENT when nothing can be. *ret_broken tells that this was so.
 */
int journal_recover(const struct sysroot *root, const struct state *state, uint32_t vmid,
		    struct journal *ret, bool *ret_broken, struct error *err) must_check;
