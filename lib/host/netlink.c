/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: netlink. Knows no message of any family. */
#include "host/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/blocked.h"

/* The kernel answers before sendto(2) returns; this is for one that does not answer at all. */
#define ANSWER_S 5

/* NLA_HDRLEN without its sign. */
#define ATTRIBUTE_HEADER sizeof(struct nlattr)

static void add(struct netlink_message *message, const void *data, size_t size)
{
	size_t padded = NLMSG_ALIGN(size);
	uint8_t *grown = NULL;

	if (!message->failed && message->size + padded <= NETLINK_MAX)
		grown = realloc(message->data, message->size + padded);
	if (!grown) {
		message->failed = true;
		return;
	}
	message->data = grown;
	memset(grown + message->size, 0, padded);
	if (size > 0)
		memcpy(grown + message->size, data, size);
	message->size += padded;
}

void netlink_begin(struct netlink_message *message, uint16_t type, uint16_t flags)
{
	struct nlmsghdr header = {
		.nlmsg_type = type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
		.nlmsg_seq = 1,
	};

	add(message, &header, sizeof(header));
}

void netlink_add(struct netlink_message *message, const void *data, size_t size)
{
	add(message, data, size);
}

void netlink_add_attribute(struct netlink_message *message, uint16_t type, const void *data,
			   size_t size)
{
	struct nlattr header = { (uint16_t)(sizeof(header) + size), type };

	add(message, &header, sizeof(header));
	add(message, data, size);
}

void netlink_add_text(struct netlink_message *message, uint16_t type, const char *text)
{
	netlink_add_attribute(message, type, text, strlen(text) + 1);
}

size_t netlink_begin_nest(struct netlink_message *message, uint16_t type)
{
	size_t nest = message->size;

	netlink_add_attribute(message, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void netlink_end_nest(struct netlink_message *message, size_t nest)
{
	uint16_t size = (uint16_t)(message->size - nest);

	if (!message->failed)
		memcpy(message->data + nest, &size, sizeof(size));
}

void netlink_done(struct netlink_message *message)
{
	free(message->data);
	*message = (struct netlink_message){ 0 };
}

static int open_socket(int protocol)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* One datagram, however long: MSG_TRUNC tells its length before it is read. */
static int receive(int fd, uint8_t **ret_data, size_t *ret_size)
{
	cleanup_free uint8_t *data = NULL;
	ssize_t size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);

	if (size < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if ((size_t)size > NETLINK_MAX)
		return -EMSGSIZE;
	data = malloc((size_t)size + 1);
	if (!data)
		return -ENOMEM;
	size = recv(fd, data, (size_t)size, 0);
	if (size < 0)
		return -errno;
	*ret_data = TAKE_PTR(data);
	*ret_size = (size_t)size;
	return 0;
}

static int exchange(int protocol, const struct netlink_message *request, uint8_t **ret_data,
		    size_t *ret_size)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	cleanup_close int fd = open_socket(protocol);

	if (fd < 0)
		return fd;
	if (sendto(fd, request->data, request->size, 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	return receive(fd, ret_data, ret_size);
}

/* An NLMSG_ERROR is an acknowledgement, too: with 0 in place of -errno. */
static int open_answer(struct bytes answer, struct bytes *ret)
{
	uint32_t size = netlink_u32(answer, 0);

	if (size < NLMSG_HDRLEN || !bytes_slice(answer, 0, size, &answer))
		return -EBADMSG;
	if (netlink_u16(answer, 4) == NLMSG_ERROR) {
		if (size < NLMSG_HDRLEN + sizeof(int32_t))
			return -EBADMSG;
		*ret = (struct bytes){ 0 };
		return (int32_t)netlink_u32(answer, NLMSG_HDRLEN);
	}
	*ret = bytes_from(answer, NLMSG_HDRLEN);
	return 0;
}

bool netlink_is_silent(const struct sysroot *root)
{
	return root->silent && strings_has(root->silent, BLOCKED_NETLINK);
}

int netlink_ask(const struct sysroot *root, int protocol, struct netlink_message *request,
		uint8_t **ret_data, struct bytes *ret)
{
	uint32_t length = (uint32_t)request->size;
	cleanup_free uint8_t *data = NULL;
	size_t size = 0;
	int r;

	if (request->failed)
		return -ENOMEM;
	if (netlink_is_silent(root))
		return -ETIMEDOUT;
	memcpy(request->data, &length, sizeof(length));
	if (root->fake_netlink)
		r = root->fake_netlink(root, protocol, request, &data, &size);
	else
		r = root->live ? exchange(protocol, request, &data, &size) : -EOPNOTSUPP;
	if (r == 0)
		r = open_answer((struct bytes){ data, size }, ret);
	if (r == 0)
		*ret_data = TAKE_PTR(data);
	return r;
}

bool netlink_next(struct bytes *rest, uint16_t *ret_type, struct bytes *ret_value)
{
	uint16_t size = netlink_u16(*rest, 0);
	struct bytes whole;

	if (size < ATTRIBUTE_HEADER || !bytes_slice(*rest, 0, size, &whole))
		return false;
	*ret_type = netlink_u16(whole, 2) & (uint16_t)NLA_TYPE_MASK;
	*ret_value = bytes_from(whole, ATTRIBUTE_HEADER);
	*rest = bytes_from(*rest, NLMSG_ALIGN(size));
	return true;
}

bool netlink_find(struct bytes attributes, uint16_t type, struct bytes *ret_value)
{
	struct bytes value;
	uint16_t found;

	while (netlink_next(&attributes, &found, &value)) {
		if (found == type) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

uint16_t netlink_u16(struct bytes value, size_t offset)
{
	struct bytes part;
	uint16_t number = 0;

	if (bytes_slice(value, offset, sizeof(number), &part))
		memcpy(&number, part.data, sizeof(number));
	return number;
}

uint32_t netlink_u32(struct bytes value, size_t offset)
{
	struct bytes part;
	uint32_t number = 0;

	if (bytes_slice(value, offset, sizeof(number), &part))
		memcpy(&number, part.data, sizeof(number));
	return number;
}
