# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The form is described in common/files.mk.

SRCS = \
	backend_lmdb.c \
	grey.c \
	key.c \
	lmdb_file.c \
	main.c \
	rate.c \
	store.c

LIBS = lmdb
