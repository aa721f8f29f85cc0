# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The form is described in common/files.mk.

arc_test_SRCS = regress/scand/auth/zone.c regress/scand/nopeer.c
dkim_test_SRCS = regress/scand/auth/zone.c regress/scand/nopeer.c
dmarc_test_SRCS = regress/scand/auth/zone.c regress/scand/nopeer.c
spf_test_SRCS = regress/scand/auth/spf_zone.c \
	regress/scand/auth/spf_oracle.c
