/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/name.h"

#include <string.h>
#include <sys/random.h>

#include "base/guard.h"
#include "base/str.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool uuid_is(const char *s)
{
	for (unsigned i = 0; i < UUID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? s[i] != '-' : !is_hex(s[i]))
			return false; /* the terminating NUL of a shorter string ends here too */
	}
	return s[UUID_LENGTH] == '\0';
}

/* What is wrong with NAME, or NULL. */
static const char *complaint(const char *name)
{
	size_t n = strlen(name);
	if (n == 0)
		return "it is empty";
	if (n > NAME_MAX_LENGTH)
		return "it has more than 63 characters";
	for (size_t i = 0; i < n; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			return "capital letters are not used in names";
		if (!is_name_char(name[i]))
			return "only the letters a-z, digits and '-' are used in names";
	}
	if (name[0] == '-' || name[n - 1] == '-')
		return "it must begin and end with a letter or a digit";
	return uuid_is(name) ? "it has the shape of a UUID" : NULL;
}

int name_check(const char *kind, const char *name, ve_error **ret_error)
{
	const char *wrong = complaint(name);
	if (!wrong)
		return 0;
	/* A stranger's megabyte is not repeated in full: what is wrong shows in the first hundred bytes. */
	_cleanup_free_ char *head = strndup(name, 100);
	_cleanup_free_ char *quoted = head ? str_quote(head) : NULL;
	if (!quoted)
		return err_nomem(ret_error);
	return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "name", "'%s%s' is no name for a %s: %s", quoted,
			 strlen(name) > 100 ? "..." : "", kind, wrong);
}

int uuid_make(char ret_uuid[UUID_LENGTH + 1], ve_error **ret_error)
{
	unsigned char b[16];
	/* Never short for 16 bytes, but before the pool is filled at boot it may be interrupted by a signal. */
	ssize_t n;
	do
		n = getrandom(b, sizeof(b), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(b))
		return err_sys(ret_error, n < 0 ? errno : EIO, "uuid", "cannot read random bytes for a uuid");
	b[6] = (unsigned char)((b[6] & 0x0F) | 0x40); /* version 4: random (RFC 9562) */
	b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
	static const char digits[] = "0123456789abcdef";
	char *p = ret_uuid;
	for (unsigned i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[b[i] >> 4];
		*p++ = digits[b[i] & 15];
	}
	*p = '\0';
	return 0;
}
