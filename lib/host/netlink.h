/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: requests to the kernel by netlink (netlink(7), rtnetlink(7); Documentation/userspace-api/
 * netlink/intro.rst), one answer each. Numbers are in the byte order of the machine.
 */
#pragma once

#include "base/bytes.h"
#include "host/sysroot.h"

/* More than any answer to one request: an interface with 256 virtual functions has 100 KiB. */
#define NETLINK_MAX ((size_t)1 << 20)

/*
 * A message that is put together piece by piece, started as { 0 }. Lack of memory is remembered:
 * netlink_ask() then gives -ENOMEM.
 */
struct netlink_message {
	uint8_t *data;
	size_t size;
	bool failed;
};

/* Its header (struct nlmsghdr), with NLM_F_REQUEST and `flags`. The first call. */
void netlink_begin(struct netlink_message *message, uint16_t type, uint16_t flags);

/* The header of the family, such as struct ifinfomsg. The second call. */
void netlink_add(struct netlink_message *message, const void *data, size_t size);

/* An attribute (struct nlattr). A text goes with its NUL. */
void netlink_add_attribute(struct netlink_message *message, uint16_t type, const void *data,
			   size_t size);
void netlink_add_text(struct netlink_message *message, uint16_t type, const char *text);

/* One that holds others: those that are added before it ends. */
size_t netlink_begin_nest(struct netlink_message *message, uint16_t type);
void netlink_end_nest(struct netlink_message *message, size_t nest);

void netlink_done(struct netlink_message *message);
#define cleanup_netlink cleanup(netlink_done)

/*
 * Sends the request on a socket of `protocol` (NETLINK_ROUTE, NETLINK_GENERIC) and gives what follows
 * the header in the answer; with NLM_F_ACK the answer is that it was done, and is empty. The caller
 * frees `*ret_data`, which `ret` looks into. 0 or -errno, the kernel's own too; -EOPNOTSUPP in a tree
 * that is not live; -ETIMEDOUT where it has not answered when the same was done before. May block where
 * the kernel holds its lock on network interfaces (rtnl_lock()): base/guard.h.
 */
int netlink_ask(const struct sysroot *root, int protocol, struct netlink_message *request,
		uint8_t **ret_data, struct bytes *ret);

/* It has not answered when the same was done before: struct sysroot's `silent`. */
bool netlink_is_silent(const struct sysroot *root);

/*
 * The next attribute in `rest`, which it is cut from. False at the end, also where what follows is
 * not a whole attribute.
 */
bool netlink_next(struct bytes *rest, uint16_t *ret_type, struct bytes *ret_value);

/* The first attribute of a type; false where there is none. */
bool netlink_find(struct bytes attributes, uint16_t type, struct bytes *ret_value);

/* Numbers, in the byte order of the machine; 0 where they are not wholly there. */
uint16_t netlink_u16(struct bytes value, size_t offset);
uint32_t netlink_u32(struct bytes value, size_t offset);
