/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/useraccount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/checks.h"

enum { HASH_MIN = 13, HASH_MAX = 384, TEXT_MAX = 16384 };

/* What stands for a hash that is not shown. */
#define HIDDEN "hidden"

/* ---- names, paths, keys ----------------------------------------------------------------------------------------- */

bool useraccount_is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	return n > 0 && n <= USERACCOUNT_NAME_MAX && !s[n] && s[0] != '-' && (s[0] < '0' || s[0] > '9');
}

bool useraccount_may_be_name(const char *s)
{
	return *s && !strpbrk(s, ":\n/,") && strlen(s) <= USERACCOUNT_NAME_MAX;
}

bool useraccount_is_path(const char *s)
{
	return s[0] == '/' && strlen(s) <= USERACCOUNT_PATH_MAX && !strpbrk(s, ":\n") && !strstr(s, "/../");
}

bool useraccount_is_home(const char *s)
{
	return useraccount_is_path(s) && s[1] && !str_ends(s, "/");
}

bool useraccount_is_ssh_key(const char *line)
{
	static const char *const types[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-" };
	_cleanup_strv_ char **words = strv_split(line, " \t");
	for (char **w = words; w && w[0] && w[1]; w++)
		for (size_t i = 0; i < ARRAY_SIZE(types); i++)
			if (str_starts(w[0], types[i]) && str_starts(w[1], "AAAA"))
				return true;
	return false;
}

/* As crypt(5) writes them: $ID$...$HASH. What is older has no '$', and may as well be somebody's password. */
static bool is_hash(const char *s)
{
	size_t n = strlen(s);
	const char *second = s[0] == '$' ? strchr(s + 1, '$') : NULL;
	return second && second > s + 1 && second[1] && n >= HASH_MIN && n <= HASH_MAX &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./$=,+-_") == n;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* The next word at *P, without its quotes; NULL at the end, and where a quote is not closed, which *RET_BAD says. */
static char *next_word(const char **p, bool *ret_bad, bool *ret_oom)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	char quote = '\0';
	*p += strspn(*p, " \t");
	if (!**p)
		return NULL;
	for (; **p && (quote || (**p != ' ' && **p != '\t')); (*p)++) {
		if (quote ? **p == quote : **p == '\'' || **p == '"')
			quote = quote ? '\0' : **p;
		else
			strbuf_add_n(&b, *p, 1);
	}
	*ret_bad = quote;
	char *word = quote ? NULL : b.len || b.oom ? strbuf_steal(&b) : strdup("");
	*ret_oom = !quote && !word;
	return word;
}

static int wrong(const struct useraccount *u, const char *why, ve_error **ret_error)
{
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "user '%s': %s", u->name, why);
}

static int take_name(struct useraccount *u, const char *word, ve_error **ret_error)
{
	if (!useraccount_is_name(word))
		return check_failed(word, "is no user name: expected lower case letters, digits, '_' and '-', at most 32", ret_error);
	if (str_eq(word, "root"))
		return check_failed(word, "is in every VE: its key and password are given to 'vectl create'", ret_error);
	u->name = strdup(word);
	return u->name ? 0 : err_nomem(ret_error);
}

static int take_uid(struct useraccount *u, const char *value, ve_error **ret_error)
{
	size_t n = strspn(value, "0123456789");
	unsigned long uid = strtoul(value, NULL, 10);
	if (n == 0 || n > 5 || value[n] || uid == 0 || uid > USERACCOUNT_ID_MAX)
		return wrong(u, "uid= takes a number from 1 to 65533", ret_error);
	u->has_uid = true;
	u->uid = (unsigned)uid;
	return 0;
}

static int take_groups(struct useraccount *u, const char *value, ve_error **ret_error)
{
	strv_free(u->groups);
	u->groups = strv_split(value, ",");
	if (!u->groups)
		return err_nomem(ret_error);
	for (char **g = u->groups; *g; g++)
		if (!useraccount_may_be_name(*g) || strpbrk(*g, " \t'\""))
			return wrong(u, "groups= takes names of groups with commas between them", ret_error);
	return u->groups[0] ? 0 : wrong(u, "groups= is empty", ret_error);
}

static int put(char **field, const char *value, ve_error **ret_error)
{
	free(*field);
	*field = strdup(value);
	return *field ? 0 : err_nomem(ret_error);
}

static int take_home(struct useraccount *u, const char *value, ve_error **ret_error)
{
	return useraccount_is_home(value) ? put(&u->home, value, ret_error) :
					    wrong(u, "home= takes an absolute path with a name at its end", ret_error);
}

static int take_shell(struct useraccount *u, const char *value, ve_error **ret_error)
{
	return useraccount_is_path(value) ? put(&u->shell, value, ret_error) : wrong(u, "shell= takes an absolute path", ret_error);
}

