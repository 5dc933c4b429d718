/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: the mail to root that tells of a device which is lost, stuck or changed, as sendmail takes it on
 * its standard input (RFC 5322, RFC 2045). On a Proxmox VE node such a mail is a notification: root's
 * mail goes to proxmox-mail-forward, which hands it to Proxmox VE's own targets as an event of type
 * "system-mail" (pve-docs, notifications.adoc, "System Mail Forwarding").
 */
#pragma once

#include "change/notice.h"

/* To be freed; NULL without memory. `phase` is what the hook was doing: "post-stop". */
char *mail_words(const char *node, uint32_t vmid, const char *phase, const struct notices *notices);
