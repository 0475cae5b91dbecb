/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "document.h"
#include "report.h"
#include "secret.h"
#include "util.h"

/* As ve_create() has them; said here, so that no more is read. */
enum { USER_DATA_MAX = 64 * 1024, META_DATA_MAX = 16 * 1024, CREDENTIALS_MAX_BYTES = 1 << 20 };

struct create_options {
	const char *template_name, *image, *hostname, *disk, *config;
	const char *user_data, *meta_data;
	struct strings ips, ssh_keys, credentials, set;
	bool password_stdin, start, keep, if_missing;
	struct seconds wait;
};

static const struct option options[] = {
	STRING("template", "TEMPLATE", struct create_options, template_name,
	       "The plan that its limits come from. Without it the host's default.template is used; no VE is "
	       "unlimited by accident."),
	STRING("config", "FILE", struct create_options, config,
	       "Set the keys that FILE ('-': standard input) has, before --set: what 'vectl show --json' prints of another VE, or a part of "
	       "it. Who that VE was is not taken: names, owner, labels, notes, addresses, MAC. Its template is, unless --template is given."),
	STRING("image", "IMAGE", struct create_options, image,
	       "The operating system: a name that 'vectl image list' shows, or NAME@DIGEST. Without it the "
	       "template's, else the host's default.image."),
	STRINGS("ip", "ADDR", struct create_options, ips,
		"An address, IPv4 or IPv6 (192.0.2.10, 2001:db8::10), or auto: the next free one of the host's "
		"ip.pool (auto6: of IPv6). May be repeated. Without one the VE has a "
		"private address behind the host's."),
	STRING("hostname", "HOST", struct create_options, hostname,
	       "What the VE calls itself; without it its name."),
	STRINGS("ssh-key", "FILE", struct create_options, ssh_keys,
		"Let the public keys in FILE ('-': standard input) log in as root. May be repeated."),
	FLAG("password-stdin", 0, struct create_options, password_stdin,
	     "Read root's password from standard input: one line. Without it root has none, and logs in by key "
	     "only."),
	STRING("user-data", "FILE", struct create_options, user_data,
	       "Give cloud-init inside what is in FILE ('-': standard input), at most 64 KiB: its user-data."),
	STRING("meta-data", "FILE", struct create_options, meta_data,
	       "Give cloud-init this meta-data, at most 16 KiB. Without it, and with --user-data, instance-id is the VE's uuid, and "
	       "local-hostname its hostname."),
	STRINGS("credential", "ID=FILE", struct create_options, credentials,
		"Give systemd inside the credential ID, which is what is in FILE ('-': standard input), at each start. May be repeated; all "
		"together have at most 1 MiB."),
	STRINGS("set", "KEY=VALUE", struct create_options, set,
		"Set a configuration key, after the template: memory.limit=1G. May be repeated; 'vectl keys' "
		"lists the keys."),
	STRING("disk", "SIZE", struct create_options, disk,
	       "How much disk it may use: 10G. The same as --set disk.size=10G; see vectl-storage(7)."),
	FLAG("start", 0, struct create_options, start,
	     "Start it as well. If the start fails, the VE is gone again."),
	FLAG("keep", 0, struct create_options, keep, "With --start: keep the VE if its start fails."),
	MAYBE_SECONDS("wait", struct create_options, wait,
		      "With --start: return when it has booted, at most after SECONDS (120)."),
	FLAG("if-missing", 0, struct create_options, if_missing,
	     "A VE of this name that exists already is success, and stays as it is."),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

/* The FILE of ID=FILE; "" where there is none. */
static const char *credential_file(const char *item)
{
	const char *equals = strchr(item, '=');

	return equals ? equals + 1 : "";
}

/* The options that read a file, one after the other; NULL behind the last. */
static const char *next_file(const struct create_options *o, size_t i, const char **ret_option)
{
	const struct {
		const char *option, *file;
	} single[] = { { "config", o->config },
		       { "password-stdin", o->password_stdin ? "-" : NULL },
		       { "user-data", o->user_data },
		       { "meta-data", o->meta_data } };

	if (i < ARRAY_SIZE(single)) {
		*ret_option = single[i].option;
		return single[i].file ? single[i].file : "";
	}
	i -= ARRAY_SIZE(single);
	*ret_option = i < o->ssh_keys.n ? "ssh-key" : "credential";
	if (i < o->ssh_keys.n)
		return o->ssh_keys.items[i];
	i -= o->ssh_keys.n;
	return i < o->credentials.n ? credential_file(o->credentials.items[i]) : NULL;
}

/* Standard input is read once; and who may set unprivileged keys only shall not read the host's files with root's eyes: an error
 * may quote what is in one, and the VE gets it. */
static int check_files(struct call *call, const struct create_options *o)
{
	const char *option, *file, *reader = NULL;

	for (size_t i = 0; (file = next_file(o, i, &option)); i++) {
		if (*file && !str_eq(file, "-") && call->common.unprivileged_keys_only) {
			_cleanup_free_ char *why = x_printf("--%s FILE reads a file of the host's (--%s - is standard input)", option, option);
			return report_unprivileged(call, why);
		}
		if (!str_eq(file, "-"))
			continue;
		if (str_eq(reader, option))
			return report_refusal(call, VE_ERR_USAGE, NULL, "--%s - can be given once: it reads standard input", option);
		if (reader)
			return report_refusal(call, VE_ERR_USAGE, NULL, "--%s and --%s both read standard input: give one of them", reader, option);
		reader = option;
	}
	return 0;
}

static int check_options(struct call *call, const struct create_options *o)
{
	int code = check_files(call, o);

	if (!code && (o->keep || o->wait.given) && !o->start)
		code = report_refusal(call, VE_ERR_USAGE, NULL, "--%s goes with --start only", o->keep ? "keep" : "wait");
	return code;
}

static int read_config(struct call *call, const char *path, ve_spec **ret_spec)
{
	_cleanup_spec_ ve_spec *spec = NULL;
	_cleanup_free_ char *text = NULL;
	ve_error *e = NULL;

	int code = document_read(call, path, &text);
	if (code)
		return code;
	int r = ve_spec_new(call->ctx, &spec, &e);
	if (r >= 0)
		r = ve_spec_read(spec, text, str_eq(path, "-") ? "standard input" : path, &e);
	if (r < 0)
		return report_failure(call, r, e);
	*ret_spec = spec;
	spec = NULL;
	return 0;
}

/* The assignments: --hostname and --disk are two of them. */
static int make_spec(struct call *call, const struct create_options *o, ve_spec **ret_spec)
{
	struct strings items = { 0 };
	_cleanup_free_ char *hostname = o->hostname ? x_printf("hostname=%s", o->hostname) : NULL;

	_cleanup_free_ char *disk = o->disk ? x_printf("disk.size=%s", o->disk) : NULL;

	for (size_t i = 0; i < o->set.n; i++)
		strings_add(&items, o->set.items[i]);
	if (hostname)
		strings_add(&items, hostname);
	if (disk)
		strings_add(&items, disk);
	int code = o->config ? read_config(call, o->config, ret_spec) : call_make_spec(call, NULL, ret_spec);
	if (!code)
		code = call_assign(call, *ret_spec, items.items);
	free(items.items);
	return code;
}

static int read_seed(struct call *call, const struct create_options *o, char **user_data, char **meta_data, struct ve_create_opts *opts)
{
	int code = 0;

	if (o->user_data)
		code = secret_read_file(call, "user-data", o->user_data, USER_DATA_MAX, user_data, &opts->user_data_bytes);
	if (!code && o->meta_data)
		code = secret_read_file(call, "meta-data", o->meta_data, META_DATA_MAX, meta_data, &opts->meta_data_bytes);
	opts->user_data = *user_data;
	opts->meta_data = *meta_data;
	return code;
}

static int read_credential(struct call *call, const char *item, struct ve_credential *c)
{
	const char *file = credential_file(item);
	char *data = NULL;

	if (!*file)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--credential takes ID=FILE");
	int code = secret_read_file(call, "credential", file, CREDENTIALS_MAX_BYTES, &data, &c->n_bytes);
	if (code)
		return code;
	c->id = x_strndup(item, (size_t)(file - 1 - item));
	c->data = data;
	return 0;
}

/* N are there when it returns, for free_credentials(). */
static int read_credentials(struct call *call, const struct create_options *o, struct ve_create_opts *opts)
{
	struct ve_credential *all = x_zalloc((o->credentials.n + 1) * sizeof(*all));
	int code = 0;

	opts->credentials = all;
	for (size_t i = 0; !code && i < o->credentials.n; i++) {
		code = read_credential(call, o->credentials.items[i], &all[i]);
		opts->n_credentials += !code;
	}
	return code;
}

static void free_credentials(struct ve_create_opts *opts)
{
	for (size_t i = 0; i < opts->n_credentials; i++) {
		free((char *)opts->credentials[i].id);
		explicit_bzero((char *)opts->credentials[i].data, opts->credentials[i].n_bytes);
		free((char *)opts->credentials[i].data);
	}
	free((struct ve_credential *)opts->credentials);
}

static int read_secrets(struct call *call, const struct create_options *o, struct strings *keys, char **password)
{
	int code = 0;

	for (size_t i = 0; !code && i < o->ssh_keys.n; i++)
		code = secret_read_keys(call, o->ssh_keys.items[i], keys);
	if (!code && o->password_stdin)
		code = secret_read_line(call, password);
	return code;
}

/* Whoever made a server that nobody can log in to is told so: neither is said by an error. */
static void hint_at_access(struct call *call, ve *v)
{
	_cleanup_doc_ ve_doc *status = NULL, *image = NULL;

	if (call->common.json || call->common.quiet || ve_status(v, &status, NULL) < 0)
		return;
	const char *name = ve_doc_string(status, "image");
	if (name && ve_image_show(call->ctx, name, &image, NULL) >= 0 && ve_doc_bool(image, "sshd"))
		report_line(call, "no key or password was given: vectl passwd %s, or vectl enter %s", ve_name(v),
			    ve_name(v));
}

static int run(struct call *call)
{
	const struct create_options *o = call->options;
	_cleanup_spec_ ve_spec *spec = NULL;
	_cleanup_ve_ ve *v = NULL;
	_cleanup_strings_ struct strings keys = { 0 };
	_cleanup_free_ char *user_data = NULL, *meta_data = NULL;
	struct ve_create_opts opts = { .size = sizeof(opts) };
	char *password = NULL;
	ve_error *e = NULL;

	int code = check_options(call, o);
	if (!code)
		code = make_spec(call, o, &spec);
	if (!code)
		code = read_seed(call, o, &user_data, &meta_data, &opts);
	if (!code)
		code = read_credentials(call, o, &opts);
	if (!code)
		code = read_secrets(call, o, &keys, &password);
	if (code) {
		free_credentials(&opts);
		return code;
	}
	opts.template_name = o->template_name;
	opts.image = o->image;
	opts.spec = spec;
	opts.ips = o->ips.items;
	opts.ssh_keys = keys.items;
	opts.password = password;
	opts.if_missing = o->if_missing;
	opts.start = o->start;
	opts.keep = o->keep;
	opts.wait = o->wait.given;
	opts.wait_s = o->wait.value;
	int r = ve_create(call->ctx, call->operands[0], &opts, &v, &e);
	secret_free(password);
	free_credentials(&opts);
	if (r < 0)
		return report_failure(call, r, e);
	code = report_change(call, v, r, o->start ? "created and started" : "created", "exists already");
	if (!code && r != VE_UNCHANGED && !call->common.dry_run && !o->ssh_keys.n && !o->password_stdin && !o->user_data)
		hint_at_access(call, v);
	return code;
}

const struct command command_create = {
	.name = "create",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" } },
	.options = options,
	.options_size = sizeof(struct create_options),
	.run = run,
	.summary = "make a VE",
	.description =
		"Makes a VE called NAME from an image, with the limits of a template. Nothing is copied: the VE "
		"shares the image's files until it changes them. It is not started unless --start is given.\n\n"
		"NAME has lower case letters, digits and dashes, at most 63 of them; it begins and ends with a "
		"letter or a digit. The template is copied into the VE's configuration: a template that changes "
		"later does not change the VE.\n\n--user-data and --meta-data are for cloud-init: files of root's alone in "
		"/var/lib/cloud/seed/nocloud of the VE, a seed of its data source NoCloud, which leaves the network as it is set from "
		"outside. --credential is for systemd, and for services with LoadCredential=: at each start its init is given a directory with a "
		"file for each, as systemd-creds(1) lists them. They are kept on the host, in /var/lib/vectl/ve/UUID/credentials, root's alone: "
		"replace or remove a file there for the next start. A VE whose 'command' is not an init takes none. Neither is in its "
		"configuration, in its history or in a clone.\n\nWhatever goes wrong, nothing is left behind.",
	.examples = {
		{ "vectl show web1 --json | vectl create web2 --config -", "Makes a VE as web1 is, from the same image, with files of its own." },
		{ "vectl create web1 --ip 192.0.2.10 --ssh-key ~/.ssh/id_ed25519.pub --start --wait",
		  "Makes a VE that is reachable from outside, starts it, and returns when ssh root@192.0.2.10 "
		  "works." },
		{ "pass show web1/tls | vectl create web1 --user-data web1.yaml --credential tls.key=-",
		  "cloud-init does what web1.yaml says, where the image has it; services find a key with LoadCredential=tls.key." },
		{
		"vectl create big1 --template vps-large --image debian-13 --set memory.limit=6G --set cpu.cores=3",
		  "Takes the plan vps-large with two changes." },
	},
	.exits =
	"64 a file is too large, or a credential has no good name\n66 there is no such image or template, or a hook is not there\n69 the size cannot be enforced here\n"
		 "73 a VE of this name exists, or the address is taken\n74 no room on the disk\n"
		 "75 with --start --wait: it has not booted in time; it is left running\n77 not with --unprivileged-keys-only\n"
		 "78 a key or a value is wrong, or the image does not suit\n79 hooks.create said no",
	.see = "start(8) set(8) image-list(8) config(5) storage(7)",
	.since = "0.1",
};
