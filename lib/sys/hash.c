/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/hash.h"

#include <crypt.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"

static const char stage[] = "password";

typedef char *gensalt_fn(const char *prefix, unsigned long cost, const char *random, int n_random, char *out,
			 int size);
typedef char *crypt_fn(const char *password, const char *setting, void *data, int size);

struct libcrypt {
	void *handle;
	gensalt_fn *gensalt; /* crypt_gensalt_rn */
	crypt_fn *crypt;     /* crypt_rn */
};

static int open_libcrypt(struct libcrypt *l, ve_error **ret_error)
{
	static const char *const names[] = { "libcrypt.so.1", "libcrypt.so.2" };
	for (size_t i = 0; i < ARRAY_SIZE(names) && !l->handle; i++)
		l->handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!l->handle) {
		int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, stage,
				  "cannot load libcrypt, which hashes passwords");
		err_hint(ret_error, "install the package: apt install libcrypt1");
		return r;
	}
	/* Through a union, because ISO C has no cast from void * to a function. */
	union { void *object; gensalt_fn *gensalt; crypt_fn *crypt; } symbol;
	symbol.object = dlsym(l->handle, "crypt_gensalt_rn");
	l->gensalt = symbol.gensalt;
	symbol.object = dlsym(l->handle, "crypt_rn");
	l->crypt = symbol.crypt;
	if (l->gensalt && l->crypt)
		return 0;
	return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOSYS, stage,
			 "the host's libcrypt is too old to hash passwords");
}

static int check(const char *password, ve_error **ret_error)
{
	size_t n = strnlen(password, CRYPT_MAX_PASSPHRASE_SIZE);
	if (n == 0)
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, stage, "the password is empty");
	if (n == CRYPT_MAX_PASSPHRASE_SIZE)
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, stage, "the password is longer than %d bytes",
				 CRYPT_MAX_PASSPHRASE_SIZE - 1);
	for (const char *p = password; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_plain(ret_error, VE_ERR_USAGE, EINVAL, stage,
					 "the password has control characters in it");
	return 0;
}

static int hash(const struct libcrypt *l, const char *password, struct crypt_data *data, char **ret_hash,
		ve_error **ret_error)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	/* No random bytes given: libcrypt takes as many as it needs from the kernel. Cost 0: its default. */
	if (!l->gensalt("$y$", 0, NULL, 0, setting, sizeof(setting)))
		return err_make(ret_error, VE_ERR_UNSUPPORTED, errno, stage,
				"the host's libcrypt does not make yescrypt hashes");
	const char *made = l->crypt(password, setting, data, sizeof(*data));
	if (!made || made[0] == '*')
		return err_sys(ret_error, errno, stage, "cannot hash the password");
	*ret_hash = strdup(made);
	return *ret_hash ? 0 : err_nomem(ret_error);
}

int hash_password(const char *password, char **ret_hash, ve_error **ret_error)
{
	struct libcrypt l = {};
	int r = check(password, ret_error);
	if (r < 0)
		return r;
	struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB: not for the stack */
	if (!data)
		return err_nomem(ret_error);
	r = open_libcrypt(&l, ret_error);
	if (r == 0)
		r = hash(&l, password, data, ret_hash, ret_error);
	explicit_bzero(data, sizeof(*data));
	free(data);
	if (l.handle)
		dlclose(l.handle);
	return r;
}
