/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree from a Debian mirror, by mmdebstrap(1). Its package scripts run as root on this host, in namespaces of
 * their own (run/program.h): the archive is trusted as the host's own one is. */
#include "run/builders.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/apt_mirrors.h"
#include "run/program.h"

static const char stage[] = "build";

/* ---- its output ------------------------------------------------------------------------------------- */

/* Its own words for what it does, and ours, in its order. */
static const struct {
	const char *its, *ours;
} phases[BUILD_TREE_STEPS] = {
	{ "I: running apt-get update", "reading package lists" },
	{ "I: downloading packages", "downloading packages" },
	{ "I: extracting archives", "unpacking the base system" },
	{ "I: installing essential packages", "installing the base system" },
	{ "I: installing remaining packages", "installing packages" },
	{ "I: cleaning", "cleaning up" },
};

/* What a line tells about why it failed. */
static const struct {
	const char *words;
	enum ve_category category;
	int errnum;
	const char *hint;
} causes[] = {
	{ "No space left on device", VE_ERR_NO_ROOM, ENOSPC, NULL },
	{ "Disk quota exceeded", VE_ERR_NO_ROOM, EDQUOT, NULL },
	{ "Could not resolve", VE_ERR_BUSY, EAGAIN, "the mirror's name does not resolve: is the network up?" },
	{ "Temporary failure resolving", VE_ERR_BUSY, EAGAIN,
	  "the mirror's name does not resolve: is the network up?" },
	{ "Could not connect", VE_ERR_BUSY, EAGAIN, "the mirror cannot be reached: set VECTL_MIRROR to another" },
	{ "Connection failed", VE_ERR_BUSY, EAGAIN, "the mirror cannot be reached: set VECTL_MIRROR to another" },
	{ "Connection timed out", VE_ERR_BUSY, EAGAIN,
	  "the mirror cannot be reached: set VECTL_MIRROR to another" },
	{ "does not have a Release file", VE_ERR_NOT_FOUND, ENOENT,
	  "the mirror does not carry this suite: set VECTL_MIRROR to another" },
	{ "NO_PUBKEY", VE_ERR_DATA, EBADMSG,
	  "the host's debian-archive-keyring package is too old for this suite" },
};

enum { LAST_LINES = 3, LINE_SHOWN = 300 };

struct watch {
	struct ve_ctx *ctx;
	FILE *log;
	char last[LAST_LINES][LINE_SHOWN]; /* lines that speak of errors */
	char very_last[LINE_SHOWN];
	unsigned n_last;
	int cause; /* index, -1: none known */
};

static void watch_line(const char *line, void *data)
{
	struct watch *w = data;
	if (w->log)
		fprintf(w->log, "%s\n", line);
	snprintf(w->very_last, sizeof(w->very_last), "%s", line);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		if (str_starts(line, phases[i].its))
			ctx_progress(w->ctx, phases[i].ours, i, BUILD_STEPS);
	for (size_t i = 0; i < ARRAY_SIZE(causes) && w->cause < 0; i++)
		if (strstr(line, causes[i].words))
			w->cause = (int)i;
	if (str_starts(line, "E: ") || str_starts(line, "dpkg: error") || str_starts(line, "Err:"))
		snprintf(w->last[w->n_last++ % LAST_LINES], LINE_SHOWN, "%s", line);
}

static int build_failed(const struct recipe *recipe, const struct watch *w, int status, ve_error **ret_error)
{
	_cleanup_strbuf_ struct strbuf words = {};
	for (unsigned i = w->n_last > LAST_LINES ? w->n_last - LAST_LINES : 0; i < w->n_last; i++)
		strbuf_addf(&words, "%s%s", words.len ? "; " : "", w->last[i % LAST_LINES]);
	_cleanup_free_ char *quoted = str_quote(words.len ? words.data : w->very_last);
	enum ve_category category = w->cause < 0 ? VE_ERR_DATA : causes[w->cause].category;
	int r = err_plain(ret_error, category, w->cause < 0 ? EBADMSG : causes[w->cause].errnum, stage,
			  "cannot build image '%s': mmdebstrap failed (status %d): %s", recipe->name, status,
			  quoted && *quoted ? quoted : "it said nothing");
	if (w->cause >= 0 && causes[w->cause].hint)
		err_hint(ret_error, "%s", causes[w->cause].hint);
	else
		err_hint(ret_error, "all it said is in image-%s.log in the log directory", recipe->name);
	return r;
}