static int take_password(struct useraccount *u, const char *value, ve_error **ret_error)
{
	if (is_hash(value))
		return put(&u->hash, value, ret_error);
	if (str_eq(value, HIDDEN))
		return wrong(u, "password=" HIDDEN " is what is shown in the place of a hash, which has to be given again", ret_error);
	int r = wrong(u, "password= takes a hash, as mkpasswd(1) prints it ($y$...), never the password itself", ret_error);
	err_hint(ret_error, "where none is to be had: vectl passwd, when the VE has been started");
	return r;
}

static int take_ssh_key(struct useraccount *u, const char *value, ve_error **ret_error)
{
	if (!useraccount_is_ssh_key(value))
		return wrong(u, "ssh-key= takes a line as in authorized_keys, in quotes: ssh-key='ssh-ed25519 AAAA... somebody'", ret_error);
	return strv_add(&u->ssh_keys, value) < 0 ? err_nomem(ret_error) : 0;
}

static int take_word(struct useraccount *u, char *word, ve_error **ret_error)
{
	static const struct {
		const char *begin;
		int (*take)(struct useraccount *u, const char *value, ve_error **ret_error);
	} words[] = { { "uid=", take_uid },	{ "groups=", take_groups },	{ "home=", take_home },
		      { "shell=", take_shell }, { "password=", take_password }, { "ssh-key=", take_ssh_key } };
	if (!u->name)
		return take_name(u, word, ret_error);
	if (str_eq(word, "locked")) {
		u->locked = true;
		return 0;
	}
	/* It has to be written down in one of the two. */
	if (strchr(word, '\'') && strchr(word, '"'))
		return wrong(u, "a word has both kinds of quotes in it", ret_error);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_starts(word, words[i].begin))
			return words[i].take(u, word + strlen(words[i].begin), ret_error);
	/* Not quoted: a password that was not put in quotes ends here. */
	return wrong(u, "a word is none of uid=, groups=, home=, shell=, password=, ssh-key= and locked", ret_error);
}

static int check_characters(const char *text, ve_error **ret_error)
{
	if (strlen(text) > TEXT_MAX)
		return err_plain(ret_error, VE_ERR_CONFIG, E2BIG, "config", "a user has more than %d characters", TEXT_MAX);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7F)
			return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "a user has control characters in it");
	return check_argument(text, NULL) == 0 ? 0 : err_plain(ret_error, VE_ERR_CONFIG, EILSEQ, "config", "a user is not UTF-8");
}

int useraccount_parse(const char *text, struct useraccount *ret, ve_error **ret_error)
{
	_cleanup_useraccount_ struct useraccount u = { 0 };
	bool bad = false, oom = false;
	int r = check_characters(text, ret_error);
	for (const char *p = text; r == 0;) {
		_cleanup_free_ char *word = next_word(&p, &bad, &oom);
		if (!word)
			break;
		r = take_word(&u, word, ret_error);
	}
	if (r == 0 && oom)
		r = err_nomem(ret_error);
	if (r == 0 && (bad || !u.name))
		r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "a user has %s", bad ? "a quote that is not closed" : "no name");
	if (r < 0)
		return r;
	*ret = u;
	u = (struct useraccount){ 0 };
	return 0;
}

void useraccount_done(struct useraccount *u)
{
	if (u->hash)
		explicit_bzero(u->hash, strlen(u->hash));
	free(u->name);
	free(u->home);
	free(u->shell);
	free(u->hash);
	strv_free(u->groups);
	strv_free(u->ssh_keys);
	*u = (struct useraccount){ 0 };
}

/* ---- and back --------------------------------------------------------------------------------------------------- */

static void put_word(struct strbuf *b, const char *key, const char *value)
{
	const char *quote = !value ? "" : strchr(value, '\'') ? "\"" : strpbrk(value, " \t\"") ? "'" : "";
	if (value)
		strbuf_addf(b, " %s=%s%s%s", key, quote, value, quote);
}

static char *format(const struct useraccount *u, bool masked)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	strbuf_add(&b, u->name);
	if (u->has_uid)
		strbuf_addf(&b, " uid=%u", u->uid);
	for (char **g = u->groups; g && *g; g++)
		strbuf_addf(&b, "%s%s", g == u->groups ? " groups=" : ",", *g);
	put_word(&b, "home", u->home);
	put_word(&b, "shell", u->shell);
	put_word(&b, "password", u->hash && masked ? HIDDEN : u->hash);
	if (u->locked)
		strbuf_add(&b, " locked");
	for (char **k = u->ssh_keys; k && *k; k++)
		put_word(&b, "ssh-key", *k);
	return strbuf_steal(&b);
}

static int respell(const char *text, bool masked, char **ret_text, ve_error **ret_error)
{
	_cleanup_useraccount_ struct useraccount u = { 0 };
	int r = useraccount_parse(text, &u, ret_error);
	if (r < 0)
		return r;
	*ret_text = format(&u, masked);
	return *ret_text ? 0 : err_nomem(ret_error);
}

int useraccount_canonical(const char *text, char **ret_text, ve_error **ret_error)
{
	return respell(text, false, ret_text, ret_error);
}

int useraccount_masked(const char *text, char **ret_text, ve_error **ret_error)
{
	return respell(text, true, ret_text, ret_error);
}
