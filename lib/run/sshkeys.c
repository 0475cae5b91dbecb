/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/sshkeys.h"

#include <errno.h>

#include "base/guard.h"
#include "base/str.h"

/* A line of authorized_keys (sshd(8)): options may stand before the key's type, and base64 behind it. */
static bool is_key_line(const char *line)
{
	static const char *const types[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-" };
	_cleanup_strv_ char **words = strv_split(line, " \t");
	for (char **w = words; w && w[0] && w[1]; w++)
		for (size_t i = 0; i < ARRAY_SIZE(types); i++)
			if (str_starts(w[0], types[i]) && str_starts(w[1], "AAAA"))
				return true;
	return false;
}

/* Not in its own words: the file may be a secret that only root can read, and the message may go to somebody else. */
static int no_key(unsigned nr, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_USAGE, EINVAL, "access", "of what is given as public ssh keys number %u is none", nr);
	err_hint(ret_error, "expected is a line as in authorized_keys: ssh-ed25519 AAAA... somebody");
	return r;
}

int sshkeys_join(const char *const *keys, char **ret_text, ve_error **ret_error)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	unsigned nr = 0;
	for (const char *const *k = keys; k && *k; k++) {
		_cleanup_strv_ char **lines = strv_split(*k, "\n\r");
		for (char **l = lines; l && *l; l++) {
			if (**l == '#')
				continue;
			nr++;
			if (!is_key_line(*l))
				return no_key(nr, ret_error);
			strbuf_addf(&b, "%s\n", *l);
		}
	}
	*ret_text = b.len || b.oom ? strbuf_steal(&b) : NULL;
	return b.oom ? err_nomem(ret_error) : 0;
}