/* ---- its sources ------------------------------------------------------------------------------------ */

/* From the environment, the recipe, or (already in *MIRROR) the host's own sources. */
static int override_mirror(char **mirror, const char *variable, const struct recipe *recipe, const char *key,
			   ve_error **ret_error)
{
	const char *chosen = secure_getenv(variable);
	const char *from = variable;
	if (!chosen || !*chosen) {
		chosen = recipe_string(recipe, key);
		from = key;
	}
	if (!chosen)
		return 0;
	if (!apt_mirror_is_good(chosen)) {
		_cleanup_free_ char *quoted = str_quote(chosen);
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, stage,
				 "%s '%s' is no mirror: it must be an http, https or file URL without a user name",
				 from, quoted ?: "?");
	}
	char *copy = strdup(chosen);
	if (!copy)
		return err_nomem(ret_error);
	free(*mirror);
	*mirror = copy;
	return 0;
}

static int find_mirrors(const struct recipe *recipe, struct apt_mirrors *m, ve_error **ret_error)
{
	_cleanup_close_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || apt_mirrors_of_host(root, m) < 0)
		return err_nomem(ret_error);
	int r = override_mirror(&m->main, "VECTL_MIRROR", recipe, "mirror", ret_error);
	if (r == 0)
		r = override_mirror(&m->security, "VECTL_SECURITY_MIRROR", recipe, "security_mirror", ret_error);
	if (r == 0 && !m->main) {
		r = err_plain(ret_error, VE_ERR_CONFIG, ENOENT, stage,
			      "cannot build image '%s': the host's apt sources name no Debian mirror",
			      recipe->name);
		err_hint(ret_error, "set VECTL_MIRROR to the URL of one (.../debian)");
	}
	return r;
}

#define NO_SECURITY_MIRROR \
	"image '%s' is built without security updates: the host's apt sources name no security mirror " \
	"(VECTL_SECURITY_MIRROR sets one)"

/* The lines for the image's sources.list, which is also what it is built from. */
static int add_sources(struct ve_ctx *ctx, const struct recipe *recipe, char ***argv, ve_error **ret_error)
{
	_cleanup_mirrors_ struct apt_mirrors mirrors = {};
	int r = find_mirrors(recipe, &mirrors, ret_error);
	if (r < 0)
		return r;
	json_t *components = recipe_list(recipe, "components");
	_cleanup_free_ char *joined = components ? recipe_join(components, " ") : strdup("main");
	bool warned = false;
	size_t i;
	json_t *source;
	json_array_foreach(recipe_list(recipe, "sources"), i, source) {
		bool security = str_eq(json_string_value(json_object_get(source, "mirror")), "security");
		const char *mirror = security ? mirrors.security : mirrors.main;
		if (!mirror) {
			if (!warned)
				ctx_warn(ctx, NO_SECURITY_MIRROR, recipe->name);
			warned = true;
			continue;
		}
		_cleanup_free_ char *line =
			joined ? str_printf("deb [signed-by=%s] %s %s %s", recipe_string(recipe, "keyring"),
					    mirror, json_string_value(json_object_get(source, "suite")), joined)
			       : NULL;
		if (!line || strv_add(argv, line) < 0)
			return err_nomem(ret_error);
	}
	return 0;
}

static int check_keyring(const struct recipe *recipe, ve_error **ret_error)
{
	const char *keyring = recipe_string(recipe, "keyring");
	if (access(keyring, R_OK) == 0)
		return 0;
	int r = err_make(ret_error, VE_ERR_UNSUPPORTED, errno, stage, "cannot read the archive's keys '%s'",
			 keyring);
	err_hint(ret_error, "install the package: apt install debian-archive-keyring");
	return r;
}

/* ---- running it ------------------------------------------------------------------------------------- */

static int make_argv(struct ve_ctx *ctx, const struct recipe *recipe, const char *path, char ***argv,
		     ve_error **ret_error)
{
	_cleanup_free_ char *variant = str_printf("--variant=%s", recipe_string(recipe, "variant") ?: "minbase");
	_cleanup_free_ char *packages = recipe_join(recipe_list(recipe, "packages"), ",");
	_cleanup_free_ char *include = packages ? str_printf("--include=%s", packages) : NULL;
	_cleanup_free_ char *architecture =
		str_printf("--architectures=%s", recipe_string(recipe, "architecture"));
	const char *const words[] = {
		"mmdebstrap", "--mode=root", "--format=directory", variant, include, architecture,
		recipe_string(recipe, "suite"), path,
	};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!words[i] || strv_add(argv, words[i]) < 0)
			return err_nomem(ret_error);
	return add_sources(ctx, recipe, argv, ret_error);
}

