/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/sshkeys.h"

#include <errno.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/useraccount.h"

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
			if (!useraccount_is_ssh_key(*l))
				return no_key(nr, ret_error);
			strbuf_addf(&b, "%s\n", *l);
		}
	}
	*ret_text = b.len || b.oom ? strbuf_steal(&b) : NULL;
	return b.oom ? err_nomem(ret_error) : 0;
}
