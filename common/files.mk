# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The sources of a folder.  configure reads these files, not make: plain
# assignments NAME = words, lines continued by a backslash, comments.  A
# folder inside a room may have its own files.mk; its sources belong to the
# same room.  Names are relative to the folder.  A room becomes the library
# $(OBJ)/ROOM/libROOM.a and, with a main.c, the program $(OBJ)/ROOM/ROOM.
#
#	SRCS	.c and .y files, or patterns of the shell
#	SRCS_x	further ones on the system that uname -s calls x
#	LIBS	what they use: bsd event_core event tls ssl crypto unbound
#		lmdb z lzma archive spf2 opendkim icu hiredis (event instead of
#		event_core with unbound); those of common are always there
#
# Below regress/ every NAME_test.c is a unit test and every NAME_fuzz.c a fuzz
# target without being listed; both are linked with the room that the folder
# is named after and with common.  There,
#
#	PROGS		helper programs, each from PROG.c
#	NAME_LIBS	further libraries of NAME (a test, target or helper)
#	NAME_ROOMS	other rooms to link with, instead of the folder's
#	NAME_SRCS	further sources, from the top: regress/common/x.c

SRCS = *.c compat/acts.c

SRCS_Linux = \
	compat/acts_linux.c \
	compat/calls_linux.c \
	compat/landlock_linux.c \
	compat/memfile_linux.c \
	compat/memory_linux.c \
	compat/sandbox_linux.c \
	compat/seccomp_linux.c \
	compat/syncgroup_linux.c \
	compat/title_linux.c

SRCS_OpenBSD = \
	compat/memfile_openbsd.c \
	compat/memory_openbsd.c \
	compat/sandbox_openbsd.c \
	compat/syncgroup_openbsd.c \
	compat/title_openbsd.c

LIBS = bsd event_core tls crypto
