/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a recipe that change a built tree. The tree's own links may lead anywhere: nothing outside is
 * touched. */
#ifndef RUN_IMAGE_TREE_H
#define RUN_IMAGE_TREE_H

#include <sys/stat.h>

#include "base/error.h"
#include "run/recipe.h"

/* In this order: remove, empty, directories, files, links, mask, disable. ROOT_FD: the tree. */
int image_tree_adapt(int root_fd, const struct recipe *recipe, ve_error **ret_error);

/* A regular file of root's at PATH ("/etc/x"; missing directories are made 0755), in the place of whatever was
 * there. */
int image_tree_write(int root_fd, const char *path, const void *data, size_t size, mode_t mode,
		     ve_error **ret_error);
int image_tree_link(int root_fd, const char *path, const char *target, ve_error **ret_error);
/* stat(2) as the tree's own processes would do it. 0 or -errno. */
int image_tree_stat(int root_fd, const char *path, struct stat *ret);
int image_tree_mkdir(int root_fd, const char *path, mode_t mode, ve_error **ret_error);

#endif
