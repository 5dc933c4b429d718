/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: the mail to root. Sends none. */
#include "report/mail.h"

#include "base/text.h"
#include "report/words.h"

#define MAIL_WIDTH 76

char *mail_words(const char *node, uint32_t vmid, const char *phase, const struct notices *notices)
{
	const struct notice *first = &notices->items[0];
	cleanup_text struct text mail = { 0 };
	char *words;

	text_add(&mail, "Subject: %s: VM %u: %s %s", node, vmid, first->subject,
		 notice_words(first->kind));
	if (notices->count > 1)
		text_add(&mail, ", and %zu more", notices->count - 1);
	/* RFC 3834: nobody's answering machine answers it. */
	text_add(&mail,
		 "\nTo: root\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n"
		 "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
		 "pve-vfio-hook on node %s, %s of VM %u:\n",
		 node, phase, vmid);
	for (size_t i = 0; i < notices->count; i++) {
		const struct notice *notice = &notices->items[i];

		text_add(&mail, "\n%s %s.\n", notice->subject, notice_words(notice->kind));
		words_wrap(&mail, MAIL_WIDTH, " ", " ", notice->text);
	}
	text_add(
		&mail,
		"\n'pve-vfio log %u' shows what the hook did, 'pve-vfio status %u' what the VM\n"
		"holds.\n\n"
		"This is sent once, and again only after the VM's devices have all changed hands.\n"
		"\"notify\": false in /etc/pve/pve-vfio/%u.json, or for all VMs of the node in\n"
		"/etc/pve-vfio/config.json, turns this off.\n",
		vmid, vmid, vmid);
	words = text_take(&mail);
	if (words)
		text_clean(words, "\n");
	return words;
}