struct proxy {
	const char *variable;
	char ***env;
};

/* A line of `apt-config shell`: PROXY='http://...' */
static void proxy_line(const char *line, void *data)
{
	struct proxy *proxy = data;
	const char *value = strchr(line, '\'');
	size_t n = value ? strcspn(value + 1, "'") : 0;
	if (!str_starts(line, "PROXY=") || n == 0 || strncmp(value + 1, "DIRECT'", 7) == 0)
		return;
	_cleanup_free_ char *setting = str_printf("%s=%.*s", proxy->variable, (int)n, value + 1);
	if (setting)
		strv_add(proxy->env, setting);
}

/* The proxy of the caller, or of the host's apt, which mmdebstrap does not read. The variable does not end up
 * in the image. */
static int add_proxy(struct ve_ctx *ctx, const char *variable, const char *apt_key, char ***env)
{
	const char *value = secure_getenv(variable);
	if (value && *value) {
		_cleanup_free_ char *setting = str_printf("%s=%s", variable, value);
		return setting ? strv_add(env, setting) : -ENOMEM;
	}
	struct proxy proxy = { variable, env };
	const char *const argv[] = { "apt-config", "shell", "PROXY", apt_key, NULL };
	struct program p = { .argv = argv, .cancel_fd = ctx->cancel_fd, .line = proxy_line, .data = &proxy };
	int status;
	program_run(&p, &status, NULL); /* no apt, no proxy: then mmdebstrap's own complaint is the better one */
	return 0;
}

static int make_env(struct ve_ctx *ctx, const struct recipe *recipe, char ***env, ve_error **ret_error)
{
	_cleanup_free_ char *epoch = str_printf("SOURCE_DATE_EPOCH=%lld", (long long)recipe->epoch);
	if (!epoch || strv_add(env, "DEBIAN_FRONTEND=noninteractive") < 0 ||
	    (recipe->epoch > 0 && strv_add(env, epoch) < 0) ||
	    add_proxy(ctx, "http_proxy", "Acquire::http::Proxy", env) < 0 ||
	    add_proxy(ctx, "https_proxy", "Acquire::https::Proxy", env) < 0)
		return err_nomem(ret_error);
	const char *no_proxy = secure_getenv("no_proxy");
	_cleanup_free_ char *setting = no_proxy ? str_printf("no_proxy=%s", no_proxy) : NULL;
	return setting && strv_add(env, setting) < 0 ? err_nomem(ret_error) : 0;
}

static FILE *open_log(struct ve_ctx *ctx, const struct recipe *recipe)
{
	_cleanup_free_ char *name = str_printf("image-%s.log", recipe->name);
	if (!name || ctx->store->log_fd < 0)
		return NULL;
	/* Never through a link, and anew for each build: it is bounded by what one build says. */
	unlinkat(ctx->store->log_fd, name, 0);
	int fd = openat(ctx->store->log_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	FILE *log = fd < 0 ? NULL : fdopen(fd, "w");
	if (!log && fd >= 0)
		close(fd);
	return log;
}

int build_mmdebstrap(struct ve_ctx *ctx, const struct recipe *recipe, int root_fd, const char *root_path,
		     char **ret_version, ve_error **ret_error)
{
	_cleanup_strv_ char **argv = NULL, **env = NULL;
	int r = check_keyring(recipe, ret_error);
	if (r == 0)
		r = make_argv(ctx, recipe, root_path, &argv, ret_error);
	if (r == 0)
		r = make_env(ctx, recipe, &env, ret_error);
	if (r < 0)
		return r;
	_cleanup_fclose_ FILE *log = open_log(ctx, recipe);
	struct watch watch = { .ctx = ctx, .log = log, .cause = -1 };
	struct program p = { .argv = (const char *const *)argv,
			     .env = (const char *const *)env,
			     .package = "mmdebstrap",
			     .cancel_fd = ctx->cancel_fd,
			     .line = watch_line,
			     .data = &watch };
	int status;
	r = program_run(&p, &status, ret_error);
	if (r < 0)
		return r;
	if (status != 0)
		return build_failed(recipe, &watch, status, ret_error);
	*ret_version = strdup(recipe_string(recipe, "version"));
	return *ret_version ? 0 : err_nomem(ret_error);
}
