/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading nftables messages: requests and answers have the same form. */
#include <linux/netfilter/nfnetlink.h>

#include "net/priv.h"

const struct nlattr *nft_attr(const struct nlmsghdr *m, unsigned type)
{
	const struct nlattr *attr;
	mnl_attr_for_each(attr, m, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

const struct nlattr *nft_nested(const struct nlattr *nest, unsigned type)
{
	const struct nlattr *attr;
	if (nest)
		mnl_attr_for_each_nested(attr, nest)
			if (mnl_attr_get_type(attr) == type)
				return attr;
	return NULL;
}

const char *nft_text(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_str(attr) : "";
}
